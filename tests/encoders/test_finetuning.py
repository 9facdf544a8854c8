"""Fine-tuning makes an encoder that knows a photographer's keywords better, or none at all."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from filelock import FileLock

from encoders.patterns import CENTRE, learned
from keywright.cli.app import keywright
from keywright.cli.output import stopping
from keywright.encoders import open_encoder
from keywright.encoders.base import EncoderError
from keywright.encoders.kept import kept_encoders
from keywright.encoders.probing import probe
from keywright.encoders.tuning import TuneSettings, clearly_better, save, written
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.active import load_models
from keywright.operations.deciding import Decided
from keywright.operations.deciding import decide as decide_on
from keywright.operations.finetuning import finetune
from keywright.operations.gathering import gather
from keywright.operations.material import chosen, read
from keywright.operations.progress import CancelledError, never, silent
from keywright.operations.switching import switch_back
from keywright.operations.turns import decide, is_better, parted
from keywright.operations.workspace import Workspace
from keywright.service.worker import run_job
from keywright.store.decisions import Decision
from keywright.store.jobs import JobState, add_job, get_job, take_job
from keywright.store.photos import list_photos
from keywright.store.photos import photos as photos_table

QUICK = TuneSettings(epochs=3, patience=3, head_steps=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that learned patterns by their right names."""
    return learned(tmp_path_factory.mktemp("patterns"), 108)


class Watched:
    """Progress that is remembered by stage."""

    def __init__(self) -> None:
        self.done: dict[str, list[int]] = {}

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        assert total is None or done <= total
        self.done.setdefault(stage.split(" ")[0], []).append(done)

    def last(self, stage: str) -> int:
        return self.done.get(stage, [0])[-1]


@pytest.mark.slow
def test_fine_tuning_that_was_stopped_goes_on_and_what_was_kept_can_be_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setattr("keywright.operations.finetuning.is_better", lambda *_: True)
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        seen = Watched()
        with pytest.raises(CancelledError, match="before the first epoch; the next run goes on from there"):
            finetune(workspace, settings=QUICK, progress=seen, cancel=lambda: seen.last("Looking") >= 32)
        seen = Watched()
        with pytest.raises(CancelledError, match="Stopped after 1 of at most 3 epochs; the next run goes on"):
            finetune(workspace, settings=QUICK, progress=seen, cancel=lambda: seen.last("Fine-tuning") >= 1)
        assert seen.done["Looking"][0] == 48
        assert seen.done["Fine-tuning"] == [0, 1]
        seen = Watched()
        done = finetune(workspace, settings=QUICK, progress=seen)
        assert seen.done["Fine-tuning"][0] == 1
        assert done.epochs > 1
        assert seen.last("Fine-tuning") > 2 * QUICK.epochs  # in the last of three turns
        assert done.encoder is not None
        assert done.encoder.name == "tuned"
        assert workspace.encoder_id == CENTRE  # until it is changed to
        assert not (workspace.home.cache / "finetuning" / "tuned").exists()

        # Stopped while all photos are looked at with it, and asked for again: nothing is trained a second time.
        seen = Watched()
        again = finetune(workspace, settings=QUICK, progress=seen)
        assert (again.encoder, again.known, seen.done) == (done.encoder, True, {})
        assert (again.mean_after, again.standard_error) == (done.mean_after, done.standard_error)

        # The same as a job of the bridge, which goes straight to the change; killed after it, it has nothing to do.
        monkeypatch.setattr("keywright.encoders.tuning.TuneSettings", lambda **_: QUICK)
        params = {"name": None, "epochs": 3, "base": CENTRE}
        for _ in range(2):
            with workspace.store.write() as connection:
                add_job(connection, "finetune", params)
                while (job := take_job(connection)) is not None and job.kind != "finetune":
                    pass
            assert job is not None
            run_job(workspace, job, threading.Event())
            with workspace.store.read() as connection:
                ended = get_job(connection, job.id)
            assert (ended.state, ended.error) == (JobState.COMPLETED, None)
            assert ended.result is not None
            assert (ended.result["encoder"], ended.result["better"]) == (done.encoder.id, True)
        assert done.encoder.id == workspace.encoder.id == load_models(workspace)[0].encoder_id
        before, pixels = open_encoder(CENTRE, workspace.home.cache), list(probe(224))
        likely = [one.class_probabilities(one.encode(pixels)) for one in (before, workspace.encoder)]
        assert likely[0].shape == likely[1].shape
        assert np.abs(likely[0] - likely[1]).max() < 0.5  # bent towards patterns, and still the same classes
        with pytest.raises(KeywrightError, match="is fine-tuned already"):
            finetune(workspace, settings=QUICK, progress=seen)
        assert seen.done == {}  # said before a photo is read

        # Of the encoder before another one can be made, and takes another name: the first is never replaced.
        switch_back(workspace)
        other = finetune(workspace, settings=replace(QUICK, epochs=1))
        assert other.encoder is not None
        assert other.encoder.name == "tuned-2"
        assert {one.id for one in kept_encoders(workspace.home.encoders)} == {done.encoder.id, other.encoder.id}


