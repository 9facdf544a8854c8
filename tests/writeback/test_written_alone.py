"""Keywords written by their confidence alone never teach as if a person had given them, whenever the power goes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keywright.home import Home
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.operations import applying
from keywright.operations.gathering import gather
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace
from keywright.store import photos, vectors
from keywright.store.decisions import list_written
from writeback.killed_confident_apply import chosen
from writeback.kit import CAT, DOG, keywords, library

TESTS = str(Path(__file__).resolve().parent.parent)
PROGRAM = (
    f"import sys; sys.path.insert(0, {TESTS!r}); from writeback.killed_confident_apply import main; main(*sys.argv[1:])"
)
AGAIN = PROGRAM.replace("import main; main(", "import after_commit; after_commit(")
PHOTOS = 12


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    library(tmp_path / "photos", PHOTOS)
    found = Workspace.open(Home(tmp_path / "home"))
    read_source(found, str(tmp_path / "photos"), learn=True)
    with found.store.write() as connection:
        rows = photos.list_photos(connection)
        photos.record_stamps(connection, [photos.Stamp(r.id, 1, 1, f"content {r.id}", None) for r in rows])
        unit = np.eye(1280, dtype=np.float32)
        new = [vectors.NewVector(f"content {r.id}", unit[r.id], 1.0) for r in rows]
        vectors.add_vectors(connection, found.encoder_id, new)
    return found


def taught(workspace: Workspace, folder: Path) -> int:
    """How many photos teach the dog, when the folder is read again."""
    read_source(workspace, str(folder), learn=True)
    with workspace.store.read() as connection:
        gathered = gather(workspace, connection)
    return sum(len(k.positives) for k in gathered.data.keywords if k.path == DOG)


@pytest.mark.slow
def test_killed_at_any_moment_what_was_written_alone_does_not_teach(workspace: Workspace, tmp_path: Path) -> None:
    chance = random.Random(3)
    seen = set()
    for call in sorted({*chance.sample(range(40, 130), 4)}):
        command = [sys.executable, "-c", PROGRAM, str(workspace.home.folder), str(DOG), str(call)]
        ran = subprocess.run(command, check=False)
        applying.recover(workspace)
        wrote = [path for path in (tmp_path / "photos").iterdir() if path.suffix in (".jpg", ".nef")]
        carrying = sum("Animals|Dog" in keywords(path) for path in wrote)
        seen.add(carrying)
        assert taught(workspace, tmp_path / "photos") == 0, (call, ran.returncode)
        with workspace.store.read() as connection:
            assert len(list_written(connection)) == carrying
        if carrying:
            applying.undo(workspace, None)
        with workspace.store.read() as connection:
            assert list_written(connection) == set()
    assert max(seen) > 0


def test_what_a_person_gives_after_a_killed_batch_left_it_out_does_teach(workspace: Workspace, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(workspace.home.folder), str(DOG), "1"]
    assert subprocess.run(command, check=False).returncode != 0
    applying.recover(workspace)
    photo = tmp_path / "photos" / "IMG_0000.jpg"
    photo.write_bytes(plan_file_change(photo, frozenset({DOG}), frozenset(), SidecarProfile.PLAIN).after)
    assert taught(workspace, tmp_path / "photos") == 1


def carrying(folder: Path) -> int:
    photos_there = [path for path in folder.iterdir() if path.suffix in (".jpg", ".nef")]
    return sum("Animals|Dog" in keywords(path) for path in photos_there)


@pytest.mark.parametrize("action", ["recover", "undo", "apply"])
@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_second_kill_at_any_commit_leaves_nothing_unsettled(
    workspace: Workspace, tmp_path: Path, action: str, commits: int
) -> None:
    folder = tmp_path / "photos"
    if action == "undo":
        applying.apply(workspace, chosen(workspace, DOG), SidecarProfile.PLAIN, label="confident")
    elif action == "recover":
        command = [sys.executable, "-c", PROGRAM, str(workspace.home.folder), str(DOG), "60"]
        assert subprocess.run(command, check=False).returncode != 0
    else:
        (folder / "IMG_0000.jpg").chmod(0o444)  # refused: it is never Keywright's own
    command = [sys.executable, "-c", AGAIN, str(workspace.home.folder), action, str(commits)]
    subprocess.run(command, check=False)
    applying.recover(workspace)
    with workspace.store.read() as connection:
        assert len(list_written(connection)) == carrying(folder)
    assert taught(workspace, folder) == 0


def test_only_what_the_batch_added_is_known_as_keywrights_own(workspace: Workspace, tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "IMG_0000.jpg"
    photo.write_bytes(plan_file_change(photo, frozenset({DOG}), frozenset(), SidecarProfile.PLAIN).after)
    read_source(workspace, str(tmp_path / "photos"), learn=True)
    applying.apply(workspace, chosen(workspace, DOG), SidecarProfile.PLAIN, label="confident")
    assert taught(workspace, tmp_path / "photos") == 1
    applying.apply(workspace, chosen(workspace, CAT), SidecarProfile.PLAIN, label="more")
    with workspace.store.read() as connection:
        assert len(list_written(connection)) == 2 * PHOTOS - 1
