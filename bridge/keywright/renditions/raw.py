"""Camera raw files and DNG: the largest preview that the camera put in, else the raw data itself through LibRaw."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from keywright.renditions.base import How
from keywright.renditions.exif import swaps_sides
from keywright.renditions.geometry import Framing
from keywright.renditions.limits import check_size
from keywright.renditions.picture import Picture
from keywright.renditions.raster import decode_jpeg

_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip to EXIF's orientation
LARGE_ENOUGH = 0.5
"""A preview is used if its sides are this part of what the frame wants; a smaller one only if all else fails."""
LEAST_SIDE = 32
"""What is smaller is no preview: cut-down and damaged files hold such."""


def decode_raw(path: Path, framing: Framing) -> Picture:
    """The preview where it is large enough, else the raw data, else any preview.

    Raises ``rawpy.LibRawError`` where LibRaw reads neither.
    """
    import rawpy  # late: loads LibRaw

    with rawpy.imread(str(path)) as raw:
        preview = _preview(raw, framing)
        if preview is not None and _is_large_enough(preview, framing, (raw.sizes.width, raw.sizes.height)):
            return preview
        try:
            check_size(raw.sizes.raw_width, raw.sizes.raw_height)
            pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
        except rawpy.LibRawError:
            if preview is None:
                raise
            return preview
        if int(pixels.min()) == int(pixels.max()):  # even a photo with the lens cap on has noise
            if preview is not None:
                return preview
            raise ValueError("its raw data is empty")
    return Picture(Image.fromarray(pixels), how=How.RAW)


def _preview(raw: rawpy.RawPy, framing: Framing) -> Picture | None:  # type: ignore[name-defined]  # noqa: F821
    import rawpy

    try:
        thumbnail = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    flip = _ORIENTATION_OF_FLIP.get(raw.sizes.flip, 1)
    try:
        if thumbnail.format is rawpy.ThumbFormat.JPEG:
            assert isinstance(thumbnail.data, bytes)
            picture = decode_jpeg(io.BytesIO(thumbnail.data), framing, How.PREVIEW, flip)
        else:
            picture = Picture(Image.fromarray(np.asarray(thumbnail.data)), flip, how=How.PREVIEW)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        return None  # a damaged preview; the raw data may be whole
    if max(picture.image.size) < LEAST_SIDE:
        return None
    return _not_turned_twice(picture, raw.sizes.width, raw.sizes.height)


def _not_turned_twice(picture: Picture, raw_width: int, raw_height: int) -> Picture:
    """Some cameras store the preview upright already: then it is high where the sensor's picture is wide."""
    width, height = picture.image.size
    if swaps_sides(picture.orientation) and (width > height) != (raw_width > raw_height):
        return Picture(picture.image, 1, picture.colour, picture.how)
    return picture


def _is_large_enough(preview: Picture, framing: Framing, raw_size: tuple[int, int]) -> bool:
    """Judged by the long and the short side: the raw size is that of the sensor, whichever way it was held."""
    wanted = sorted(framing(*raw_size).least_size())
    return all(length >= need * LARGE_ENOUGH for length, need in zip(sorted(preview.image.size), wanted, strict=True))
