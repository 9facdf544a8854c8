"""After a crash: how a file that is found tells whether it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.metadata import plan_file_change
from keywright.store.journal import Before, BeforeForm, EntryState, Intent
from keywright.writeback.before import digest
from keywright.writeback.settling import judge
from writeback.kit import CAT, DOG, OTHER_PROGRAM, raw


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    """A raw file's sidecar that another program made."""
    path = raw(tmp_path / "a.nef").with_suffix(".xmp")
    path.write_bytes(OTHER_PROGRAM)
    return path


def with_keyword(sidecar: Path, content: bytes, *keywords: object) -> bytes:
    sidecar.write_bytes(content)
    return plan_file_change(sidecar.with_suffix(".nef"), keywords).after  # type: ignore[arg-type]


def intent(sidecar: Path, *, undo: bool = False) -> Intent:
    change = plan_file_change(sidecar.with_suffix(".nef"), [DOG])
    old, new = (change.after, change.before) if undo else (change.before, change.after)
    return Intent(
        target="file",
        address=str(sidecar),
        photos=(),
        old_digest=digest(old),
        new_digest=digest(new),
        before=Before(BeforeForm.NOT_KEPT),
        added=change.added.to_json().encode(),
        added_keywords=(),
        removed_keywords=(),
        creates=False,
        undoes=1 if undo else None,
    )


def test_old_bytes_are_left_and_new_bytes_are_written(sidecar: Path) -> None:
    ours = with_keyword(sidecar, OTHER_PROGRAM, DOG)
    sidecar.write_bytes(OTHER_PROGRAM)
    apply, undo = intent(sidecar), intent(sidecar, undo=True)
    assert judge(OTHER_PROGRAM, apply, "a.xmp", unfinished=False)[0] is EntryState.LEFT
    assert judge(ours, apply, "a.xmp", unfinished=False)[0] is EntryState.WRITTEN
    assert judge(ours, undo, "a.xmp", unfinished=False)[0] is EntryState.LEFT
    assert judge(OTHER_PROGRAM, undo, "a.xmp", unfinished=False)[0] is EntryState.WRITTEN


def test_a_file_somebody_else_wrote_since_counts_as_written_when_our_keywords_are_in_it(sidecar: Path) -> None:
    ours_and_theirs = with_keyword(sidecar, with_keyword(sidecar, OTHER_PROGRAM, DOG), CAT)
    theirs = with_keyword(sidecar, OTHER_PROGRAM, CAT)
    sidecar.write_bytes(OTHER_PROGRAM)
    apply, undo = intent(sidecar), intent(sidecar, undo=True)
    assert judge(ours_and_theirs, apply, "a.xmp", unfinished=False)[0] is EntryState.WRITTEN
    assert judge(theirs, apply, "a.xmp", unfinished=False)[0] is EntryState.LEFT
    assert judge(ours_and_theirs, undo, "a.xmp", unfinished=False)[0] is EntryState.LEFT
    assert judge(theirs, undo, "a.xmp", unfinished=False)[0] is EntryState.WRITTEN


def test_keywords_the_person_added_alone_are_not_taken_for_ours_while_our_file_lies_unfinished(sidecar: Path) -> None:
    by_hand = with_keyword(sidecar, OTHER_PROGRAM, DOG, CAT)
    sidecar.write_bytes(OTHER_PROGRAM)
    assert judge(by_hand, intent(sidecar), "a.xmp", unfinished=True)[0] is EntryState.LEFT


def test_a_file_that_is_gone_or_is_no_xmp_any_more_is_left(sidecar: Path) -> None:
    apply = intent(sidecar)
    assert judge(None, apply, "a.xmp", unfinished=False) == (EntryState.LEFT, "the file is gone")
    assert judge(b"<rubbish", apply, "a.xmp", unfinished=False)[0] is EntryState.LEFT
