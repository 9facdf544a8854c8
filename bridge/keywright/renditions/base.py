"""What a rendition is, and what its maker promises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from keywright.errors import KeywrightError

Pixels = NDArray[np.uint8]
"""RGB pixels, sRGB, upright, shape (height, width, 3)."""


class RenditionError(KeywrightError):
    """The file gives no picture; the sentence says why and names the file."""


class Crop(StrEnum):
    CENTRE = "centre"  # the centre square of 0.875 of the short side
    SQUASH = "squash"  # the whole photo, its shape changed to a square
    SHAPE = "shape"  # the whole photo in the nearest of a few shapes (4:3, 1:1, 3:4) of the same area


@dataclass(frozen=True, slots=True)
class View:
    """What of a photo an encoder is shown; ``size`` is the side in pixels (for SHAPE, of the square of that area)."""

    crop: Crop
    size: int

    @property
    def name(self) -> str:
        return f"{self.crop.value}{self.size}"


class How(StrEnum):
    """Where a rendition's pixels come from."""

    DECODED = "decoded"
    PREVIEW = "embedded preview"
    RAW = "raw decoded"
    FRAME = "video frame"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A photo as an encoder, or a person on a review page, is shown it."""

    pixels: Pixels
    how: How
