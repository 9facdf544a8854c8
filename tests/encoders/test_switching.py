"""A person changes the encoder: nothing is lost, the better one suggests, and it can be taken back."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.library import make_library
from PIL import Image

from encoders.clip_extra import clip_is_installed
from keywright.config import EVERYTHING
from keywright.encoders import LEVELS
from keywright.encoders.base import EncoderError
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.operations.active import ModelsInUse, load_models
from keywright.operations.embedding import embed_photos
from keywright.operations.learning import learn
from keywright.operations.progress import CancelledError
from keywright.operations.pulling import pull_folder
from keywright.operations.reading import read_source
from keywright.operations.refreshing import refresh
from keywright.operations.suggesting import suggest_photos
from keywright.operations.switching import listed_encoders, switch, switch_back
from keywright.operations.versions import versions
from keywright.operations.workspace import Workspace
from keywright.service.worker import run_job
from keywright.store import jobs
from keywright.store.models import activate_version, add_version, version_content
from keywright.store.photos import list_photos
from keywright.store.vectors import count_vectors

FAST, STANDARD = LEVELS["fast"], LEVELS["standard"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A library of photos, and a home that learned it with the fast encoder."""
    folder = tmp_path_factory.mktemp("switching")
    make_library(folder / "library")
    with Workspace.open(Home(folder / "home"), encoder="fast") as workspace:
        learn(workspace, [str(folder / "library")])
    return folder / "library", folder / "home"


