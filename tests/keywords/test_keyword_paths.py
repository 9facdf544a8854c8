"""A keyword path as a value, and the tree of a vocabulary."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.keywords import KeywordPath, KeywordTree, with_ancestors

names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1).filter(str.strip)
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: KeywordPath(tuple(parts)))


@given(paths)
def test_the_text_of_any_path_is_read_back_as_that_path(path: KeywordPath) -> None:
    assert KeywordPath.parse(str(path)) == path


def test_names_with_the_separator_or_a_backslash_stay_whole() -> None:
    path = KeywordPath.of("AC|DC", "back\\slash", "1964")
    assert str(path) == r"AC\|DC|back\\slash|1964"
    assert KeywordPath.parse(str(path)) == path


def test_a_name_typed_on_a_mac_and_on_windows_is_one_keyword() -> None:
    assert KeywordPath.of(unicodedata.normalize("NFD", "Zürich")) == KeywordPath.of("Zürich")


def test_names_that_differ_in_case_are_the_same_keyword_to_a_person() -> None:
    assert KeywordPath.of("Straße").key == KeywordPath.of("STRASSE").key
    assert KeywordPath.of("Dog") != KeywordPath.of("dog")


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "\ud800"])
def test_a_name_that_no_program_can_store_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="keyword name"):
        KeywordPath.of("Animals", name)


def test_a_keyword_implies_its_parents() -> None:
    dog = KeywordPath.of("Animals", "Dog")
    assert with_ancestors([dog]) == {dog, KeywordPath.of("Animals")}


TREE = KeywordTree(
    KeywordPath.parse(text)
    for text in ("Places|Zürich", "Animals|Dog|Poodle", "animals|Cat", "Animals|Guide dog", "Things|Hot dog", "1964")
)


def test_a_tree_has_every_level_once_under_the_spelling_it_met_first() -> None:
    assert KeywordPath.of("Animals", "Cat") in list(TREE)
    assert len(TREE) == len({path.key for path in TREE}) == 10
    assert TREE.find(KeywordPath.of("ANIMALS", "dog")) == KeywordPath.of("Animals", "Dog")
    assert TREE.find(KeywordPath.of("Animals", "Horse")) is None


def test_the_neighbours_of_a_keyword_are_found() -> None:
    dog = KeywordPath.of("animals", "dog")
    assert [path.name for path in TREE.children(dog)] == ["Poodle"]
    assert [path.name for path in TREE.siblings(dog)] == ["Cat", "Guide dog"]
    assert TREE.ancestors(KeywordPath.of("Animals", "Dog", "Poodle")) == (
        KeywordPath.of("Animals", "Dog"),
        KeywordPath.of("Animals"),
    )
    assert [path.name for path in TREE.children()] == ["1964", "Animals", "Places", "Things"]
    assert [path.name for path in TREE.descendants(KeywordPath.of("Animals"))] == ["Cat", "Dog", "Poodle", "Guide dog"]


@pytest.mark.parametrize("typed", ["zur", "ZÜR", "Zu\u0308r"])
def test_search_finds_what_begins_as_typed_whatever_case_and_accents(typed: str) -> None:
    assert TREE.search(typed) == (KeywordPath.of("Places", "Zürich"),)


def test_search_lists_names_that_begin_so_before_names_with_such_a_word() -> None:
    found = [path.name for path in TREE.search("dog")]
    assert found[0] == "Dog"
    assert sorted(found[1:]) == ["Guide dog", "Hot dog"]
    assert TREE.search("") == ()
    assert len(TREE.search("dog", limit=2)) == 2


@given(st.lists(paths, max_size=8))
def test_every_keyword_given_to_a_tree_is_in_it_with_its_parents(given_paths: list[KeywordPath]) -> None:
    tree = KeywordTree(given_paths)
    for path in with_ancestors(given_paths):
        assert path in tree
        assert path.key in {found.key for found in tree.children(path.parent)}
