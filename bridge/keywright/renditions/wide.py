"""Pictures whose samples come as arrays: TIFF that Pillow does not know, JPEG XL, JPEG XR, JPEG 2000."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keywright.renditions.colour import Colour
from keywright.renditions.formats import Format
from keywright.renditions.limits import check_size
from keywright.renditions.picture import Picture, to_eight_bits

Samples = NDArray[np.generic]


def decode_with_imagecodecs(path: Path, kind: Format) -> Picture:
    """Decode JPEG XL (which comes upright), JPEG XR or JPEG 2000."""
    import imagecodecs  # late: loads many libraries

    decoders: dict[Format, Callable[[bytes], Samples]] = {
        Format.JXL: imagecodecs.jpegxl_decode,
        Format.JXR: imagecodecs.jpegxr_decode,
        Format.JP2: imagecodecs.jpeg2k_decode,
    }
    data = path.read_bytes()
    if kind is Format.JXL:
        check_size(*_jxl_size(data))
    samples = decoders[kind](data)
    if samples.ndim == 4:  # an animation
        samples = samples[0]
    return Picture(image_of(samples))


def _jxl_size(data: bytes) -> tuple[int, int]:
    """Width and height in the header of a JPEG XL codestream (ISO 18181-1, SizeHeader)."""
    start = 0 if data.startswith(b"\xff\x0a") else data.find(b"\xff\x0a", data.find(b"jxl"))
    bits, position = int.from_bytes(data[start + 2 : start + 14], "little"), 0

    def take(count: int) -> int:
        nonlocal position
        value = bits >> position & (1 << count) - 1
        position += count
        return value

    def length(small: int) -> int:
        return (take(5) + 1) * 8 if small else take((9, 13, 18, 30)[take(2)]) + 1

    small = take(1)
    height = length(small)
    ratio = take(3)
    if ratio:
        above, below = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
        return height * above // below, height
    return length(small), height


def decode_with_tifffile(path: Path) -> Picture:
    """Decode the first page of a TIFF that Pillow does not know: bit depths, predictors, planes, tiles, codecs."""
    import tifffile  # late

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert isinstance(page, tifffile.TiffPage)
        check_size(page.imagewidth, page.imagelength)
        samples: Samples = page.asarray()
        if samples.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            samples = np.moveaxis(samples, 0, -1)
        profile = page.tags.get(34675)
        orientation = page.tags.get(274)
        turned = orientation.value if orientation is not None else 1
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
            colours = to_eight_bits(np.asarray(page.colormap))
            samples = np.moveaxis(colours, 0, -1)[samples.astype(np.intp)]
        image = image_of(
            samples,
            is_cmyk=page.photometric == tifffile.PHOTOMETRIC.SEPARATED,
            is_negative=page.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
        )
    icc = profile.value if profile is not None and isinstance(profile.value, bytes) else None
    return Picture(image, turned if isinstance(turned, int) and 1 <= turned <= 8 else 1, Colour(icc=icc))


def image_of(samples: Samples, *, is_cmyk: bool = False, is_negative: bool = False) -> Image.Image:
    """An image of samples shape (height, width) or (height, width, channels): grey, grey+alpha, RGB, RGBA or CMYK.

    Channels beyond those are left out. Raises ``ValueError`` for any other shape.
    """
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[:, :, 0]
    eight = to_eight_bits(samples)
    if is_negative:
        eight = np.invert(eight)
    if eight.ndim == 2:
        return Image.fromarray(eight)
    if eight.ndim != 3 or eight.shape[2] < 2:
        raise ValueError(f"its samples have the shape {samples.shape}")
    if is_cmyk and eight.shape[2] >= 4:
        return Image.merge("CMYK", [Image.fromarray(np.ascontiguousarray(eight[:, :, n])) for n in range(4)])
    channels = min(eight.shape[2], 4)
    return Image.fromarray(np.ascontiguousarray(eight[:, :, :channels]))
