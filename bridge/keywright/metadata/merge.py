"""Keywords into an XMP packet and out of it, by splicing its text.

Each field is treated by its own habit (``fields.py``); how an edit is spelled is ``splicer.py``'s affair, and what no
edit touches is the same byte for byte.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata.base import Added, FieldAdded, KeywordChange, MetadataError
from keywright.metadata.combine import combine
from keywright.metadata.fields import BY_ID, FIELDS, Field, Kind
from keywright.metadata.packet import FieldFound, Item, Packet, PacketError, scan
from keywright.metadata.splicer import Splicer

EMPTY_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Keywright">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>'
).encode()


@dataclass(frozen=True, slots=True)
class Merged:
    """A packet with a change made in it. ``packet`` is ``None`` where nothing is left of a packet that was ours."""

    packet: bytes | None
    added: Added
    added_keywords: frozenset[KeywordPath]
    already_there: frozenset[KeywordPath]
    removed_keywords: frozenset[KeywordPath] = frozenset()
    cut: frozenset[str] = frozenset()  # the names, case folded, that flat fields such as IPTC have to lose


def rewrite_packet(xmp: bytes | None, change: KeywordChange) -> bytes:
    """The packet with the change made in every keyword field it has, and in the three that are always written.

    Raises ``MetadataError`` where the packet is damaged: then nothing is written to it.
    """
    return merge_packet(xmp, change).packet or b""


def merge_packet(
    xmp: bytes | None,
    change: KeywordChange,
    known: Iterable[KeywordPath] = (),
    name: str = "the XMP packet",
    elsewhere: Collection[str] = (),
) -> Merged:
    """As ``rewrite_packet``, with the record of what was done.

    ``known`` are keywords that the file has outside the packet (IPTC, Windows' XPKeywords): programs that find a
    field in XMP look no further, so a field that is new or empty is seeded with all the file has. ``elsewhere`` are
    the ids of fields that another part of the file's XMP has: they are not made a second time.
    """
    created = not xmp or not xmp.strip(b"\x00 \t\r\n")
    packet = _scan(EMPTY_PACKET if created else xmp or b"", name)
    splicer = Splicer(packet)
    adding = {path.key: path for path in sorted(change.add)}
    removing = {path.key: path for path in sorted(change.remove) if path.key not in adding}

    current = {p.key: p for p in combine((f.field.id, f.texts()) for f in packet.fields)}
    had = dict(current)
    for path in known:
        had.setdefault(path.key, path)
    removed, cut, bare = _remove(splicer, removing, adding)
    seeds = [path for path in had.values() if path.key not in removing]
    fields = []
    for known_field in FIELDS:
        if not adding or (known_field.id in elsewhere and not packet.found(known_field)):
            continue
        record = _add(splicer, known_field, change, list(adding.values()), seeds)
        if record is not None:
            fields.append(record)
    splicer.finish()
    if not splicer.edits:
        return Merged(xmp, Added(), frozenset(), frozenset(adding.values()), cut=cut)
    return Merged(
        splicer.result(),
        Added(tuple(fields), tuple(str(path) for path in removed), created, cut=tuple(sorted(bare))),
        frozenset(path for key, path in adding.items() if key not in had),
        frozenset(path for key, path in adding.items() if key in had),
        frozenset(removed),
        cut,
    )


def take_out(xmp: bytes, added: Added, name: str = "the XMP packet") -> bytes | None:
    """The packet without what ``added`` says was put in, and with what it says was taken out.

    What the person has changed since stays, also where it concerns the same fields. ``None`` where the packet was
    ours and holds nothing else.
    """
    packet = _scan(xmp, name)
    splicer = Splicer(packet)
    records = {record.field: record for record in added.fields if record.field in BY_ID}
    needed = _levels(_remaining_paths(packet, records))
    for found in packet.fields:
        record = records.get(found.field.id)
        if record is not None:
            _undo_field(splicer, found, record, needed)
    splicer.finish()
    result = splicer.result()
    if added.removed:
        back = frozenset(KeywordPath.parse(text) for text in added.removed)
        result = rewrite_packet(result, KeywordChange(add=back))
    if added.created and not any(node.properties for node in scan(result).nodes):
        return None
    return result


def _scan(xmp: bytes, name: str) -> Packet:
    try:
        packet = scan(xmp)
    except PacketError as error:
        raise MetadataError(f"{name} is not written to: {error}.") from error
    if packet.damage:
        raise MetadataError(f"{name} is damaged ({packet.damage}) and is not written to; repair or remove it first.")
    odd = next((found.field.id for found in packet.fields if found.odd), None)
    if odd:
        raise MetadataError(f"{name} holds {odd} in a form that Keywright does not know, and is not written to.")
    return packet


def _levels(paths: Iterable[KeywordPath]) -> set[str]:
    return {name for path in paths for name in path.key}


def levels_of(packet: Packet) -> set[str]:
    """The names, case folded, on every level of the paths that the packet's fields list."""
    return _levels(_remaining_paths(packet, {}))


def _remaining_paths(packet: Packet, records: dict[str, FieldAdded]) -> list[KeywordPath]:
    """The paths of the fields with levels once the records' entries are gone; seeds do not count."""
    paths = []
    for found in packet.fields:
        if found.field.kind is Kind.FLAT:
            continue
        record = records.get(found.field.id)
        gone = set(record.items) | set(record.seeded) if record else set()
        paths += [
            path for item in found.items if item.text not in gone and (path := found.field.dialect.parse(item.text))
        ]
    return [path for path in paths if len(path.parts) > 1]


def _entries(known: Field, paths: Iterable[KeywordPath], change: KeywordChange) -> list[str]:
    """What a field should list for the paths; a flat one lists the parents' names as well, as Lightroom does."""
    if known.kind is not Kind.FLAT:
        return [known.dialect.write(path) for path in paths]
    return [known.dialect.write_name(name) for name in change.flat_names(paths)]


def _key(found: FieldFound, item: Item) -> tuple[str, ...] | None:
    path = found.field.dialect.parse(item.text)
    return path.key if path else None


def _missing(known: Field, present: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The wanted entries that are not among the present ones, each once, case aside."""

    def key(text: str) -> tuple[str, ...] | None:
        path = known.dialect.parse(text)
        return path.key if path else None

    seen = {key(text) for text in present}
    missing = []
    for text in wanted:
        if key(text) not in seen:
            seen.add(key(text))
            missing.append(text)
    return tuple(missing)


def _add(
    splicer: Splicer,
    known: Field,
    change: KeywordChange,
    paths: Sequence[KeywordPath],
    seeds: Sequence[KeywordPath],
) -> FieldAdded | None:
    all_found = splicer.packet.found(known)
    if not all_found and not known.always:
        return None
    found = next((f for f in all_found if splicer.left(f)), all_found[0] if all_found else None)
    present = [item.text for f in all_found for item in splicer.left(f)]
    items = _missing(known, present, _entries(known, paths, change))
    if not items:
        return None
    seeded = () if present else _missing(known, items, _entries(known, seeds, change))
    was = splicer.insert(known, found, [*seeded, *items])
    held = tuple(present) if was else ()
    return FieldAdded(known.id, items, seeded, was, held)


def _remove(
    splicer: Splicer, removing: dict[tuple[str, ...], KeywordPath], adding: dict[tuple[str, ...], KeywordPath]
) -> tuple[list[KeywordPath], frozenset[str], set[str]]:
    """Take the paths out of every field; gives those that were there, the names that flat fields lose, and those of
    them that were found in the packet.

    A bare name goes where it is the keyword's own or stood for one of its parents, unless another keyword needs it.
    It was a keyword of its own only where no path had it as a level.
    """
    if not removing:
        return [], frozenset(), set()
    levelled = [found for found in splicer.packet.fields if found.field.kind is not Kind.FLAT]
    listed = {(found.field.kind, key) for found in levelled for item in found.items if (key := _key(found, item))}
    there = {key for kind, key in listed if kind is Kind.PATHS or len(key) > 1}
    kept = {key for key in there if key not in removing} | set(adding)
    needed = {name for key in kept for name in key}
    gone = {key for key in there if key in removing}
    cut = {key[-1] for key in removing} | {name for key in gone for name in key}
    cut -= needed
    removed, bare_names = set(gone), set()
    levels = {name for key in there for name in key}
    for found in splicer.packet.fields:
        items = []
        for item in found.items:
            key = _key(found, item)
            bare = key is not None and len(key) == 1 and found.field.kind is not Kind.PATHS
            if key is not None and (key[0] in cut if bare else key in removing):
                items.append(item)
                if bare:
                    bare_names.add(key[0])
                    removed |= {wanted for wanted in removing if wanted[-1] == key[0] and key[0] not in levels}
        splicer.remove(found, items)
    return [removing[key] for key in removing if key in removed], frozenset(cut), bare_names


def _undo_field(splicer: Splicer, found: FieldFound, record: FieldAdded, needed: set[str]) -> None:
    def spelled(text: str) -> str:
        return unicodedata.normalize("NFC", text.strip())

    ours = [spelled(text) for text in record.items]
    cut = []
    for item in reversed(found.items):
        text = spelled(item.text)
        if text not in ours:
            continue
        ours.remove(text)
        if found.field.kind is Kind.FLAT and fold_name(found.field.dialect.read_name(text)) in needed:
            continue
        cut.append(item)
    gone = set(map(id, cut))
    left = [spelled(item.text) for item in found.items if id(item) not in gone]
    before = {spelled(text) for text in (*record.seeded, *record.held)}
    if record.was is not None and all(text in before for text in left if text):
        splicer.restore(found, record.was)
    elif cut:
        splicer.remove(found, cut)
