"""Keywords into an XMP packet and out of it, by splicing its text.

Each field is treated by its own habit (``fields.py``); what no edit touches is the same byte for byte. Entries go in
behind the last one with the white space before it, and come out with the white space before them, so what is put in
can be taken out without a trace. A field that is absent goes into an ``rdf:Description`` of its own at the end.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata import acdsee
from keywright.metadata.base import Added, FieldAdded, KeywordChange, MetadataError
from keywright.metadata.combine import combine
from keywright.metadata.fields import ACDSEE, BY_ID, FIELDS, RDF, Field, Kind
from keywright.metadata.packet import FieldFound, Item, Node, Packet, PacketError, Shape, scan

EMPTY_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Keywright">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>'
).encode()

_ESCAPES = {"\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;", '"': "&quot;", "'": "&apos;"}
_IN_TEXT = {character: _ESCAPES[character] for character in "\r\n\t"}


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
    splicer = _Splicer(packet)
    adding = {path.key: path for path in sorted(change.add)}
    removing = {path.key: path for path in sorted(change.remove) if path.key not in adding}

    current = {p.key: p for p in combine((f.field.id, f.texts()) for f in packet.fields)}
    had = dict(current)
    for path in known:
        had.setdefault(path.key, path)
    removed, cut = _remove(splicer, removing, adding)
    seeds = [path for path in had.values() if path.key not in removing]
    fields = []
    for known_field in FIELDS:
        if not adding or (known_field.id in elsewhere and not packet.found(known_field)):
            continue
        record = _add(splicer, known_field, list(adding.values()), seeds)
        if record is not None:
            fields.append(record)
    splicer.finish()
    if not splicer.edits:
        return Merged(xmp, Added(), frozenset(), frozenset(adding.values()), cut=cut)
    return Merged(
        splicer.result(),
        Added(tuple(fields), tuple(str(path) for path in removed), created),
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
    splicer = _Splicer(packet)
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


def _entries(known: Field, paths: Iterable[KeywordPath]) -> list[str]:
    """What a field should list for the paths; a flat one lists the parents' names as well, as Lightroom does."""
    if known.kind is not Kind.FLAT:
        return [known.dialect.write(path) for path in paths]
    return list(dict.fromkeys(known.dialect.write_name(name) for path in paths for name in path.parts))


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
    splicer: _Splicer, known: Field, paths: Sequence[KeywordPath], seeds: Sequence[KeywordPath]
) -> FieldAdded | None:
    all_found = splicer.packet.found(known)
    if not all_found and not known.always:
        return None
    found = next((f for f in all_found if splicer.left(f)), all_found[0] if all_found else None)
    present = [item.text for f in all_found for item in splicer.left(f)]
    items = _missing(known, present, _entries(known, paths))
    if not items:
        return None
    seeded = () if present else _missing(known, items, _entries(known, seeds))
    was = splicer.insert(known, found, [*seeded, *items])
    held = tuple(present) if was else ()
    return FieldAdded(known.id, items, seeded, was, held)


def _remove(
    splicer: _Splicer, removing: dict[tuple[str, ...], KeywordPath], adding: dict[tuple[str, ...], KeywordPath]
) -> tuple[list[KeywordPath], frozenset[str]]:
    """Take the paths out of every field; gives those that were there, and the names that flat fields lose.

    A bare name goes where it is the keyword's own or stood for one of its parents, unless another keyword needs it.
    """
    if not removing:
        return [], frozenset()
    levelled = [found for found in splicer.packet.fields if found.field.kind is not Kind.FLAT]
    listed = {(found.field.kind, key) for found in levelled for item in found.items if (key := _key(found, item))}
    there = {key for kind, key in listed if kind is Kind.PATHS or len(key) > 1}
    kept = {key for key in there if key not in removing} | set(adding)
    needed = {name for key in kept for name in key}
    gone = {key for key in there if key in removing}
    cut = {key[-1] for key in removing} | {name for key in gone for name in key}
    cut -= needed
    removed = set(gone)
    for found in splicer.packet.fields:
        items = []
        for item in found.items:
            key = _key(found, item)
            bare = key is not None and len(key) == 1 and found.field.kind is not Kind.PATHS
            if key is not None and (key[0] in cut if bare else key in removing):
                items.append(item)
                removed |= {wanted for wanted in removing if bare and wanted[-1] == key[0]}
        splicer.remove(found, items)
    return [removing[key] for key in removing if key in removed], frozenset(cut)


