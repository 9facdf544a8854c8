"""The keyword fields of XMP: names, spelling, and in which order programs look at them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from keywright.metadata.dialects import BARS, FLAT, SLASHES, Dialect

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP_NOTE = "http://ns.adobe.com/xmp/note/"


class Kind(Enum):
    """What an entry without levels means where another field has it with levels."""

    PATHS = auto()  # a keyword of its own: the program lists every keyword with its whole path
    MIXED = auto()  # programs write paths and bare names here; a bare name may repeat a path's level
    FLAT = auto()  # names only


@dataclass(frozen=True)
class Field:
    id: str
    uris: tuple[str, ...]  # the first is the one to write; the others are met in real files
    local: str
    prefix: str
    dialect: Dialect
    container: str  # the array type to write, "" for a text value
    kind: Kind
    always: bool = False  # written also where the file does not have it yet


LIGHTROOM = Field(
    "lr:hierarchicalSubject",
    ("http://ns.adobe.com/lightroom/1.0/",),
    "hierarchicalSubject",
    "lr",
    BARS,
    "Bag",
    Kind.PATHS,
    always=True,
)
DIGIKAM = Field(
    "digiKam:TagsList", ("http://www.digikam.org/ns/1.0/",), "TagsList", "digiKam", SLASHES, "Seq", Kind.PATHS, True
)
MICROSOFT = Field(
    "MicrosoftPhoto:LastKeywordXMP",
    ("http://ns.microsoft.com/photo/1.0/", "http://ns.microsoft.com/photo/1.0"),
    "LastKeywordXMP",
    "MicrosoftPhoto",
    SLASHES,
    "Bag",
    Kind.MIXED,
)
MEDIAPRO = Field(
    "mediapro:CatalogSets",
    ("http://ns.iview-multimedia.com/mediapro/1.0/", "http://ns.microsoft.com/expressionmedia/1.0/"),
    "CatalogSets",
    "mediapro",
    BARS,
    "Bag",
    Kind.MIXED,
)
ACDSEE = Field("acdsee:categories", ("http://ns.acdsee.com/iptc/1.0/",), "categories", "acdsee", BARS, "", Kind.MIXED)
SUBJECT = Field(
    "dc:subject", ("http://purl.org/dc/elements/1.1/",), "subject", "dc", FLAT, "Bag", Kind.FLAT, always=True
)

# The order decides whose spelling of a keyword is kept when two fields differ in case.
FIELDS = (LIGHTROOM, DIGIKAM, MICROSOFT, MEDIAPRO, ACDSEE, SUBJECT)
BY_ID = {field.id: field for field in FIELDS}
BY_EXPANDED = {f"{uri} {field.local}": field for field in FIELDS for uri in field.uris}

# What a person wrote about the photo in their own words: read for searching, never written.
CAPTIONS = frozenset(
    {
        "http://purl.org/dc/elements/1.1/ title",
        "http://purl.org/dc/elements/1.1/ description",
        "http://ns.adobe.com/photoshop/1.0/ Headline",
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/ AltTextAccessibility",
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/ ExtDescrAccessibility",
    }
)

IPTC = "iptc"
XP_KEYWORDS = "XPKeywords"
