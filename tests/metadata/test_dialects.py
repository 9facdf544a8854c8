"""Every way to spell a keyword path gives back the path, whatever the names hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.metadata import acdsee, iptc
from keywright.metadata.dialects import BARS, FLAT, SLASHES, Dialect

names = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
    | st.sampled_from("|/\\,;~<>&\"'⧸∣␁␥␦\u2060\u0301\u200d🦜\x01\x1f\ufffe\uffff"),
    min_size=1,
).filter(str.strip)
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: KeywordPath(tuple(parts)))


@given(paths)
@example(KeywordPath.of("AC/DC", "a|b", "⧸\u2060", "/\u2060", "∣"))
@pytest.mark.parametrize("dialect", [BARS, SLASHES], ids=["bars", "slashes"])
def test_a_path_is_read_back_from_fields_with_levels(dialect: Dialect, path: KeywordPath) -> None:
    assert dialect.parse(dialect.write(path)) == path


@given(names)
def test_a_name_is_read_back_from_flat_fields(name: str) -> None:
    path = KeywordPath.of(name)
    assert FLAT.parse(FLAT.write(path)) == path


@given(st.lists(paths, min_size=1, max_size=4, unique_by=lambda path: path.key))
def test_paths_are_read_back_from_acdsee_categories(given_paths: list[KeywordPath]) -> None:
    value = acdsee.rewrite("", given_paths, ())
    read = {BARS.parse(text) for text in acdsee.entries(value)}
    assert {path.key for path in read if path} == {path.key for path in given_paths}
    if len(given_paths) == 1:
        assert read == set(given_paths)
    assert acdsee.rewrite(value, (), given_paths) == ""


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")))
def test_any_entry_of_a_stranger_is_read_or_passed_over(text: str) -> None:
    for dialect in (FLAT, BARS, SLASHES):
        path = dialect.parse(text)
        assert path is None or dialect.parse(dialect.write(path)) == path


def test_a_slash_in_a_name_makes_no_level_and_looks_like_a_slash() -> None:
    assert SLASHES.write(KeywordPath.of("Music", "AC/DC")) == "Music/AC⧸DC"
    assert BARS.write(KeywordPath.of("Music", "AC/DC")) == "Music|AC/DC"
    assert BARS.write(KeywordPath.of("a|b")) == "a∣b"
    assert FLAT.write(KeywordPath.of("Music", "AC/DC")) == "AC/DC"


def test_empty_levels_of_other_programs_are_skipped() -> None:
    assert SLASHES.parse("/Animals//Dog/") == KeywordPath.of("Animals", "Dog")
    assert SLASHES.parse(" / ") is None


def test_decomposed_and_composed_names_are_one_keyword() -> None:
    assert BARS.parse(unicodedata.normalize("NFD", "Städte|Zürich")) == KeywordPath.of("Städte", "Zürich")


def test_acdsee_categories_with_a_bare_ampersand_as_digikam_writes_them_are_read() -> None:
    value = '<Categories><Category Assigned="0">R&D<Category Assigned="1">Lab</Category></Category></Categories>'
    assert acdsee.entries(value) == ["R&D|Lab"]


@pytest.mark.parametrize(
    "value", ["<Categories><Category>", "<Other/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><Categories>&b;</Categories>"]
)
def test_damaged_acdsee_categories_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="categories"):
        acdsee.entries(value)


def _record(*keywords: bytes, charset: bytes = b"") -> bytes:
    head = b"\x1c\x01\x5a\x00" + bytes((len(charset),)) + charset if charset else b""
    rest = b"".join(b"\x1c\x02\x19" + len(k).to_bytes(2, "big") + k for k in keywords)
    return head + b"\x1c\x02\x00\x00\x02\x00\x04" + rest + b"\x1c\x02\x78\x00\x03abc"


@given(names)
def test_a_name_that_fits_iptc_is_read_back_from_it(name: str) -> None:
    name = KeywordPath.of(name).name
    block = iptc.rewrite(_record(b"there"), [name], ()).block
    read = [FLAT.read_name(text) for text in iptc.keywords(block)]
    if len(iptc.write_name(name)) < iptc.MAX_BYTES - 3:
        assert name in read or name.casefold() == "there"
    else:
        assert name.startswith(FLAT.read_name(iptc.keywords(block)[-1])[:1])


def test_a_long_name_is_cut_between_characters_in_iptc() -> None:
    cut = iptc.write_name("ä" * 40)
    assert cut == ("ä" * 32).encode()
    assert iptc.write_name("x" + "ä" * 40) == ("x" + "ä" * 31).encode()


def test_iptc_keywords_are_read_in_their_character_set() -> None:
    assert iptc.keywords(_record("Zürich".encode(), charset=b"\x1b%G")) == ["Zürich"]
    assert iptc.keywords(_record("Zürich".encode("cp1252"))) == ["Zürich"]
    assert iptc.keywords(_record("Zürich".encode("latin-1"), charset=b"\x1b.A")) == ["Zürich"]


def test_plain_iptc_that_must_hold_an_umlaut_is_declared_utf_8() -> None:
    block = iptc.rewrite(_record(b"plain"), ["Zürich"], ()).block
    assert block.startswith(b"\x1c\x01\x5a\x00\x03\x1b%G")
    assert iptc.keywords(block) == ["plain", "Zürich"]
    assert iptc.rewrite(_record(b"plain"), ["Zurich"], ()).block == _record(b"plain", b"Zurich")


def test_iptc_in_an_undeclared_character_set_keeps_it() -> None:
    before = _record("Zürich".encode("cp1252"))
    rewritten = iptc.rewrite(before, ["Genève", "東京"], ())
    assert rewritten.items == ("Genève",)
    assert rewritten.left_out == ("東京",)
    assert iptc.keywords(rewritten.block) == ["Zürich", "Genève"]


def test_what_was_put_into_iptc_is_taken_out_byte_for_byte() -> None:
    before = _record(b"one", b"two")
    rewritten = iptc.rewrite(before, ["three", "One"], ())
    assert rewritten.items == ("three",)
    assert iptc.take_out(rewritten.block, rewritten.items, ()) == before
    assert iptc.keywords(iptc.rewrite(before, [], {"one"}).block) == ["two"]
