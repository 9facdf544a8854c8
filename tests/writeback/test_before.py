"""What the journal keeps of a file gives back every byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.metadata.base import Edit, apply_edits, invert_edits
from keywright.store.journal import Before, BeforeForm
from keywright.writeback import before as kept
from keywright.writeback.before import difference, digest, give_back, keep_edits, keep_whole


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, tuple[Edit, ...]]:
    """A file and some edits of it that do not overlap."""
    data = draw(st.binary(max_size=300))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edits = tuple(
        Edit(start, data[start:end], draw(st.binary(max_size=40)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    )
    return data, edits


@given(edited())
def test_kept_edits_give_back_the_old_file_and_can_be_kept_again(case: tuple[bytes, tuple[Edit, ...]]) -> None:
    old, edits = case
    new = apply_edits(old, edits)
    back = give_back(new, keep_edits(invert_edits(edits)))
    assert back is not None
    assert back[0] == old
    forth = give_back(old, keep_edits(invert_edits(back[1])))
    assert forth is not None
    assert forth[0] == new


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_whole_file_and_a_difference_give_back_the_old_file(old: bytes, new: bytes) -> None:
    whole = give_back(new, keep_whole(old))
    delta = give_back(new, keep_edits(invert_edits(difference(old, new))))
    assert whole is not None
    assert delta is not None
    assert whole[0] == delta[0] == old


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_difference_is_no_longer_than_what_was_replaced(old: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(old)))
    put = data.draw(st.binary(max_size=20))
    for edit in difference(old, old[:start] + put + old[start:]):
        assert len(edit.new) <= len(put)
        assert edit.old == b""


def test_what_was_not_there_is_given_back_as_nothing() -> None:
    back = give_back(b"new", keep_whole(None))
    assert back is not None
    assert back[0] is None
    assert digest(None) == ""


def test_a_damaged_record_is_noticed() -> None:
    with pytest.raises(ValueError, match="damaged"):
        give_back(b"new", Before(BeforeForm.WHOLE, b"no zlib"))


def test_edits_too_large_for_the_journal_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LARGEST_DELTA", 10)
    too_large = keep_edits([Edit(0, b"", bytes(11))])
    assert too_large.form is BeforeForm.NOT_KEPT
    assert give_back(b"", too_large) is None
