"""EfficientNet-Lite as an ONNX graph, and running such graphs on the CPU.

The graph is written node by node from the folded network: a dozen kinds of node say all there is, nothing depends on an
exporter's version, and the padding rule stays visible (``auto_pad`` SAME_UPPER is TensorFlow's "SAME").
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keywright.renditions.base import Pixels

if TYPE_CHECKING:
    import onnx

    from keywright.encoders.efficientnet_lite import EfficientNetLite, SameConv

OPSET = 17
IR_VERSION = 9
INPUT, OUTPUT = "pixels", "features"
CPU = "CPUExecutionProvider"

Features = Callable[[Pixels], NDArray[np.float32]]
"""From uint8 pixels, shape (n, height, width, 3), to pooled features, float32, shape (n, 1280)."""


def graph_of(network: EfficientNetLite) -> onnx.ModelProto:
    """The network as an ONNX model: any number of photos, any size."""
    from keywright.encoders.efficientnet_lite import FEATURES, PIXEL_MEAN, PIXEL_SCALE, InvertedResidual

    writer = Writer()
    writer.constant("mean", np.array(PIXEL_MEAN, np.float32))
    writer.constant("scale", np.array(1 / PIXEL_SCALE, np.float32))
    writer.constant("zero", np.array(0, np.float32))
    writer.constant("six", np.array(6, np.float32))
    writer.node("Cast", [INPUT], "as_float", to=1)
    writer.node("Transpose", ["as_float"], "planes", perm=[0, 3, 1, 2])
    writer.node("Sub", ["planes", "mean"], "centred")
    writer.node("Mul", ["centred", "scale"], "scaled")
    at = writer.relu6(writer.conv(network.stem, "scaled", "stem"))
    for number, block in enumerate(network.blocks):
        assert isinstance(block, InvertedResidual)
        name, start = f"block{number}", at
        if block.expand is not None:
            at = writer.relu6(writer.conv(block.expand, at, f"{name}.expand"))
        at = writer.relu6(writer.conv(block.depthwise, at, f"{name}.depthwise"))
        at = writer.conv(block.project, at, f"{name}.project")
        if block.adds_input:
            at = writer.node("Add", [at, start], f"{name}.sum")
    at = writer.relu6(writer.conv(network.head, at, "head"))
    at = writer.node("GlobalAveragePool", [at], "pooled")
    writer.node("Flatten", [at], OUTPUT, axis=1)
    return writer.model(FEATURES)


class Writer:
    """Collects nodes and constants, and makes a model of them."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(self, conv: SameConv, at: str, name: str) -> str:
        assert conv.bias is not None
        weight = self.constant(f"{name}.weight", conv.weight.detach().contiguous().numpy())
        bias = self.constant(f"{name}.bias", conv.bias.detach().numpy())
        return self.convolution(conv, at, weight, bias, name)

    def convolution(self, conv: SameConv, at: str, weight: str, bias: str, name: str) -> str:
        return self.node(
            "Conv",
            [at, weight, bias],
            name,
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            group=conv.groups,
            auto_pad="SAME_UPPER",
        )

    def relu6(self, at: str) -> str:
        return self.node("Clip", [at, "zero", "six"], f"{at}.relu6")

    def model(self, features: int) -> onnx.ModelProto:
        from onnx import TensorProto, checker, helper

        pixels = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["photos", "height", "width", 3])
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["photos", features])
        graph = helper.make_graph(self._nodes, "efficientnet-lite", [pixels], [output], self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="keywright"
        )
        checker.check_model(model)
        return model


def load_graph(file: Path, *, emulated: bool = False, provider: str = CPU) -> Features:
    """A function that runs the graph, in one core; it may be called by several threads at once.

    A ``provider`` other than the processor's own takes one call at a time and does what it cannot on the processor.
    ``emulated``: a graph in eight bits computes in floating point what its bytes stand for, without integer kernels.

    One core for each call, and as many calls as cores, is faster than many cores for one call: small networks share
    out badly, and photos are decoded on the same cores meanwhile.
    """
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if emulated:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(str(file), options, providers=list(dict.fromkeys((provider, CPU))))

    def run(pixels: Pixels) -> NDArray[np.float32]:
        features: NDArray[np.float32] = session.run([OUTPUT], {INPUT: pixels})[0]
        return features

    return run
