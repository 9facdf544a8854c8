"""Keyword lists in and out through the commands: what was imported is found, and what is known is exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.kit import Keywright
from keywright.catalogs.base import CatalogKeyword, CatalogKind
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.vocabularies import Imported, export_keywords, import_keywords
from keywright.operations.wording import search
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, register_catalog, sync_keywords
from keywright.vocabulary import read_csv, read_list

LIST = "Animals\n\tBird\n\t\t{Fowl}\n\t\tBittern\n\t\t\t{Rohrdommel}\n[Private]\n\tUncle Joe\n"


def named(text: str, *synonyms: str, private: bool = False) -> CatalogKeyword:
    return CatalogKeyword(KeywordPath.parse(text), "", synonyms, private)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A home that knows a catalog with two keywords, one of them private."""
    made = Workspace.open(Home(tmp_path / "home"))
    with made.store.write() as connection:
        catalog = register_catalog(connection, CatalogKind.FOLDER, "/photos", "/photos", learn=True)
        sync_keywords(
            connection,
            catalog,
            [named("Animals|Bird", "Vogel"), named("Family", private=True)],
            KeywordIds(connection),
        )
    return made


def test_a_list_adds_what_is_new_and_keeps_what_is_known(workspace: Workspace) -> None:
    listed = [named("animals|bird", "vogel", "Fowl"), named("Animals|Bird|Bittern", "Rohrdommel"), named("Family")]
    assert import_keywords(workspace, listed) == Imported(keywords=3, new=1, synonyms=2)
    assert [(str(k.path), k.synonyms, k.private) for k in export_keywords(workspace)] == [
        ("Animals|Bird", ("Vogel", "Fowl"), False),
        ("Animals|Bird|Bittern", ("Rohrdommel",), False),
        ("Family", (), True),
    ]


def test_a_list_imported_twice_adds_nothing_the_second_time(workspace: Workspace) -> None:
    import_keywords(workspace, read_list(LIST))
    before = export_keywords(workspace)
    assert import_keywords(workspace, read_list(LIST)) == Imported(keywords=5, new=0, synonyms=0)
    assert export_keywords(workspace) == before


def test_a_second_list_adds_its_synonyms_to_those_of_the_first(workspace: Workspace) -> None:
    import_keywords(workspace, [named("Sea", "Ocean"), named("sea", "Meer")])
    assert import_keywords(workspace, [named("Sea", "Mare")]) == Imported(1, 0, 1)
    assert next(k.synonyms for k in export_keywords(workspace) if str(k.path) == "Sea") == ("Ocean", "Meer", "Mare")


def test_a_private_name_stays_private_whatever_a_list_says(workspace: Workspace) -> None:
    import_keywords(
        workspace, [named("Family", "Kin"), named("Secret", private=True), named("Animals|Bird", private=True)]
    )
    private = {str(k.path): k.private for k in export_keywords(workspace)}
    assert private == {"Family": True, "Secret": True, "Animals|Bird": False}


def test_imported_names_and_synonyms_are_found_as_one_types(workspace: Workspace) -> None:
    import_keywords(workspace, read_list(LIST))
    assert [str(k.path) for k in search(workspace, "rohr", 5)] == ["Animals|Bird|Bittern"]
    assert [str(k.path) for k in search(workspace, "uncle", 5)] == ["Private|Uncle Joe"]


@pytest.mark.parametrize(("name", "options"), [("list.txt", ()), ("list.csv", ()), ("list", ("--format", "csv"))])
def test_what_is_exported_is_read_back_by_another_home(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    first, second = Keywright(tmp_path / "first"), Keywright(tmp_path / "second")
    (tmp_path / "lightroom.txt").write_text(LIST, encoding="utf-8")
    ran = first("keywords", "import", tmp_path / "lightroom.txt", "--json")
    assert (ran.json["keywords"], ran.json["new"], ran.json["synonyms"]) == (5, 5, 2)
    said = first("keywords", "export", tmp_path / name, *options)
    assert said.out == f"5 keywords and 2 synonyms written to {tmp_path / name}.\n"
    assert second("keywords", "import", tmp_path / name, *options).status == 0
    assert first("keywords", "list", "--json").json == second("keywords", "list", "--json").json
    text = (tmp_path / name).read_text(encoding="utf-8-sig")
    back = read_csv(text) if "csv" in name or options else read_list(text)
    assert {(str(k.path), k.synonyms, k.private) for k in back} == {
        ("Animals", (), False),
        ("Animals|Bird", ("Fowl",), False),
        ("Animals|Bird|Bittern", ("Rohrdommel",), False),
        ("Private", (), True),
        ("Private|Uncle Joe", (), False),
    }


def test_a_file_that_is_there_is_replaced_only_on_demand(tmp_path: Path) -> None:
    keywright = Keywright(tmp_path / "home")
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    assert "is there already" in keywright.fails("keywords", "export", mine)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert keywright("keywords", "export", mine, "--overwrite").status == 0
    assert mine.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\x00\x81", "is not UTF-8 text"),
        (b"A\n\t\t\tB\n", "Line 2 of"),
        (None, "cannot be read"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence_and_changes_nothing(
    tmp_path: Path, data: bytes | None, sentence: str
) -> None:
    keywright = Keywright(tmp_path / "home")
    file = tmp_path / "list.txt"
    if data is not None:
        file.write_bytes(data)
    assert sentence in keywright.fails("keywords", "import", file)
    assert keywright("keywords", "list", "--json").json == []
