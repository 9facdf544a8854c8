"""digiKam's own settings are found on every system and decide where keywords go."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.metadata import SidecarProfile
from keywright.writeback.digikam_host import is_digikam_among
from keywright.writeback.digikam_settings import MetadataSettings, read_settings, settings_file


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


@pytest.mark.parametrize(
    ("lines", "profile"),
    [
        ("", SidecarProfile.DIGIKAM),
        ("Metadata Writing Mode=0\nUse XMP Sidecar For Reading=true", SidecarProfile.DIGIKAM),
        ("Use Compatible File Name=true", SidecarProfile.PLAIN),
        ("Metadata Writing Mode=1", SidecarProfile.DARKTABLE),
        ("Metadata Writing Mode=3", SidecarProfile.DIGIKAM),
        ("Metadata Writing Mode=nonsense", SidecarProfile.DIGIKAM),
    ],
)
def test_what_the_user_set_decides_where_keywords_go(tmp_path: Path, lines: str, profile: SidecarProfile) -> None:
    file = tmp_path / "digikamrc"
    file.write_text(f"[Album Settings]\nA=1\n[Metadata Settings]\nSave Tags=true\n{lines}\n[Other][Sub]\nb=c\n")
    assert read_settings(file).profile == profile


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
