"""Reads Lightroom Classic catalogs (.lrcat): keywords, photos and virtual copies, straight from the SQLite tables.

Nothing is ever written, and an open Lightroom is neither disturbed nor missed: see ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

from keywright.catalogs.base import (
    CatalogError,
    CatalogKeyword,
    CatalogKind,
    CatalogPhoto,
    CatalogReport,
    RootMapping,
)
from keywright.catalogs.roots import IMPOSSIBLE_NAME, Roots, beginning, missing_folder, placed, warn
from keywright.catalogs.rows import collector_paused, is_text, missing_columns, when
from keywright.catalogs.snapshot import SqliteSnapshot, change_token
from keywright.catalogs.tree import Links, Node, Tree, keyword_tree

OLDEST, NEWEST = 5, 13  # the versions whose tables were studied; others are read as long as the tables fit
NEEDED = MappingProxyType(
    {
        "Adobe_images": ("id_local", "id_global", "captureTime", "fileFormat", "masterImage", "pick", "rootFile"),
        "AgLibraryFile": ("id_local", "folder", "idx_filename"),
        "AgLibraryFolder": ("id_local", "pathFromRoot", "rootFolder"),
        "AgLibraryRootFolder": ("id_local", "absolutePath"),
        "AgLibraryKeyword": ("id_local", "name", "parent"),
        "AgLibraryKeywordImage": ("image", "tag"),
    }
)
_CHUNK = 4000  # photos read at once

# The links are gathered in the database: one row a photo instead of one a keyword. Its index on ``image`` serves.
_PHOTOS = """
SELECT i.id_local, i.id_global, f.folder, CAST(f.idx_filename AS TEXT), i.captureTime, i.fileFormat = 'VIDEO',
       CAST(i.pick AS REAL) < 0,
       CASE WHEN i.masterImage IS NOT NULL
            THEN COALESCE((SELECT m.id_global FROM Adobe_images m WHERE m.id_local = i.masterImage), '') END,
       (SELECT group_concat(k.tag) FROM AgLibraryKeywordImage k WHERE k.image = i.id_local)
