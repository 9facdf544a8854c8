"""Reads digiKam's database, from SQLite (digikam4.db) or from MySQL/MariaDB: the same tables, the same reader.

Nothing is ever written: see ``snapshot`` for SQLite and ``mysql`` for servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from keywright.catalogs.base import (
    CatalogError,
    CatalogKeyword,
    CatalogKind,
    CatalogPhoto,
    CatalogReport,
    RootMapping,
)
from keywright.catalogs.roots import IMPOSSIBLE_NAME, Roots, beginning, missing_folder, placed, warn
from keywright.catalogs.rows import RowSource, collector_paused, is_text, missing_columns, when
from keywright.catalogs.snapshot import SqliteSnapshot, change_token
from keywright.catalogs.tree import Links, Node, branch, keyword_tree
from keywright.catalogs.volumes import Mounts, read_mounts, root_candidates
from keywright.keywords import KeywordPath

OLDEST, NEWEST = 15, 17  # DBVersion of digiKam 7.9, 9.1; others are read as long as the tables fit
NEEDED = MappingProxyType(
    {
        "Settings": ("keyword", "value"),
        "AlbumRoots": ("id", "label", "identifier", "specificPath"),
        "Albums": ("id", "albumRoot", "relativePath"),
        "Images": ("id", "album", "name", "status", "category"),
        "ImageInformation": ("imageid", "creationDate"),
        "Tags": ("id", "pid", "name"),
        "TagProperties": ("tagid", "property"),
        "ImageTags": ("imageid", "tagid"),
    }
)
VISIBLE, HIDDEN = 1, 2  # Images.status; 3 is in the trash, 4 obsolete
IMAGE, VIDEO = 1, 2  # Images.category; 3 is audio, 4 other
INTERNAL = "_Digikam_Internal_Tags_"
REJECTED = "Pick Label Rejected"
PEOPLE = frozenset({"person", "unknownPerson", "ignoredPerson", "unconfirmedPerson"})
AUTOMATIC = "auto"
_CHUNK = 10_000  # photos read at once
_photo = partial(tuple.__new__, CatalogPhoto)  # as ``CatalogPhoto._make``, without a call of Python's own for each

# The links are gathered in the database: one row a photo instead of one a keyword. The plus signs keep SQLite from
# using an index on the state, which every photo has, and sorting all of them again for each chunk.
_PHOTOS = """
SELECT i.id, i.album, i.name, i.category, d.creationDate,
       (SELECT GROUP_CONCAT(t.tagid) FROM ImageTags t WHERE t.imageid = i.id)
FROM Images i LEFT JOIN ImageInformation d ON d.imageid = i.id
WHERE i.id > ? AND +i.album > 0 AND +i.status IN (1, 2) AND +i.category IN (1, 2) ORDER BY i.id LIMIT ?
"""
_LEFT_OUT = """
SELECT CASE WHEN status = 3 THEN 'photo in the trash'
            WHEN status NOT IN (1, 2) OR COALESCE(album, 0) < 1 THEN 'obsolete photo'
            ELSE 'audio or other file' END AS why, COUNT(*)
FROM Images WHERE COALESCE(album, 0) < 1 OR status NOT IN (1, 2) OR category NOT IN (1, 2) GROUP BY why
"""


class Database(RowSource, Protocol):
    """A row source that also tells, without reading all of it, whether it changed."""

    def change_token(self) -> str: ...


class SqliteDatabase(SqliteSnapshot):
    """``digikam4.db``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "database")

    def change_token(self) -> str:
        return change_token(self.path, "database")


@dataclass(frozen=True, slots=True)
class Tags:
    """digiKam's tags, sorted out: the keywords among them, and the tags that say a photo is rejected."""

    keywords: MappingProxyType[int, KeywordPath]
    rejected: frozenset[int]
    left_out: MappingProxyType[str, int]


