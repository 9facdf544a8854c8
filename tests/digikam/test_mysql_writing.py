"""Tags written into digiKam's tables on a real MariaDB server, filled from what the real digiKam left there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from catalogs.test_mysql import Server, filled, server  # noqa: F401
from digikam.kit import COFFEE, SEA, SaidHost, adding, tree_as_triggers_give
from keywright.keywords import KeywordPath
from keywright.writeback import BatchReport, Journal, PhotoDecisions, apply, recover, undo
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_databases import Rows, Session, open_session
from writeback.kit import open_journal

pytestmark = pytest.mark.slow
GRASS, COINS, MOON = Path("/photos/grass.jpg"), Path("/photos/coins.jpg"), Path("/photos/moon.jpg")


class ServerLibrary:
    """One of the databases on the server, and Keywright's journal."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:  # noqa: F811
        self.server, self.name = server, name
        self.folder = folder
        self.source = f"mysql://writer@127.0.0.1:{server.port}/{name}"
        self.journal: Journal = open_journal(folder / "home")

    def sql(self, text: str) -> list[tuple[object, ...]]:
        return self.server.run(text, self.name)

    def image(self, photo: Path) -> int:
        return int(str(self.sql(f"SELECT id FROM Images WHERE name = '{photo.name}'")[0][0]))

    def target(self) -> DigikamTarget:
        places = {photo: (DatabasePhoto(self.source, self.image(photo)),) for photo in (GRASS, COINS, MOON)}
        return DigikamTarget(places, self.folder / "backups", host=SaidHost())

    def apply(self, *decisions: PhotoDecisions) -> BatchReport:
        with self.target() as target:
            return apply(decisions, self.journal, {target.kind: target})

    def undo(self) -> BatchReport:
        with self.target() as target:
            return undo(None, self.journal, {target.kind: target})

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        tables = ("Tags", "TagsTree", "ImageTags", "TagProperties", "Images")
        return {table: sorted(self.sql(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def names_on(self, photo: Path) -> set[object]:
        rows = self.sql(
            f"SELECT t.name FROM Tags t JOIN ImageTags i ON i.tagid = t.id WHERE i.imageid = {self.image(photo)}"
        )
        return {row[0] for row in rows}


@pytest.fixture(params=["dk790", "dk860"])
def library(
    request: pytest.FixtureRequest,
    filled: Server,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ServerLibrary]:
    filled.run("CREATE USER IF NOT EXISTS writer@'%' IDENTIFIED BY 'write'")
    filled.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {request.param}.* TO writer@'%'")
    monkeypatch.setenv("KEYWRIGHT_MYSQL_PASSWORD", "write")
    found = ServerLibrary(filled, request.param, tmp_path)
    before = found.everything()
    yield found
    assert found.everything() == before, "a test leaves the server as it was"


def test_tags_are_linked_and_made_and_undo_gives_back_every_row(library: ServerLibrary) -> None:
    before = library.everything()
    report = library.apply(adding(GRASS, COFFEE, SEA), adding(COINS, SEA))
    assert not report.refused
    assert library.names_on(COINS) >= {"Sea"}
    tags = library.sql("SELECT id, pid FROM Tags WHERE id > 0")
    tree = {(int(str(a)), int(str(b))) for a, b in library.sql("SELECT id, pid FROM TagsTree WHERE id > 0")}
    assert tree >= tree_as_triggers_give(tags)
    library.undo()
    assert library.everything() == before


def test_a_name_that_differs_in_case_or_accents_alone_is_the_tag_that_is_there(library: ServerLibrary) -> None:
    tags = library.sql("SELECT count(*) FROM Tags")
    library.apply(adding(GRASS, KeywordPath.of("food", "DRINKS", "Coffée")))
    assert library.sql("SELECT count(*) FROM Tags") == tags
    assert "Coffee" in library.names_on(GRASS)
    library.undo()


def test_two_new_names_the_server_takes_for_one_are_one_tag(library: ServerLibrary) -> None:
    report = library.apply(adding(GRASS, KeywordPath.of("Tür")), adding(COINS, KeywordPath.of("tur")))
    assert not report.refused
    assert len(library.sql("SELECT 1 FROM Tags WHERE name = 'tur'")) == 1
    assert "Tür" in library.names_on(COINS)
    library.undo()


def test_an_emoji_is_refused_and_the_others_are_written(library: ServerLibrary) -> None:
    report = library.apply(adding(GRASS, KeywordPath.of("Fun 🎉")), adding(COINS, COFFEE))
    assert [r.reason for r in report.refused] == [
        "Fun 🎉 holds a character, such as an emoji, that digiKam's server cannot keep"
    ]
    assert "Coffee" in library.names_on(COINS)
    library.undo()


def test_an_account_that_may_only_read_is_one_sentence_and_nothing_is_written(library: ServerLibrary) -> None:
    library.server.run(f"REVOKE INSERT ON {library.name}.* FROM writer@'%'")
    report = library.apply(adding(GRASS, SEA), adding(COINS, SEA))
    assert report.stopped.startswith("writer may not write mysql://writer@127.0.0.1")
    assert not report.written


@pytest.mark.parametrize("statement", [40, 150, 400, 900])
def test_a_server_that_goes_away_half_way_leaves_whole_groups_and_one_sentence(
    library: ServerLibrary, statement: int
) -> None:
    """At the N-th statement the server ends the connection, and takes none any more."""
    before = library.everything()
    images = range(900_000, 900_100)
    rows = ", ".join(f"({n}, 1, 'many-{n}.jpg', 1, 1)" for n in images)
    library.server.run(f"INSERT INTO Images (id, album, name, status, category) VALUES {rows}", library.name)
    places = {Path(f"/photos/many-{n}.jpg"): (DatabasePhoto(library.source, n),) for n in images}
    decisions = [adding(photo, COFFEE, SEA) for photo in places]
    left = statement

    def go_away() -> None:
        library.server.run("REVOKE ALL PRIVILEGES, GRANT OPTION FROM writer@'%'")
        for (number,) in library.server.run("SELECT id FROM information_schema.PROCESSLIST WHERE user = 'writer'"):
            library.server.run(f"KILL {number}")

    def connect(source: str) -> Session:
        session = open_session(source)
        plain = session.run

        def run(sql: str, parameters: Sequence[object] = ()) -> Rows:
            nonlocal left
            left -= 1
            if left == 0:
                go_away()
            return plain(sql, parameters)

        session.run = run  # type: ignore[method-assign]
        return session

    with DigikamTarget(places, library.folder / "backups", host=SaidHost(), connect=connect) as target:
        report = apply(decisions, library.journal, {target.kind: target})
    library.server.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {library.name}.* TO writer@'%'")
    said = {str(one) for one in report.refused} | ({report.stopped} if report.stopped else set())
    assert any("went away; apply again when it runs" in one for one in said)
    assert len(said) <= 2, "it went away, and is not to be reached again"
    with DigikamTarget(places, library.folder / "backups", host=SaidHost()) as target:
        recover(library.journal, {target.kind: target})
        linked = library.sql("SELECT imageid, count(*) FROM ImageTags WHERE imageid >= 900000 GROUP BY imageid")
        assert {number for _, number in linked} <= {2}, "a photo has both keywords or none"
        assert len(linked) in (0, 64)
        assert apply(decisions, library.journal, {target.kind: target}).count_photos() == 100 - len(linked)
        for _ in range(2 if linked else 1):
            undo(None, library.journal, {target.kind: target})
    library.server.run("DELETE FROM Images WHERE id >= 900000", library.name)
    assert library.everything() == before


def test_the_backup_puts_back_the_tables(library: ServerLibrary) -> None:
    import gzip
    import subprocess

    before = library.everything()
    library.apply(adding(GRASS, SEA))
    (backup,) = (library.folder / "backups").iterdir()
    subprocess.run(
        ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{library.server.port}", "-uroot", library.name],
        input=gzip.decompress(backup.read_bytes()),
        check=True,
    )
    assert library.everything() == before
