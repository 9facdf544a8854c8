"""A file without what one write put into it: byte for byte an earlier state of it, or by the record of the write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata import Added, revert
from keywright.metadata.base import Edit, FieldAdded, invert_edits
from keywright.metadata.data import Data, PatchedData, stream_of, whole
from keywright.metadata.embedded import fields_of, packet_fields, read_blocks
from keywright.metadata.fields import BY_ID, IPTC, XP_KEYWORDS, Kind
from keywright.store.journal import Before, Entry, EntryState
from keywright.store.timeline import Trace
from keywright.writeback.base import NothingToUndo
from keywright.writeback.before import difference, digest, give_back, keep_edits, keep_whole
from keywright.writeback.order import Past, kept, way_back

_Left = Mapping[str, tuple[str, ...]]
"""By field: entries of writes taken back, which other keywords still needed. They go with the last of these."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What the file becomes (``None``: it goes away), and what the journal keeps of it."""

    content: Data | None
    before: Before
    record: bytes  # what was to be taken out, as ``Intent.added``
    added: tuple[str, ...]  # keywords put back
    removed: tuple[str, ...]  # keywords taken out


def take_out(now: Data, entry: Entry, name: str, past: Past) -> TakenOut | NothingToUndo:
    """The file without what ``entry`` put in, whatever was written and undone since. Raises ``MetadataError``."""
    was = entry.intent
    found = digest(now)
    stays, stays_away = kept(entry.id, past, _touched)
    added = _without_kept(Added.from_json(was.added.decode()), stays, stays_away)
    undo = past.last_undo()
    unnoticed = _unnoticed(past)
    left = _joined(_left(undo), unnoticed)
    back = tuple(text for text in was.removed_keywords if _key(text) not in stays_away)
    out = tuple(text for text in was.added_keywords if _key(text) not in stays)

    earlier = _earlier(now, name, way_back(entry.id, past, found), past)
    if earlier is not None:
        content, before = earlier
        if content is not None and digest(content) == found:
            return NothingToUndo("the file is already as it was")
        record = _record(added, _still_there(content, name, left))
        return TakenOut(content, before or _before(now, content, name), record, back, out)
    if found == was.old_digest:
        return NothingToUndo("the file is already as it was")
    added = _with_left(added, left if undo is not None and entry.id < undo.id else unnoticed)
    content = revert(now, name, added)
    if content == now:
        return NothingToUndo("nothing that Keywright wrote is in the file any more")
    ours = {f.field: f.items for f in added.fields if _is_flat(f.field)}
    record = _record(added, _still_there(content, name, {**left, **ours}))
    return TakenOut(content, _before(now, content, name), record, back, out)


def _before(now: Data, content: Data | None, name: str) -> Before:
    if content is None or _is_sidecar(name):
        return keep_whole(now)
    edits = content.edits if isinstance(content, PatchedData) else difference(whole(now), whole(content))
    return keep_edits(invert_edits(edits))


def _is_sidecar(name: str) -> bool:
    return name.lower().endswith(".xmp")


def _earlier(
    now: Data, name: str, steps: tuple[int, ...] | None, past: Past
) -> tuple[Data | None, Before | None] | None:
    """What the file was before these writes, from the journal's old contents, and (one step back over a photo) what
    turns that into what it is now. None where the journal does not hold it, or it is too much to be held in memory."""
    if not steps or (len(steps) > 1 and not isinstance(now, bytes)):
        return None
    content: Data | None = now
    edits: tuple[Edit, ...] = ()
    for step in steps:
        try:
            found = give_back(content if content is not None else b"", past.before(step))
        except ValueError:
            return None  # the record of what was added is a second way
        if found is None:
            return None
        content, edits = found
    if digest(content) != next(trace.old_digest for trace in past.traces if trace.id == steps[-1]):
        return None
    one_step = len(steps) == 1 and not _is_sidecar(name)
    return content, keep_edits(invert_edits(edits)) if one_step else None


def _key(text: str) -> Key:
    return KeywordPath.parse(text).key


def _touched(trace: Trace) -> tuple[frozenset[Key], frozenset[Key]]:
    return frozenset(map(_key, trace.added_keywords)), frozenset(map(_key, trace.removed_keywords))


def _is_flat(field: str) -> bool:
    return field in (IPTC, XP_KEYWORDS) or (field in BY_ID and BY_ID[field].kind is Kind.FLAT)


def _without_kept(added: Added, stays: frozenset[Key], stays_away: frozenset[Key]) -> Added:
    """The record without what is not to be touched. The parents that a keyword lists in flat fields go with the need
    for them; its own name does not, where it has no parent."""
    if not stays and not stays_away:
        return added

    def is_kept(field: str, item: str) -> bool:
        if _is_flat(field):
            return (fold_name(item),) in stays
        path = BY_ID[field].dialect.parse(item) if field in BY_ID else None
        return path is not None and path.key in stays

    # A field as it was lists what is to stay away: then ours alone is taken out of it.
    fields = tuple(
        replace(f, items=tuple(i for i in f.items if not is_kept(f.field, i)), was=None if stays_away else f.was)
        for f in added.fields
    )
    removed = tuple(text for text in added.removed if _key(text) not in stays_away)
    return replace(added, fields=fields, removed=removed)


def _with_left(added: Added, left: _Left) -> Added:
    fields = {f.field: f for f in added.fields}
    for field, items in left.items():
        known = fields.get(field, FieldAdded(field, ()))
        fields[field] = replace(known, items=known.items + tuple(i for i in items if i not in known.items))
    return replace(added, fields=tuple(fields.values()))


def _still_there(content: Data | None, name: str, wanted: _Left) -> _Left:
    if content is None or not wanted:
        return {}
    if _is_sidecar(name):
        fields = packet_fields(whole(content), name).keywords
    else:
        fields = fields_of(read_blocks(stream_of(content), name)).keywords
    there = {(f.field, item) for f in fields for item in f.items}
    left = {field: tuple(i for i in items if (field, i) in there) for field, items in wanted.items()}
    return {field: items for field, items in left.items() if items}


def _record(added: Added, left: _Left) -> bytes:
    data = json.loads(added.to_json())
    return json.dumps(data | {"left": left}, ensure_ascii=False).encode() if left else added.to_json().encode()


def _unnoticed(past: Past) -> _Left:
    """Of writes whose undo found nothing of theirs that was not needed, so that it wrote nothing and noted nothing."""
    undone = {trace.undoes for trace in past.traces}
    found: _Left = {}
    for trace in past.traces:
        if trace.state is EntryState.UNDONE and trace.undoes is None and trace.id not in undone and trace.added:
            fields = Added.from_json(trace.added.decode()).fields
            found = _joined(found, {f.field: f.items for f in fields if _is_flat(f.field)})
    return found


def _joined(one: _Left, other: _Left) -> _Left:
    return {field: tuple(dict.fromkeys((*one.get(field, ()), *other.get(field, ())))) for field in {**one, **other}}


def _left(undo: Trace | None) -> _Left:
    """What the last undo of the file had to leave."""
    if undo is None or not undo.added:
        return {}
    return {field: tuple(items) for field, items in json.loads(undo.added.decode()).get("left", {}).items()}
