"""What is sent of a photo: its pixels, small, encoded anew, so that nothing else can go with them."""

from __future__ import annotations

import io

from PIL import Image

from keywright.describing.base import Picture
from keywright.renditions.base import Pixels

QUALITY = 85


def picture_of(pixels: Pixels) -> Picture:
    """A JPEG of sRGB pixels, shape (height, width, 3) uint8: no EXIF, XMP, IPTC, thumbnail, profile or comment."""
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, "JPEG", quality=QUALITY)
    return Picture(buffer.getvalue(), pixels.shape[1], pixels.shape[0])