def _undo_field(splicer: _Splicer, found: FieldFound, record: FieldAdded, needed: set[str]) -> None:
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
    left = [spelled(item.text) for item in found.items if all(item is not c for c in cut)]
    before = {spelled(text) for text in (*record.seeded, *record.held)}
    if record.was is not None and all(text in before for text in left if text):
        splicer.restore(found, record.was)
    elif cut:
        splicer.remove(found, cut)


class _Splicer:
    """Collects the edits to one packet's text."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.edits: list[tuple[int, int, str]] = []
        self._cut: list[Item] = []
        self._emptied: dict[int, int] = {}  # node start: properties that went
        self._new: list[tuple[Field, list[str]]] = []
        self._acdsee: dict[int, tuple[FieldFound, list[str], list[str]]] = {}

    # what the merge asks for

    def left(self, found: FieldFound) -> list[Item]:
        """The entries that say something and have not been cut."""
        return [item for item in found.items if item.text.strip() and all(item is not c for c in self._cut)]

    def remove(self, found: FieldFound, items: Sequence[Item]) -> None:
        """Cut entries; the field goes with its last one."""
        if not items:
            return
        self._cut += items
        if found.field is ACDSEE:
            _, _, gone = self._acdsee.setdefault(found.start, (found, [], []))
            gone += [item.text for item in items]
        elif self.left(found) and found.shape is Shape.LIST:
            for item in items:
                self.edits.append((self._space_before(item.start), item.end, ""))

    def insert(self, known: Field, found: FieldFound | None, texts: Sequence[str]) -> str | None:
        """Put entries in; gives the field's source before where it did not simply list entries (``FieldAdded.was``)."""
        if found is None:
            self._new.append((known, list(texts)))
            return ""
        if known is ACDSEE:
            _, put, _ = self._acdsee.setdefault(found.start, (found, [], []))
            put += texts
            return self._source(found)
        left = self.left(found)
        if found.shape is Shape.LIST and left:
            last = found.items[-1]
            space = self._text(self._space_before(last.start), last.start)
            tag = self.packet.tag_name(last.start)
            added = "".join(f"{space}<{tag}>{escape(text, _IN_TEXT)}</{tag}>" for text in texts)
            self.edits.append((last.end, last.end, added))
            return None
        held = [item.text for item in left]
        was = self._source(found)
        if found.shape is Shape.ATTRIBUTE:
            self._take_property(found)
            self._new.append((known, [*held, *texts]))
            return None if held else ""
        self._refill(known, found, [*held, *texts])
        return was

    def restore(self, found: FieldFound, was: str) -> None:
        """Give a field its source of before back; ``""`` takes it away."""
        self._cut += found.items
        if was:
            self.edits.append((found.start, found.end, was))
        else:
            self._take_property(found)

    def finish(self) -> None:
        for found, put, gone in self._acdsee.values():
            self._write_acdsee(found, put, gone)
        for found in self.packet.fields:
            emptied = found.items and not self.left(found) and any(i is c for i in found.items for c in self._cut)
            touched = any(start <= found.start < max(end, start + 1) for start, end, _ in self.edits)
            if emptied and not touched and found.field is not ACDSEE and found.start not in self._refilled():
                self._take_property(found)
        for node in self.packet.nodes:
            if self._emptied.get(node.start) and self._emptied[node.start] >= node.properties:
                self.edits = [e for e in self.edits if not node.start <= e[0] < node.end]
                self.edits.append((self._space_before(node.start), node.end, ""))
        if self._new:
            self._write_new()

    def result(self) -> bytes:
        encoding = self.packet.encoding
        data = self.packet.text
        parts, position = [], 0
        for start, end, text in sorted(self.edits, key=lambda e: e[:2]):
            if start < position:
                raise MetadataError("the XMP packet holds keyword fields within one another, and is not written to.")
            parts += [data[position:start], text.encode(encoding, "xmlcharrefreplace")]
            position = end
        result = b"".join([*parts, data[position:]])
        if self.packet.codec:
            return result.decode("utf-8", "surrogatepass").encode(self.packet.codec)
        return result

    # how it is spelled

    def _refilled(self) -> set[int]:
        return {start for start, _, text in self.edits if text}

    def _text(self, start: int, end: int) -> str:
        return self.packet.text[start:end].decode(self.packet.encoding)

    def _space_before(self, start: int) -> int:
        while start > 0 and self.packet.text[start - 1] in b" \t\r\n":
            start -= 1
        return start

    def _source(self, found: FieldFound) -> str:
        return self._text(found.start, found.end)

    def _node_of(self, found: FieldFound) -> Node:
        return next(node for node in self.packet.nodes if node.start <= found.start < node.end)

    def _take_property(self, found: FieldFound) -> None:
        node = self._node_of(found)
        self._emptied[node.start] = self._emptied.get(node.start, 0) + 1
        start = found.start if found.shape is Shape.ATTRIBUTE else self._space_before(found.start)
        self.edits.append((start, found.end, ""))

    def _refill(self, known: Field, found: FieldFound, texts: Sequence[str]) -> None:
        """Write a field anew, in its own element, that had no list or an empty one."""
        end, empty = self.packet.end_of_start_tag(found.start)
        head = self._text(found.start, end)
        head = head[:-2].rstrip() + ">" if empty else head
        indent = self._text(self._space_before(found.start), found.start)
        inside = self._list(known, texts, indent + " " if "\n" in indent else "")
        tag = self.packet.tag_name(found.start)
        self.edits.append((found.start, found.end, f"{head}{inside}{indent if inside[:1].isspace() else ''}</{tag}>"))

    def _list(self, known: Field, texts: Sequence[str], indent: str) -> str:
        rdf = self._rdf_prefix()
        deeper = indent + " " if indent else ""
        items = "".join(f"{deeper}<{rdf}li>{escape(text, _IN_TEXT)}</{rdf}li>" for text in texts)
        return f"{indent}<{rdf}{known.container}>{items}{indent}</{rdf}{known.container}>"

    def _rdf_prefix(self) -> str:
        if self.packet.rdf is None:
            return "rdf:"
        prefix, colon, _ = self.packet.tag_name(self.packet.rdf[0]).rpartition(":")
        return prefix + colon

    def _write_acdsee(self, found: FieldFound, put: list[str], gone: list[str]) -> None:
        def paths(texts: list[str]) -> list[KeywordPath]:
            return [path for text in texts if (path := found.field.dialect.parse(text))]

        try:
            value = acdsee.rewrite(found.value, paths(put), paths(gone))
        except ValueError as error:
            raise MetadataError(f"the XMP packet is not written to: {error}.") from error
        if not value:
            self._take_property(found)
        elif found.shape is Shape.ATTRIBUTE:
            name = self._source(found).split("=", 1)[0]
            self.edits.append((found.start, found.end, f'{name}="{escape(value, _ESCAPES)}"'))
        else:
            end, empty = self.packet.end_of_start_tag(found.start)
            head = self._text(found.start, end)
            head = head[:-2].rstrip() + ">" if empty else head
            tag = self.packet.tag_name(found.start)
            self.edits.append((found.start, found.end, f"{head}{escape(value, _IN_TEXT)}</{tag}>"))

    def _write_new(self) -> None:
        """One ``rdf:Description`` at the end for all fields the packet did not have."""
        packet = self.packet
        rdf = self._rdf_prefix()
        about = f'{rdf}about=""'
        indent = "\n  "
        if packet.nodes:
            first = packet.nodes[0].start
            indent = self._text(self._space_before(first), first)
            for name, start, end, _, _ in packet.attributes(first):
                if name.rpartition(":")[2] == "about":
                    about = self._text(start, end).strip()
        elif packet.rdf is not None:
            before = self._text(self._space_before(packet.rdf[0]), packet.rdf[0])
            indent = before + " "
        indent = indent if "\n" in indent or "\r" in indent else ""
        inner = indent + " " if indent else ""
        namespaces = dict.fromkeys((known.prefix, known.uris[0]) for known, _ in self._new)
        head = "".join(f'{inner + "  " if inner else " "}xmlns:{prefix}="{uri}"' for prefix, uri in namespaces)
        body = "".join(
            f"{inner}<{known.prefix}:{known.local}>"
            f"{self._list(known, texts, inner + ' ' if inner else '')}{inner}</{known.prefix}:{known.local}>"
            for known, texts in self._new
        )
        block = f"{indent}<{rdf}Description {about}{head}>{body}{indent}</{rdf}Description>"
        if packet.nodes:
            self.edits.append((packet.nodes[-1].end, packet.nodes[-1].end, block))
        elif packet.rdf is not None:
            self._put_first(packet.rdf[0], block, indent[:-1])
        else:
            assert packet.root is not None
            self._put_first(packet.root, f'\n <rdf:RDF xmlns:rdf="{RDF}">{block}\n </rdf:RDF>', "\n")

    def _put_first(self, start: int, block: str, indent: str) -> None:
        """Put a block into the element at ``start``, before all else in it."""
        end, empty = self.packet.end_of_start_tag(start)
        if not empty:
            self.edits.append((end, end, block))
            return
        opened = self._text(start, end)[:-2].rstrip() + ">"
        self.edits.append((start, end, f"{opened}{block}{indent}</{self.packet.tag_name(start)}>"))
