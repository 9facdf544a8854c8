"""Keywords into a photo file and out of it: XMP, extended XMP and IPTC together, as edits to its bytes.

Each format's own module knows where its blocks lie; what is put into them is decided here, once for all formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata import extended as further_xmp
from keywright.metadata import iptc, irb, jpeg, padding, png, psd, tiff, webp, windows
from keywright.metadata.base import Added, Edit, FieldAdded, KeywordChange, MetadataError, apply_edits
from keywright.metadata.blocks import Blocks
from keywright.metadata.combine import combine
from keywright.metadata.data import Data, stream_of
from keywright.metadata.embedded import fields_of, iptc_of, read_blocks
from keywright.metadata.fields import IPTC, XP_KEYWORDS
from keywright.metadata.formats import Format, is_embeddable, sniff
from keywright.metadata.merge import Merged, levels_of, merge_packet, take_out
from keywright.metadata.packet import readable, scan


@dataclass(frozen=True, slots=True)
class _New:
    """The blocks a file is to have: the packet (``None``: none), and others where they change."""

    xmp: bytes | None
    extended: bytes | None = None
    iptc: bytes | None = None
    windows: bytes | Literal[False] | None = False  # XPKeywords; None: none, False: as it is


def rewrite(data: Data, name: str, change: KeywordChange) -> tuple[Merged, tuple[Edit, ...], tuple[str, ...]]:
    """What was merged, the edits that do it, and notes on what an older field could not take.

    Raises ``MetadataError`` where the file cannot be written safely.
    """
    kind, blocks = _open(data, name)
    known = combine((source.field, source.items) for source in fields_of(blocks).keywords)
    extended = extended_of(blocks)
    further = _ids(extended)
    merged = merge_packet(blocks.xmp, change, known, name=name, elsewhere=further)
    new_extended = None
    if extended is not None and further:
        part = merge_packet(extended, change, known, name=name, elsewhere=further | _ids(blocks.xmp))
        if part.packet != extended:
            new_extended = part.packet
            merged = _join(merged, part)
    old_iptc = iptc_of(blocks)
    new_iptc, notes = None, []
    if old_iptc is not None and iptc.keywords(old_iptc):
        names = change.flat_names(sorted(change.add))
        try:
            rewritten = iptc.rewrite(old_iptc, names, merged.cut)
        except iptc.IptcError as error:
            raise MetadataError(f"{name} is not written to: {error}.") from error
        notes += [f"the IPTC keywords of {name} cannot hold {left!r}" for left in rewritten.left_out]
        if rewritten.block != old_iptc:
            new_iptc = rewritten.block
            merged = _with_flat(merged, IPTC, rewritten.items, change)
    new_windows: bytes | Literal[False] | None = False
    if blocks.xp_keywords is not None and windows.names(blocks.xp_keywords):
        made = windows.rewrite(blocks.xp_keywords, change.flat_names(sorted(change.add)), merged.cut)
        notes += [f"the XPKeywords of {name} cannot hold {left!r}" for left in made.left_out]
        if made.value != blocks.xp_keywords:
            new_windows = made.value
            merged = _with_flat(merged, XP_KEYWORDS, made.items, change)
    if merged.packet == blocks.xmp and new_iptc is None and new_extended is None and new_windows is False:
        return merged, (), tuple(notes)
    packet = merged.packet
    if packet is not None:
        if new_extended is not None:
            packet = further_xmp.relabel(packet, new_extended)
        packet, merged = _fitted(packet, blocks.xmp, merged)
        if kind is Format.JPEG and len(packet := padding.trim(packet, jpeg.MAX_XMP)) > jpeg.MAX_XMP:
            try:
                packet, new_extended = further_xmp.spill(packet, new_extended or extended, jpeg.MAX_XMP)
            except MetadataError as error:
                raise MetadataError(f"{name} is not written to: {error}.") from error
    edits = _replace(kind, data, blocks, _New(packet, new_extended, new_iptc, new_windows), name)
    _check(data, edits, name, change)
    return replace(merged, packet=packet), edits, tuple(notes)


def take_out_of(data: Data, name: str, added: Added) -> tuple[Edit, ...]:
    """The edits that take out of a photo file what ``added`` says was put in.

    Raises ``MetadataError`` where the file cannot be written safely.
    """
    kind, blocks = _open(data, name)
    packet = blocks.xmp
    if packet is not None:
        packet = take_out(packet, added, name)
        if packet is not None and packet != blocks.xmp:
            packet = padding.undo(packet, added.padding)
            packet = padding.trim(packet, jpeg.MAX_XMP) if kind is Format.JPEG else packet
    extended = extended_of(blocks)
    new_extended = take_out(extended, replace(added, removed=(), created=False), name) if extended else None
    new_extended = new_extended if new_extended != extended else None
    old_iptc = iptc_of(blocks)
    new_iptc = None
    record = next((f for f in added.fields if f.field == IPTC), None)
    if old_iptc is not None and record is not None:
        needed = levels_of(scan(packet)) if packet else set()
        try:
            taken = iptc.take_out(old_iptc, record.items, needed)
        except iptc.IptcError as error:
            raise MetadataError(f"{name} is not written to: {error}.") from error
        new_iptc = taken if taken != old_iptc else None
    new_windows: bytes | Literal[False] | None = False
    record = next((f for f in added.fields if f.field == XP_KEYWORDS), None)
    if blocks.xp_keywords is not None and record is not None:
        left = windows.take_out(blocks.xp_keywords, record.items, levels_of(scan(packet)) if packet else set())
        new_windows = left if left != blocks.xp_keywords else False
    if packet == blocks.xmp and new_iptc is None and new_extended is None and new_windows is False:
        return ()
    if packet is not None and new_extended is not None:
        packet = further_xmp.relabel(packet, new_extended)
    return _replace(kind, data, blocks, _New(packet, new_extended, new_iptc, new_windows), name)


def _open(data: Data, name: str) -> tuple[Format, Blocks]:
    kind = sniff(data[:32], name)
    if not is_embeddable(data[:32], name):
        raise MetadataError(
            f"{name} is a kind of file (camera raw, HEIF, video …) that is never written to; give it a sidecar."
        )
    blocks = read_blocks(stream_of(data), name)
    if blocks.signed:
        raise MetadataError(
            f"{name} carries content credentials (C2PA), which any change would break; give it a sidecar instead."
        )
    return kind, blocks


def extended_of(blocks: Blocks) -> bytes | None:
    """The extended packet that the main one names, where it is complete."""
    if not blocks.extended or blocks.xmp is None:
        return None
    if not readable(blocks.xmp):
        return None
    extended = blocks.extended.get(scan(blocks.xmp).extended)
    return extended if extended is not None and readable(extended) else None


def _ids(xmp: bytes | None) -> set[str]:
    return {found.field.id for found in scan(xmp).fields} if xmp and readable(xmp) else set()


def _join(main: Merged, part: Merged) -> Merged:
    return replace(
        main,
        added=replace(main.added, fields=(*main.added.fields, *part.added.fields)),
        added_keywords=main.added_keywords | part.added_keywords,
        already_there=main.already_there & part.already_there,
        removed_keywords=main.removed_keywords | part.removed_keywords,
    )


def _with_flat(merged: Merged, field: str, items: tuple[str, ...], change: KeywordChange) -> Merged:
    """What was merged, with a change of a flat field outside XMP."""
    fields = merged.added.fields
    if items:
        fields = (*fields, FieldAdded(field, items))
    gone = {path for path in change.remove if fold_name(path.name) in merged.cut}
    removed = frozenset(merged.removed_keywords | gone)
    added = replace(merged.added, fields=fields, removed=tuple(sorted(str(path) for path in removed)))
    return replace(merged, added=added, removed_keywords=removed)


def _fitted(packet: bytes, before: bytes | None, merged: Merged) -> tuple[bytes, Merged]:
    """The packet with its padding used up before the file has to grow."""
    if merged.added.created:
        return padding.pad(packet), merged
    packet, used = padding.keep_size(packet, len(before or b""))
    return packet, replace(merged, added=replace(merged.added, padding=used))


def _replace(kind: Format, data: Data, blocks: Blocks, new: _New, name: str) -> tuple[Edit, ...]:
    stream = stream_of(data)
    try:
        exif = None
        if new.windows is not False and blocks.exif is not None:
            exif = tiff.with_xp_keywords(blocks.exif, new.windows)
        if kind is Format.JPEG:
            edits = jpeg.replace(data, stream, blocks, new.xmp, new.iptc, new.extended, exif)
        elif kind is Format.TIFF:
            edits = tiff.replace(data, stream, blocks, new.xmp, new.iptc, new.windows)
        elif kind is Format.PNG:
            edits = png.replace(data, stream, new.xmp, new.iptc, exif)
        elif kind is Format.WEBP:
            edits = webp.replace(data, stream, new.xmp, exif)
        else:
            edits = psd.replace(data, stream, blocks, new.xmp, new.iptc)
    except (MetadataError, irb.ResourceError) as error:
        raise MetadataError(f"{name} is not written to: {error}.") from error
    return tuple(edit for edit in sorted(edits, key=lambda e: (e.start, len(e.old))) if edit.old != edit.new)


def _check(data: Data, edits: Sequence[Edit], name: str, change: KeywordChange) -> None:
    """Read the file that would be written, and refuse where it does not say what it should."""
    blocks = read_blocks(stream_of(apply_edits(data, edits)), name)
    found = fields_of(blocks)
    keys = {path.key for path in combine((source.field, source.items) for source in found.keywords)}
    wrong: list[KeywordPath] = [path for path in sorted(change.add) if path.key not in keys]
    if wrong:
        why = found.warnings[0] if found.warnings else f"{wrong[0]} would not be found in it again"
        raise MetadataError(f"{name} is not written to: {why}.")
