"""Where digiKam's album roots are mounted: reads the identifiers that its AlbumRoots table holds.

The forms are those that digiKam's collection manager writes (collectionmanager_p.cpp): a volume by file system UUID,
by label or by mount point, each with a path inside it; a plain path; a network share with one or more mount points.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

_ESCAPED_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One parsed ``identifier``: its scheme and its query items, in order; unknown items are simply there."""

    scheme: str
    items: tuple[tuple[str, str], ...]

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.items if key == name)

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)


@dataclass(frozen=True, slots=True)
class Mounts:
    """What this machine has mounted: mount points by device, devices by UUID (lower case) and by label."""

    points: Mapping[str, str]
    by_uuid: Mapping[str, str]
    by_label: Mapping[str, str]


def parse_identifier(text: str) -> Identifier:
    scheme, _, query = text.partition(":")
    items = []
    for item in query.removeprefix("?").split("&"):
        key, sign, value = item.partition("=")
        if sign:
            items.append((unquote(key), unquote(value)))
    return Identifier(scheme, tuple(items))


def root_candidates(identifier: str, specific_path: str, mounts: Mounts) -> tuple[str, ...]:
    """The folders an album root may be, the likeliest first; none where its volume is not known here."""
    root = parse_identifier(identifier)
    tops: tuple[str, ...] = ()
    if root.scheme == "networkshareid":
        tops = root.values("mountpath")
    elif root.scheme == "volumeid":
        if (uuid := root.value("uuid")) is not None:
            tops = _mounted(mounts.by_uuid.get(uuid.lower()), mounts)
        elif (label := root.value("label")) is not None:
            tops = _mounted(mounts.by_label.get(label), mounts)
        else:
            tops = root.values("path") or root.values("mountpath")
    inside = specific_path.strip("/")
    return tuple(_below(top, inside) for top in tops)


def _below(top: str, inside: str) -> str:
    top = top.replace("\\", "/") if re.match(r"[A-Za-z]:|\\\\", top) else top
    top = top.rstrip("/")
    return f"{top}/{inside}" if inside else top or "/"


def _mounted(device: str | None, mounts: Mounts) -> tuple[str, ...]:
    point = mounts.points.get(device) if device else None
    return (point,) if point else ()


def parse_mounts(table: str) -> dict[str, str]:
    r"""Mount points by device out of ``/proc/mounts``, where blanks are written ``\040``; the first mount wins."""
    points: dict[str, str] = {}
    for line in table.splitlines():
        fields = [_ESCAPED_OCTAL.sub(lambda match: chr(int(match[1], 8)), field) for field in line.split(" ")]
        if len(fields) >= 2 and fields[0].startswith("/dev/"):
            points.setdefault(fields[0], fields[1])
    return points


def read_mounts(
    system: str = sys.platform, proc: Path = Path("/proc/mounts"), disks: Path = Path("/dev/disk")
) -> Mounts:
    """What Linux has mounted. Elsewhere nothing is known, and the user maps such roots by hand."""
    if not system.startswith("linux"):
        return Mounts(MappingProxyType({}), MappingProxyType({}), MappingProxyType({}))
    try:
        points = parse_mounts(proc.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        points = {}
    # A mapped device appears under other names (/dev/mapper/x is a link to /dev/dm-0): each is known by its target.
    points = {str(Path(device).resolve()): point for device, point in reversed(points.items())}
    by_uuid = {name.lower(): device for name, device in _links(disks / "by-uuid").items()}
    return Mounts(points, by_uuid, _links(disks / "by-label"))


def _links(folder: Path) -> dict[str, str]:
    r"""Devices by the names of the links in a folder of ``/dev/disk``, where udev writes a blank as ``\x20``."""
    try:
        links = list(folder.iterdir())
    except OSError:
        return {}
    return {re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), link.name): str(link.resolve()) for link in links}
