"""The keywords a photo carries: in itself and in its sidecars."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from keywright.errors import reason
from keywright.metadata import embedded, sidecars
from keywright.metadata.base import FileKeywords, MetadataError
from keywright.metadata.combine import combine
from keywright.metadata.packet import MAX_BYTES
from keywright.metadata.streams import opened

MOST_CAPTION = 20_000
"""Characters of a photo's texts that are kept; what is behind them is a hostile file's, or a program's own data."""


def read_keywords(path: Path, siblings: Iterable[str] | None = None) -> FileKeywords:
    """All keywords of a photo: XMP, IPTC and Windows' field in the file, and its sidecars; each keyword once.

    ``siblings`` are the names in the photo's folder, where the caller has them. Damaged metadata gives a warning
    and what could be read. Raises ``MetadataError`` only where the file itself cannot be opened.
    """
    try:
        own = embedded.read_fields(path)
    except OSError as error:
        raise MetadataError(f"{path} cannot be read: {reason(error)}.") from error
    around = sidecars.Siblings(path, siblings)
    full, short = sidecars.existing(path, around)
    for sidecar in (full, short):
        if sidecar is None or sidecar == path:
            continue
        own.join(read_sidecar(sidecar))
    order = {"lr:hierarchicalSubject": 0, "digiKam:TagsList": 1}
    ordered = sorted(own.keywords, key=lambda source: order.get(source.field, 2))
    keywords = combine((source.field, source.items) for source in ordered)
    return FileKeywords(frozenset(keywords), tuple(own.keywords), tuple(own.warnings), _caption(own.captions))


def read_sidecar(sidecar: Path) -> embedded.FieldsFound:
    """What a sidecar says, and what is wrong with it."""
    try:
        with opened(sidecar) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return embedded.FieldsFound(warnings=[f"{sidecar.name} cannot be read: {reason(error)}"])
    return embedded.packet_fields(data, sidecar.name)


def _caption(texts: Iterable[str]) -> str:
    lines = (" ".join(text.split()) for text in texts)
    return "\n".join(dict.fromkeys(line for line in lines if line))[:MOST_CAPTION]
