"""Measuring what values a network's activations take, for its eight-bit form (``quantized``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keywright.encoders.onnx_graph import INPUT, graph_of
from keywright.encoders.quantized import Range, Ranges
from keywright.renditions.base import Pixels

if TYPE_CHECKING:
    from keywright.encoders.efficientnet_lite import EfficientNetLite


def measured_ranges(network: EfficientNetLite, pictures: Sequence[Pixels]) -> Ranges:
    """For each tensor that is rounded the mean, over pictures, of its least and greatest value.

    The mean cuts single outliers off, and all else has finer steps.
    """
    import onnxruntime  # type: ignore[import-untyped]
    from onnx import helper

    model = graph_of(network)
    graph = model.graph
    tensors = [n.output[0] for n in graph.node if n.output[0].endswith((".relu6", ".project", ".sum"))]
    for name in tensors:
        for kind, at in (("ReduceMin", f"{name}.least"), ("ReduceMax", f"{name}.most")):
            graph.node.append(helper.make_node(kind, [name], [at], keepdims=0))
            graph.output.append(helper.make_tensor_value_info(at, 1, []))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    asked = [f"{name}.{side}" for name in tensors for side in ("least", "most")]
    found = [session.run(asked, {INPUT: picture[None]}) for picture in pictures]
    means = np.mean(np.array(found, np.float64), axis=0).reshape(len(tensors), 2)
    return {name: Range(float(low), float(high)) for name, (low, high) in zip(tensors, means, strict=True)}
