"""Windows' XPKeywords, a tag of Exif: keyword names between semicolons, in UTF-16."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from keywright.keywords import fold_name
from keywright.metadata.dialects import FLAT

_CODEC, _ODD = "utf-16-le", "surrogatepass"


def names(value: bytes) -> list[str]:
    """The entries as text."""
    text = value.decode(_CODEC, "replace").rstrip("\x00")
    return [name.strip() for name in text.split(";") if name.strip()]


@dataclass(frozen=True, slots=True)
class Rewritten:
    value: bytes | None  # None: no entry is left
    items: tuple[str, ...]  # the entries put in
    left_out: tuple[str, ...]  # names that the field cannot hold: a semicolon ends a name there


def rewrite(value: bytes, add: Iterable[str], cut: Collection[str]) -> Rewritten:
    """The value with keyword names added and others (case folded) taken out; its other entries stay as they are."""
    add = list(add)
    found = _entries(value)
    if found is None:
        return Rewritten(value, (), tuple(add))
    entries, end = found
    kept = [entry for entry in entries if not entry.strip() or _key(entry) not in cut]
    present = {_key(entry) for entry in kept}
    items, left_out = [], []
    for name in add:
        written = FLAT.write_name(name)
        if ";" in written or "\x00" in written:
            left_out.append(name)
        elif _key(written) not in present:
            present.add(_key(written))
            items.append(written)
    place = len(kept) - 1 if kept and not kept[-1] else len(kept)  # a list that ends with a semicolon goes on doing so
    return Rewritten(_value([*kept[:place], *items, *kept[place:]], end), tuple(items), tuple(left_out))


def take_out(value: bytes, items: Iterable[str], needed: Collection[str]) -> bytes | None:
    """The value without entries that were put in, but for those whose name (case folded) is still needed."""
    found = _entries(value)
    if found is None:
        return value
    entries, end = found
    for item in items:
        if item in entries and _key(item) not in needed:
            last = len(entries) - 1 - entries[::-1].index(item)
            del entries[last]
    return _value(entries, end)


def _entries(value: bytes) -> tuple[list[str], str] | None:
    """The entries and the zeros behind them; ``None`` where the value is no text."""
    try:
        text = value.decode(_CODEC, _ODD)
    except UnicodeDecodeError:
        return None
    body = text.rstrip("\x00")
    return body.split(";"), text[len(body) :]


def _value(entries: list[str], end: str) -> bytes | None:
    if not any(entry.strip() for entry in entries):
        return None
    return (";".join(entries) + end).encode(_CODEC, _ODD)


def _key(entry: str) -> str:
    return fold_name(FLAT.read_name(entry.strip()))
