"""An album is named as digiKam shows it; the database is found in digiKam's own settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from digikam.kit import Library
from keywright.cli.digikam import digikam
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.operations.albums import is_inside, photos_in_album
from keywright.operations.workspace import Workspace
from keywright.writeback.digikam_settings import database_of


@pytest.mark.parametrize(
    ("relative", "album", "inside"),
    [
        ("/2023/Trips", "2023/Trips", True),
        ("/2023/Trips/Day 1", "/2023/Trips/", True),
        ("/2023/Trips 2", "2023/Trips", False),
        ("/", "2023", False),
        ("/anything", "", True),
    ],
)
def test_an_album_is_itself_and_what_is_below_it(relative: str, album: str, inside: bool) -> None:
    assert is_inside(relative, album) is inside


@pytest.mark.parametrize(
    ("album", "names"),
    [
        ("2023/Trips", {"IMG_0002.JPG", "coffee.jpg"}),
        ("2023", {"IMG_0001.JPG", "IMG_0002.JPG", "coffee.jpg", "moto.jpg", "moon.jpg"}),
        ("2024 Überseé", {"rocket.jpg", "hubble.jpg"}),
    ],
)
def test_the_photos_of_an_album_are_those_digikam_has_in_it(library: Library, album: str, names: set[str]) -> None:
    with Workspace.open(Home(library.folder / "home")) as workspace:
        assert {p.name for p in photos_in_album(workspace, str(library.database), album)} == names
        with pytest.raises(KeywrightError, match="no album Trips"):
            photos_in_album(workspace, str(library.database), "Trips")


@pytest.mark.parametrize(
    ("lines", "source"),
    [
        ("Database Type=QSQLITE\nDatabase Name=/p/db/", "/p/db/digikam4.db"),
        ("Database Name=/p/db/digikam4.db", "/p/db/digikam4.db"),
        (
            "Database Type=QMYSQL\nDatabase Name=digikam\nDatabase Hostname=nas\nDatabase Port=3307\n"
            "Database Username=a@b",
            "mysql://a%40b@nas:3307/digikam",
        ),
        ("Other=1", None),
    ],
)
def test_the_database_is_the_one_digikam_uses(tmp_path: Path, lines: str, source: str | None) -> None:
    (tmp_path / "digikamrc").write_text(f"[Database Settings]\n{lines}\n")
    assert database_of(tmp_path / "digikamrc") == source


def test_writing_without_a_confidence_is_a_usage_error() -> None:
    done = CliRunner().invoke(digikam, ["suggest", "--album", "2023", "--apply"])
    assert done.exit_code == 2
    assert "--min-confidence" in done.output