def test_a_name_that_is_taken_is_refused_before_a_photo_is_read(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        (workspace.home.encoders / "mine").mkdir(parents=True)
        seen = Watched()
        for name, why in (
            ("mine", "There is an encoder mine already; take another name"),
            ("vit-b-32", "the name of an encoder that can be pulled"),
            ("fast", "cannot be an encoder's name"),
            ("../x", "cannot be an encoder's name"),
        ):
            with pytest.raises(EncoderError, match=why):
                finetune(workspace, name, settings=QUICK, progress=seen)
        assert seen.done == {}
        assert list((workspace.home.encoders / "mine").iterdir()) == []


def test_photos_that_are_not_there_are_counted_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keywright.operations.material.LEAST_PHOTOS", 60)
    monkeypatch.setattr("keywright.operations.material.MOST_PHOTOS", 70)
    home = Home(learned(tmp_path, 72))
    with Workspace.open(home) as workspace:
        with workspace.store.read() as connection:
            photos = chosen(gather(workspace, connection))
        photos.paths[0].unlink()
        photos.paths[1].unlink()
        photos.paths[1].mkdir()
        there, material = read(photos, workspace.encoder.view, silent, never)
    assert (len(photos.paths), photos.left_out) == (70, 2)
    assert {one.path for one in material.failures} == set(photos.paths[:2])
    assert list(there.paths) == list(photos.paths[2:])
    assert len(material.pictures) == len(material.labels) == 68


def test_a_rejected_photo_that_was_decided_on_is_read_from_its_file(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        with workspace.store.read() as connection:
            before = gather(workspace, connection)
            row = next(one for one in list_photos(connection) if one.path == before.paths[0])
        with workspace.store.write() as connection:
            connection.execute(photos_table.update().where(photos_table.c.id == row.id).values(rejected=True))
        decide_on(workspace, [Decided(row.id, KeywordPath.parse("Rings|Even"), Decision.ACCEPTED)])
        with workspace.store.read() as connection:
            after = gather(workspace, connection)
    assert after.paths[after.content_ids.index(row.content_id or "")] == row.path


def test_a_disk_without_room_is_said_before_a_file_is_made(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**8))
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        with pytest.raises(EncoderError, match=r"needs 0\.\d GB of room in .* and there are 0\.1 GB"):
            finetune(workspace, settings=QUICK)
        assert list((workspace.home.cache / "finetuning").rglob("*.npy")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a file's size are set with resource")
def test_a_disk_that_is_full_all_the_same_is_one_sentence(tmp_path: Path) -> None:
    import resource

    file, before = tmp_path / "turn0.pt", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(EncoderError, match=r"cannot be written .*is there room on the disk"), written(file):
            save({"weights": [torch.zeros(100_000)]}, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_two_runs_at_once_are_one_too_many(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        (workspace.home.cache / "finetuning").mkdir(parents=True)
        with (
            FileLock(workspace.home.cache / "finetuning" / "tuned.lock"),
            pytest.raises(KeywrightError, match="Another run"),
        ):
            finetune(workspace, settings=QUICK)


def test_ctrl_c_asks_to_stop_and_a_second_one_stops_at_once() -> None:
    usual = signal.getsignal(signal.SIGINT)
    with stopping() as cancel:
        assert not cancel()
        signal.raise_signal(signal.SIGINT)
        assert cancel()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == usual


def test_ctrl_c_in_the_command_is_one_sentence(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(home, tmp_path / "home")

    def pressed(*arguments: Any) -> object:
        signal.raise_signal(signal.SIGINT)
        return read(*arguments)

    monkeypatch.setattr("keywright.operations.finetuning.read", pressed)
    ran = CliRunner().invoke(keywright, ["models", "finetune"], env={"KEYWRIGHT_HOME": str(tmp_path / "home")})
    assert ran.exit_code == 1
    assert "keywright: Stopped while reading the photos; the next run reads them again." in ran.stderr


@pytest.mark.slow
def test_keywords_dealt_out_at_random_replace_no_encoder(tmp_path: Path) -> None:
    with Workspace.open(Home(learned(tmp_path, 108, shuffled=True))) as workspace:
        done = finetune(workspace, settings=replace(QUICK, epochs=2))
        assert not done.better
        assert list(workspace.home.encoders.iterdir()) == []


def test_a_gain_that_chance_explains_is_none() -> None:
    assert is_better((0.60, 0.63), 0.01)
    assert not is_better((0.60, 0.63), 0.02)
    assert not is_better((0.60, 0.601), 0.0)
    assert not is_better((0.60, 0.58), 0.0)


def test_of_two_epochs_one_is_better_only_by_more_than_keywords_differ() -> None:
    generator = np.random.default_rng(6)
    one = generator.random(100)
    assert not clearly_better(one + generator.normal(0.001, 0.05, 100), one)
    assert clearly_better(one + generator.normal(0.03, 0.05, 100), one)
    unknown = np.where(np.arange(100) < 99, np.nan, 0.5)
    assert not clearly_better(unknown + 0.1 * np.arange(100), one)
    assert not clearly_better(np.full(100, np.nan), one)


def test_every_photo_decides_once_and_never_on_a_network_that_knew_it() -> None:
    for photos in (100, 101, 2704):
        turns = parted(photos)
        assert sorted(np.concatenate([turn.deciding for turn in turns]).tolist()) == list(range(photos))
        for turn in turns:
            parts = np.concatenate([turn.training, turn.stopping, turn.deciding])
            assert sorted(parts.tolist()) == list(range(photos))
            assert len(turn.training) > 4 * len(turn.stopping) > 0


def test_what_a_network_says_of_photos_it_learned_does_not_decide() -> None:
    """Each turn's vectors give its own photos away, and are noise for those that decide."""
    generator = np.random.default_rng(4)
    labels = np.eye(5, dtype=bool)[generator.integers(0, 5, 150)]
    turns, noise = parted(150), generator.standard_normal((150, 16)).astype(np.float32)
    given_away = []
    for turn in turns:
        vectors = noise.copy()
        vectors[np.r_[turn.training, turn.stopping], :5] += 20 * labels[np.r_[turn.training, turn.stopping]]
        given_away.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    before = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    means, error = decide(before, given_away, labels, turns)
    assert not is_better(means, error)
    seen = [(noise + 20 * np.pad(labels, ((0, 0), (0, 11)))).astype(np.float32) for _ in turns]
    means, error = decide(before, [one / np.linalg.norm(one, axis=1, keepdims=True) for one in seen], labels, turns)
    assert is_better(means, error)


def test_too_few_photos_are_said(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setattr("keywright.operations.material.LEAST_PHOTOS", 1000)
    with (
        Workspace.open(Home(tmp_path / "home")) as workspace,
        pytest.raises(KeywrightError, match="at least 1000 photos"),
    ):
        finetune(workspace, settings=QUICK)
