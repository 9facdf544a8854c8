"""docs/lightroom.md names every menu item and every message of failure."""

from __future__ import annotations

import re
from pathlib import Path

from lightroom.simulation.lightroom import PLUGIN

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lightroom.md").read_text(encoding="utf-8")


def test_every_menu_item_is_documented() -> None:
    info = (PLUGIN / "Info.lua").read_text(encoding="utf-8")
    titles = re.findall(r"\$\$\$/Keywright/Menu/\w+=([^\"]+)\"", info)
    assert len(titles) == 6
    assert [t for t in titles if f"| {t} |" not in PAGE] == []


def test_every_message_of_failure_is_documented() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in PLUGIN.glob("*.lua"))
    said = re.findall(r"Task\.fail\(\s*LOC\(\"\$\$\$/Keywright/\w+=([^\"]+)\"", source)
    assert len(said) >= 9
    assert [s for s in said if s.replace(" (^1)", "") not in PAGE] == []
