"""What the section [files] of the configuration says holds wherever Keywright writes and undoes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, read_keywords
from keywright.operations.applying import apply, undo
from keywright.operations.picking import Chosen
from keywright.operations.workspace import Workspace
from keywright.writeback import AcceptedKeyword, PhotoDecisions
from metadata.pictures import FILES

DOG = KeywordPath.of("Animals", "Dog")
BEFORE = 1_000_000_000 * 10**9


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("KEYWRIGHT_HOME", str(tmp_path / "home"))
    photo = tmp_path / "a.jpg"
    photo.write_bytes(FILES["plain.jpg"])
    os.utime(photo, ns=(BEFORE, BEFORE))
    return photo


def written(photo: Path, settings: str) -> tuple[list[str], int, int]:
    """What was refused when a keyword was written, and the photo's time then and after undoing."""
    home = photo.parent / "home"
    (home / "config.toml").write_text(settings, encoding="utf-8")
    with Workspace.open(Home(home)) as workspace:
        chosen = Chosen((PhotoDecisions(photo, (AcceptedKeyword(DOG, 0.9),)),))
        report = apply(workspace, chosen, SidecarProfile.PLAIN, label="test")
        time = photo.stat().st_mtime_ns
        if report.written:
            assert read_keywords(photo).keywords == {DOG}
            undo(workspace, None)
            assert photo.read_bytes() == FILES["plain.jpg"]
    return [refusal.reason for refusal in report.refused], time, photo.stat().st_mtime_ns


def test_a_files_time_is_kept_where_the_user_wants_that(photo: Path) -> None:
    assert written(photo, '[files]\ntimes = "keep"\n') == ([], BEFORE, BEFORE)


def test_a_files_time_is_now_where_nothing_is_said(photo: Path) -> None:
    refused, then, after = written(photo, "")
    assert not refused
    assert after > then > BEFORE


@pytest.mark.skipif(not hasattr(os, "link"), reason="no hard links here")
def test_a_file_with_several_names_is_separated_only_where_the_user_allows_it(photo: Path) -> None:
    other = photo.with_name("other.jpg")
    other.hardlink_to(photo)
    (reason,), *_ = written(photo, "")
    assert "hard_links" in reason
    assert written(photo, '[files]\nhard_links = "separate"\n')[0] == []
    assert other.read_bytes() == FILES["plain.jpg"]