class DigikamCatalog:
    """An open digiKam database. Raises ``CatalogError`` where it cannot be one; closes ``database`` at its end."""

    kind = CatalogKind.DIGIKAM

    def __init__(
        self, source: str, database: Database, mappings: Sequence[RootMapping] = (), mounts: Mounts | None = None
    ) -> None:
        self.source = source
        self.report = CatalogReport()
        self._rows = database
        self._mounts = mounts
        try:
            self._roots = Roots(mappings)
            settings = self._check()
        except BaseException:
            database.close()
            raise
        uuid = settings.get("databaseUUID", "")
        self.identity = f"digikam:{uuid.strip('{}')}" if uuid else f"digikam:{_place(source)}"
        self._tags_of: tuple[int, Tags] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._rows.close()

    def change_token(self) -> str:
        return self._rows.change_token()

    def keywords(self) -> Sequence[CatalogKeyword]:
        found: dict[KeywordPath, CatalogKeyword] = {}
        for id_, path in self._tags().keywords.items():
            found.setdefault(path, CatalogKeyword(path, str(id_)))
        return sorted(found.values(), key=lambda keyword: keyword.path)

    def captions(self) -> dict[str, str]:
        """Titles, headlines and comments in all languages, by the ids that ``photos`` gives."""
        if not {"imageid", "comment"} <= self._rows.columns("ImageComments"):
            return {}
        found: dict[str, str] = {}
        for photo, comment in self._rows.rows("SELECT imageid, comment FROM ImageComments ORDER BY imageid, id"):
            if comment:
                known = found.get(str(photo))
                found[str(photo)] = str(comment) if known is None else f"{known}\n{comment}"
        return found

    def photos(self) -> Iterator[CatalogPhoto]:
        generation, last, nowhere = -1, 0, 0
        while True:
            if generation != self._rows.generation:
                generation = self._rows.generation
                tags = self._tags()
                links_of = Links(tags.keywords)
                rejected = self._rejected(tags)
                albums = self._albums()
            with collector_paused():
                chunk = self._rows.rows(_PHOTOS, (last, _CHUNK))
                if generation != self._rows.generation:
                    continue  # digiKam changed the database meanwhile: the tags and albums may be others now
                rows, paths = placed(chunk, 1, 2, albums)
                # Column by column: a loop over rows would take as long as all the rest.
                columns = (
                    [str(row[0]) for row in rows],
                    paths,
                    [links_of[row[5]] for row in rows],
                    repeat(None, len(rows)),
                    [row[0] in rejected for row in rows],
                    [when(row[4]) for row in rows],
                    [row[3] == VIDEO for row in rows],
                )
                found = list(map(_photo, zip(*columns, strict=True)))
            nowhere += len(chunk) - len(found)
            yield from found
            if len(chunk) < _CHUNK:
                break
            last = chunk[-1][0]
        self.report.note(IMPOSSIBLE_NAME, nowhere)
        for why, count in self._rows.rows(_LEFT_OUT):
            self.report.note(str(why), count)

    def _check(self) -> dict[str, str]:
        missing = missing_columns(self._rows, dict(NEEDED))
        if "Settings.keyword" in missing or "Images.id" in missing:
            raise CatalogError(
                f"{self.source} is not digiKam's main database; name the file digikam4.db"
                " (or the MySQL database digiKam keeps its core tables in)"
            )
        settings = {
            str(keyword): str(value) for keyword, value in self._rows.rows("SELECT keyword, value FROM Settings")
        }
        version = settings.get("DBVersion", "")
        if missing:
            raise CatalogError(
                f"the database {self.source} has digiKam's version {version or 'unknown'}, whose tables Keywright does"
                f" not know (no {missing[0]}); update digiKam if it is an old one, else Keywright"
            )
        if not (version.isdecimal() and OLDEST <= int(version) <= NEWEST):
            warn(
                self.report,
                f"the database has digiKam's version {version or 'unknown'}, which Keywright has not been tried with"
                f" (only {OLDEST} to {NEWEST}); its tables fit, so it is read",
            )
        return settings

    def _tags(self) -> Tags:
        if self._tags_of is None or self._tags_of[0] != self._rows.generation:
            rows = self._rows.rows("SELECT id, pid, name FROM Tags ORDER BY id")
            properties = self._rows.rows("SELECT tagid, property FROM TagProperties")
            tags = sort_tags(
                [(int(id_), int(pid or 0), str(name)) for id_, pid, name in rows],
                [(int(tag), str(name)) for tag, name in properties],
            )
            for why, count in tags.left_out.items():
                self.report.note(why, count)
            self._tags_of = (self._rows.generation, tags)
        return self._tags_of[1]

    def _rejected(self, tags: Tags) -> frozenset[int]:
        """The photos with a tag that says so."""
        marks = ", ".join(map(str, sorted(tags.rejected))) or "NULL"
        return frozenset(row[0] for row in self._rows.rows(f"SELECT imageid FROM ImageTags WHERE tagid IN ({marks})"))

    def _albums(self) -> dict[int, str]:
        """For each album, the ``beginning`` of its files' paths on this machine."""
        tops: dict[int, str] = {}
        known: dict[int, str] = {}
        for id_, label, identifier, specific in self._rows.rows(
            "SELECT id, label, identifier, specificPath FROM AlbumRoots ORDER BY id"
        ):
            known[id_], tops[id_] = self._root(str(label or ""), str(identifier or ""), str(specific or ""))
        gone = {id_ for id_, top in tops.items() if not Path(top).is_dir()}
        partly = {id_ for id_, name in known.items() if self._roots.below(name)}
        found: dict[int, str] = {}
        lost: dict[int, list[int]] = {}
        for album, root, relative in self._rows.rows("SELECT id, albumRoot, relativePath FROM Albums"):
            if root not in tops:
                continue
            inside = str(relative).strip("/")
            moved = self._roots.folder(f"{known[root].rstrip('/')}/{inside}") if root in partly else None
            folder = moved if moved is not None else f"{tops[root].rstrip('/')}/{inside}"
            if is_text(folder):
                found[album] = beginning(folder)
            if root in gone and not (moved is not None and Path(moved).is_dir()):
                lost.setdefault(root, []).append(album)
        if lost:
            self._report_missing(known, lost)
        self._roots.report_unused(self.report)
        return found

    def _root(self, label: str, identifier: str, specific: str) -> tuple[str, str]:
        """An album root's name for the user and its folder here, which may be missing."""
        if self._mounts is None:
            self._mounts = read_mounts()
        candidates = root_candidates(identifier, specific, self._mounts)
        there = next((folder for folder in candidates if Path(folder).is_dir()), None)
        name = there or next(iter(candidates), label or identifier)
        mapped = self._roots.named(*(text for text in (label, identifier) if text))
        if mapped is not None:
            return name, mapped.as_posix()
        for candidate in candidates:
            if (folder := self._roots.folder(candidate)) is not None:
                return candidate, folder
        return name, name

    def _report_missing(self, names: dict[int, str], lost: dict[int, list[int]]) -> None:
        photos: dict[int, int] = dict(
            self._rows.rows(
                "SELECT album, COUNT(*) FROM Images WHERE status IN (1, 2) AND category IN (1, 2) GROUP BY album"
            )
        )
        for root, albums in lost.items():
            count = sum(photos.get(album, 0) for album in albums)
            if count:
                warn(self.report, missing_folder(names[root], count))


