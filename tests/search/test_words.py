"""What a person typed is taken apart as they meant it."""

from __future__ import annotations

import pytest

from keywright.searching.words import share_of_words, telling_words, things


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
    ],
)
def test_a_sentence_names_its_things(text: str, found: list[str]) -> None:
    assert things(text) == found


def test_small_words_do_not_count_unless_there_are_no_others() -> None:
    assert telling_words("A dog ON the Beach") == ["dog", "beach"]
    assert telling_words("on the") == ["on", "the"]
    assert telling_words("Zürich 2019") == ["zurich", "2019"]


def test_a_word_is_found_from_its_beginning_and_not_from_its_middle() -> None:
    assert share_of_words(["cat", "dog"], "cats_at_home.jpg") == 0.5
    assert share_of_words(["at"], "cat") == 0
    assert share_of_words([], "cat") == 0
