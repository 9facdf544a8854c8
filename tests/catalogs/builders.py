"""Small catalogs made by code: only the tables and columns that the readers use, filled by the test."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

LIGHTROOM = """
CREATE TABLE Adobe_variablesTable (id_local INTEGER PRIMARY KEY, name, value);
CREATE TABLE Adobe_images (id_local INTEGER PRIMARY KEY, id_global, captureTime, fileFormat, masterImage INTEGER, pick,
    rootFile INTEGER);
CREATE TABLE AgLibraryFile (id_local INTEGER PRIMARY KEY, folder INTEGER, idx_filename);
CREATE TABLE AgLibraryFolder (id_local INTEGER PRIMARY KEY, pathFromRoot, rootFolder INTEGER);
CREATE TABLE AgLibraryRootFolder (id_local INTEGER PRIMARY KEY, absolutePath, name, relativePathFromCatalog);
CREATE TABLE AgLibraryKeyword (id_local INTEGER PRIMARY KEY, name, lc_name, parent INTEGER, keywordType,
    includeOnExport INTEGER NOT NULL DEFAULT 1);
CREATE TABLE AgLibraryKeywordImage (id_local INTEGER PRIMARY KEY, image INTEGER, tag INTEGER);
CREATE INDEX by_image ON AgLibraryKeywordImage(image);
CREATE TABLE AgLibraryKeywordSynonym (id_local INTEGER PRIMARY KEY, keyword INTEGER, name);
"""

DIGIKAM = """
CREATE TABLE Settings (keyword TEXT NOT NULL UNIQUE, value TEXT);
CREATE TABLE AlbumRoots (id INTEGER PRIMARY KEY, label TEXT, status INTEGER, type INTEGER, identifier TEXT,
    specificPath TEXT);
CREATE TABLE Albums (id INTEGER PRIMARY KEY, albumRoot INTEGER NOT NULL, relativePath TEXT NOT NULL);
CREATE TABLE Images (id INTEGER PRIMARY KEY, album INTEGER, name TEXT NOT NULL, status INTEGER NOT NULL,
    category INTEGER NOT NULL);
CREATE TABLE ImageInformation (imageid INTEGER PRIMARY KEY, creationDate DATETIME);
CREATE TABLE Tags (id INTEGER PRIMARY KEY, pid INTEGER, name TEXT NOT NULL, UNIQUE (name, pid));
CREATE TABLE TagProperties (tagid INTEGER, property TEXT, value TEXT);
CREATE TABLE ImageTags (imageid INTEGER NOT NULL, tagid INTEGER NOT NULL, UNIQUE (imageid, tagid));
"""

# Smallest files that pass for photos by their first bytes.
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


class Lightroom:
    """A catalog under construction: ``keyword`` and ``photo`` give the row ids."""

    def __init__(self, path: Path, version: str = "1300000", wal: bool = False, root: bool = True) -> None:
        self.path = path
        self.db = sqlite3.connect(path)
        if wal:
            self.db.execute("PRAGMA journal_mode=WAL")
        self.db.executescript(LIGHTROOM)
        self.insert("Adobe_variablesTable", name="Adobe_DBVersion", value=version)
        self.root = self.insert("AgLibraryKeyword") if root else 99_999
        self.folders: dict[tuple[str, str], int] = {}

    def insert(self, table: str, **values: object) -> int:
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})" if values else f"INSERT INTO {table} DEFAULT VALUES"
        row = self.db.execute(sql, list(values.values())).lastrowid
        assert row is not None
        return row

    def keyword(self, name: object, parent: int | None = None, **more: object) -> int:
        return self.insert("AgLibraryKeyword", name=name, parent=self.root if parent is None else parent, **more)

    def folder(self, root: str = "/photos/", inside: str = "2024/", beside: str | None = None) -> int:
        if (root, inside) not in self.folders:
            known = self.db.execute(
                "SELECT id_local FROM AgLibraryRootFolder WHERE absolutePath = ?", (root,)
            ).fetchone()
            top = (
                known[0]
                if known
                else self.insert("AgLibraryRootFolder", absolutePath=root, name=root, relativePathFromCatalog=beside)
            )
            self.folders[root, inside] = self.insert("AgLibraryFolder", pathFromRoot=inside, rootFolder=top)
        return self.folders[root, inside]

    def photo(self, name: object = "a.jpg", tags: Sequence[int] = (), folder: int | None = None, **more: object) -> int:
        file = self.insert("AgLibraryFile", folder=self.folder() if folder is None else folder, idx_filename=name)
        return self.image(file, tags, **more)

    def image(self, file: int, tags: Sequence[int] = (), **more: object) -> int:
        count = self.db.execute("SELECT COUNT(*) FROM Adobe_images").fetchone()[0]
        values = {"id_global": f"uuid-{count}", "captureTime": None, "fileFormat": "JPG", "pick": 0.0} | more
        image = self.insert("Adobe_images", rootFile=file, **values)
        for tag in tags:
            self.insert("AgLibraryKeywordImage", image=image, tag=tag)
        return image

    def done(self) -> Path:
        self.db.commit()
        self.db.close()
        return self.path


class Digikam:
    """A database under construction."""

    def __init__(
        self, path: Path, version: str = "16", identifier: str = "volumeid:?path=/photos", specific: str = "/"
    ) -> None:
        self.path = path
        self.db = sqlite3.connect(path)
        self.db.executescript(DIGIKAM)
        self.run("INSERT INTO Settings VALUES ('DBVersion', ?), ('databaseUUID', '{aaaa-bbbb}')", version)
        self.root(identifier, specific)
        self.run("INSERT INTO Albums VALUES (1, 1, '/2024')")

    def run(self, sql: str, *parameters: object) -> int:
        return self.db.execute(sql, parameters).lastrowid or 0

    def root(self, identifier: str, specific: str = "/", label: str = "Photos") -> int:
        return self.run(
            "INSERT INTO AlbumRoots(label, status, type, identifier, specificPath) VALUES (?, 0, 1, ?, ?)",
            label, identifier, specific,
        )  # fmt: skip

    def tag(self, name: str, parent: int = 0, *properties: str) -> int:
        tag = self.run("INSERT INTO Tags(pid, name) VALUES (?, ?)", parent, name)
        for each in properties:
            self.run("INSERT INTO TagProperties VALUES (?, ?, NULL)", tag, each)
        return tag

    def photo(
        self, name: str, tags: Sequence[int] = (), status: int = 1, category: int = 1, album: int | None = 1
    ) -> int:
        photo = self.run(
            "INSERT INTO Images(album, name, status, category) VALUES (?, ?, ?, ?)", album, name, status, category
        )
        for tag in tags:
            self.run("INSERT INTO ImageTags VALUES (?, ?)", photo, tag)
        return photo

    def done(self) -> Path:
        self.db.commit()
        self.db.close()
        return self.path


def fingerprint(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Every file beside a catalog: its name, a hash of its bytes, its size and its time of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            found[path.name] = (hashlib.sha256(path.read_bytes()).hexdigest(), stat.st_size, stat.st_mtime_ns)
    return found


def packet(*keywords: str) -> bytes:
    """An XMP sidecar with these keywords; levels between ``|``."""
    items = "".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">'
        f"<lr:hierarchicalSubject><rdf:Bag>{items}</rdf:Bag></lr:hierarchicalSubject>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
