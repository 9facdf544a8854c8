"""Fine-tuning open_clip networks: the last blocks learn, all else stays, and what is kept is an encoder like others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from encoders.clip_extra import clip_is_installed
from encoders.patterns import make_stripes
from encoders.tiny_clip import make_tiny_clip
from keywright.encoders import clip_network, open_encoder
from keywright.encoders.cutting import cut
from keywright.encoders.kept import KeptEncoder, read_kept
from keywright.encoders.probing import probe
from keywright.encoders.pulling import CONFIG, pull_from_folder
from keywright.encoders.tuning import TuneSettings
from keywright.home import Home
from keywright.operations import finetuning
from keywright.operations.finetuning import FineTuned, finetune
from keywright.operations.learning import learn
from keywright.operations.material import Material
from keywright.operations.progress import never
from keywright.operations.switching import switch
from keywright.operations.turns import parted
from keywright.operations.workspace import Workspace

if not clip_is_installed():
    pytest.skip("the extra [clip] is not installed", allow_module_level=True)

from encoders.test_clip_families import SHORT_TEXT, make_model

FEW_WORDS = SHORT_TEXT | {"vocab_size": 100}
pytestmark = pytest.mark.slow
QUICK = TuneSettings(epochs=1, variations=1, batch=16, head_steps=10, rate=1e-3)


def kept_in(home: Path, source: Path) -> KeptEncoder:
    pull_from_folder("small", source, home / "encoders", "a licence", "a test")
    return read_kept(home / "encoders" / "small")


def loaded(home: Path, kept: KeptEncoder) -> clip_network.ClipNetwork:
    return clip_network.ClipNetwork(kept, home / "encoders" / kept.name, folded=False)


def tuned(home: Path, kept: KeptEncoder, side: int, photos: int, monkeypatch: pytest.MonkeyPatch) -> FineTuned:
    """Fine-tuned on pictures, half of them bright."""
    monkeypatch.setattr("keywright.operations.finetuning.is_better", lambda *_: True)
    bright = np.arange(photos) % 2 == 1
    noise = np.random.default_rng(1).integers(0, 128, (photos, side, side, 3), dtype=np.uint8)
    pictures = [one + np.uint8(127) if light else one for one, light in zip(noise, bright, strict=True)]
    material = Material(pictures, np.stack([bright, ~bright], axis=1), parted(photos))
    with Workspace.open(Home(home)) as workspace:
        told: list[tuple[str, int]] = []
        run = finetuning._Run(
            workspace,
            None,
            {"base": kept.id},
            material,
            home / "cache" / "finetuning" / kept.name,
            QUICK,
            lambda stage, done, _: told.append((stage, done)),
            never,
        )
        done = finetuning._tune_clip(run, kept)
    assert {"Looking", "Scoring", "Fine-tuning"} == {stage.split(" ")[0] for stage, _ in told}
    return done


def changed(home: Path, kept: KeptEncoder, other: KeptEncoder) -> set[str]:
    """What differs in the weights of two encoders."""
    before, after = (loaded(home, one).model.state_dict() for one in (kept, other))
    assert before.keys() == after.keys()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def within(names: set[str], places: tuple[str, ...]) -> bool:
    return all(name.startswith(places) for name in names) and all(
        any(name.startswith(place) for name in names) for place in places
    )


def test_a_network_that_ranks_keywords_better_by_more_than_chance_is_kept(tmp_path: Path) -> None:
    kept = kept_in(tmp_path / "home", make_tiny_clip(tmp_path / "source", layers=4))
    library = make_stripes(tmp_path / "library", 240)
    settings = TuneSettings(epochs=6, variations=2, batch=16, head_steps=100, rate=2e-3)
    with Workspace.open(Home(tmp_path / "home"), encoder="small") as workspace:
        learn(workspace, [str(library)])
        done = finetune(workspace, settings=settings)
        assert (done.base, done.photos, done.keywords) == (kept.id, 240, 8)
        assert done.mean_after > done.mean_before + 2 * done.standard_error
        assert done.encoder is not None
        assert switch(workspace, done.encoder.id).switched  # by the models' own figures, without being told to


def test_the_last_blocks_of_a_vision_transformer_learn_and_the_encoder_that_is_kept_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_tiny_clip(tmp_path / "source", layers=4)
    kept = kept_in(tmp_path, source)
    done = tuned(tmp_path, kept, 32, 48, monkeypatch)
    assert done.encoder is not None
    assert (done.encoder.name, done.encoder.kind, done.encoder.licence) == ("tuned", "clip", "a licence")
    blocks = ("visual.transformer.resblocks.2.", "visual.transformer.resblocks.3.")
    assert within(changed(tmp_path, kept, done.encoder), (*blocks, "visual.ln_post", "visual.proj"))
    encoders = [open_encoder(one, tmp_path / "cache", tmp_path / "encoders") for one in (kept.id, done.encoder.id)]
    vectors = [one.encode(list(probe(32))).vectors for one in encoders]
    assert not np.allclose(*vectors, atol=1e-3)
    words = [one.encode_text(["dog"]) for one in encoders]  # type: ignore[attr-defined]
    assert np.allclose(*words)  # the part that knows words stays

    # It can be fine-tuned itself: what it was made from, and it, stay where they are.
    again = tuned(tmp_path, done.encoder, 32, 48, monkeypatch)
    assert again.encoder is not None
    assert again.encoder.name == "tuned-2"
    for one in (kept, done.encoder, again.encoder):
        assert read_kept(tmp_path / "encoders" / one.name) == one
        assert loaded(tmp_path, one)


def test_mobileclips_last_blocks_learn_and_its_statistics_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_model(tmp_path / "source", "MobileCLIP2-S0", {"image_size": 64}, FEW_WORDS)
    kept = kept_in(tmp_path, source)
    done = tuned(tmp_path, kept, 64, 24, monkeypatch)
    assert done.encoder is not None
    names = changed(tmp_path, kept, done.encoder)
    trunk = "visual.trunk."
    last = (f"{trunk}stages.3.blocks.0.", f"{trunk}stages.3.blocks.1.", f"{trunk}final_conv.", f"{trunk}head.")
    assert within(names, last)
    assert not any("running_" in name or "num_batches" in name for name in names)
    folded = [clip_network.ClipNetwork(one, tmp_path / "encoders" / one.name) for one in (kept, done.encoder)]
    assert not np.allclose(*(one.photos(probe(64)) for one in folded), rtol=1e-3)


def visions(folder: Path, architecture: str, vision: dict[str, Any]) -> clip_network.Vision:
    make_model(folder, architecture, vision, FEW_WORDS)
    described = json.loads((folder / CONFIG).read_text())["preprocess_cfg"]
    model = clip_network.import_open_clip().create_model(f"local-dir:{folder}", load_weights=True, device="cpu")
    return clip_network.Vision(model.eval().requires_grad_(False), described["mean"], [0.5] * 3)


@pytest.mark.parametrize(
    ("architecture", "vision", "side", "last"),
    [
        ("ViT-B-16-SigLIP2", {"timm_model_name": "vit_tiny_patch16_224"}, 224, "visual.trunk.blocks.10."),
        (
            "convnext_base",
            {"timm_model_name": "convnext_atto", "image_size": 64},
            64,
            "visual.trunk.stages.3.blocks.0.",
        ),
        ("RN50", {"layers": [1, 1, 1, 2], "width": 16, "image_size": 64}, 64, "visual.layer4.0."),
    ],
)
def test_pixels_go_through_both_halves_as_through_the_whole(
    architecture: str, vision: dict[str, Any], side: int, last: str, tmp_path: Path
) -> None:
    whole = visions(tmp_path, architecture, vision)
    pixels = torch.from_numpy(probe(side))
    halves = cut(whole, pixels)
    assert (halves.start is None) == (architecture == "RN50")  # that one cannot be cut
    with torch.inference_mode():
        found = halves.end(pixels if halves.start is None else halves.start(pixels)).float()
        expected = whole(pixels)
    assert torch.allclose(found, expected, atol=1e-4)
    learning = {id(one) for one in halves.trainable}
    names = [name for name, one in whole.model.named_parameters() if id(one) in learning]
    assert names[0].startswith(last)
    frozen = [name for name, one in whole.model.named_parameters() if id(one) not in learning]
    assert not any(name.startswith(("visual.trunk.norm.", "visual.attnpool.", "visual.head.")) for name in frozen)
