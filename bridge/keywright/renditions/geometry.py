"""Which part of a photo is shown, and at which size: pure arithmetic, no pixels.

A frame's box is given in fractions of the photo, so that it means the same on the full picture, on one that a decoder
has already made smaller, and on an embedded preview. Every box is centred, so that it also means the same on a
mirrored picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from keywright.renditions.base import Crop, View

CENTRE_PART = 0.875
SHAPES = (4 / 3, 1.0, 3 / 4)  # width / height
SHAPE_STEP = 32  # the networks halve five times


@dataclass(frozen=True, slots=True)
class Frame:
    """The centred part of a picture to show (fractions of its width and height) and its size in pixels."""

    part_width: float
    part_height: float
    width: int
    height: int

    def transposed(self) -> Frame:
        """The same frame on the picture laid on its side."""
        return Frame(self.part_height, self.part_width, self.height, self.width)

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, upper, right, lower edge of the part, in pixels of a picture of that size."""
        across, down = width * self.part_width, height * self.part_height
        left, upper = (width - across) / 2, (height - down) / 2
        return left, upper, min(left + across, float(width)), min(upper + down, float(height))

    def least_size(self) -> tuple[int, int]:
        """How large the whole picture must be decoded, at least, for the frame to lose nothing."""
        return math.ceil(self.width / self.part_width), math.ceil(self.height / self.part_height)


Framing = Callable[[int, int], Frame]
"""From the upright width and height of a photo to its frame."""


def framing_of(view: View) -> Framing:
    """How an encoder with ``view`` sees photos."""

    def centre(width: int, height: int) -> Frame:
        side = CENTRE_PART * min(width, height)
        return Frame(side / width, side / height, view.size, view.size)

    def squash(_width: int, _height: int) -> Frame:
        return Frame(1.0, 1.0, view.size, view.size)

    def shape(width: int, height: int) -> Frame:
        return Frame(1.0, 1.0, *shape_size(view.size, width, height))

    return {Crop.CENTRE: centre, Crop.SQUASH: squash, Crop.SHAPE: shape}[view.crop]


def shape_size(size: int, width: int, height: int) -> tuple[int, int]:
    """Width and height, multiples of 32, of the SHAPE view of a photo: the nearest shape, about ``size``² pixels."""
    nearest = min(SHAPES, key=lambda shape: abs(math.log(width / height / shape)))
    stretch = math.sqrt(nearest)
    return _step(size * stretch), _step(size / stretch)


def _step(length: float) -> int:
    return max(1, round(length / SHAPE_STEP)) * SHAPE_STEP


def framing_to(longest_side: int) -> Framing:
    """The whole photo with its longest side at most ``longest_side`` pixels, never enlarged."""

    def whole(width: int, height: int) -> Frame:
        scale = min(1.0, longest_side / max(width, height))
        return Frame(1.0, 1.0, max(1, round(width * scale)), max(1, round(height * scale)))

    return whole
