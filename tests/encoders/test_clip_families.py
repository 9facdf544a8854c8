"""Networks of the families that can be pulled, as open_clip describes them: random weights, and fewer layers for words.

What tells these families from a plain CLIP runs for real: MobileCLIP's branches that are folded into one, SigLIP's
bias, pooling and tokenizer from a folder. What their trained weights know is another matter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders.clip_extra import clip_is_installed
from encoders.tiny_clip import WORDS
from keywright.encoders import clip_network, open_encoder
from keywright.encoders.clip import ClipEncoder
from keywright.encoders.kept import read_kept
from keywright.encoders.probing import least_cosine, probe
from keywright.encoders.pulling import CONFIG, pull_from_folder

if not clip_is_installed():
    pytest.skip("the extra [clip] is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow
SHORT_TEXT = {"width": 64, "heads": 2, "layers": 1}


def make_model(folder: Path, architecture: str, vision: dict[str, Any], text: dict[str, Any]) -> Path:
    """A model of open_clip's own description but for ``vision`` and ``text``, with statistics as after training."""
    import torch
    from safetensors.torch import save_file

    open_clip = clip_network.import_open_clip()
    described = open_clip.get_model_config(architecture)
    described["vision_cfg"] |= vision
    described["text_cfg"] |= text
    if "timm_model_name" in vision:
        described["embed_dim"] = 192  # of the smaller one: there is no layer between
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": described, "preprocess_cfg": {"mean": [0.0] * 3, "std": [1.0] * 3}}
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    torch.manual_seed(3)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("gamma"):  # as it begins, each block adds next to nothing
                parameter.uniform_(0.2, 0.5)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # folding is nothing where these are what they begin as
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 1.5)
    weights = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def make_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: number for number, word in enumerate(("<pad>", "<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)


def pulled(name: str, source: Path, home: Path) -> ClipEncoder:
    pull_from_folder(name, source, home / "encoders", "a licence", "a test")
    found = open_encoder(name, home / "cache", home / "encoders")
    assert isinstance(found, ClipEncoder)
    return found


def test_mobileclips_branches_are_folded_and_its_vectors_stay_what_they_were(tmp_path: Path) -> None:
    source = make_model(tmp_path / "source", "MobileCLIP2-S0", {}, SHORT_TEXT)
    encoder = pulled("mobile", source, tmp_path)
    kept, folder = read_kept(tmp_path / "encoders" / "mobile"), tmp_path / "encoders" / "mobile"
    whole = clip_network.ClipNetwork(kept, folder, folded=False)
    folded = clip_network.ClipNetwork(kept, folder)
    assert len(list(folded.vision.modules())) < 0.7 * len(list(whole.vision.modules()))
    pixels = probe(256)
    before, after, used = whole.photos(pixels), folded.photos(pixels), encoder.encode(list(pixels)).vectors
    apart = before - before.mean(axis=0)  # random networks hold all photos for much alike: what tells them apart counts
    assert least_cosine(apart, after - after.mean(axis=0)) > 0.9999
    used = used * np.linalg.norm(before, axis=1, keepdims=True)
    assert least_cosine(apart, used - used.mean(axis=0)) > 0.99
    words = encoder.encode_text(["dog", "dog", "beach"])
    assert words.shape == (3, encoder.dimension)
    assert np.allclose(words[0], words[1])
    assert not np.allclose(words[0], words[2])


def test_siglips_bias_and_its_tokenizer_are_read_from_the_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    make_tokenizer(source)
    vision = {"timm_model_name": "vit_tiny_patch16_224"}  # SigLIP's own is of 93 million weights
    text = SHORT_TEXT | {"vocab_size": len(WORDS) + 2, "hf_tokenizer_name": "kept-beside"}
    make_model(source, "ViT-B-16-SigLIP2", vision, text)
    encoder = pulled("sig", source, tmp_path)
    assert encoder.text_bias == pytest.approx(-10)
    vectors = encoder.encode(list(probe(224))).vectors
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    words = encoder.encode_text(["dog", "DOG", "beach"])
    assert words.shape == (3, vectors.shape[1])
    assert np.allclose(words[0], words[1])  # its text is made lower case
    assert not np.allclose(words[0], words[2])
