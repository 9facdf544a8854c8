"""What a person typed is taken apart as they meant it, and found where it is written, in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.searching.words import INSIDE, Texts, fold, parted, plurals, telling_words, things

LETTERS = st.text(st.characters(categories=("L", "Nd")), min_size=1, max_size=8)
WRITING = st.text(st.characters(codec="utf-8"), max_size=24)
EAST = st.text(st.sampled_from("海辺の黒い犬京都写真桜ฟหาดสวยກຂຄកខគ"), min_size=1, max_size=8)


def sure(word: str, text: str) -> float:
    """How surely a text holds what was typed, which is one word."""
    (typed,) = telling_words(word)
    return Texts([text]).with_word(typed).get(0, 0.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a dog on a beach", ["dog", "beach"]),
        ("Dog", ["Dog"]),
        ("cats and dogs", ["cats", "dogs"]),
        ("the Statue of Liberty", ["Statue of Liberty"]),
        ("bride, groom & cake", ["bride", "groom", "cake"]),
        ("Hund am Strand", ["Hund am Strand"]),
        ("dog and dog", ["dog"]),
        ("  ", []),
        ("on", []),
        ("a, b, c, d, e, f", ["a", "b", "c", "d"]),
        ("beach without people", ["beach"]),
        ("without people", []),
        ("beach without any people and a dog", ["beach", "dog"]),
        ("beach, no people", ["beach"]),
        ("a dog with no leash on a beach", ["dog", "beach"]),
        ("No Smoking", ["No Smoking"]),
        ("gato no sofá", ["gato no sofá"]),
        ("platform, no 5", ["platform", "no 5"]),
    ],
)
def test_a_sentence_names_its_things(text: str, found: list[str]) -> None:
    assert things(text) == found


@pytest.mark.parametrize(
    ("text", "rest", "absent"),
    [
        ("beach without people", "beach", ["people"]),
        ("beach without the people or dogs", "beach", ["people", "dogs"]),
        ("without people, a beach", "a beach", ["people"]),
        ("a beach and no people", "a beach", ["people"]),
        ("a  beach", "a beach", []),
        ("without", "without", []),
    ],
)
def test_what_is_not_to_be_seen_is_taken_out(text: str, rest: str, absent: list[str]) -> None:
    assert parted(text) == (rest, absent)


def test_what_is_not_to_be_seen_is_not_looked_for() -> None:
    assert telling_words("beach without people") == ["beach"]
    assert telling_words("without people") == []


def test_small_words_do_not_count_unless_there_are_no_others() -> None:
    assert telling_words("A dog ON the Beach") == ["dog", "beach"]
    assert telling_words("on the") == ["on", "the"]
    assert telling_words("Zürich 2019") == ["zurich", "2019"]
    assert telling_words("Grandma's house") == ["grandma", "house"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी", ["हिन्दी"]),
        ("कुत्ता", ["कुत्ता"]),
        ("สุนัข", ["สุนัข"]),
        ("தமிழ் நாய்", ["தமிழ்", "நாய்"]),
        ("iPhoneで撮影", ["iphone", "で撮影"]),
        ("강아지 산책", ["강아지", "산책"]),
        ("كِتَابٌ", ["كتاب"]),
        ("שָׁלוֹם", ["שלום"]),
        ("Ёлка", ["елка"]),
        ("Άνδρος", ["ανδροσ"]),
    ],
)
def test_vowel_signs_stay_in_their_words_and_accents_are_folded_away(text: str, words: list[str]) -> None:
    assert telling_words(text) == words


@given(WRITING)
def test_words_are_the_same_however_their_characters_are_composed(text: str) -> None:
    assert telling_words(unicodedata.normalize("NFD", text)) == telling_words(unicodedata.normalize("NFC", text))
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(categories=("L", "Mn", "Mc", "Nd")), min_size=1, max_size=8), WRITING, WRITING)
def test_a_word_is_found_where_it_stands_alone(word: str, before: str, behind: str) -> None:
    for typed in telling_words(word):
        assert Texts([f"{before} {typed} {behind}"]).with_word(typed) == {0: 1.0}


@given(EAST, EAST, EAST)
def test_a_word_is_found_anywhere_in_a_text_without_spaces(word: str, before: str, behind: str) -> None:
    if before[-1] not in "เแโใไ":
        assert sure(word, before + word + behind) >= INSIDE


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("犬", "海辺の黒い犬"),
        ("หาด", "ชายหาดสวย"),
        ("iPhone", "私のiPhone写真"),
        ("写真", "iPhone写真"),
        ("ໝາ", "ຮູບໝາດຳ"),
    ],
)
def test_a_word_inside_a_text_without_spaces_is_found(word: str, text: str) -> None:
    assert sure(word, text) >= INSIDE


@pytest.mark.parametrize(
    ("word", "text"),
    [("สน", "สุนัข"), ("ขน", "สุนัข"), ("น", "สุนัข"), ("กม", "เกม"), ("か", "がっこう"), ("아지", "강아지")],
)
def test_a_syllable_is_not_cut(word: str, text: str) -> None:
    assert sure(word, text) == 0


@given(st.text("abcdefghij", min_size=3, max_size=6), st.text("klmnopqrtuvwyz", min_size=3, max_size=6))
def test_a_word_that_only_begins_so_counts_by_the_share_of_its_letters(word: str, more: str) -> None:
    assert sure(word, f"x {word}{more}.jpg") == pytest.approx(len(word) / len(word + more))
    assert sure(more, f"x {word}{more}.jpg") == 0


def test_a_word_counts_more_than_a_longer_one_that_begins_with_it() -> None:
    assert sure("cat", "a cathedral") < 0.5 < sure("cat", "a cat by the cathedral") == 1
    assert sure("o", "Misc Other") < 0.3
    assert 0.3 < sure("gran", "Grandma") < 0.7
    assert sure("ह", "हिन्दी") < 0.3
    assert 0.5 < sure("강아지", "강아지를") < 1


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("cat", "cats"),
        ("beach", "beaches"),
        ("family", "families"),
        ("box", "boxes"),
        ("glass", "glasses"),
        ("key", "keys"),
    ],
)
def test_a_word_is_its_plural_and_the_other_way_round(one: str, many: str) -> None:
    assert sure(one, f"my {many}") == sure(many, f"my {one}") == 1


def test_what_is_no_plural_is_not_taken_for_one() -> None:
    for word in ("bus", "glass", "iris", "is", "हिन्दी", "犬"):
        assert all(other.startswith(word) for other in plurals(word))


def test_the_parts_of_a_file_name_are_words() -> None:
    assert sure("0042", "_DSC0042.NEF") == sure("dsc", "_DSC0042.NEF") == sure("dsc0042", "_DSC0042.NEF") == 1
    assert sure("2019", "IMG_20190704_183000.jpg") == sure("20190704", "IMG_20190704183000.jpg") == 1
    assert sure("2019", "IMG_201907.jpg") < 1


def test_many_texts_are_looked_through_at_once() -> None:
    texts = Texts(["Cats and cat", "a_cat.jpg", "concatenate", "", "Zürich CAT", "dog\ncat", "cathedral"])
    assert texts.with_word("cat") == {0: 1, 1: 1, 4: 1, 5: 1, 6: pytest.approx(1 / 3)}
    assert texts.with_word("zur") == {4: 0.5}
    assert texts.with_word("nothing") == Texts([]).with_word("a") == {}


@given(LETTERS, st.lists(WRITING, max_size=6))
def test_a_text_is_found_the_same_among_others(word: str, texts: list[str]) -> None:
    for typed in telling_words(word):
        together = Texts(texts).with_word(typed)
        alone = {n: found[0] for n, text in enumerate(texts) if (found := Texts([text]).with_word(typed))}
        assert together == alone
