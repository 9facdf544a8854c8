"""Where the keyword fields of an XMP packet stand, to the byte.

Expat reads the packet; it tells the place of every tag, so that a change can be spliced into the text and all the
rest (unknown namespaces, order, prefixes, quotes, white space, comments) stays as it was by construction. A
tree library would have to write the packet anew and could not promise that.

Packets come from strangers: a document type (and with it every entity) and deep nesting are refused.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import Enum, auto
from xml.parsers import expat

from keywright.metadata import acdsee
from keywright.metadata.fields import ACDSEE, BY_EXPANDED, CAPTIONS, RDF, XMP_NOTE, Field
from keywright.metadata.fields import FIELDS as ALL_FIELDS

MAX_DEPTH = 200
MAX_BYTES = 64 << 20

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*(/?)>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_ROOTS = ("adobe:ns:meta/ xmpmeta", "adobe:ns:meta/ xapmeta")
_TEXTS = (f"{RDF} li", f"{RDF} value")
_CONTAINERS = {f"{RDF} {name}" for name in ("Bag", "Seq", "Alt")}


class PacketError(ValueError):
    """The packet cannot be taken apart; the text says why, for the end of a sentence."""


class Shape(Enum):
    LIST = auto()  # an rdf:Bag, Seq or Alt
    TEXT = auto()  # plain text in the property's element
    ATTRIBUTE = auto()  # an attribute of the rdf:Description


@dataclass(slots=True)
class Item:
    text: str
    start: int
    end: int


@dataclass(slots=True)
class FieldFound:
    """One keyword field of the packet; offsets are bytes into the parsed text."""

    field: Field
    shape: Shape
    start: int
    end: int
    items: list[Item] = dataclasses.field(default_factory=list)
    container: tuple[int, int] | None = None
    value: str = ""  # the text, where the shape is TEXT or ATTRIBUTE
    odd: bool = False  # it holds elements that no keyword field should; it is read, never written

    def texts(self) -> list[str]:
        return [item.text for item in self.items]


@dataclass(slots=True)
class Node:
    """A top-level node element (``rdf:Description``) of the packet."""

    start: int
    end: int
    properties: int  # child elements and attributes that say something


@dataclass(slots=True)
class Packet:
    """The text that was parsed (UTF-8 or what the XML declaration says) and what was found in it."""

    text: bytes
    encoding: str = "utf-8"
    codec: str | None = None  # the codec of the original bytes, where ``text`` is a translation of them
    fields: list[FieldFound] = dataclasses.field(default_factory=list)
    captions: list[str] = dataclasses.field(default_factory=list)  # titles and descriptions, in all languages
    nodes: list[Node] = dataclasses.field(default_factory=list)
    rdf: tuple[int, int] | None = None
    root: int | None = None  # where ``x:xmpmeta`` begins
    extended: str = ""  # xmpNote:HasExtendedXMP
    damage: str = ""  # why not everything could be read

    def found(self, wanted: Field) -> list[FieldFound]:
        return [found for found in self.fields if found.field is wanted]

    def end_of_start_tag(self, start: int) -> tuple[int, bool]:
        """Where the tag at ``start`` ends, and whether it is empty (``<a/>``)."""
        match = _START_TAG.match(self.text, start)
        if match is None:
            raise PacketError("a tag in it is not as XML has them")
        return match.end(), bool(match.group(1))

    def tag_name(self, start: int) -> str:
        match = _TAG_NAME.match(self.text, start)
        if match is None:
            raise PacketError("a tag in it is not as XML has them")
        return match.group(1).decode(self.encoding)

    def attributes(self, start: int) -> list[tuple[str, int, int, int, int]]:
        """(qualified name, start with white space before, end, value start, value end) of each attribute."""
        end, _ = self.end_of_start_tag(start)
        head = _TAG_NAME.match(self.text, start)
        assert head is not None
        return [
            (m.group(1).decode(self.encoding), m.start(), m.end(), m.start(2) + 1, m.end(2) - 1)
            for m in _ATTRIBUTE.finditer(self.text, head.end(), end)
        ]


def _translate(data: bytes) -> tuple[bytes, str | None]:
    """UTF-16 and UTF-32 packets as UTF-8, with the codec to go back; others as they are."""
    if b"\x00" not in data[:64]:
        return data, None
    for codec in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        for mark in ("\ufeff<", "<"):
            if data.startswith(mark.encode(codec)):
                try:
                    text = data.decode(codec)
                except UnicodeDecodeError as error:
                    raise PacketError(f"it is not valid {codec.upper()}") from error
                return text.encode("utf-8", "surrogatepass"), codec
    return data, None


def scan(data: bytes) -> Packet:
    """Take a packet apart. What stands before a fault is kept; ``damage`` then says what the fault is.

    Raises ``PacketError`` for what is refused outright: a document type, entities, deep nesting, too many bytes.
    """
    if len(data) > MAX_BYTES:
        raise PacketError(f"it is larger than {MAX_BYTES >> 20} MB")
    text, codec = _translate(data)
    packet = Packet(text, codec=codec)
    start = 0
    while text[start : start + 1] in (b" ", b"\t", b"\r", b"\n", b"\x00") and start < len(text):
        start += 1
    end = len(text.rstrip(b"\x00 \t\r\n"))
    if end <= start:
        packet.damage = "it is empty"
        return packet
    scanner = _Scanner(packet, start)
    try:
        scanner.parser.Parse(text[start:end] if (start, end) != (0, len(text)) else text, True)
    except expat.ExpatError as error:
        packet.damage = f"{expat.ErrorString(error.code)} (line {error.lineno})"
    except PacketError:
        raise
    except (ValueError, LookupError) as error:  # an encoding that expat or Python does not know
        packet.damage = " ".join(str(error).split())
    if packet.rdf is None and packet.root is None and not packet.damage:
        packet.damage = "it holds no RDF"
    return packet


def scan_leniently(data: bytes) -> Packet:
    """As ``scan``, for reading only: bytes that XML cannot hold are passed over where that lets more be read."""
    packet = scan(data)
    if packet.damage:
        text = _NOT_XML.sub("", packet.text.decode("utf-8", "replace")).encode()
        if text != packet.text:
            again = scan(text)
            if sum(len(found.items) for found in again.fields) > sum(len(found.items) for found in packet.fields):
                again.damage = packet.damage
                return again
    return packet


def readable(data: bytes) -> bool:
    """Whether a packet is whole, and so can be written to."""
    try:
        return not scan(data).damage
    except PacketError:
        return False


class _Scanner:
    """Expat's handlers; fills a ``Packet``."""

    def __init__(self, packet: Packet, base: int) -> None:
        self.packet = packet
        self.base = base
        self.depth = 0
        self.rdf_depth = 0
        self.node: Node | None = None
        self.current: FieldFound | None = None
        self.item: Item | None = None
        self.in_value = False
        self.in_caption = False
        self.characters: list[str] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.StartDoctypeDeclHandler = self.refuse
        parser.EntityDeclHandler = self.refuse
        parser.XmlDeclHandler = self.declaration
        self.parser = parser

    def refuse(self, *_: object) -> None:
        raise PacketError("it has a document type, which XMP forbids and which can hide attacks")

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and self.packet.codec is None:
            self.packet.encoding = encoding

    def offset(self) -> int:
        return self.base + self.parser.CurrentByteIndex

    def listen(self) -> None:
        self.characters = []
        self.parser.CharacterDataHandler = self.characters.append

    def heard(self) -> str:
        self.parser.CharacterDataHandler = None
        return "".join(self.characters)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PacketError(f"its elements are nested more than {MAX_DEPTH} deep")
        if not self.rdf_depth:
            if self.depth == 1 and name in _ROOTS:
                self.packet.root = self.offset()
            if name == f"{RDF} RDF" and self.packet.rdf is None:
                self.rdf_depth = self.depth
                self.packet.rdf = (self.offset(), -1)
            return
        level = self.depth - self.rdf_depth
        if level == 1:
            self.start_node(attributes)
        elif level == 2:
            self.start_property(name)
        elif self.current is not None:
            self.start_inside(level, name)
        elif self.in_caption and name in _TEXTS:
            self.listen()

    def start_node(self, attributes: dict[str, str]) -> None:
        start = self.offset()
        self.node = Node(start, -1, 0)
        self.packet.nodes.append(self.node)
        for name, value in attributes.items():
            if name.startswith(f"{RDF} ") or name == "about":
                continue
            self.node.properties += 1
            if (known := BY_EXPANDED.get(name)) is not None:
                self.found_attribute(known, start, value)
            elif name in CAPTIONS:
                self.packet.captions.append(value)
            elif name == f"{XMP_NOTE} HasExtendedXMP":
                self.packet.extended = value

    def found_attribute(self, known: Field, start: int, value: str) -> None:
        # The local name tells them apart well enough: two attributes of one local name are only taken for one
        # another where both are keyword fields, and no two fields share a local name.
        for qualified, before, end, _, _ in self.packet.attributes(start):
            if qualified.rpartition(":")[2] == known.local:
                found = FieldFound(known, Shape.ATTRIBUTE, before, end, value=value)
                self.take_text(found, value, before, end)
                self.packet.fields.append(found)
                return

    def take_text(self, found: FieldFound, value: str, start: int, end: int) -> None:
        found.value = value
        if found.field is ACDSEE:
            try:
                found.items = [Item(text, start, end) for text in acdsee.entries(value)]
            except ValueError:
                self.packet.damage = self.packet.damage or "its acdsee:categories are damaged"
        elif value.strip():
            found.items = [Item(value, start, end)]

    def start_property(self, name: str) -> None:
        assert self.node is not None
        self.node.properties += 1
        known = BY_EXPANDED.get(name)
        if known is not None:
            self.current = FieldFound(known, Shape.TEXT, self.offset(), -1)
            self.packet.fields.append(self.current)
            self.listen()
        elif name in CAPTIONS:
            self.in_caption = True
            self.listen()
        elif name == f"{XMP_NOTE} HasExtendedXMP":
            self.listen()

    def start_inside(self, level: int, name: str) -> None:
        assert self.current is not None
        if level == 3 and name in _CONTAINERS and self.current.container is None:
            self.current.shape = Shape.LIST
            self.current.container = (self.offset(), -1)
            self.parser.CharacterDataHandler = None
        elif level == 3:
            self.current.odd = True
        elif level == 4 and self.current.shape is Shape.LIST:
            self.item = Item("", self.offset(), -1)
            self.listen()
        elif self.item is not None and name == f"{RDF} value":
            self.in_value = True
            self.listen()

    def end(self, name: str) -> None:
        level = self.depth - self.rdf_depth if self.rdf_depth else -1
        self.depth -= 1
        if level == 0:
            assert self.packet.rdf is not None
            self.packet.rdf = (self.packet.rdf[0], self.element_end(self.packet.rdf[0]))
            self.rdf_depth = 0
        elif level == 1 and self.node is not None:
            self.node.end = self.element_end(self.node.start)
        elif level == 2:
            self.end_property(name)
        elif self.current is not None:
            self.end_inside(level, name)
        elif self.in_caption and name in _TEXTS:
            self.end_caption()

    def element_end(self, start: int) -> int:
        end, empty = self.packet.end_of_start_tag(start)
        return end if empty else self.packet.text.index(b">", self.offset()) + 1

    def end_property(self, name: str) -> None:
        if self.current is not None:
            current, self.current = self.current, None
            current.end = self.element_end(current.start)
            if current.shape is Shape.TEXT:
                self.take_text(current, self.heard(), current.start, current.end)
            self.parser.CharacterDataHandler = None
        elif self.in_caption:
            self.end_caption()
            self.in_caption = False
        elif name == f"{XMP_NOTE} HasExtendedXMP":
            self.packet.extended = self.heard().strip()

    def end_caption(self) -> None:
        """A text has ended, or one of its languages; nothing is left to be heard twice."""
        text, self.characters = self.heard(), []
        if text.strip():
            self.packet.captions.append(text)

    def end_inside(self, level: int, name: str) -> None:
        assert self.current is not None
        if level == 3 and self.current.container is not None and self.current.container[1] < 0:
            begin = self.current.container[0]
            self.current.container = (begin, self.element_end(begin))
        elif level == 4 and self.item is not None:
            if not self.in_value:
                self.item.text = self.heard()
            self.in_value = False
            self.item.end = self.element_end(self.item.start)
            self.current.items.append(self.item)
            self.item = None
        elif self.in_value and name == f"{RDF} value" and self.item is not None:
            self.item.text = self.heard()


assert len({known.local for known in ALL_FIELDS}) == len(ALL_FIELDS)
