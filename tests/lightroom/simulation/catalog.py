"""The catalog inside the simulated Lightroom: loaded from a real .lrcat, changed in write gates, undone step by step.

It keeps the rules Lightroom's own database keeps, by its own SQL: nothing of the bridge's reader is used, so that one
is a witness of the other.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class SdkError(Exception):
    """What the SDK answers with an error; the text is what the plug-in's log would show."""


@dataclass
class Keyword:
    id: int
    name: str
    parent: int | None
    synonyms: tuple[str, ...] = ()
    include_on_export: bool = True
    person: bool = False


@dataclass
class Photo:
    id: int
    uuid: str
    path: str
    master: int | None = None
    copy_name: str = ""
    video: bool = False
    cropped: bool = False
    stack: int | None = None
    position: int | None = None  # in its stack; 1 lies on top
    keywords: list[int] = field(default_factory=list)


@dataclass
class UndoStep:
    name: str
    inverse: list[Callable[[], None]]


class Catalog:
    """What a gate may change is recorded with its inverse; a failed gate rolls back, a finished one is an undo step."""

    def __init__(self, path: Path, *, moved: dict[str, str] | None = None) -> None:
        self.path = path
        self.keywords: dict[int, Keyword] = {}
        self.photos: dict[int, Photo] = {}
        self.collections: dict[str, list[int]] = {}
        self.collapsed: set[int] = set()  # stacks of which only the top photo is shown
        self.undo_steps: list[UndoStep] = []
        self.made: dict[int, None] = {}  # what this gate made, unreadable until it ends
        self._made_names: set[tuple[int | None, str]] = set()
        self._gate: UndoStep | None = None
        self._load(path, moved or {})
        self._last = max([*self.keywords, *self.photos, 1000])
        self._children: dict[int | None, dict[str, int]] = {}
        for keyword in self.keywords.values():
            self._children.setdefault(keyword.parent, {})[keyword.name.lower()] = keyword.id

    def _load(self, path: Path, moved: dict[str, str]) -> None:
        db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            rows = db.execute(
                "SELECT id_local, name, parent, includeOnExport, keywordType FROM AgLibraryKeyword"
            ).fetchall()
            roots = {row[0] for row in rows if row[1] is None}
            known = {row[0] for row in rows} - roots
            names: dict[int, list[str]] = {}
            for keyword, name in db.execute("SELECT keyword, name FROM AgLibraryKeywordSynonym ORDER BY id_local"):
                names.setdefault(keyword, []).append(name)
            for number, name, parent, export, kind in rows:
                if number in known:
                    above = parent if parent in known else None
                    self.keywords[number] = Keyword(
                        number, str(name), above, tuple(names.get(number, ())), export != 0, kind == "person"
                    )
            query = """
                SELECT i.id_local, i.id_global, r.absolutePath, o.pathFromRoot, f.idx_filename, i.masterImage,
                       COALESCE(i.copyName, ''), i.fileFormat = 'VIDEO'
                FROM Adobe_images i JOIN AgLibraryFile f ON f.id_local = i.rootFile
                JOIN AgLibraryFolder o ON o.id_local = f.folder JOIN AgLibraryRootFolder r ON r.id_local = o.rootFolder
                ORDER BY i.id_local"""
            for number, global_id, root, folder, name, master, copy, video in db.execute(query):
                here = moved.get(root, root)
                self.photos[number] = Photo(number, global_id, here + folder + name, master, copy, bool(video))
            for image, tag in db.execute("SELECT image, tag FROM AgLibraryKeywordImage"):
                if image in self.photos and tag in self.keywords and tag not in self.photos[image].keywords:
                    self.photos[image].keywords.append(tag)
            self._load_stacks(db)
        finally:
            db.close()

    def _load_stacks(self, db: sqlite3.Connection) -> None:
        self.collapsed = {row[0] for row in db.execute("SELECT id_local FROM AgLibraryFolderStack WHERE collapsed")}
        count: dict[int, int] = {}
        for stack, image in db.execute("SELECT stack, image FROM AgLibraryFolderStackImage ORDER BY stack, position"):
            if image in self.photos:
                count[stack] = count.get(stack, 0) + 1
                self.photos[image].stack, self.photos[image].position = stack, count[stack]

    # What the person sees.

    def shown(self) -> list[int]:
        """The photos of the filmstrip: of a collapsed stack only the one on top."""
        return [p.id for p in self.photos.values() if p.stack not in self.collapsed or p.position == 1]

    def keyword_path(self, number: int) -> tuple[str, ...]:
        keyword = self.keywords[number]
        return (*(self.keyword_path(keyword.parent) if keyword.parent is not None else ()), keyword.name)

    def paths_of(self, photo: int) -> set[tuple[str, ...]]:
        return {self.keyword_path(k) for k in self.photos[photo].keywords}

    def state(self) -> tuple[object, ...]:
        """Everything that could have changed, for comparing."""
        return (
            tuple(sorted((k.id, k.name, k.parent, k.synonyms, k.include_on_export) for k in self.keywords.values())),
            tuple((p.id, tuple(sorted(p.keywords))) for p in self.photos.values()),
            tuple(sorted((name, tuple(photos)) for name, photos in self.collections.items())),
        )

    def undo(self) -> str:
        """The person presses Ctrl+Z."""
        step = self.undo_steps.pop()
        for inverse in reversed(step.inverse):
            inverse()
        return step.name

    # Gates.

    def begin(self, name: str) -> None:
        if self._gate is not None:
            raise SdkError(
                f"LrCatalog:withWriteAccessDo: '{name}' while '{self._gate.name}' is open: gates do not nest"
            )
        self._gate = UndoStep(name, [])

    def end(self, *, keep: bool) -> None:
        gate, self._gate = self._gate, None
        self.made.clear()
        self._made_names.clear()
        if gate is None:
            return
        if keep and gate.inverse:
            self.undo_steps.append(gate)
        elif not keep:
            for inverse in reversed(gate.inverse):
                inverse()

    @property
    def in_gate(self) -> bool:
        return self._gate is not None

    def _record(self, what: str, inverse: Callable[[], None]) -> None:
        if self._gate is None:
            raise SdkError(f"{what}: needs write access; call it inside catalog:withWriteAccessDo")
        self._gate.inverse.append(inverse)

    # What a gate may do. There is no way to delete a keyword: the SDK has none.

    def create_keyword(
        self, name: str, synonyms: tuple[str, ...], export: bool, parent: int | None, existing: bool
    ) -> int | None:
        if not self.in_gate:
            raise SdkError("LrCatalog:createKeyword: needs write access; call it inside catalog:withWriteAccessDo")
        if not name.strip() or any(c in name for c in ",;|"):
            raise SdkError(f"LrCatalog:createKeyword: {name!r} is no name of a keyword")
        siblings = self._children.setdefault(parent, {})
        key = (parent, name.lower())
        if key in self._made_names:
            return None  # made in this gate already: false, even with returnExisting
        if name.lower() in siblings:
            return siblings[name.lower()] if existing else None
        self._last += 1
        number = self._last
        self.keywords[number] = Keyword(number, name, parent, synonyms, export)
        siblings[name.lower()] = number
        self.made[number] = None
        self._made_names.add(key)

        def inverse() -> None:
            del self.keywords[number]
            del siblings[name.lower()]

        self._record("LrCatalog:createKeyword", inverse)
        return number

    def link(self, photo: int, keyword: int) -> None:
        links = self.photos[photo].keywords
        added = keyword not in links
        self._record("LrPhoto:addKeyword", lambda: links.remove(keyword) if added else None)
        if added:
            links.append(keyword)

    def unlink(self, photo: int, keyword: int) -> None:
        links = self.photos[photo].keywords
        there = keyword in links
        self._record("LrPhoto:removeKeyword", lambda: links.append(keyword) if there else None)
        if there:
            links.remove(keyword)

    def collection(self, name: str, existing: bool) -> str | None:
        if name in self.collections:
            return name if existing else None
        self._record("LrCatalog:createCollection", lambda: self.collections.pop(name) and None)
        self.collections[name] = []
        return name

    def collect(self, name: str, photos: list[int]) -> None:
        before = list(self.collections[name])
        self._record("LrCollection:addPhotos", lambda: self.collections.__setitem__(name, before))
        self.collections[name] = before + [p for p in photos if p not in before]

    def empty(self, name: str) -> None:
        before = list(self.collections[name])
        self._record("LrCollection:removeAllPhotos", lambda: self.collections.__setitem__(name, before))
        self.collections[name] = []

    # Reading.

    def children(self, parent: int | None) -> list[int]:
        return [n for n in self._children.get(parent, {}).values() if n not in self.made]

    def readable(self, keyword: int, what: str) -> Keyword:
        if keyword in self.made:
            raise SdkError(f"{what}: the keyword was made in this write gate and cannot be read until the gate ends")
        return self.keywords[keyword]

    def rename(self, keyword: int, name: str) -> None:
        """The person gives a keyword another name."""
        here = self.keywords[keyword]
        siblings = self._children[here.parent]
        del siblings[next(key for key, number in siblings.items() if number == keyword)]
        here.name = name
        siblings[name.lower()] = keyword

    def stack(self, members: list[int], *, collapsed: bool) -> None:
        """The person stacks photos; the first lies on top."""
        self._last += 1
        for position, number in enumerate(members, 1):
            self.photos[number].stack, self.photos[number].position = self._last, position
        if collapsed:
            self.collapsed.add(self._last)

    def virtual_copy(self, master: int, name: str = "Copy 1") -> int:
        """The person makes a virtual copy: same file, the keywords of the moment, which are its own from then on."""
        self._last += 1
        of = self.photos[master]
        self.photos[self._last] = Photo(
            self._last, str(uuid.uuid4()).upper(), of.path, master, name, of.video, True, list(of.keywords)
        )
        return self._last
