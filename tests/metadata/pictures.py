"""Small photo files of every format that keywords are written into, made on the spot."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import tifffile
from PIL import Image

from keywright.metadata import Added, KeywordChange, irb, jpeg, rewriting
from keywright.metadata.base import apply_edits


def _photo(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:32, 0:48]
    pixels = np.stack([x * 5, y * 8, (x * y) % 256], axis=-1).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    _photo(mode).save(out, kind, **options)
    return out.getvalue()


def tiff(**options: object) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, np.asarray(_photo()), photometric="rgb", metadata=None, **options)
    return out.getvalue()


def psd(resources: bytes = b"") -> bytes:
    pixels = np.asarray(_photo())
    head = (
        b"8BPS\x00\x01"
        + bytes(6)
        + b"\x00\x03"
        + (32).to_bytes(4, "big")
        + (48).to_bytes(4, "big")
        + b"\x00\x08\x00\x03"
    )
    image = b"\x00\x00" + b"".join(pixels[:, :, channel].tobytes() for channel in range(3))
    return head + bytes(4) + len(resources).to_bytes(4, "big") + resources + bytes(4) + image


def with_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return data[:2] + bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload + data[2:]


def iptc(*keywords: bytes) -> bytes:
    return b"\x1c\x02\x00\x00\x02\x00\x04" + b"".join(
        b"\x1c\x02\x19" + len(word).to_bytes(2, "big") + word for word in keywords
    )


def resources(block: bytes, *, digest: bytes | None = None) -> bytes:
    """Photoshop resources with IPTC, its digest (right unless given), and one that nobody knows."""
    made = b"8BIM\x0f\xa0\x04name\x00\x00\x00\x00\x03xyz\x00"
    made = irb.replace(made, irb.IPTC, block)
    return irb.replace(made, irb.IPTC_DIGEST, hashlib.md5(block).digest() if digest is None else digest)


def with_xmp(data: bytes, xmp: bytes) -> bytes:
    return with_segment(data, 0xE1, jpeg.XMP + xmp)


def with_extended(data: bytes, extended: bytes) -> bytes:
    guid = hashlib.md5(extended).hexdigest().upper().encode()
    payload = jpeg.EXTENDED + guid + len(extended).to_bytes(4, "big") + bytes(4) + extended
    return with_segment(data, 0xE1, payload)


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").tobytes()


FILES = {
    "plain.jpg": saved("JPEG"),
    "progressive.jpg": saved("JPEG", progressive=True),
    "exif.jpg": saved("JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"),
    "plain.png": saved("PNG"),
    "lossy.webp": saved("WEBP"),
    "lossless.webp": saved("WEBP", "RGBA", lossless=True),
    "icc.webp": saved("WEBP", icc_profile=b"x" * 301),
    "little.tif": tiff(),
    "big-endian.tif": tiff(byteorder=">"),
    "big.tif": tiff(bigtiff=True),
    "tiled.tif": tiff(tile=(16, 16), compression="zlib"),
    "plain.dng": tiff(),
    "plain.psd": psd(),
    "iptc.psd": psd(resources(iptc(b"Cat"))),
}


def rewrite_file(data: bytes, name: str, change: KeywordChange) -> tuple[bytes, Added]:
    """The bytes of a photo file with its embedded keywords changed, and the record of what was added."""
    merged, edits, _ = rewriting.rewrite(data, name, change)
    return apply_edits(data, edits), merged.added
