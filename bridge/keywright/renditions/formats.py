"""Which format a file is in, told by its first bytes, and which decoder can be trusted inside the process.

The name's ending decides only where bytes cannot: most camera raw files are TIFF inside.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

HEAD_BYTES = 32


class Format(StrEnum):
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIF = "HEIF"
    AVIF = "AVIF"
    JXL = "JPEG XL"
    JP2 = "JPEG 2000"
    JXR = "JPEG XR"
    PSD = "Photoshop"
    RAW = "camera raw"
    VIDEO = "video"


# fmt: off
RAW_SUFFIXES = frozenset({
    ".3fr", ".ari", ".arw", ".bay", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng", ".erf", ".fff", ".gpr", ".iiq",
    ".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".ori", ".pef", ".raf", ".raw", ".rw2",
    ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f",
})
VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2t", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv",
})
PICTURE_SUFFIXES = frozenset({
    ".avif", ".bmp", ".dib", ".gif", ".hdp", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg",
    ".jpf", ".jpg", ".jpx", ".jxl", ".jxr", ".mpo", ".png", ".psb", ".psd", ".tif", ".tiff", ".wdp", ".webp",
})
# fmt: on

IN_PROCESS = frozenset({Format.JPEG, Format.PNG, Format.WEBP, Format.GIF, Format.BMP})
"""Formats decoded inside Keywright's own process, by threads.

Their decoders (libjpeg-turbo, zlib-ng, libwebp, Pillow's own) are those of every browser, under continuous fuzzing,
and decode without Python's lock. All others run in worker processes, where a crash or a hang costs one photo.
"""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2", b"jpeg", b"avci")
_AVIF_BRANDS = (b"avif", b"avis")
_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF8", Format.GIF),
    (b"BM", Format.BMP),
    (b"8BPS", Format.PSD),
    (b"\xff\x0a", Format.JXL),
    (b"\x00\x00\x00\x0cJXL ", Format.JXL),
    (b"\x00\x00\x00\x0cjP  ", Format.JP2),
    (b"\xff\x4f\xff\x51", Format.JP2),
    (b"II\xbc\x01", Format.JXR),
    (b"FUJIFILM", Format.RAW),
    (b"FOVb", Format.RAW),
    (b"\x00MRM", Format.RAW),
    (b"IIU\x00", Format.RAW),  # Panasonic
    (b"IIRO", Format.RAW),  # Olympus
    (b"IIRS", Format.RAW),
    (b"MMOR", Format.RAW),
    (b"\x1a\x45\xdf\xa3", Format.VIDEO),  # Matroska, WebM
    (b"FLV", Format.VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format.VIDEO),  # Windows Media
    (b"\x00\x00\x01\xba", Format.VIDEO),  # MPEG
    (b"\x00\x00\x01\xb3", Format.VIDEO),
)
_TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def sniff(head: bytes, suffix: str) -> Format | None:
    """The format of a file with these first ``HEAD_BYTES`` bytes and this ending; None when it is none we know."""
    suffix = suffix.lower()
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head.startswith(b"RIFF"):
        return {b"WEBP": Format.WEBP, b"AVI ": Format.VIDEO}.get(head[8:12])
    if head.startswith(_TIFF_STARTS) or head[6:14] == b"HEAPCCDR":
        return Format.RAW if suffix in RAW_SUFFIXES or head[6:14] == b"HEAPCCDR" or head[8:10] == b"CR" else Format.TIFF
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12], head[16:])
    if head[4:8] in _QUICKTIME_ATOMS:
        return Format.VIDEO
    if suffix in RAW_SUFFIXES:
        return Format.RAW
    return Format.VIDEO if suffix in VIDEO_SUFFIXES else None


def _by_brand(brand: bytes, compatible: bytes) -> Format:
    """The ISO base media file formats differ in their brand alone."""
    if brand == b"crx ":
        return Format.RAW
    if brand in _AVIF_BRANDS or (brand in (b"mif1", b"msf1", b"miaf") and b"avif" in compatible):
        return Format.AVIF
    return Format.HEIF if brand in _HEIF_BRANDS else Format.VIDEO


def format_of(path: Path) -> Format | None:
    """The format of a file. Raises ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES), path.suffix)


def may_hold_a_picture(path: Path) -> bool:
    """Whether the name alone promises a picture or a video: for walking folders without opening every file."""
    suffix = path.suffix.lower()
    return suffix in PICTURE_SUFFIXES or suffix in RAW_SUFFIXES or suffix in VIDEO_SUFFIXES
