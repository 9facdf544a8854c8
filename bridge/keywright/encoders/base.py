"""The protocol every encoder keeps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keywright.errors import KeywrightError
from keywright.renditions.base import Pixels, View

Vectors = NDArray[np.float32]
"""Unit vectors, shape (n, dimension)."""


class EncoderError(KeywrightError):
    """An encoder is unknown, or cannot be loaded; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of some photos, unit length, and the norms they had before (shape (n,)): class scores need them."""

    vectors: Vectors
    norms: NDArray[np.float32]


def available_cores() -> int:
    """The cores this process may use: fewer than the machine has, in a container or under ``taskset``."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Encoder(Protocol):
    """One more thing an encoder may say: ``simultaneous``, an int, how many ``encode`` calls may run at once, each on
    a core of its own. Without it, calls come one at a time."""

    id: str  # stable, names network, weights and view, e.g. "efficientnet-lite0/centre224"; vectors are stored under it
    dimension: int
    view: View

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        """Encode renditions made for ``view``, in one batch; a batch of one gives the vectors a batch of many gives."""
        ...

    def class_names(self) -> Sequence[str]:
        """Names of the classes the network was trained on; empty where it has none."""
        ...

    def class_probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        """Shape (n, classes): what the network's own classifier says of vectors it made."""
        ...
