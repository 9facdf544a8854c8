"""Fine-tuning makes an encoder that knows a photographer's keywords better, or none at all."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keywright.encoders import open_encoder
from keywright.encoders.probing import probe
from keywright.encoders.tuning import TuneSettings, clearly_better
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.operations.active import load_models
from keywright.operations.finetuning import finetune
from keywright.operations.learning import learn
from keywright.operations.progress import CancelledError
from keywright.operations.switching import switch
from keywright.operations.turns import decide, is_better, parted
from keywright.operations.workspace import Workspace

QUICK = TuneSettings(epochs=3, patience=3, head_steps=30)
KINDS = ("Stripes|Across", "Stripes|Down", "Stripes|Slanted", "Checks|Small", "Checks|Large", "Rings|Even")


def make_patterns(folder: Path, photos: int, *, shuffled: bool = False) -> Path:
    """Small pictures of patterns in any colours, the pattern's name as a keyword in the file."""
    generator = np.random.default_rng(5)
    folder.mkdir()
    names = [KINDS[number % len(KINDS)] for number in range(photos)]
    given = random.Random(3).sample(names, len(names)) if shuffled else names
    y, x = np.mgrid[0:96, 0:96] / 96
    for number, (name, keyword) in enumerate(zip(names, given, strict=True)):
        turns = generator.uniform(5, 8)
        shift = generator.uniform(0, 6)
        wave = {
            "Stripes|Across": np.sin(turns * 6 * y + shift),
            "Stripes|Down": np.sin(turns * 6 * x + shift),
            "Stripes|Slanted": np.sin(turns * 5 * (x + y) + shift),
            "Checks|Small": np.sin(turns * 9 * x + shift) * np.sin(turns * 9 * y + shift),
            "Checks|Large": np.sin(turns * 3 * x + shift) * np.sin(turns * 3 * y + shift),
            "Rings|Even": np.sin(turns * 8 * np.hypot(x - 0.5, y - 0.5) + shift),
        }[name]
        colours = generator.uniform(0, 255, (2, 3))
        noise = generator.normal(0, 70, (96, 96, 3))
        part = ((wave + 1) / 2)[..., None]
        pixels = np.clip(colours[0] * part + colours[1] * (1 - part) + noise, 0, 255).astype(np.uint8)
        file = folder / f"{number:04}.jpg"
        Image.fromarray(pixels).save(file, quality=90)
        file.write_bytes(plan_file_change(file, [KeywordPath.parse(keyword)]).after)
    return folder


CENTRE = "efficientnet-lite0/centre224"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that learned patterns by their right names."""
    return learned(tmp_path_factory.mktemp("patterns"), 108)


def learned(folder: Path, photos: int, *, shuffled: bool = False) -> Path:
    library = make_patterns(folder / "library", photos, shuffled=shuffled)
    with Workspace.open(Home(folder / "home"), encoder=CENTRE) as workspace:
        learn(workspace, [str(library)])
    return folder / "home"


@pytest.mark.slow
def test_fine_tuning_that_was_stopped_goes_on_and_what_was_kept_can_be_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setattr("keywright.operations.finetuning.is_better", lambda *_: True)
    with Workspace.open(Home(tmp_path / "home")) as workspace:
        epochs: list[int] = []

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage.startswith("Fine-tuning") and total:
                epochs.append(done)

        with pytest.raises(CancelledError, match="goes on from there"):
            finetune(workspace, settings=QUICK, progress=progress, cancel=lambda: bool(epochs and epochs[-1] >= 1))
        assert epochs == [0, 1]
        epochs.clear()
        done = finetune(workspace, settings=QUICK, progress=progress)
        assert epochs[0] == 1
        assert done.epochs > 1
        assert epochs[-1] > 2 * QUICK.epochs  # in the last of three turns
        assert done.encoder is not None
        assert workspace.encoder_id == CENTRE  # until it is changed to
        assert not (workspace.home.cache / "finetuning" / "tuned").exists()

        changed = switch(workspace, "tuned", anyway=True)
        assert changed.after == done.encoder.id == workspace.encoder.id == load_models(workspace)[0].encoder_id
        before, pixels = open_encoder(CENTRE, workspace.home.cache), list(probe(224))
        likely = [one.class_probabilities(one.encode(pixels)) for one in (before, workspace.encoder)]
        assert likely[0].shape == likely[1].shape
        assert np.abs(likely[0] - likely[1]).max() < 0.5  # bent towards patterns, and still the same classes


@pytest.mark.slow
def test_keywords_dealt_out_at_random_replace_no_encoder(tmp_path: Path) -> None:
    with Workspace.open(Home(learned(tmp_path, 108, shuffled=True))) as workspace:
        done = finetune(workspace, settings=QUICK)
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
    monkeypatch.setattr("keywright.operations.finetuning.LEAST_PHOTOS", 1000)
    with (
        Workspace.open(Home(tmp_path / "home")) as workspace,
        pytest.raises(KeywrightError, match="at least 1000 photos"),
    ):
        finetune(workspace, settings=QUICK)
