"""The keywords a photo carries: in itself and in its sidecars."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from keywright.errors import reason
from keywright.metadata import embedded, sidecars
from keywright.metadata.base import FieldKeywords, FileKeywords, MetadataError
from keywright.metadata.combine import combine
from keywright.metadata.packet import MAX_BYTES
from keywright.metadata.streams import opened


def read_keywords(path: Path, siblings: Iterable[str] | None = None) -> FileKeywords:
    """All keywords of a photo: XMP, IPTC and Windows' field in the file, and its sidecars; each keyword once.

    ``siblings`` are the names in the photo's folder, where the caller has them. Damaged metadata gives a warning
    and what could be read. Raises ``MetadataError`` only where the file itself cannot be opened.
    """
    try:
        own = embedded.read_fields(path)
    except OSError as error:
        raise MetadataError(f"{path} cannot be read: {reason(error)}.") from error
    sources, warnings = list(own[0]), list(own[1])
    around = sidecars.Siblings(path, siblings)
    full, short = sidecars.existing(path, around)
    for sidecar in (full, short):
        if sidecar is None or sidecar == path:
            continue
        fields, problems = read_sidecar(sidecar)
        sources += fields
        warnings += problems
    order = {"lr:hierarchicalSubject": 0, "digiKam:TagsList": 1}
    ordered = sorted(sources, key=lambda source: order.get(source.field, 2))
    keywords = combine((source.field, source.items) for source in ordered)
    return FileKeywords(frozenset(keywords), tuple(sources), tuple(warnings))


def read_sidecar(sidecar: Path) -> tuple[list[FieldKeywords], list[str]]:
    """The keyword fields of a sidecar, and what is wrong with it."""
    try:
        with opened(sidecar) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return [], [f"{sidecar.name} cannot be read: {reason(error)}"]
    fields, warnings, _ = embedded.packet_fields(data, sidecar.name)
    return fields, warnings
