"""A change of a photo's keywords, planned: which file, its bytes before and after, and what was really added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import overload

from keywright.errors import reason
from keywright.keywords import KeywordPath
from keywright.metadata import embedded, extended, padding, rewriting
from keywright.metadata.base import Added, Edit, FileChange, KeywordChange, MetadataError, SidecarProfile, apply_edits
from keywright.metadata.data import Data, read_data, whole
from keywright.metadata.merge import Merged, merge_packet, take_out
from keywright.metadata.packet import MAX_BYTES, readable
from keywright.metadata.reading import read_keywords
from keywright.metadata.sidecars import choose_place
from keywright.metadata.streams import opened

_OUR_TOOLKIT = b'x:xmptk="Keywright"'
"""In the head of a sidecar that Keywright made; a program that writes it puts its own name there."""
_HEAD = 512


def plan_file_change(
    photo: Path,
    add: Iterable[KeywordPath] = (),
    remove: Iterable[KeywordPath] = (),
    profile: SidecarProfile = SidecarProfile.PLAIN,
    siblings: Iterable[str] | None = None,
    private: Iterable[KeywordPath] = (),
) -> FileChange:
    """What to write, and where, to give a photo some keywords and take others from it. Nothing is written.

    ``siblings`` as in ``choose_place``; ``private`` as in ``KeywordChange``.
    Raises ``MetadataError`` where the file cannot be read, or cannot be written safely.
    """
    change = KeywordChange(frozenset(add), frozenset(remove), frozenset(private))
    place = choose_place(photo, profile, siblings)
    if place.embedded:
        data = _read(photo)
        try:
            merged, edits, notes = rewriting.rewrite(data, str(photo), change)
            return replace(_file_change(photo, photo, data, edits, merged), notes=notes)
        except OSError as error:
            raise MetadataError(f"{photo} cannot be read: {reason(error)}.") from error
    if place.exists:
        before = whole(_read(place.target, MAX_BYTES + 1))
        merged = merge_packet(before, change, name=str(place.target))
        edits = _whole(before, merged.packet or b"")
        return _file_change(photo, place.target, before, edits, merged)
    return _new_sidecar(photo, place.target, change, siblings)


def _new_sidecar(photo: Path, target: Path, change: KeywordChange, siblings: Iterable[str] | None) -> FileChange:
    """A sidecar that begins with the photo's own XMP: digiKam reads nothing else once there is one."""
    try:
        with opened(photo) as stream:
            blocks = embedded.read_blocks(stream, photo.name)
    except OSError as error:
        raise MetadataError(f"{photo} cannot be read: {reason(error)}.") from error
    own, notes = blocks.xmp, []
    if own is not None and not readable(own):
        own, notes = None, [f"the XMP in {photo.name} is damaged, so the new {target.name} begins without it"]
    further = rewriting.extended_of(blocks)
    if own is not None and further is not None:
        own = extended.inline(own, further)
    own = padding.trim(own, 0) if own is not None else None
    known = read_keywords(photo, siblings).keywords
    merged = merge_packet(own, change, known, name=str(photo))
    edits = (Edit(0, b"", merged.packet or b""),) if merged.packet != own else ()
    return replace(_file_change(photo, target, None, edits, merged), notes=tuple(notes))


@overload
def revert(now: bytes, name: str, added: Added) -> bytes | None: ...
@overload
def revert(now: Data, name: str, added: Added) -> Data | None: ...
def revert(now: Data, name: str, added: Added) -> Data | None:
    """The file without what ``added`` says was put in (and with what was taken out), all else as it is ``now``.

    For files that the person has changed since the change was made; others are better restored from the journal.
    ``name`` is the file's name. ``now`` itself where nothing of it is there any
    more; ``None`` where it is a sidecar that Keywright made and that holds nothing else: delete it.
    Raises ``MetadataError`` where the file can no longer be written safely.
    """
    if name.lower().endswith(".xmp"):
        packet = whole(now)
        # An earlier change may have made the sidecar and been taken out before this one.
        return take_out(packet, replace(added, created=added.created or _OUR_TOOLKIT in packet[:_HEAD]), name)
    edits = rewriting.take_out_of(now, name, added)
    return apply_edits(now, edits) if edits else now


def _read(path: Path, most: int | None = None) -> Data:
    """What is in a file, or its first ``most`` bytes; a large file is left where it is."""
    try:
        if most is None:
            return read_data(path)
        with opened(path) as stream:
            return stream.read(most)
    except OSError as error:
        raise MetadataError(f"{path} cannot be read: {reason(error)}.") from error


def _whole(before: bytes, after: bytes) -> tuple[Edit, ...]:
    """One edit between the first and the last byte that differ."""
    if before == after:
        return ()
    start = 0
    limit = min(len(before), len(after))
    while start < limit and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < limit - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return (Edit(start, before[start : len(before) - tail], after[start : len(after) - tail]),)


def _file_change(photo: Path, target: Path, source: Data | None, edits: tuple[Edit, ...], merged: Merged) -> FileChange:
    return FileChange(
        photo=photo,
        target=target,
        source=source,
        result=apply_edits(b"" if source is None else source, edits),
        edits=edits,
        added=merged.added,
        added_keywords=merged.added_keywords,
        already_there=merged.already_there,
        removed_keywords=merged.removed_keywords,
    )
