"""Made-up pictures on which two ways of running one network are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keywright.renditions.base import Pixels


def least_cosine(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The least cosine between vectors of the same pictures, both of shape (n, d); nan where one is no number."""
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    return float((np.sum(expected * found, axis=1) / lengths).min())


def probe(size: int) -> Pixels:
    """Four made-up pictures, waves of many lengths and directions in colour, that stir all parts of a network."""
    rows, columns = np.mgrid[0:size, 0:size] / size
    waves = [
        128
        + 60 * np.sin(2 * np.pi * (number + 1) * (rows * (channel + 1) + columns * (3 - channel)))
        + 60 * np.cos(17 * (number + 1) * columns * rows + channel)
        for number in range(4)
        for channel in range(3)
    ]
    stacked = np.moveaxis(np.array(waves).reshape(4, 3, size, size), 1, -1)
    pixels: Pixels = np.clip(stacked, 0, 255).astype(np.uint8)
    return pixels