FROM Adobe_images i JOIN AgLibraryFile f ON f.id_local = i.rootFile
WHERE i.id_local > ? ORDER BY i.id_local LIMIT ?
"""


class LightroomCatalog:
    """An open Lightroom catalog. Raises ``CatalogError`` where it cannot be one."""

    kind = CatalogKind.LIGHTROOM

    def __init__(self, path: Path, mappings: Sequence[RootMapping] = ()) -> None:
        self.source = str(path)
        self.report = CatalogReport()
        self._path = path
        self._roots = Roots(mappings)
        self._rows = SqliteSnapshot(path, "catalog")
        try:
            self._check()
            self.identity = self._identify()
        except BaseException:
            self.close()
            raise
        self._tree_of: tuple[int, Tree, frozenset[int]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._rows.close()

    def change_token(self) -> str:
        return change_token(self._path, "catalog")

    def keywords(self) -> Sequence[CatalogKeyword]:
        tree, people = self._tree()
        synonyms: dict[int, list[str]] = {}
        if {"keyword", "name"} <= self._rows.columns("AgLibraryKeywordSynonym"):
            for keyword, name in self._rows.rows(
                "SELECT keyword, name FROM AgLibraryKeywordSynonym WHERE name IS NOT NULL ORDER BY id_local"
            ):
                synonyms.setdefault(keyword, []).append(str(name))
        private = set()
        if "includeonexport" in self._rows.columns("AgLibraryKeyword"):
            private = {
                row[0] for row in self._rows.rows("SELECT id_local FROM AgLibraryKeyword WHERE includeOnExport = 0")
            }
        found: dict[object, CatalogKeyword] = {}
        for id_, path in tree.paths.items():
            if id_ not in people and path not in found:
                names = tuple(dict.fromkeys(synonyms.get(id_, ())))
                found[path] = CatalogKeyword(path, str(id_), names, id_ in private)
        return sorted(found.values(), key=lambda keyword: keyword.path)

    def photos(self) -> Iterator[CatalogPhoto]:
        generation, last, given, nowhere = -1, 0, 0, 0
        while True:
            if generation != self._rows.generation or not given:
                generation = self._rows.generation
                tree, people = self._tree()
                links = Links({id_: path for id_, path in tree.paths.items() if id_ not in people})
                folders = self._folders()
            with collector_paused():
                chunk = self._rows.rows(_PHOTOS, (last, _CHUNK))
                if generation != self._rows.generation:
                    continue  # Lightroom changed the catalog meanwhile: the keywords and folders may be others now
                rows, paths = placed(chunk, 2, 3, folders)
                # Column by column: a loop over rows would take as long as all the rest.
                columns = (
                    [str(row[1]) for row in rows],
                    paths,
                    [links[row[8]] for row in rows],
                    [row[7] for row in rows],
                    [bool(row[6]) for row in rows],
                    [when(row[4]) for row in rows],
                    [bool(row[5]) for row in rows],
                )
                found = list(map(CatalogPhoto._make, zip(*columns, strict=True)))
            nowhere += len(chunk) - len(found)
            yield from found
            given += len(chunk)
            if len(chunk) < _CHUNK:
                break
            last = chunk[-1][0]
        ((total,),) = self._rows.rows("SELECT COUNT(*) FROM Adobe_images")
        self.report.note("photo without a file in the catalog", total - given)
        self.report.note(IMPOSSIBLE_NAME, nowhere)

    def captions(self) -> dict[str, str]:
        """What the photos' caption says, by the ids that ``photos`` gives; photos without one are left out."""
        if not {"image", "caption"} <= self._rows.columns("AgLibraryIPTC"):
            return {}
        rows = self._rows.rows(
            "SELECT i.id_global, p.caption FROM AgLibraryIPTC p JOIN Adobe_images i ON i.id_local = p.image"
            " WHERE p.caption IS NOT NULL AND p.caption <> ''"
        )
        return {str(photo): str(caption) for photo, caption in rows}

    def _check(self) -> None:
        if not self._rows.columns("Adobe_variablesTable"):
            raise CatalogError(f"{self._path} is a SQLite database but not a Lightroom catalog; name the .lrcat file")
        values = self._rows.rows("SELECT value FROM Adobe_variablesTable WHERE name = 'Adobe_DBVersion'")
        version = _version(values[0][0]) if values else None
        missing = missing_columns(self._rows, dict(NEEDED))
        written = f"Lightroom {version}" if version is not None else "an unknown version of Lightroom"
        if missing:
            do = (
                "open it in a newer Lightroom, which upgrades it"
                if version is not None and version < OLDEST
                else "update Keywright, or report this"
            )
            raise CatalogError(
                f"the catalog {self._path} was written by {written}, whose tables Keywright does not know"
                f" (no {missing[0]}); {do}"
            )
        if version is None or not OLDEST <= version <= NEWEST:
            warn(
                self.report,
                f"the catalog was written by {written}, which Keywright has not been tried with"
                f" (only {OLDEST} to {NEWEST}); its tables fit, so it is read",
            )

    def _identify(self) -> str:
        """Lightroom's own id of the catalog with its file name: copies made as templates are other catalogs."""
        rows = self._rows.rows("SELECT value FROM Adobe_variablesTable WHERE name = 'Adobe_storeProviderID'")
        if rows and rows[0][0]:
            return f"lightroom:{rows[0][0]}:{self._path.resolve().stem}"
        return f"lightroom:{self._path.resolve()}"

    def _tree(self) -> tuple[Tree, frozenset[int]]:
        """The keyword tree and the ids of the person keywords in it."""
        if self._tree_of is None or self._tree_of[0] != self._rows.generation:
            typed = "keywordType" if "keywordtype" in self._rows.columns("AgLibraryKeyword") else "NULL"
            rows = self._rows.rows(f"SELECT id_local, name, parent, {typed} FROM AgLibraryKeyword ORDER BY id_local")
            # The root has no name. It may be missing: then the top keywords name a parent that is not there.
            roots = {id_ for id_, name, parent, _ in rows if name is None and parent is None}
            there = {id_ for id_, *_ in rows} - roots
            nodes = {
                id_: Node("" if name is None else str(name), parent if parent in there else None)
                for id_, name, parent, _ in rows
                if id_ in there
            }
            people = frozenset(id_ for id_, _, _, kind in rows if kind == "person")
            tree = keyword_tree(nodes)
            for reason, ids in tree.left_out.items():
                self.report.note(reason, len(ids))
            self.report.note("person keyword", len(people))
            self._tree_of = (self._rows.generation, tree, people)
        return self._tree_of[1], self._tree_of[2]

    def _folders(self) -> dict[int, str]:
        """For each catalogued folder, the ``beginning`` of its files' paths on this machine."""
        found: dict[int, str] = {}
        inside: dict[int, list[tuple[int, str]]] = {}
        for folder, root, path in self._rows.rows("SELECT id_local, rootFolder, pathFromRoot FROM AgLibraryFolder"):
            inside.setdefault(root, []).append((folder, str(path or "")))
        relative = "relativePathFromCatalog" if self._knows_relative() else "NULL"
        for root, absolute, beside in self._rows.rows(
            f"SELECT id_local, absolutePath, {relative} FROM AgLibraryRootFolder ORDER BY id_local"
        ):
            top = str(absolute or "")
            top += "" if top.endswith("/") else "/"
            here = self._roots.folder(top) or self._moved_along(top, beside) or top
            partly = self._roots.below(top)
            for folder, path in inside.get(root, []):
                moved = self._roots.folder(top + path) if partly else None
                folder_here = moved if moved is not None else here.rstrip("/") + "/" + path
                if is_text(folder_here):
                    found[folder] = beginning(folder_here)
            if not Path(here).is_dir():
                folders = [folder for folder, _ in inside.get(root, [])]
                found_elsewhere = {f for f in folders if partly and f in found and Path(found[f]).is_dir()}
                self._report_missing(top, set(folders) - found_elsewhere)
        self._roots.report_unused(self.report)
        return found

    def _knows_relative(self) -> bool:
        return "relativepathfromcatalog" in self._rows.columns("AgLibraryRootFolder")

    def _moved_along(self, top: str, beside: object) -> str | None:
        """A root that is gone, but lies as before relative to the catalog: both were moved together."""
        if not beside or Path(top).is_dir():
            return None
        here = (self._path.resolve().parent / str(beside)).resolve()
        if not here.is_dir():
            return None
        warn(
            self.report,
            f"{top} is not on this machine; its photos are read from {here}, where they lie beside the catalog",
        )
        return here.as_posix()

    def _report_missing(self, top: str, folders: set[int]) -> None:
        counts = self._rows.rows("SELECT folder, COUNT(*) FROM AgLibraryFile GROUP BY folder")
        photos = sum(count for folder, count in counts if folder in folders)
        if photos:
            warn(self.report, missing_folder(top, photos))


def _version(value: object) -> int | None:
    """Lightroom's major version out of ``Adobe_DBVersion``: 0600008 is 6, 1504001 is 15."""
    try:
        return int(str(value)) // 100_000
    except ValueError:
        return None
