"""What picture a file holds, whatever is written beside the picture: vectors are kept under this.

A moved or re-keyworded photo has the same content id and is not embedded again; an edited, turned or re-profiled one
has another. What Keywright writes metadata into is read past its metadata; what it never writes into (camera raw, HEIF,
video: those get sidecars) counts with all its bytes. A file that is not as its format says counts with all its bytes
too, so that two photos never share an id by a mistake in reading: at worst a photo is embedded once more.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from keywright.errors import reason
from keywright.renditions.base import RenditionError
from keywright.renditions.exif import Look, read_look
from keywright.renditions.formats import HEAD_BYTES, Format, sniff

_DIGEST_BYTES = 16
_WHOLE_UP_TO = 64 << 20
_SAMPLE = 1 << 20
_SAMPLES = 32

Bytes = mmap.mmap | bytes

_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN, _JPEG_END, _JPEG_ADOBE, _JPEG_ICC, _JPEG_EXIF, _JPEG_COMMENT = 0xDA, 0xD9, 0xEE, 0xE2, 0xE1, 0xFE
_PNG_PICTURE = frozenset(b"IHDR PLTE IDAT tRNS gAMA cHRM sRGB iCCP cICP sBIT acTL fcTL fdAT".split())
_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"})
# What decides how a TIFF looks: sizes, depths, compression, photometric, planes, predictor, orientation, extra samples,
# sample format, tiles, YCbCr, reference black and white, colour map, ICC; and in DNG, crops and colour matrices.
_TIFF_PICTURE_TAGS = frozenset(
    {254, 256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 292, 293, 317, 320, 322, 323, 338, 339, 347, 529, 530, 531}
    | {532, 33421, 33422, 34675, 50706, *range(50710, 50720), 50721, 50722, 50723, 50724, 50728, 50729, 50730}
)
_TIFF_OFFSETS = {273: 279, 324: 325, 288: 289, 513: 514}  # where data lies: how long it is
_TIFF_SUB_DIRECTORIES = 330
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


class _NotAsExpectedError(Exception):
    """The file is not laid out as its format says."""


def content_id(path: Path) -> str:
    """32 hexadecimal digits that name the picture in the file. Raises ``RenditionError`` where it cannot be read.

    Files over 64 MB whose bytes count as a whole are sampled: their length, start, end and 32 places between.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if not head:
                raise RenditionError(f"{path} is empty: restore it from a backup.")
            kind = sniff(head, path.suffix)
            if os.fstat(file.fileno()).st_size <= _WHOLE_UP_TO:
                return _digest(head + file.read(), kind)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _digest(data, kind)
    except FileNotFoundError:
        raise RenditionError(f"{path} is not there any more: look whether it was moved or renamed.") from None
    except (OSError, ValueError) as error:
        raise RenditionError(f"{path} cannot be read ({reason(error)}).") from None


def _digest(data: Bytes, kind: Format | None) -> str:
    readers = {
        Format.JPEG: _jpeg_parts,
        Format.PNG: _png_parts,
        Format.WEBP: _webp_parts,
        Format.TIFF: _tiff_parts,
        Format.RAW: _dng_parts,
        Format.PSD: _psd_parts,
    }
    reader = readers.get(kind) if kind is not None else None
    if reader is not None:
        try:
            return _hash(kind.value if kind else "", reader(data))
        except (_NotAsExpectedError, struct.error, IndexError):
            pass  # not laid out as expected: its bytes say what it is
    return _hash("bytes", _whole_parts(data))


