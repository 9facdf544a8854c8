"""JPEG's extended XMP: what does not fit the 64 KB of one segment (XMP specification part 3, 1.1.3.1).

The main packet names the extended one by its MD5 in ``xmpNote:HasExtendedXMP``; together they are one set of
properties. ``spill`` moves the largest properties out of a main packet that has grown too large; ``inline`` makes one
packet of both, for a sidecar.
"""

from __future__ import annotations

import hashlib
import re
from xml.parsers import expat

from keywright.metadata.base import MetadataError
from keywright.metadata.fields import RDF, XMP_NOTE
from keywright.metadata.packet import Node, Packet, scan
from keywright.metadata.padding import trim

_NOTE = re.compile(
    rb"\s+[\w.-]+:HasExtendedXMP\s*=\s*(?:\"[^\"]*\"|'[^']*')|\s*<([\w.-]+:HasExtendedXMP)\s*>[^<]*</\1\s*>"
)
_NOTE_ROOM = 256  # for the Description that names the extended packet
_EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    f'xmlns:rdf="{RDF}"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
).encode()


def digest(extended: bytes) -> bytes:
    """The name of an extended packet."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper().encode()


def relabel(main: bytes, extended: bytes) -> bytes:
    """The main packet naming that extended one, in place of the one it names or in a Description of its own."""
    packet = scan(main)
    if packet.extended:
        return main.replace(packet.extended.encode(), digest(extended))
    note = (
        f'\n  <{_rdf(packet)}Description {_about(packet)} xmlns:xmpNote="{XMP_NOTE}"'
        f' xmpNote:HasExtendedXMP="{digest(extended).decode()}"/>'
    )
    end = packet.nodes[-1].end
    return main[:end] + note.encode() + main[end:]


def inline(main: bytes, extended: bytes) -> bytes:
    """Both packets as one that stands alone."""
    packet, further = scan(main), scan(extended)
    if not packet.nodes or packet.codec or further.codec:
        return main
    nodes = b"".join(b"\n  " + _standing_alone(further, node) for node in further.nodes)
    end = packet.nodes[-1].end
    return _NOTE.sub(b"", main[:end] + nodes + main[end:])


def spill(main: bytes, extended: bytes | None, most: int) -> tuple[bytes, bytes]:
    """The main packet with its largest properties moved out until it has at most ``most`` bytes, and the other.

    Keyword fields stay in the main packet, which every program reads. Raises ``MetadataError`` where it cannot be
    made small enough.
    """
    packet = scan(main)
    if packet.codec or (packet.extended and extended is None) or not packet.nodes:
        raise MetadataError("its XMP has no room left in a JPEG segment")
    stay = {found.start for found in packet.fields}
    movable = sorted(
        (
            (end - start, start, end, node)
            for node in packet.nodes
            for start, end in _properties(packet, node)
            if start not in stay
        ),
        key=lambda row: row[0],
        reverse=True,
    )
    surplus = len(main) + _NOTE_ROOM - most
    moved: list[tuple[int, int, Node]] = []
    for size, start, end, node in movable:
        if surplus <= 0:
            break
        moved.append((start, end, node))
        surplus -= size
    if surplus > 0:
        raise MetadataError("its XMP has no room left in a JPEG segment")
    target = extended or _EMPTY
    blocks = b"".join(
        b"\n  <%sDescription %s%s>%s</%sDescription>"
        % (rdf, _about(packet).encode(), _declarations(packet, node), packet.text[start:end], rdf)
        for start, end, node in moved
        for rdf in (_rdf(packet).encode(),)
    )
    end = scan(target).nodes[-1].end
    target = target[:end] + blocks + target[end:]
    for start, end, _ in sorted(moved, reverse=True, key=lambda row: row[0]):
        main = main[:start].rstrip(b" \t\r\n") + main[end:]
    return trim(relabel(main, target), most), target


def _rdf(packet: Packet) -> str:
    assert packet.rdf is not None
    prefix, colon, _ = packet.tag_name(packet.rdf[0]).rpartition(":")
    return prefix + colon


def _about(packet: Packet) -> str:
    for name, start, end, _, _ in packet.attributes(packet.nodes[0].start):
        if name.rpartition(":")[2] == "about":
            return packet.text[start:end].decode(packet.encoding).strip()
    return f'{_rdf(packet)}about=""'


def _declared(packet: Packet, *starts: int | None) -> dict[str, bytes]:
    """The namespace declarations of some tags, the inner ones over the outer ones, as they are written."""
    return {
        name: packet.text[start:end].strip()
        for tag in starts
        if tag is not None
        for name, start, end, _, _ in packet.attributes(tag)
        if name == "xmlns" or name.startswith("xmlns:")
    }


def _declarations(packet: Packet, node: Node) -> bytes:
    """All that is declared where the node's properties stand."""
    assert packet.rdf is not None
    return b"".join(b" " + text for text in _declared(packet, packet.root, packet.rdf[0], node.start).values())


def _standing_alone(packet: Packet, node: Node) -> bytes:
    """The node's text with what is declared above it declared in it."""
    assert packet.rdf is not None
    own = _declared(packet, node.start)
    above = {name: text for name, text in _declared(packet, packet.root, packet.rdf[0]).items() if name not in own}
    name_end = node.start + 1 + len(packet.tag_name(node.start).encode(packet.encoding))
    declarations = b"".join(b" " + text for text in above.values())
    return packet.text[node.start : name_end] + declarations + packet.text[name_end : node.end]


def _properties(packet: Packet, node: Node) -> list[tuple[int, int]]:
    """Where the property elements of a node stand."""
    found: list[tuple[int, int]] = []
    starts: list[int] = []
    text = packet.text[node.start : node.end]
    shift = node.start
    parser = expat.ParserCreate()

    def start(_name: str, _attributes: dict[str, str]) -> None:
        starts.append(parser.CurrentByteIndex)

    def end(_name: str) -> None:
        begin = starts.pop()
        if len(starts) == 1:
            head, empty = packet.end_of_start_tag(begin + shift)
            found.append((begin + shift, head if empty else text.index(b">", parser.CurrentByteIndex) + 1 + shift))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)
    return found
