"""The blocks of metadata that a photo file holds, as they lie in it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Blocks:
    """Raw metadata of one file; ``None`` where the file has no such block."""

    xmp: bytes | None = None
    extended: dict[str, bytes] = field(default_factory=dict)  # JPEG's further XMP, by its GUID
    iptc: bytes | None = None  # IPTC-IIM records
    irb: bytes | None = None  # Photoshop's image resources, which may hold IPTC
    exif: bytes | None = None  # a TIFF structure
    xp_keywords: bytes | None = None  # Exif's XPKeywords, UTF-16LE
    signed: bool = False  # content credentials (C2PA), which any change to the file would break
    warnings: list[str] = field(default_factory=list)
