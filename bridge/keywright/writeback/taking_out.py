"""A file without what one write put into it: byte for byte an earlier state of it, or by the record of the write."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata import Added, revert
from keywright.metadata.base import Edit, FieldAdded, FieldKeywords, invert_edits
from keywright.metadata.data import Data, PatchedData, stream_of, whole
from keywright.metadata.dialects import FLAT
from keywright.metadata.embedded import fields_of, packet_fields, read_blocks
from keywright.metadata.fields import BY_ID, IPTC, XP_KEYWORDS, Kind
from keywright.store.journal import Before, Entry, EntryState
from keywright.store.timeline import Trace
from keywright.writeback.base import NothingToUndo
from keywright.writeback.before import difference, digest, give_back, keep_edits, keep_whole
from keywright.writeback.order import Past, kept, way_back

_Ours = Mapping[str, tuple[str, ...]]
"""By flat field: its entries that Keywright put in and nothing has taken out since, as far as the journal knows."""

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
    record = Added.from_json(was.added.decode())
    added = _without_kept(record, stays, stays_away)
    back = tuple(text for text in was.removed_keywords if _key(text) not in stays_away)
    out = tuple(text for text in was.added_keywords if _key(text) not in stays)

    steps = way_back(entry.id, past, found)
    earlier = _earlier(now, name, steps, past)
    if steps and earlier is not None:
        content, before = earlier
        if content is not None and digest(content) == found:
            return NothingToUndo("the file is already as it was")
        return TakenOut(
            content, before or _before(now, content, name), _noted(added, _ours(past, steps[-1])), back, out
        )
    if found == was.old_digest:
        return NothingToUndo("the file is already as it was")
    ours, standing = _ours(past), _standing(past, entry.id)
    # Names of what comes back are written anew with it: alone they would be taken for keywords until then.
    others = _names(_there_before(past, entry.id))
    wanted = (standing - _names(map(_key, back))) | others
    added = _without_names(added, wanted)
    listed = _listed(now, name)
    own = {key[0] for field, key in listed if len(key) == 1 and not _puts_in(added, field, key)}
    added = _with(added, _but_for(ours, wanted | own))
    content = revert(now, name, added)
    if content == now:
        return NothingToUndo("nothing that Keywright wrote is in the file any more")
    left = _but_for(ours, others - standing)
    if content is not None and back:
        # What comes back belongs to whom it belonged; a parent that is written for it now is ours.
        came = _minus(_flat_entries(content, name), _flat_entries(now, name))
        left = _joined(left, _but_for(came, frozenset(record.cut)), _common(came, _ours(past, entry.id)))
    left = _common(left, _flat_entries(content, name)) if content is not None else {}
    return TakenOut(content, _before(now, content, name), _noted(added, left), back, out)


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
        return _parsed(field, item) in stays

    # A field as it was lists what is to stay away: then ours alone is taken out of it.
    fields = tuple(
        replace(f, items=tuple(i for i in f.items if not is_kept(f.field, i)), was=None if stays_away else f.was)
        for f in added.fields
    )
    removed = tuple(text for text in added.removed if _key(text) not in stays_away)
    return replace(added, fields=fields, removed=removed)


def _without_names(added: Added, names: Collection[str]) -> Added:
    """The record without the bare names (case folded) that other writes want in the file."""
    fields = (
        replace(f, items=tuple(i for i in f.items if _name(i) not in names)) if _is_flat(f.field) else f
        for f in added.fields
    )
    return replace(added, fields=tuple(fields))


def _puts_in(added: Added, field: str, key: Key) -> bool:
    return any(_parsed(f.field, item) == key for f in added.fields if f.field == field for item in f.items)


def _parsed(field: str, item: str) -> Key | None:
    path = BY_ID[field].dialect.parse(item) if field in BY_ID else None
    return path.key if path is not None else None


def _with(added: Added, more: _Ours) -> Added:
    fields = {f.field: f for f in added.fields}
    for field, items in more.items():
        known = fields.get(field, FieldAdded(field, ()))
        fields[field] = replace(known, items=known.items + tuple(i for i in items if i not in known.items))
    return replace(added, fields=tuple(fields.values()))


def _noted(added: Added, left: _Ours) -> bytes:
    """The record of an undo: what was to be taken out, and what is ours in the file it leaves."""
    return json.dumps(json.loads(added.to_json()) | {"left": left}, ensure_ascii=False).encode()


def _ours(past: Past, before: int | None = None) -> _Ours:
    """What is ours now, or was before a write. What another program did in between is not known to it."""
    ours: _Ours = {}
    for trace in past.traces:
        if trace.id == before:
            break
        if trace.undoes is not None:
            noted = json.loads(trace.added.decode()).get("left", {}) if trace.added else {}
            ours = {field: tuple(items) for field, items in noted.items()}
        elif trace.added:
            added = Added.from_json(trace.added.decode())
            flat = {f.field: f.items for f in added.fields if _is_flat(f.field)}
            ours = _joined(_but_for(ours, frozenset(added.cut)), flat)
    return ours


def _standing(past: Past, entry_id: int) -> frozenset[str]:
    """The names, case folded, that the writes left without this one still want in the file, with those above them."""
    keywords: set[Key] = set()
    names: set[str] = set()
    for trace in past.traces:
        if trace.undoes is not None or trace.state is not EntryState.WRITTEN or trace.id == entry_id:
            continue
        put_in, taken_out = _touched(trace)
        keywords = (keywords - taken_out) | put_in
        names -= _names(taken_out)
        if trace.added:
            fields = Added.from_json(trace.added.decode()).fields
            names |= {_name(item) for f in fields if _is_flat(f.field) for item in f.items}
    return frozenset(names | _names(keywords))


def _there_before(past: Past, entry_id: int) -> frozenset[Key]:
    """What this write and those undone had put in and was there before them, as things are now: it is not ours."""
    undone = (replace(t, state=EntryState.UNDONE) if t.id == entry_id else t for t in past.traces)
    past = replace(past, traces=tuple(undone))
    found: set[Key] = set()
    applied = [trace for trace in past.traces if trace.undoes is None]
    for trace in applied:
        if trace.state is EntryState.UNDONE:
            later = (_touched(t) for t in applied if t.id > trace.id and t.state is EntryState.WRITTEN)
            decided = frozenset[Key]().union(*(one | other for one, other in later))
            found |= kept(trace.id, past, _touched)[0] - decided
    return frozenset(found)


def _names(keys: Iterable[Key]) -> frozenset[str]:
    return frozenset(name for key in keys for name in key)


def _name(item: str) -> str:
    return fold_name(FLAT.read_name(item))


def _entries(content: Data, name: str) -> list[FieldKeywords]:
    if _is_sidecar(name):
        return packet_fields(whole(content), name).keywords
    return fields_of(read_blocks(stream_of(content), name)).keywords


def _flat_entries(content: Data, name: str) -> _Ours:
    return _joined(*({f.field: f.items} for f in _entries(content, name) if _is_flat(f.field)))


def _listed(content: Data, name: str) -> list[tuple[str, Key]]:
    """The keywords in fields where programs list every keyword with its whole path."""
    paths = [f for f in _entries(content, name) if f.field in BY_ID and BY_ID[f.field].kind is Kind.PATHS]
    return [(f.field, key) for f in paths for item in f.items if (key := _parsed(f.field, item))]


def _but_for(ours: _Ours, names: Collection[str]) -> _Ours:
    """The entries whose names (case folded) are not among these."""
    return {field: tuple(i for i in items if _name(i) not in names) for field, items in ours.items()}


def _minus(one: _Ours, other: _Ours) -> _Ours:
    return {f: tuple(i for i in items if _name(i) not in map(_name, other.get(f, ()))) for f, items in one.items()}


def _common(one: _Ours, other: _Ours) -> _Ours:
    return {f: tuple(i for i in items if _name(i) in map(_name, other.get(f, ()))) for f, items in one.items()}


def _joined(*some: _Ours) -> _Ours:
    fields = dict.fromkeys(field for one in some for field in one)
    return {f: tuple(dict.fromkeys(i for one in some for i in one.get(f, ()))) for f in fields}
