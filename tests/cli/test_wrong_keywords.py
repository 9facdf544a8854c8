"""A keyword that a person calls wrong on a photo goes out of the file with the next apply, and comes back with undo."""

from __future__ import annotations

from pathlib import Path

from cli.kit import Keywright
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change, read_keywords
from keywright.operations.deciding import Decided, decide
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.photos import list_photos
from writeback.kit import jpeg

CAT, STONE = KeywordPath.of("Animals", "Cat"), KeywordPath.of("Stone")


def test_a_rejected_keyword_is_taken_out_of_the_file_and_undo_gives_it_back(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    photo = jpeg(tmp_path / "photos" / "stone.jpg")
    photo.write_bytes(plan_file_change(photo, frozenset([CAT, STONE]), frozenset(), SidecarProfile.PLAIN).after)
    before = photo.read_bytes()
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        read_source(workspace, str(photo.parent), (), learn=True)
        with workspace.store.read() as connection:
            (row,) = list_photos(connection)
        decide(workspace, [Decided(row.id, CAT, Decision.REJECTED)])
    keywright = Keywright(tmp_path / "home")
    assert "−Animals|Cat" in keywright("apply", "--dry-run").out
    assert photo.read_bytes() == before
    assert keywright("apply").status == 0
    assert read_keywords(photo).keywords == {STONE}
    assert keywright("undo").status == 0
    assert photo.read_bytes() == before