@pytest.fixture
def workspace(made: tuple[Path, Path], tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(made[1], tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as opened:
        yield opened


def vectors_of(workspace: Workspace, encoder_id: str) -> int:
    with workspace.store.read() as connection:
        return count_vectors(connection, encoder_id)


def test_the_encoder_in_use_is_that_of_the_models_in_use(workspace: Workspace) -> None:
    assert workspace.encoder_id == FAST  # whatever is configured for new homes
    assert load_models(workspace)[0].encoder_id == FAST


def test_who_asks_for_another_encoder_than_the_models_have_is_told_how_to_change_to_it(workspace: Workspace) -> None:
    other = workspace.with_encoder("standard")
    with pytest.raises(KeywrightError, match=re.escape(f"`keywright models encoder {STANDARD}`")):
        list(suggest_photos(other, [], profile=EVERYTHING))
    with pytest.raises(KeywrightError, match=re.escape(f"learned with the encoder {FAST}, not with {STANDARD}")):
        ModelsInUse(other).current()
    with pytest.raises(KeywrightError, match="not with"):
        refresh(other)
    switch(workspace, STANDARD, anyway=True)  # what the sentence says to do
    assert ModelsInUse(other).current().models.encoder_id == STANDARD


def test_vectors_of_both_are_kept_and_the_change_can_be_taken_back(workspace: Workspace) -> None:
    pictures = vectors_of(workspace, FAST)
    done = switch(workspace, "standard", anyway=True)
    assert (done.before, done.after, done.switched) == (FAST, STANDARD, True)
    assert vectors_of(workspace, FAST) == vectors_of(workspace, STANDARD) == pictures == done.embedding.embedded
    assert workspace.encoder_id == workspace.encoder.id == load_models(workspace)[0].encoder_id == STANDARD
    assert {one.info.id for one in listed_encoders(workspace) if one.in_use} == {STANDARD}

    assert switch_back(workspace).encoder_id == FAST
    assert workspace.encoder_id == workspace.encoder.id == load_models(workspace)[0].encoder_id == FAST
    again = switch(workspace, "standard", anyway=True)
    assert again.embedding.embedded == 0  # nothing is looked at twice
    assert again.trained_version == done.trained_version


def test_a_change_that_was_stopped_goes_on_where_it_was_and_the_old_models_suggest_meanwhile(
    workspace: Workspace,
) -> None:
    pictures = vectors_of(workspace, FAST)
    seen: list[int] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "Embedding photos" and total:
            seen.append(done)

    with pytest.raises(CancelledError, match="goes on from here"):
        switch(workspace, "standard", progress=progress, cancel=lambda: bool(seen and seen[-1] >= 10))
    kept = vectors_of(workspace, STANDARD)
    assert 10 <= kept < pictures
    assert workspace.encoder_id == load_models(workspace)[0].encoder_id == FAST
    done = switch(workspace, "standard", anyway=True)
    assert (done.embedding.embedded, done.embedding.known) == (pictures - kept, kept)
    assert done.switched


def test_a_worse_encoder_is_learned_with_and_held_back(workspace: Workspace, tmp_path: Path) -> None:
    if not clip_is_installed():
        pytest.skip("the extra [clip] is not installed")
    from encoders.tiny_clip import make_tiny_clip

    kept = pull_folder(workspace, "tiny", make_tiny_clip(tmp_path / "tiny"))
    done = switch(workspace, "tiny")
    assert not done.switched
    assert done.mean_asked is not None
    assert done.mean_before is not None
    assert done.mean_asked < done.mean_before
    assert workspace.encoder_id == FAST
    assert "ranks photos worse" in str(done.held_back)
    assert switch(workspace, "tiny", anyway=True).after == kept.id
    assert workspace.encoder.id == kept.id
    assert load_models(workspace)[0].encoder_id == kept.id
    assert switch_back(workspace).encoder_id == FAST


def test_photos_whose_drive_is_away_keep_their_old_vectors(workspace: Workspace, made: tuple[Path, Path]) -> None:
    library, _ = made
    pictures = vectors_of(workspace, FAST)
    year = sorted(path for path in library.iterdir() if path.is_dir())[0]
    year.rename(library.parent / "away")
    try:
        done = switch(workspace, "standard", anyway=True)
    finally:
        (library.parent / "away").rename(year)
    assert done.embedding.missing
    assert vectors_of(workspace, STANDARD) < vectors_of(workspace, FAST) == pictures
    rest = learn(workspace, [str(library)])  # the drive is back
    assert rest.embedding.embedded == pictures - done.embedding.embedded
    assert vectors_of(workspace, STANDARD) == pictures


def test_photos_that_nothing_is_learned_from_stay_on_the_review_pages(
    workspace: Workspace, made: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "only read"
    folder.mkdir()
    for number, photo in enumerate(sorted(made[0].glob("*/*/*_000[12].jpg"))[:6]):
        with Image.open(photo) as opened:
            opened.transpose(Image.Transpose.ROTATE_180).save(folder / f"{number}.jpg")
    read = read_source(workspace, str(folder), learn=False)
    with workspace.store.read() as connection:
        rows = list_photos(connection, [read.catalog_id])
    embed_photos(workspace, rows[:4])  # of the others nobody has asked anything
    before = refresh(workspace).photos
    pictures = vectors_of(workspace, FAST)
    done = switch(workspace, "standard", anyway=True)
    assert done.embedding.embedded == pictures == vectors_of(workspace, STANDARD)
    assert refresh(workspace).photos == before


def test_a_version_whose_encoder_has_gone_is_passed_over_on_the_way_back(workspace: Workspace) -> None:
    first = versions(workspace)[-1]
    done = switch(workspace, "standard", anyway=True)
    with workspace.store.write() as connection:
        parts = version_content(connection, first.id)
        gone = add_version(connection, "clip/gone-12345678/squash32", parts, {}, activate=True)
        activate_version(connection, done.version)
    said: list[str] = []
    workspace.announce = said.append
    assert switch_back(workspace).id == first.id
    assert workspace.encoder_id == FAST
    (sentence,) = said
    assert sentence == f"Version {gone} is passed over: its encoder clip/gone-12345678/squash32 is not here any more."


def test_where_no_version_can_be_gone_back_to_the_reason_is_said(workspace: Workspace) -> None:
    first = versions(workspace)[-1]
    with workspace.store.write() as connection:
        parts = version_content(connection, first.id)
        add_version(connection, "clip/gone-12345678/squash32", parts, {}, activate=True)
        activate_version(connection, first.id)
    with pytest.raises(KeywrightError, match=r"can be gone back to\..*clip/gone-12345678/squash32"):
        switch_back(workspace)
    assert workspace.encoder_id == FAST


def test_the_change_is_a_job_of_the_bridge(workspace: Workspace) -> None:
    with workspace.store.write() as connection:
        jobs.add_job(connection, "encoder", {"name": "standard", "anyway": True})
        job = jobs.take_job(connection)
    assert job is not None
    run_job(workspace, job, threading.Event())
    with workspace.store.read() as connection:
        ended = jobs.get_job(connection, job.id)
    assert (ended.state, ended.error) == (jobs.JobState.COMPLETED, None)
    assert ended.result is not None
    assert ended.result["encoder"] == workspace.encoder_id == STANDARD


def test_what_cannot_be_changed_to_is_said(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="There is no encoder called 'x'; choose one of fast, standard, best"):
        switch(workspace, "x")
    with pytest.raises(KeywrightError, match="No encoder was in use before"):
        switch_back(workspace)
    assert not switch(workspace, "fast").switched
    with (
        Workspace.open(Home(tmp_path / "new")) as new,
        pytest.raises(KeywrightError, match=r"Nothing has been learned yet.*learn --encoder best"),
    ):
        switch(new, "best")


def test_a_long_run_names_its_cost_and_a_short_one_does_not(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    workspace.announce = said.append
    switch(workspace, "standard", anyway=True)
    assert said == []
    monkeypatch.setattr("keywright.operations.embedding._MANY", 1)
    monkeypatch.setattr("keywright.operations.embedding._LONG_SECONDS", 0)
    switch(workspace, "best", anyway=True)
    (sentence,) = said
    assert f"photos to look at with the encoder {LEVELS['best']}: about 1 min." in sentence