def _hash(kind: str, parts: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(kind.encode(), digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(struct.pack(">Q", len(part)))  # so that two lists of parts never run together alike
        digest.update(part)
    return digest.hexdigest()


def _whole_parts(data: Bytes) -> Iterator[bytes]:
    length = len(data)
    if length <= _WHOLE_UP_TO:
        yield data[:]
        return
    yield struct.pack(">Q", length)
    for number in range(_SAMPLES + 1):
        start = (length - _SAMPLE) * number // _SAMPLES
        yield data[start : start + _SAMPLE]


def _jpeg_parts(data: Bytes) -> Iterator[bytes]:
    """All but the APPn and COM segments, with orientation, ICC profile and Adobe's colour transform."""
    at = 2
    while True:
        at = data.find(b"\xff", at)  # decoders step over junk between segments, and writers take it out
        if at < 0:
            raise _NotAsExpectedError
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _JPEG_STANDALONE:
            at += 2
            continue
        if marker in (_JPEG_SCAN, _JPEG_END):
            end = _end_of_first_picture(data, at)
            yield data[at:end]
            return
        length: int = struct.unpack_from(">H", data, at + 2)[0]
        if length < 2 or at + 2 + length > len(data):
            raise _NotAsExpectedError
        body = data[at + 4 : at + 2 + length]
        if marker == _JPEG_EXIF and body.startswith(b"Exif\x00"):
            look = read_look(body)
            if look != Look():  # EXIF that says nothing of the look is as none: writing keywords may add it
                yield b"look %d %d" % (look.orientation, look.adobe_rgb)
        elif (marker == _JPEG_ICC and body.startswith(b"ICC_PROFILE\x00")) or marker == _JPEG_ADOBE:
            yield body
        elif not (0xE0 <= marker <= 0xEF or marker == _JPEG_COMMENT):
            yield data[at : at + 2 + length]
        at += 2 + length


def _end_of_first_picture(data: Bytes, scan: int) -> int:
    """Where the picture ends; gain maps, previews and videos may follow, and move when metadata before them grows.

    Between scans a JPEG has tables, whose bytes may look like an end, so segments are stepped over.
    """
    at = scan
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)  # cut short
        marker = data[at + 1]
        if marker == _JPEG_END:
            return at + 2
        if marker in (0x00, 0xFF) or marker in _JPEG_STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + (struct.unpack_from(">H", data, at + 2)[0] if at + 4 <= len(data) else 0)


def _png_parts(data: Bytes) -> Iterator[bytes]:
    at = 8
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise _NotAsExpectedError
        body = data[at + 8 : at + 8 + length]
        if name in _PNG_PICTURE:
            yield name + body
        elif name == b"eXIf":
            orientation = read_look(body).orientation
            if orientation != 1:
                yield b"look %d" % orientation
        elif name == b"IEND":
            return
        at += 12 + length


def _webp_parts(data: Bytes) -> Iterator[bytes]:
    at, end = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    seen = False
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            raise _NotAsExpectedError
        body = data[at + 8 : at + 8 + length]
        if name in _WEBP_PICTURE:
            seen = True
            yield name + body
        elif name == b"EXIF":
            orientation = read_look(body).orientation
            if orientation != 1:
                yield b"look %d" % orientation
        at += 8 + length + length % 2
    if not seen:
        raise _NotAsExpectedError


def _dng_parts(data: Bytes) -> Iterator[bytes]:
    """A DNG is a TIFF with a version tag; other camera raw files are never written into, and count as a whole."""
    parts = list(_tiff_parts(data))
    if not any(part.startswith(b"50706 ") for part in parts):
        raise _NotAsExpectedError
    yield from parts


def _tiff_parts(data: Bytes) -> Iterator[bytes]:
    """The tags that decide how it looks and the image data, wherever in the file a program has moved them to."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or struct.unpack_from(f"{order}H", data, 2)[0] != 42:
        raise _NotAsExpectedError  # BigTIFF counts as a whole
    todo = [int(struct.unpack_from(f"{order}I", data, 4)[0])]
    seen: set[int] = set()
    while todo:
        directory = todo.pop(0)
        if directory == 0 or directory in seen:
            continue
        seen.add(directory)
        tags = _tiff_directory(data, order, directory)
        for tag in sorted(tags):
            if tag in _TIFF_PICTURE_TAGS:
                yield b"%d " % tag + _tiff_value(data, order, tags[tag])
        for offsets_tag, lengths_tag in _TIFF_OFFSETS.items():
            if offsets_tag in tags and lengths_tag in tags:
                offsets = _tiff_numbers(data, order, tags[offsets_tag])
                lengths = _tiff_numbers(data, order, tags[lengths_tag])
                for offset, length in zip(offsets, lengths, strict=False):
                    if offset + length > len(data):
                        raise _NotAsExpectedError
                    yield data[offset : offset + length]
        if _TIFF_SUB_DIRECTORIES in tags:
            todo.extend(_tiff_numbers(data, order, tags[_TIFF_SUB_DIRECTORIES]))
        count = struct.unpack_from(f"{order}H", data, directory)[0]
        todo.append(int(struct.unpack_from(f"{order}I", data, directory + 2 + 12 * count)[0]))
    if not seen:
        raise _NotAsExpectedError


def _tiff_directory(data: Bytes, order: str, at: int) -> dict[int, int]:
    """Tag to the place of its entry."""
    count = struct.unpack_from(f"{order}H", data, at)[0]
    entries = (at + 2 + 12 * number for number in range(count))
    return {int(struct.unpack_from(f"{order}H", data, entry)[0]): entry for entry in entries}


def _tiff_value(data: Bytes, order: str, entry: int) -> bytes:
    kind, count = struct.unpack_from(f"{order}HI", data, entry + 2)
    if kind not in _TIFF_SIZES:
        raise _NotAsExpectedError
    length = _TIFF_SIZES[kind] * count
    start = entry + 8 if length <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
    if start + length > len(data):
        raise _NotAsExpectedError
    return data[start : start + length]


def _tiff_numbers(data: Bytes, order: str, entry: int) -> list[int]:
    kind = struct.unpack_from(f"{order}H", data, entry + 2)[0]
    code = {3: "H", 4: "I", 13: "I"}.get(kind)
    if code is None:
        raise _NotAsExpectedError
    value = _tiff_value(data, order, entry)
    return list(struct.unpack(f"{order}{len(value) // _TIFF_SIZES[kind]}{code}", value))


def _psd_parts(data: Bytes) -> Iterator[bytes]:
    """Header, palette, layers and merged picture; of the resources, where the metadata is, profile and orientation."""
    version = struct.unpack_from(">H", data, 4)[0]
    at = 26 + 4 + struct.unpack_from(">I", data, 26)[0]
    yield data[:at]
    resources = struct.unpack_from(">I", data, at)[0]
    end = at + 4 + resources
    if end > len(data) or version not in (1, 2):
        raise _NotAsExpectedError
    yield from _psd_resources(io.BytesIO(data[at + 4 : end]))
    yield data[end:]


def _psd_resources(block: io.BytesIO) -> Iterator[bytes]:
    while len(head := block.read(7)) == 7:
        number = struct.unpack_from(">H", head, 4)[0]
        block.seek(head[6] // 2 * 2 + 1, io.SEEK_CUR)  # its name, padded to even with its length byte
        length = struct.unpack(">I", block.read(4))[0]
        body = block.read(length)
        block.seek(length % 2, io.SEEK_CUR)
        if number == 1039:
            yield body
        elif number == 1058 and read_look(body).orientation != 1:
            yield b"look %d" % read_look(body).orientation
