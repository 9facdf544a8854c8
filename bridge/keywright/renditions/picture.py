"""A decoded picture on its way to a rendition: framed, brought to sRGB, turned upright.

Every decoder gives a ``Picture``; everything that is the same for all formats happens here, once. The order is chosen
for speed: cut and shrink first, so that colour and orientation touch few pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keywright.renditions.base import How, Pixels, Rendition
from keywright.renditions.colour import Colour, to_srgb
from keywright.renditions.exif import swaps_sides, upright
from keywright.renditions.geometry import Framing

REDUCING_GAP = 3.0  # Pillow: shrink by whole numbers first, down to three times the size, then filter


@dataclass(frozen=True, slots=True)
class Picture:
    """``image``: as stored, whole, perhaps smaller than the photo is; ``orientation``: EXIF's, still to be applied."""

    image: Image.Image
    orientation: int = 1
    colour: Colour = field(default_factory=Colour)
    how: How = How.DECODED


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height as the photographer saw the picture."""
    return (size[1], size[0]) if swaps_sides(orientation) else size


def finish(picture: Picture, framing: Framing) -> Rendition:
    """Frame, colour and orientation applied."""
    frame = framing(*upright_size(picture.image.size, picture.orientation))
    if swaps_sides(picture.orientation):
        frame = frame.transposed()
    image = _resizable(picture.image)
    small = image.resize(
        (frame.width, frame.height),
        Image.Resampling.BICUBIC,
        box=frame.box(*image.size),
        reducing_gap=REDUCING_GAP,
    )
    seen = upright(to_srgb(small, picture.colour), picture.orientation)
    pixels: Pixels = np.array(seen, dtype=np.uint8)
    return Rendition(pixels, picture.how)


def _resizable(image: Image.Image) -> Image.Image:
    """Eight bits a channel, no palette."""
    if image.mode in ("L", "RGB", "RGBA", "LA", "CMYK", "LAB", "YCbCr", "RGBX", "HSV", "La", "RGBa"):
        return image
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "PA":
        return image.convert("RGBA")
    if image.mode.startswith("I;16"):
        return Image.fromarray(to_eight_bits(np.asarray(image).astype(np.uint16)))
    if image.mode in ("I", "F"):
        return Image.fromarray(to_eight_bits(np.asarray(image)))
    return image.convert("L" if image.mode == "1" else "RGB")


def to_eight_bits(samples: NDArray[np.generic]) -> Pixels:
    """Samples of any depth as eight bits.

    Unsigned integers lose their low bits. Signed 32-bit integers are Pillow's way to hold 16 bits where they fit.
    Floating point is linear light, 1.0 being white (as Photoshop and TIFF from raw converters have it), and gets
    sRGB's curve; where nothing lies between 0 and 1 at all, the range that is there is stretched.
    """
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8)
    if samples.dtype == np.bool_:
        return samples.astype(np.uint8) * np.uint8(255)
    if samples.dtype.kind == "f":
        return _from_linear(samples.astype(np.float32))
    if samples.dtype.kind == "i":
        low, high = int(samples.min(initial=0)), int(samples.max(initial=0))
        if low >= 0 and high <= 0xFFFF:
            return (samples.astype(np.uint16) >> 8).astype(np.uint8)
        shifted = (samples.astype(np.float64) - low) * (255.0 / max(high - low, 1))
        return shifted.astype(np.uint8)
    bits = samples.dtype.itemsize * 8
    return np.right_shift(samples.astype(np.uint64), np.uint64(bits - 8)).astype(np.uint8)


def _from_linear(samples: NDArray[np.float32]) -> Pixels:
    finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=0.0)
    high = float(finite.max(initial=0.0))
    if high > 100.0:  # scientific data, or 0..255 and 0..65535 kept as float
        stretched: Pixels = np.clip(finite * (255.0 / high), 0, 255).astype(np.uint8)
        return stretched
    linear = np.clip(finite, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    eight: Pixels = (curved * 255.0 + 0.5).astype(np.uint8)
    return eight
