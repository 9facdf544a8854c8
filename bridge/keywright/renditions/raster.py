"""Pictures that Pillow decodes: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000, and HEIF through pillow-heif.

The decoder classes are called by name, not through ``Image.open``: the format is known already, the limits are ours,
and nothing is registered or set for the whole process.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from keywright.renditions.base import How
from keywright.renditions.colour import Colour
from keywright.renditions.exif import Look, read_look, swaps_sides
from keywright.renditions.formats import Format
from keywright.renditions.geometry import Framing
from keywright.renditions.limits import check_size
from keywright.renditions.picture import Picture, upright_size

_OPENERS: dict[Format, type[ImageFile.ImageFile]] = {
    Format.JPEG: JpegImagePlugin.JpegImageFile,
    Format.PNG: PngImagePlugin.PngImageFile,
    Format.WEBP: WebPImagePlugin.WebPImageFile,
    Format.GIF: GifImagePlugin.GifImageFile,
    Format.BMP: BmpImagePlugin.BmpImageFile,
    Format.TIFF: TiffImagePlugin.TiffImageFile,
    Format.AVIF: AvifImagePlugin.AvifImageFile,
    Format.JP2: Jpeg2KImagePlugin.Jpeg2KImageFile,
}
_TIFF_ORIENTATION = 0x0112


def decode_jpeg(source: BinaryIO, framing: Framing, how: How = How.DECODED, orientation: int | None = None) -> Picture:
    """Decode a JPEG at the smallest of 1/1, 1/2, 1/4 and 1/8 (libjpeg scales in the DCT) that the frame can use.

    ``orientation`` stands in where the picture itself says nothing, as previews in raw files often do not.
    """
    image = JpegImagePlugin.JpegImageFile(source)
    exif: bytes | None = image.info.get("exif")
    look = read_look(exif)
    turned = orientation if orientation is not None and look.orientation == 1 else look.orientation
    _draft(image, framing, turned)
    check_size(*image.size)
    try:
        image.load()
    except OSError:
        # Lossless JPEG cannot be scaled while it is decoded; a damaged file fails again, with its own reason.
        source.seek(0)
        image = JpegImagePlugin.JpegImageFile(source)
        check_size(*image.size)
        image.load()
    return Picture(image, turned, Colour(icc=image.info.get("icc_profile"), adobe_rgb=look.adobe_rgb), how)


def _draft(image: JpegImagePlugin.JpegImageFile, framing: Framing, orientation: int) -> None:
    frame = framing(*upright_size(image.size, orientation))
    least = (frame.transposed() if swaps_sides(orientation) else frame).least_size()
    image.draft(None, least)


def decode_with_pillow(path: Path, kind: Format, framing: Framing) -> Picture:
    """Decode a file of one of Pillow's formats other than JPEG; the first picture where there are several."""
    if kind is Format.HEIF:
        return _decode_heif(path)
    with path.open("rb") as source:
        image = _OPENERS[kind](source)
        if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
            image.reduce = _halvings(image.size, framing)
        else:
            check_size(*image.size)
        image.load()
    colour = Colour(icc=image.info.get("icc_profile"))
    if kind is Format.AVIF:
        colour = _avif_colour(path, colour.icc)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # Pillow turns a TIFF upright itself while loading, and then drops the tag.
        orientation = image.tag_v2.get(_TIFF_ORIENTATION, 1)
        return Picture(image, orientation if isinstance(orientation, int) else 1, colour)
    return Picture(image, _look(image).orientation, colour)


def _look(image: Image.Image) -> Look:
    exif = image.info.get("exif")
    return read_look(exif if isinstance(exif, bytes) else None)


def _halvings(size: tuple[int, int], framing: Framing) -> int:
    """How often a JPEG 2000 can be halved (by leaving out resolution levels) and still be large enough."""
    least = framing(*size).least_size()
    halvings = 0
    while halvings < 5 and all(length >> (halvings + 1) >= need for length, need in zip(size, least, strict=True)):
        halvings += 1
    check_size(size[0] >> halvings, size[1] >> halvings)
    return halvings


def _decode_heif(path: Path) -> Picture:
    import pillow_heif  # late: loads libheif

    container = pillow_heif.open_heif(path, convert_hdr_to_8bit=True)
    check_size(*container.size)
    image = container.to_pillow()
    nclx = container.info.get("nclx_profile") or {}
    colour = Colour(
        icc=container.info.get("icc_profile"),
        primaries=nclx.get("color_primaries"),
        transfer=nclx.get("transfer_characteristics"),
    )
    # libheif applies the file's own rotation. Only where a program has lost that does EXIF's count.
    turned = 1 if _says_how_to_turn(path) else read_look(container.info.get("exif")).orientation
    return Picture(image, turned, colour)


def _says_how_to_turn(heif: Path) -> bool:
    """Whether the file has a rotation or mirroring property of its own."""
    with heif.open("rb") as file:
        head = file.read(1 << 18)  # the properties are in the meta box, which comes first
    return b"irot" in head or b"imir" in head


def _avif_colour(path: Path, icc: bytes | None) -> Colour:
    """The colours of an AVIF: Pillow hands on its ICC profile, but not the numbers that stand in for one."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    at = head.find(b"colrnclx")
    if at < 0 or len(head) < at + 12:
        return Colour(icc=icc)
    primaries, transfer = (int.from_bytes(head[at + skip : at + skip + 2], "big") for skip in (8, 10))
    return Colour(icc=icc, primaries=primaries, transfer=transfer)
