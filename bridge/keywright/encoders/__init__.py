"""Pixels (and text) to unit vectors.

Names and dimensions of encoders are known here without loading any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keywright.encoders.base import Encoder

DEFAULT_ENCODER = "efficientnet-lite0/centre224"


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """What can be said of an encoder before it is loaded."""

    id: str
    dimension: int
    installed: bool
    about: str


def available_encoders() -> Sequence[EncoderInfo]:
    """All encoders that ``open_encoder`` knows, the default first; those not installed say so."""
    from keywright.encoders.builtin import BUILTIN, FEATURES
    from keywright.encoders.weights import is_installed

    return [
        EncoderInfo(
            spec.id,
            FEATURES,
            is_installed(spec.package),
            f"{spec.network} trained on ImageNet, shown photos as {spec.view.name}",
        )
        for spec in BUILTIN.values()
    ]


def encoder_dimension(encoder_id: str) -> int:
    """The length of an encoder's vectors, without loading it. Raises ``EncoderError`` for an unknown one."""
    return _find(encoder_id).dimension


def open_encoder(encoder_id: str, cache: Path) -> Encoder:
    """Load an encoder; what it prepares once, such as an ONNX graph, it keeps in the folder ``cache``.

    Raises ``EncoderError`` where it is unknown or its weights are not installed.
    """
    from keywright.encoders.builtin import BUILTIN, BuiltinEncoder

    return BuiltinEncoder.open(BUILTIN[_find(encoder_id).id], cache)


def _find(encoder_id: str) -> EncoderInfo:
    from keywright.encoders.base import EncoderError

    known = {info.id: info for info in available_encoders()}
    if encoder_id not in known:
        raise EncoderError(f"There is no encoder called {encoder_id!r}; choose one of {', '.join(known)}.")
    return known[encoder_id]
