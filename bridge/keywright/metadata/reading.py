"""The keywords a photo carries: in itself and in its sidecars."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from keywright.errors import reason
from keywright.metadata import embedded, sidecars
from keywright.metadata.base import FieldKeywords, FileKeywords, MetadataError
from keywright.metadata.combine import combine
from keywright.metadata.packet import MAX_BYTES


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
        fields, problems = read_sidecar(sidecar, path if sidecar == short else None)
        sources += fields
        warnings += problems
    order = {"lr:hierarchicalSubject": 0, "digiKam:TagsList": 1}
    ordered = sorted(sources, key=lambda source: order.get(source.field, 2))
    keywords = combine((source.field, source.items) for source in ordered)
    return FileKeywords(frozenset(keywords), tuple(sources), tuple(warnings))


def read_sidecar(sidecar: Path, photo: Path | None = None) -> tuple[list[FieldKeywords], list[str]]:
    """The keyword fields of a sidecar, and what is wrong with it.

    With ``photo``, a sidecar that says it is another file's (``photoshop:SidecarForExtension``) is passed over.
    """
    try:
        with sidecar.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return [], [f"{sidecar.name} cannot be read: {reason(error)}"]
    if photo is not None and not _is_for(data, photo):
        return [], []
    fields, warnings, _ = embedded.packet_fields(data, sidecar.name)
    return fields, warnings


def _is_for(data: bytes, photo: Path) -> bool:
    mark = b"SidecarForExtension"
    at = data.find(mark)
    if at < 0:
        return True
    tail = data[at + len(mark) : at + len(mark) + 24].lstrip(b" \t\r\n=\"'>")
    extension = tail.replace(b"<", b'"').replace(b"'", b'"').split(b'"', 1)[0].decode("ascii", "replace").strip()
    return not extension or extension.casefold() == photo.suffix[1:].casefold()
