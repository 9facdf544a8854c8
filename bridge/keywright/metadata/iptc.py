"""IPTC-IIM: the keyword datasets (2:25) of a record block, and its character set (1:90).

A keyword has at most 64 bytes (IIM 4.2); a longer name is cut between characters, as the MWG guidelines ask. Without
a declared character set the bytes are UTF-8 where they are valid UTF-8, else Windows' Latin-1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from keywright.keywords import fold_name
from keywright.metadata.dialects import FLAT
from keywright.metadata.streams import MAX_PARTS

MAX_BYTES = 64
_UTF8 = b"\x1b%G"
_CHARACTER_SET = (1, 90)
_KEYWORDS = (2, 25)
_CAPTIONS = ((2, 5), (2, 105), (2, 120))  # object name (what others call title), headline, caption
_LATIN = {b"\x1b-A": "latin-1", b"\x1b.A": "latin-1", b"\x1b(A": "latin-1", b"\x1b(B": "latin-1"}


class IptcError(ValueError):
    """The records do not follow one another as they should; the text says so, for the end of a sentence."""


@dataclass(frozen=True, slots=True)
class DataSet:
    record: int
    number: int
    start: int
    end: int
    data: bytes

    @property
    def id(self) -> tuple[int, int]:
        return self.record, self.number


def datasets(block: bytes, *, strict: bool = False) -> list[DataSet]:
    """The datasets in order. Stops at what is none; with ``strict`` raises ``IptcError`` there instead."""
    found: list[DataSet] = []
    position = 0
    while position + 5 <= len(block) and block[position] == 0x1C and len(found) < MAX_PARTS:
        length = int.from_bytes(block[position + 3 : position + 5], "big")
        data = position + 5
        if length & 0x8000:  # extended: the length's own length
            size = length & 0x7FFF
            if size > 4:
                break
            length = int.from_bytes(block[data : data + size], "big")
            data += size
        if data + length > len(block):
            break
        found.append(
            DataSet(block[position + 1], block[position + 2], position, data + length, block[data : data + length])
        )
        position = data + length
    if strict and block[position:].strip(b"\x00"):
        raise IptcError("its IPTC records are damaged")
    return found


def charset(sets: Iterable[DataSet]) -> str | None:
    """The declared character set as a codec, or ``None``."""
    for dataset in sets:
        if dataset.id == _CHARACTER_SET:
            if dataset.data.startswith(_UTF8):
                return "utf-8"
            for escape, codec in _LATIN.items():
                if escape in dataset.data:
                    return codec
    return None


def _decode(data: bytes, codec: str | None) -> str:
    for attempt in dict.fromkeys((codec or "utf-8", "utf-8", "cp1252")):
        try:
            return data.decode(attempt)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def keywords(block: bytes) -> list[str]:
    """The keyword entries as text."""
    sets = datasets(block)
    codec = charset(sets)
    return [_decode(dataset.data, codec).rstrip("\x00") for dataset in sets if dataset.id == _KEYWORDS]


def captions(block: bytes) -> list[str]:
    """Title, headline and caption, as far as they are there, as text."""
    sets = datasets(block)
    codec = charset(sets)
    return [_decode(dataset.data, codec).rstrip("\x00") for dataset in sets if dataset.id in _CAPTIONS]


def write_name(name: str, codec: str = "utf-8") -> bytes:
    """A name as a keyword dataset holds it. Raises ``UnicodeEncodeError`` where the codec lacks a character."""
    text = FLAT.write_name(name)
    data = text.encode(codec)
    while len(data) > MAX_BYTES:
        text = text[:-1]
        data = text.encode(codec)
    return data.rstrip() if len(text) < len(FLAT.write_name(name)) else data


@dataclass(frozen=True, slots=True)
class Rewritten:
    block: bytes
    items: tuple[str, ...]  # the entries put in
    left_out: tuple[str, ...]  # names that the block's character set cannot hold


def rewrite(block: bytes, add: Iterable[str], cut: Collection[str]) -> Rewritten:
    """The block with keyword names added and others (case folded) taken out.

    Other datasets stay byte for byte. A block of plain ASCII that must hold more is declared UTF-8; one whose other
    entries are in an undeclared character set is not, since that would change what they say: a name that does not
    fit it is left out. Raises ``IptcError`` where the block is damaged.
    """
    sets = datasets(block, strict=True)
    codec = charset(sets)
    declare = False
    if codec is None:
        plain = all(dataset.data.isascii() for dataset in sets if dataset.record == 2 and dataset.number != 0)
        if plain:
            codec = "utf-8"
            declare = not any(dataset.id == _CHARACTER_SET for dataset in sets)
        else:
            codec = "utf-8" if all(_is_utf8(d.data) for d in sets if d.record == 2 and d.number != 0) else "cp1252"
    ours = [dataset for dataset in sets if dataset.id == _KEYWORDS]
    gone = [d for d in ours if fold_name(FLAT.read_name(_decode(d.data, codec))) in cut]
    present = {fold_name(FLAT.read_name(_decode(d.data, codec))) for d in ours if d not in gone}
    put: list[bytes] = []
    items, left_out = [], []
    for name in add:
        try:
            data = write_name(name, codec)
        except UnicodeEncodeError:
            left_out.append(name)
            continue
        key = fold_name(FLAT.read_name(data.decode(codec)))
        if key in present or not data:
            continue
        present.add(key)
        put.append(bytes((0x1C, *_KEYWORDS)) + len(data).to_bytes(2, "big") + data)
        items.append(data.decode(codec))
    pieces, position = [], 0
    if declare and any(not piece.isascii() for piece in put):
        first = next((d.start for d in sets if d.id > _CHARACTER_SET), len(block))
        pieces.append(block[:first] + bytes((0x1C, *_CHARACTER_SET, 0, 3)) + _UTF8)
        position = first
    for dataset in ours:
        if dataset in gone:
            pieces.append(block[position : dataset.start])
            position = dataset.end
        if dataset is ours[-1]:
            pieces += [block[position : dataset.end] if dataset not in gone else b"", *put]
            position = dataset.end
    return Rewritten(b"".join([*pieces, block[position:]]), tuple(items), tuple(left_out))


def take_out(block: bytes, items: Iterable[str], needed: Collection[str]) -> bytes:
    """The block without entries that were put in, but for those whose name (case folded) is still needed."""
    sets = datasets(block, strict=True)
    codec = charset(sets)
    wanted = list(items)
    for dataset in reversed(sets):
        if dataset.id != _KEYWORDS:
            continue
        text = _decode(dataset.data, codec)
        if text in wanted and fold_name(FLAT.read_name(text)) not in needed:
            wanted.remove(text)
            block = block[: dataset.start] + block[dataset.end :]
    return block


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