def sort_tags(tags: Sequence[tuple[int, int, str]], properties: Sequence[tuple[int, str]]) -> Tags:
    """Tell keywords from digiKam's own tags. ``tags``: id, parent id, name; ``properties``: tag id, property.

    Left out are digiKam's internal tags, people, and what its own recognition wrote below ``auto``. A keyword below
    a person stays a keyword.
    """
    # The root is 0 and has no row in SQLite; in MySQL it has one, whose parent is -1.
    nodes = {id_: Node(name, pid or None) for id_, pid, name in tags if id_ != 0}
    tree = keyword_tree(nodes)
    marked = {tag for tag, name in properties if name == "internalTag"}
    internal = branch(
        nodes, marked | {id_ for id_, node in nodes.items() if node.parent is None and node.name == INTERNAL}
    )
    people = frozenset(tag for tag, name in properties if name in PEOPLE and tag in nodes)
    # A photographer's own tag "auto" (a car, in German) has nothing below it; digiKam assigns only what is below.
    tops = [id_ for id_, node in nodes.items() if node.parent is None and node.name == AUTOMATIC]
    automatic = frozenset(id_ for top in tops for id_ in branch(nodes, [top]) if branch(nodes, [top]) != {top})
    left_out = {
        "digiKam's internal tag": len(internal),
        "person tag": len(people),
        "tag set by digiKam itself (auto)": len(automatic),
    } | {why: len(ids) for why, ids in tree.left_out.items()}
    rejected = frozenset(id_ for id_ in internal if nodes[id_].name == REJECTED)
    own = internal | people | automatic
    return Tags(
        MappingProxyType({id_: path for id_, path in tree.paths.items() if id_ not in own}),
        rejected,
        MappingProxyType(left_out),
    )


def _place(source: str) -> str:
    return source if source.startswith(("mysql:", "mariadb:")) else str(Path(source).resolve())
