"""What kind of file a photo is, by its first bytes; its name only tells camera raw from plain TIFF."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class Format(StrEnum):
    JPEG = "JPEG"
    TIFF = "TIFF"
    RAW = "camera raw on TIFF"
    PNG = "PNG"
    WEBP = "WebP"
    PSD = "Photoshop"
    GIF = "GIF"
    BMFF = "HEIF, AVIF, MP4, QuickTime, JPEG XL or JPEG 2000"
    RAF = "Fuji raw"
    OTHER = "unknown"


_RAW = """3fr ari arw bay cap cr2 cr3 crw dcr dcs drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf ori pef
    ptx pxn r3d raf raw rw2 rwl rwz sr2 srf srw x3f"""
RAW_EXTENSIONS = frozenset(f".{extension}" for extension in _RAW.split())
_TIFF_EXTENSIONS = {".tif", ".tiff", ".dng"}
_EMBEDDABLE = {Format.JPEG, Format.TIFF, Format.PNG, Format.WEBP, Format.PSD}
_TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_RAW_MAGIC = (b"IIRO", b"IIRS", b"IIU\x00", b"MMOR")


def sniff(head: bytes, name: str) -> Format:
    """The format of a file that begins with ``head`` (32 bytes are enough)."""
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head.startswith(b"8BPS\x00\x01") or head.startswith(b"8BPS\x00\x02"):
        return Format.PSD
    if head.startswith(_TIFF_MAGIC):
        return Format.TIFF if PurePath(name).suffix.lower() in _TIFF_EXTENSIONS else Format.RAW
    if head.startswith(_RAW_MAGIC):
        return Format.RAW
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if head.startswith(b"FUJIFILMCCD-RAW"):
        return Format.RAF
    if head[4:8] in (b"ftyp", b"JXL ", b"jP  ", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"):
        return Format.BMFF
    return Format.OTHER


def is_raw(name: str) -> bool:
    """Whether a file is camera raw by its name."""
    return PurePath(name).suffix.lower() in RAW_EXTENSIONS


def is_embeddable(head: bytes, name: str) -> bool:
    """Whether keywords are written into such a file; all others get a sidecar, whatever else they look like."""
    return sniff(head, name) in _EMBEDDABLE and not is_raw(name)
