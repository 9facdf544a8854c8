"""digiKam's own settings are found on every system and decide where keywords go."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.metadata import choose_place
from keywright.writeback.digikam_running import is_digikam_among
from keywright.writeback.digikam_settings import MetadataSettings, read_settings, settings_file
from writeback.kit import OTHER_PROGRAM, jpeg, raw


@pytest.mark.parametrize(
    ("system", "environment", "file"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.config/digikamrc"),
        ("linux", {"HOME": "/home/ann", "XDG_CONFIG_HOME": "/etc/ann"}, "/etc/ann/digikamrc"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Preferences/digikamrc"),
        ("win32", {"LOCALAPPDATA": "/ann/local"}, "/ann/local/digikamrc"),
    ],
)
def test_the_settings_lie_where_each_system_keeps_them(system: str, environment: dict[str, str], file: str) -> None:
    assert settings_file(environment, system) == Path(file)


JPEG, RAW = "IMG.jpg", "IMG.nef"


@pytest.mark.parametrize(
    ("lines", "photo", "written"),
    [
        ("", JPEG, {"IMG.jpg"}),
        ("", RAW, {"IMG.nef.xmp"}),
        ("Use XMP Sidecar For Reading=true", JPEG, {"IMG.jpg"}),
        ("Use Compatible File Name=true", RAW, {"IMG.xmp"}),
        ("Metadata Writing Mode=1", JPEG, {"IMG.jpg.xmp"}),
        ("Metadata Writing Mode=1\nUse Compatible File Name=true", JPEG, {"IMG.xmp"}),
        ("Metadata Writing Mode=2", JPEG, {"IMG.jpg", "IMG.jpg.xmp"}),
        ("Metadata Writing Mode=2", RAW, {"IMG.nef.xmp"}),
        ("Metadata Writing Mode=2\nUse Compatible File Name=true", JPEG, {"IMG.jpg", "IMG.xmp"}),
        ("Metadata Writing Mode=3", JPEG, {"IMG.jpg"}),
        ("Metadata Writing Mode=nonsense", JPEG, {"IMG.jpg"}),
    ],
)
def test_what_the_user_set_decides_where_keywords_go(tmp_path: Path, lines: str, photo: str, written: set[str]) -> None:
    (jpeg if photo == JPEG else raw)(tmp_path / photo)
    assert files_for(tmp_path, photo, lines) == written


def test_a_sidecar_that_is_there_is_written_too(tmp_path: Path) -> None:
    jpeg(tmp_path / JPEG)
    (tmp_path / "IMG.jpg.xmp").write_bytes(OTHER_PROGRAM)
    assert files_for(tmp_path, JPEG, "") == {"IMG.jpg", "IMG.jpg.xmp"}


def test_a_write_protected_photo_gets_a_sidecar_where_digikam_is_set_to_that(tmp_path: Path) -> None:
    jpeg(tmp_path / JPEG).chmod(0o444)
    assert files_for(tmp_path, JPEG, "Metadata Writing Mode=3") == {"IMG.jpg.xmp"}


def files_for(folder: Path, photo: str, lines: str) -> set[str]:
    rc = folder / "digikamrc"
    rc.write_text(f"[Album Settings]\nA=1\n[Metadata Settings]\nSave Tags=true\n{lines}\n[Other][Sub]\nb=c\n")
    profiles = read_settings(rc).profiles(folder / photo)
    return {choose_place(folder / photo, profile).target.name for profile in profiles}


def test_without_settings_digikams_own_defaults_hold(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "digikamrc") == MetadataSettings()
    (tmp_path / "digikamrc").write_bytes(b"\xff\xfe no settings\n at all")
    assert read_settings(tmp_path / "digikamrc") == MetadataSettings()


def test_sidecars_that_digikam_does_not_read_are_warned_of() -> None:
    assert "will not see" in MetadataSettings(mode=1).warnings()[0]
    assert MetadataSettings(mode=1, reads_sidecars=True).warnings() == ()


@pytest.mark.parametrize(
    ("names", "runs"),
    [({"digikam"}, True), ({"digikam.exe"}, True), ({"digiKam-9.1.0-Qt"}, True), ({"showfoto", "bash"}, False)],
)
def test_digikam_is_known_by_its_programs_name(names: set[str], runs: bool) -> None:
    assert is_digikam_among(names) is runs
