"""Keyword lists in and out: Lightroom's text and CSV."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.catalogs.base import CatalogKeyword
from keywright.keywords import KeywordPath
from keywright.vocabulary import VocabularyError, decode, read_csv, read_list, write_csv, write_list

names = (
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1)
    .filter(str.strip)
    .map(lambda name: KeywordPath.of(name).name)
) | st.sampled_from(["[x]", "{y}", "[", "］a", "［b]", "a\tb", "~1~DATES", "1964", "a, b; c", '"quoted"', "=1+1", "🦜"])
keywords = st.builds(
    CatalogKeyword,
    st.lists(names, min_size=1, max_size=4).map(lambda parts: KeywordPath(tuple(parts))),
    st.just(""),
    st.lists(names, max_size=3, unique=True).map(tuple),
    st.booleans(),
)
vocabularies = st.lists(keywords, max_size=6, unique_by=lambda keyword: keyword.path.key)


@given(vocabularies)
def test_what_is_written_as_a_lightroom_list_is_read_back_with_all_its_parents(
    given_ones: list[CatalogKeyword],
) -> None:
    back = {keyword.path.key: keyword for keyword in read_list(write_list(given_ones))}
    for keyword in given_ones:
        found = back[keyword.path.key]
        assert (found.path.name, found.synonyms, found.private) == (
            keyword.path.name,
            keyword.synonyms,
            keyword.private,
        )
    levels = {key[:depth] for key in (k.path.key for k in given_ones) for depth in range(1, len(key) + 1)}
    assert back.keys() == levels


@given(vocabularies)
def test_what_is_written_as_csv_is_read_back(given_ones: list[CatalogKeyword]) -> None:
    assert read_csv(write_csv(given_ones)) == given_ones


def test_a_lightroom_list_says_levels_synonyms_and_what_is_not_exported() -> None:
    text = "[CAMERAS]\n\tOlympus\n\t\tTough TG-4\n\t\t\t{TG-4}\n\t\t\t{Olympus Tough TG-4}\n~1~DATES\n\t1964\n"
    assert [(str(k.path), k.synonyms, k.private) for k in read_list(text)] == [
        ("CAMERAS", (), True),
        ("CAMERAS|Olympus", (), False),
        ("CAMERAS|Olympus|Tough TG-4", ("TG-4", "Olympus Tough TG-4"), False),
        ("~1~DATES", (), False),
        ("~1~DATES|1964", (), False),
    ]
    assert write_list(read_list(text)) == text


def test_a_name_in_brackets_does_not_become_a_private_keyword() -> None:
    public = CatalogKeyword(KeywordPath.of("[sic]"), "")
    assert write_list([public]) == "［sic]\n"
    assert read_list(write_list([public])) == [public]


def test_a_list_from_windows_reads_as_one_from_a_mac() -> None:
    data = "A\r\n\tB\r\n".encode("utf-16")
    assert [str(k.path) for k in read_list(decode(data, "list.txt"))] == ["A", "A|B"]
    assert [str(k.path) for k in read_list(decode(b"\xef\xbb\xbfA\r\tB", "list.txt"))] == ["A", "A|B"]


@pytest.mark.parametrize(
    ("text", "line"), [("A\n\t\tB\n", "Line 2"), ("{synonym}\n", "Line 1"), ("\tA", "Line 1"), ("A\n\t[ ]", "Line 2")]
)
def test_a_list_that_cannot_be_meant_is_refused_with_the_line(text: str, line: str) -> None:
    with pytest.raises(VocabularyError, match=f"{line} of birds.txt"):
        read_list(text, "birds.txt")


def test_text_that_is_not_utf_8_is_refused_in_one_sentence() -> None:
    with pytest.raises(VocabularyError, match="not UTF-8"):
        decode("Zürich".encode("latin-1"), "list.txt")


def test_a_csv_without_the_keyword_column_is_refused() -> None:
    with pytest.raises(VocabularyError, match="keyword"):
        read_csv("a,b\n1,2\n", "list.csv")


def test_the_csv_of_lightroom_export_plug_ins_is_read_with_levels_and_without_persons() -> None:
    text = (
        "Include On Export,Export Containing Keywords,Export Synonyms,Person Type Keyword,\r\n"
        "Y,Y,Y,N,Animals\r\nN,Y,Y,N,,Dog\r\nY,Y,Y,Y,Grandma\r\nY,Y,Y,N,1964\r\n"
    )
    assert [(str(k.path), k.private) for k in read_csv(text)] == [
        ("Animals", False),
        ("Animals|Dog", True),
        ("1964", False),
    ]


@pytest.mark.shared
def test_photographers_real_lists_come_out_as_they_went_in(shared: Path) -> None:
    files = [*(shared / "vocab" / "lightroom_real").rglob("*.txt"), *(shared / "vocab").glob("*_tree.txt")]
    assert len(files) > 12
    for file in files:
        text = decode(file.read_bytes(), file.name)
        keywords = read_list(text, file.name)
        assert len(keywords) > 1
        assert read_list(write_list(keywords)) == keywords, file.name
        assert read_csv(write_csv(keywords)) == keywords, file.name


@pytest.mark.shared
def test_the_bird_list_has_its_species_with_their_latin_names(shared: Path) -> None:
    file = shared / "vocab" / "lightroom_real" / "ioc-birds" / "birdsfam-10.1.txt"
    keywords = {k.path.name: k for k in read_list(decode(file.read_bytes(), file.name))}
    assert keywords["Common Ostrich"].synonyms == ("Struthio camelus",)
    assert keywords["IOC World Birds by Family v10.1 2020"].private


@pytest.mark.shared
def test_real_csv_exports_are_read(shared: Path) -> None:
    for file in (shared / "vocab" / "lightroom_real" / "keyword-csv-export").glob("*.csv"):
        names = [k.path.name for k in read_csv(decode(file.read_bytes(), file.name), file.name)]
        assert "2026" in names or "2025" in names
