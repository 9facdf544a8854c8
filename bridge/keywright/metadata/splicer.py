"""Edits to the text of one XMP packet, spelled as the packet spells things.

Entries go in behind the last one with the white space before it, and come out with the white space before them, so
what is put in can be taken out without a trace. A field that is absent goes into an ``rdf:Description`` of its own at
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from keywright.keywords import KeywordPath
from keywright.metadata import acdsee
from keywright.metadata.base import MetadataError
from keywright.metadata.fields import ACDSEE, RDF, Field
from keywright.metadata.packet import FieldFound, Item, Node, Packet, Shape

_ESCAPES = {"\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;", '"': "&quot;", "'": "&apos;"}
_IN_TEXT = {character: _ESCAPES[character] for character in "\r\n\t"}


class Splicer:
    """Collects the edits to one packet's text."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.edits: list[tuple[int, int, str]] = []
        self._cut: set[int] = set()  # ids of items
        self._settled: set[int] = set()  # ids of fields that were written anew or taken away
        self._emptied: dict[int, int] = {}  # node start: properties that went
        self._new: list[tuple[Field, list[str]]] = []
        self._acdsee: dict[int, tuple[FieldFound, list[str], list[str]]] = {}

    # what the merge asks for

    def left(self, found: FieldFound) -> list[Item]:
        """The entries that say something and have not been cut."""
        return [item for item in found.items if item.text.strip() and id(item) not in self._cut]

    def remove(self, found: FieldFound, items: Sequence[Item]) -> None:
        """Cut entries; the field goes with its last one."""
        if not items:
            return
        self._cut.update(map(id, items))
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
        self._cut.update(map(id, found.items))
        self._settled.add(id(found))
        if was:
            self.edits.append((found.start, found.end, was))
        else:
            self._take_property(found)

    def finish(self) -> None:
        for found, put, gone in self._acdsee.values():
            self._write_acdsee(found, put, gone)
        for found in self.packet.fields:
            if found.field is ACDSEE or id(found) in self._settled or self.left(found):
                continue
            if any(id(item) in self._cut for item in found.items):
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
        self._settled.add(id(found))
        node = self._node_of(found)
        self._emptied[node.start] = self._emptied.get(node.start, 0) + 1
        start = found.start if found.shape is Shape.ATTRIBUTE else self._space_before(found.start)
        self.edits.append((start, found.end, ""))

    def _refill(self, known: Field, found: FieldFound, texts: Sequence[str]) -> None:
        """Write a field anew, in its own element, that had no list or an empty one."""
        self._settled.add(id(found))
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
