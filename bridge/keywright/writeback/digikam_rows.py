"""digiKam's rows: which tags a keyword path means there, what a photo's rows become, and how they are put back.

Tags are known by id and name together: SQLite gives the id of a deleted tag to the next new one.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from keywright.catalogs.digikam import INTERNAL, NEWEST, OLDEST, PEOPLE
from keywright.keywords import KeywordPath
from keywright.writeback.base import WriteBackError
from keywright.writeback.digikam_databases import Session

CHANGED = "digiKam changed its tags in the meantime; apply again"
GONE = "the photo is not in digiKam's database any more; run learn again"


class NoSuchTagError(WriteBackError):
    """A keyword path that must not become a tag."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A row of Tags; ``parent`` is 0 at the top."""

    id: int
    parent: int
    name: str


@dataclass(frozen=True, slots=True)
class RowRecord:
    """What is put into the rows of one photo: all that undo needs, kept in the journal."""

    image: int
    name: str  # the file's name and the date show at undo that the row is still this photo's
    created: str
    uuid: str  # of the database, with its braces
    link: tuple[tuple[int, str], ...] = ()  # tag id and name
    unlink: tuple[tuple[int, str], ...] = ()
    made: tuple[Tag, ...] = ()  # tags that did not exist, parents first; photos of one batch may share them
    reread: tuple[str, ...] = ()  # keyword paths that digiKam itself is to read from the file

    def to_json(self) -> bytes:
        made = [[tag.id, tag.parent, tag.name] for tag in self.made]
        data = {
            "image": self.image, "name": self.name, "created": self.created, "uuid": self.uuid,
            "link": self.link, "unlink": self.unlink, "made": made, "reread": self.reread,
        }  # fmt: skip
        return json.dumps(data, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> RowRecord:
        data: dict[str, Any] = json.loads(text)
        return cls(
            data["image"],
            data["name"],
            data["created"],
            data["uuid"],
            tuple((int(i), str(n)) for i, n in data["link"]),
            tuple((int(i), str(n)) for i, n in data["unlink"]),
            tuple(Tag(*row) for row in data["made"]),
            tuple(data["reread"]),
        )


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One photo as the database has it now."""

    name: str
    created: str
    tags: frozenset[int]
    unread: bool  # its modificationDate is NULL: digiKam reads the file at its next scan


class TagTree:
    """The tags as they are, and those a batch is about to make. ``find_alike`` asks the server's own collation."""

    def __init__(
        self,
        tags: Iterable[Tag],
        reserved: frozenset[int] = frozenset(),
        find_alike: Callable[[int, str], Tag | None] | None = None,
    ) -> None:
        self._below: dict[tuple[int, str], Tag] = {}
        self._normal: dict[tuple[int, str], Tag] = {}
        self.by_id: dict[int, Tag] = {}
        self.made: dict[int, Tag] = {}
        self._reserved = reserved  # people: a face belongs to them, so they are never simply put on a photo
        self._find_alike = find_alike
        for tag in tags:
            self._enter(tag)

    def _enter(self, tag: Tag) -> None:
        self.by_id[tag.id] = tag
        self._below[tag.parent, tag.name] = tag
        self._normal.setdefault((tag.parent, _normal(tag.name)), tag)

    def find(self, path: KeywordPath) -> Tag | None:
        """The tag of a keyword path; ``None`` where there is none."""
        parent, tag = 0, None
        for name in path.parts:
            tag = self._child(parent, name)
            if tag is None:
                return None
            parent = tag.id
        return tag

    def make(self, path: KeywordPath) -> tuple[Tag, tuple[Tag, ...]]:
        """The tag of a path and those of its levels that this batch makes. Raises ``NoSuchTagError``."""
        if path.parts[0] == INTERNAL:
            raise NoSuchTagError(f"{path} is one of digiKam's own tags")
        parent, made = 0, []
        tag: Tag | None = None
        for name in path.parts:
            tag = self._child(parent, name)
            if tag is None:
                if self._find_alike is not None and _is_beyond(name):
                    raise NoSuchTagError(
                        f"{path} holds a character, such as an emoji, that digiKam's server cannot keep"
                    )
                tag = Tag(max(self.by_id, default=0) + 1, parent, name)
                self._enter(tag)
                self.made[tag.id] = tag
            if tag.id in self.made:
                made.append(tag)
            parent = tag.id
        assert tag is not None
        if tag.id in self._reserved:
            raise NoSuchTagError(f"{path} is a person in digiKam, whom only a face in the photo can be given")
        return tag, tuple(made)

    def _child(self, parent: int, name: str) -> Tag | None:
        tag = self._below.get((parent, name)) or self._normal.get((parent, _normal(name)))
        if tag is None and self._find_alike is not None:
            alike = next((t for t in self.made.values() if t.parent == parent and _fold(t.name) == _fold(name)), None)
            tag = alike or (None if parent in self.made or _is_beyond(name) else self._find_alike(parent, name))
        return tag


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _is_beyond(name: str) -> bool:
    """Whether a name holds what MySQL's three-byte utf8, which digiKam's tables have, cannot keep or compare."""
    return any(ord(letter) > 0xFFFF for letter in name)


def _fold(name: str) -> str:
    """What MariaDB's collation takes for equal, for names that are not in the database yet."""
    parts = unicodedata.normalize("NFKD", name).casefold().strip()
    return "".join(c for c in parts if not unicodedata.combining(c))


def known_version(session: Session) -> str:
    """The database's UUID with its braces. Raises ``WriteBackError`` where Keywright does not know the schema."""
    settings = {str(k): str(v) for k, v in session.run("SELECT keyword, value FROM Settings")}
    version = settings.get("DBVersion", "")
    if not (version.isdecimal() and OLDEST <= int(version) <= NEWEST):
        raise WriteBackError(
            f"the database {session.source} has digiKam's version {version or 'unknown'}, which this Keywright does not"
            " know, so tags go into the files only; choose Item > Reread Metadata From File in digiKam to see them"
        )
    return settings.get("databaseUUID", "")


def read_tree(session: Session) -> TagTree:
    tags = [Tag(int(i), int(p or 0), str(n)) for i, p, n in session.run("SELECT id, pid, name FROM Tags WHERE id <> 0")]
    people = frozenset(
        int(i) for i, what in session.run("SELECT tagid, property FROM TagProperties") if str(what) in PEOPLE
    )

    def alike(parent: int, name: str) -> Tag | None:
        rows = session.run("SELECT id, pid, name FROM Tags WHERE pid = ? AND name = ?", (parent, name))
        return Tag(int(rows[0][0]), int(rows[0][1] or 0), str(rows[0][2])) if rows else None

    return TagTree(tags, people, alike if session.folds_names else None)


def read_image(session: Session, image: int) -> ImageRow | None:
    rows = session.run(
        "SELECT i.name, d.creationDate, i.modificationDate FROM Images i LEFT JOIN ImageInformation d"
        " ON d.imageid = i.id WHERE i.id = ? AND i.status IN (1, 2)",
        (image,),
    )
    if not rows:
        return None
    tags = frozenset(int(row[0]) for row in session.run("SELECT tagid FROM ImageTags WHERE imageid = ?", (image,)))
    name, created, modified = rows[0]
    return ImageRow(str(name), str(created or ""), tags, modified is None)


def is_same(row: ImageRow, record: RowRecord) -> bool:
    """Whether a row is still that of the photo written then: renamed or moved, but not another in its place."""
    return row.name == record.name or (row.created == record.created != "")


def linked(session: Session, record: RowRecord) -> list[tuple[int, str]]:
    """Which of a record's links are there now, under tags that are called as they were."""
    return [
        (tag, name)
        for tag, name in record.link
        if session.run(
            "SELECT t.name FROM ImageTags l JOIN Tags t ON t.id = l.tagid WHERE l.imageid = ? AND l.tagid = ?",
            (record.image, tag),
        )
        == [(name,)]
    ]


@dataclass(slots=True)
class Changed:
    """What a transaction changed, to be told to a digiKam that runs."""

    new_tags: list[int] = field(default_factory=list)
    gone_tags: list[int] = field(default_factory=list)
    linked: dict[int, list[int]] = field(default_factory=dict)  # photos by tag
    unlinked: dict[int, list[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.new_tags or self.gone_tags or self.linked or self.unlinked)


def put_in(session: Session, record: RowRecord, changed: Changed) -> str:
    """Write one photo's rows inside a transaction; "" or why nothing was written of them."""
    row = read_image(session, record.image)
    if row is None or not is_same(row, record):
        return GONE
    missing = []
    for tag in record.made:
        by_id = session.run("SELECT pid, name FROM Tags WHERE id = ?", (tag.id,))
        if not by_id:
            missing.append(tag)
        elif by_id != [(tag.parent, tag.name)]:
            return CHANGED
    expected = {tag.id: tag for tag in missing}
    for tag in missing:
        if session.run("SELECT id FROM Tags WHERE pid = ? AND name = ?", (tag.parent, tag.name)):
            return CHANGED
        if tag.parent and tag.parent not in expected and not _named(session, tag.parent):
            return CHANGED
    for number, name in record.link:
        if number not in expected and _named(session, number) != name:
            return CHANGED
    for tag in missing:
        session.run("INSERT INTO Tags (id, pid, name) VALUES (?, ?, ?)", (tag.id, tag.parent, tag.name))
        changed.new_tags.append(tag.id)
    for number, _ in record.link:
        session.run("INSERT OR IGNORE INTO ImageTags (imageid, tagid) VALUES (?, ?)", (record.image, number))
        changed.linked.setdefault(number, []).append(record.image)
    for number, _ in record.unlink:
        session.run("DELETE FROM ImageTags WHERE imageid = ? AND tagid = ?", (record.image, number))
        changed.unlinked.setdefault(number, []).append(record.image)
    if record.reread:
        session.run("UPDATE Images SET modificationDate = NULL WHERE id = ?", (record.image,))
    return ""


def take_out(session: Session, record: RowRecord, changed: Changed) -> str:
    """Take one photo's rows out again, and put back those that were removed; tags that were made stay for now."""
    row = read_image(session, record.image)
    if row is None or not is_same(row, record):
        return GONE
    for number, _ in linked(session, record):
        session.run("DELETE FROM ImageTags WHERE imageid = ? AND tagid = ?", (record.image, number))
        changed.unlinked.setdefault(number, []).append(record.image)
    for number, name in record.unlink:
        if _named(session, number) == name and number not in row.tags:
            session.run("INSERT OR IGNORE INTO ImageTags (imageid, tagid) VALUES (?, ?)", (record.image, number))
            changed.linked.setdefault(number, []).append(record.image)
    return ""


def unmake(session: Session, made: Iterable[Tag], changed: Changed) -> None:
    """Delete the tags that were made and that nothing uses: no photo, no tag below, no property, icon or new name."""
    lock = " FOR UPDATE" if session.folds_names else ""  # SQLite's transaction holds the whole database anyway
    uses = (
        "SELECT 1 FROM ImageTags WHERE tagid = ? LIMIT 1",
        "SELECT 1 FROM Tags WHERE pid = ? LIMIT 1",
        "SELECT 1 FROM TagProperties WHERE tagid = ? LIMIT 1",
        "SELECT 1 FROM ImageTagProperties WHERE tagid = ? LIMIT 1",
    )
    for tag in sorted(set(made), key=lambda t: -t.id):  # a tag's parent was made before it
        same = session.run(
            "SELECT pid, name FROM Tags WHERE id = ? AND COALESCE(icon, 0) = 0 AND COALESCE(iconkde, '') = ''" + lock,
            (tag.id,),
        ) == [(tag.parent, tag.name)]
        if same and not any(session.run(use + lock, (tag.id,)) for use in uses):
            session.run("DELETE FROM Tags WHERE id = ?", (tag.id,))
            changed.gone_tags.append(tag.id)


def _named(session: Session, tag: int) -> str | None:
    rows: Sequence[Any] = session.run("SELECT name FROM Tags WHERE id = ?", (tag,))
    return str(rows[0][0]) if rows else None
