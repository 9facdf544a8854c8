"""The dialogs in docs/lightroom.md are the plug-in's own; KEYWRIGHT_PICTURES=1 draws them anew."""

from __future__ import annotations

import os
from pathlib import Path

from lightroom.people import cancels, presses
from lightroom.simulation.drawing import picture
from lightroom.simulation.lightroom import Lightroom
from lightroom.test_suggesting_end_to_end import bare

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def test_the_docs_show_the_dialogs_of_the_plugin(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:50]
    lightroom.people = [presses("One by one"), cancels]
    lightroom.choose("SuggestKeywords.lua")
    for dialog, name in zip(lightroom.dialogs, ("lightroom-together", "lightroom-single"), strict=True):
        drawn = picture(dialog)
        if os.environ.get("KEYWRIGHT_PICTURES"):
            IMAGES.mkdir(exist_ok=True)
            drawn.quantize(32).save(IMAGES / f"{name}.png", optimize=True)
        assert (IMAGES / f"{name}.png").exists()
        assert drawn.width <= 900
        assert drawn.height <= 700  # fits a small screen
