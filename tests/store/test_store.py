"""The store: what it remembers, from run to run and for two processes at once."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from keywright.catalogs.base import CatalogKeyword, CatalogKind, CatalogPhoto
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.store import (
    answers,
    captions,
    decisions,
    hosts,
    jobs,
    journal,
    models,
    photos,
    primes,
    providers,
    selections,
    suggestions,
    syncing,
    thresholds,
    vectors,
)
from keywright.store.database import HEAD, Store, StoreError, write_ahead
from keywright.store.migrate import newest_revision
from keywright.store.schema import METADATA

TABLES = (
    answers,
    captions,
    decisions,
    hosts,
    jobs,
    journal,
    models,
    photos,
    primes,
    providers,
    selections,
    suggestions,
    thresholds,
    vectors,
)  # imported so that METADATA knows every table

DOG, CAT = KeywordPath.of("Animals", "Dog"), KeywordPath.of("Animals", "Cat")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(Home(tmp_path / "home"))


def photo(name: str, *keywords: KeywordPath) -> CatalogPhoto:
    return CatalogPhoto(name, Path("/photos") / name, frozenset(keywords))


def read_in(store: Store, *found: CatalogPhoto) -> syncing.SyncReport:
    with store.write() as connection:
        catalog = photos.register_catalog(connection, CatalogKind.FOLDER, "/photos", "/photos", learn=True)
        return syncing.sync_photos(connection, catalog, found, photos.KeywordIds(connection))


def carried(store: Store) -> dict[str, set[str]]:
    with store.read() as connection:
        names = photos.KeywordIds(connection).paths()
        rows = photos.list_photos(connection)
        links = photos.keywords_of(connection, [row.id for row in rows])
        return {row.path.name: {str(names[k]) for k in links.get(row.id, ())} for row in rows}


def test_the_migrations_lead_to_exactly_the_tables_the_code_declares(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_revision_named_in_the_code_is_the_newest_migration() -> None:
    assert newest_revision() == HEAD


def test_a_store_of_a_newer_keywright_is_refused_in_one_sentence(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(KeywrightError, match="newer version of Keywright"):
        Store.open(store.home)


def test_a_damaged_store_is_refused_in_one_sentence_and_left_as_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.database.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(home)
    assert home.database.read_bytes() == b"not a database at all" * 100


def test_a_second_reading_of_the_same_catalog_changes_nothing(store: Store) -> None:
    assert read_in(store, photo("a.jpg", DOG), photo("b.jpg")).new == 2
    again = read_in(store, photo("a.jpg", DOG), photo("b.jpg"))
    assert (again.new, again.changed, again.gone) == (0, 0, 0)


def test_a_photo_whose_keywords_changed_carries_the_new_ones(store: Store) -> None:
    read_in(store, photo("a.jpg", DOG), photo("b.jpg", DOG))
    assert read_in(store, photo("a.jpg", CAT), photo("b.jpg", DOG)).changed == 1
    assert carried(store) == {"a.jpg": {"Animals|Cat"}, "b.jpg": {"Animals|Dog"}}


def test_a_photo_that_left_the_catalog_is_gone_and_keeps_its_decisions_for_its_return(store: Store) -> None:
    read_in(store, photo("a.jpg", DOG), photo("b.jpg"))
    with store.write() as connection:
        number = next(row.id for row in photos.list_photos(connection) if row.path.name == "b.jpg")
        cat = photos.KeywordIds(connection).id(CAT)
        made = decisions.DecisionRow(number, cat, decisions.Decision.REJECTED, 0.7, None)
        decisions.record_decisions(connection, [made])
    assert read_in(store, photo("a.jpg", DOG)).gone == 1
    assert set(carried(store)) == {"a.jpg"}
    read_in(store, photo("a.jpg", DOG), photo("b.jpg"))
    assert set(carried(store)) == {"a.jpg", "b.jpg"}
    with store.read() as connection:
        assert decisions.list_decisions(connection) == [made]


def test_the_last_decision_on_a_suggestion_counts(store: Store) -> None:
    read_in(store, photo("a.jpg"))
    with store.write() as connection:
        dog = photos.KeywordIds(connection).id(DOG)
        for decision in (decisions.Decision.ACCEPTED, decisions.Decision.REJECTED):
            decisions.record_decisions(connection, [decisions.DecisionRow(1, dog, decision, None, None)])
        assert [d.decision for d in decisions.list_decisions(connection)] == [decisions.Decision.REJECTED]


def test_file_names_that_are_no_unicode_are_kept_byte_for_byte(store: Store) -> None:
    odd = "caf\udce9.jpg"
    read_in(store, photo(odd, DOG))
    assert set(carried(store)) == {odd}


def test_a_keyword_two_catalogs_list_is_private_only_when_it_is_in_both(store: Store) -> None:
    with store.write() as connection:
        ids = photos.KeywordIds(connection)
        for name, private in (("one", True), ("two", False)):
            catalog = photos.register_catalog(connection, CatalogKind.LIGHTROOM, name, name, learn=True)
            listed = [CatalogKeyword(DOG, "1", (name,), private), CatalogKeyword(CAT, "2", (), True)]
            photos.sync_keywords(connection, catalog, listed, ids)
        known = {k.path: k for k in photos.list_keywords(connection)}
    assert not known[DOG].private
    assert known[DOG].synonyms == ("one", "two")
    assert known[CAT].private


def some_vectors(first: int, last: int) -> list[vectors.NewVector]:
    return [vectors.NewVector(f"c{n}", np.full(4, n, np.float32), float(n)) for n in range(first, last)]


def matrix_of(store: Store) -> vectors.VectorMatrix:
    with store.read() as connection:
        return vectors.load_matrix(connection, store.home.vectors, "enc", 4)


def test_the_mapped_matrix_grows_with_the_vectors(store: Store) -> None:
    for first, last in ((0, 3), (3, 5)):
        with store.write() as connection:
            vectors.add_vectors(connection, "enc", some_vectors(first, last))
        held = matrix_of(store)
        assert [float(held.matrix[held.rows[f"c{n}"], 0]) for n in range(last)] == list(range(last))


@pytest.mark.parametrize("damage", ["cut", "gone", "foreign"])
def test_a_damaged_matrix_file_is_made_anew_from_the_database(store: Store, damage: str) -> None:
    with store.write() as connection:
        vectors.add_vectors(connection, "enc", some_vectors(0, 6))
    matrix_of(store)
    file = next(store.home.vectors.glob("*.f16"))
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:21])
    elif damage == "gone":
        file.unlink()
    else:
        next(store.home.vectors.glob("*.ids")).write_bytes(np.arange(100, 106, dtype="<i8").tobytes())
    assert [float(v) for v in matrix_of(store).matrix[:, 0]] == list(range(6))


def test_a_vector_that_is_known_is_not_replaced(store: Store) -> None:
    with store.write() as connection:
        vectors.add_vectors(connection, "enc", some_vectors(1, 2))
        vectors.add_vectors(connection, "enc", [vectors.NewVector("c1", np.zeros(4, np.float32), 9.0)])
    assert float(matrix_of(store).matrix[0, 0]) == 1.0


def test_versions_share_the_parts_they_have_in_common(store: Store) -> None:
    with store.write() as connection:
        models.add_version(connection, "enc", {"dog": b"d1", "cat": b"c"}, {"map": 0.5}, activate=True)
        second = models.add_version(connection, "enc", {"dog": b"d2", "cat": b"c"}, {"map": 0.6}, activate=True)
        kept = connection.execute(models.model_parts.select()).all()
        assert len(kept) == 3
        assert models.version_content(connection, second) == {"dog": b"d2", "cat": b"c"}
        active = models.active_version(connection)
        assert active is not None
        assert active.id == second
        models.remove_version(connection, second)
        assert models.version_content(connection, 1) == {"dog": b"d1", "cat": b"c"}
        assert len(connection.execute(models.model_parts.select()).all()) == 2


def test_a_damaged_model_part_is_named_and_nothing_else_is_lost(store: Store) -> None:
    with store.write() as connection:
        version = models.add_version(connection, "enc", {"dog": b"d1"}, {}, activate=True)
        connection.execute(models.model_parts.update().values(content=b"other"))
        with pytest.raises(KeywrightError, match=r"damaged in its part dog.*activate another version"):
            models.version_content(connection, version)


def test_a_training_mends_the_damaged_parts_it_shares_with_earlier_versions(store: Store) -> None:
    with store.write() as connection:
        first = models.add_version(connection, "enc", {"dog": b"d1", "cat": b"c"}, {}, activate=True)
        connection.execute(models.model_parts.update().values(content=b"other"))
        second = models.add_version(connection, "enc", {"dog": b"d2", "cat": b"c"}, {}, activate=True)
        assert models.version_content(connection, second) == {"dog": b"d2", "cat": b"c"}
        with pytest.raises(KeywrightError, match="in its part dog"):
            models.version_content(connection, first)


def test_rolling_back_goes_by_what_was_active_not_by_numbers(store: Store) -> None:
    with store.write() as connection:
        one, two, three = (
            models.add_version(connection, "enc", {"dog": name}, {}, activate=False) for name in (b"1", b"2", b"3")
        )
        for number in (three, one, one, two):
            models.activate_version(connection, number)
        assert models.previously_active(connection) == [three, one, two]
        assert models.roll_back_version(connection) == one
        assert models.roll_back_version(connection) == three
        assert models.roll_back_version(connection) is None
        active = models.active_version(connection)
        assert active is not None
        assert active.id == three


def test_the_size_of_a_version_tells_what_it_shares(store: Store) -> None:
    with store.write() as connection:
        models.add_version(connection, "enc", {"dog": b"12345", "cat": b"123"}, {}, activate=True)
        second = models.add_version(connection, "enc", {"dog": b"1234567", "cat": b"123"}, {}, activate=True)
        assert models.version_sizes(connection)[second] == models.VersionSize(10, 7)
        assert models.same_version(connection, {"cat": b"123", "dog": b"1234567"}) == second
        assert models.same_version(connection, {"cat": b"123"}) is None


WRITER = """
import sys
from pathlib import Path
import numpy as np
from keywright.home import Home
from keywright.store import vectors
from keywright.store.database import Store
store = Store.open(Home(Path(sys.argv[1])))
for n in range(int(sys.argv[2]), 400, 2):
    with store.write() as connection:
        vectors.add_vectors(connection, "enc", [vectors.NewVector(f"c{n}", np.full(4, n, np.float32), 1.0)])
    with store.read() as connection:
        held = vectors.load_matrix(connection, store.home.vectors, "enc", 4)
    assert all(held.matrix[row, 0] == int(name[1:]) for name, row in held.rows.items())
"""


def test_two_processes_write_and_map_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), start]) for start in ("0", "1")]
    assert [process.wait() for process in running] == [0, 0]
    held = matrix_of(Store.open(Home(tmp_path)))
    assert sorted(held.rows) == sorted(f"c{n}" for n in range(400))


def test_a_store_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    other, ours = (sqlite3.connect(tmp_path / "keywright.db", isolation_level=None) for _ in range(2))
    other.execute("BEGIN IMMEDIATE")
    write_ahead(ours, pause=lambda _: other.execute("COMMIT").close())
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_that_stays_busy_is_not_waited_for_without_end(tmp_path: Path) -> None:
    other, ours = (sqlite3.connect(tmp_path / "keywright.db", isolation_level=None) for _ in range(2))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(ours, seconds=0)


def test_reading_the_store_leaves_the_database_file_as_it_is(store: Store) -> None:
    read_in(store, photo("a.jpg", DOG))
    store.close()
    before = hashlib.sha256(store.home.database.read_bytes()).hexdigest()
    carried(Store.open(store.home))
    assert hashlib.sha256(store.home.database.read_bytes()).hexdigest() == before
