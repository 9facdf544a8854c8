"""Batches may be undone in any order: in the end the photos are as they were, whoever wrote in between."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.writeback import AcceptedKeyword, Journal, PhotoDecisions, apply, undo
from writeback.kit import CAT, DOG, OTHER_PROGRAM, SEA, accept, contents, jpeg, keywords, open_journal, raw, targets

ANIMALS = KeywordPath.of("Animals")
COW = KeywordPath.of("Animals", "Cow")
TERRIER = KeywordPath.of("Animals", "Dog", "Terrier")
HORSE = KeywordPath.of("Animals", "Horse")
POODLE = KeywordPath.of("Animals", "Dog", "Poodle")
BIRDS = KeywordPath.of("Birds")
WORDS = (DOG, CAT, COW, TERRIER, ANIMALS, SEA)

KINDS = ("jpeg", "keyworded jpeg", "sidecar", "no sidecar")


def photo_of(kind: str, folder: Path) -> Path:
    if kind in ("jpeg", "keyworded jpeg"):
        photo = jpeg(folder / "a.jpg")
        if kind == "keyworded jpeg":
            given_by_hand(photo, SEA)
        return photo
    photo = raw(folder / "a.nef")
    if kind == "sidecar":
        photo.with_suffix(".xmp").write_bytes(OTHER_PROGRAM)
    return photo


def given_by_hand(photo: Path, *add: KeywordPath, remove: tuple[KeywordPath, ...] = ()) -> None:
    """What the person does in another program: written without a journal."""
    change = plan_file_change(photo, add, remove)
    if change.changes:
        change.target.write_bytes(bytes(change.result[: len(change.result)]))


def touched(photo: Path) -> None:
    """Another program writes the file and changes no keyword."""
    sidecar = photo.with_suffix(".xmp")
    target = sidecar if sidecar.exists() else photo
    data = target.read_bytes()
    target.write_bytes(
        data.replace(b'<?xpacket end="w"?>', b' <?xpacket end="w"?>') if sidecar.exists() else data + b"\0"
    )


@contextmanager
def somewhere(kind: str) -> Iterator[tuple[Path, Path, Journal]]:
    top = Path(tempfile.mkdtemp(prefix="keywright-order-"))
    try:
        (top / "photos").mkdir()
        journal = open_journal(top / "home")
        yield top / "photos", photo_of(kind, top / "photos"), journal
    finally:
        shutil.rmtree(top)


PARTS = st.frozensets(st.sampled_from(WORDS), max_size=2)
BATCHES = st.lists(st.tuples(PARTS, PARTS), min_size=2, max_size=5)
ORDERS = st.permutations(range(5))

Batches = Sequence[tuple[Collection[KeywordPath], Collection[KeywordPath]]]


def wrote_and_undid(
    photo: Path, journal: Journal, batches: Batches, order: Sequence[int], between: Callable[[], None]
) -> int:
    """Apply the batches one after the other, undo them in this order, and let something else happen after the first.

    Gives how many there were to undo.
    """
    ids = []
    for add, remove in batches:
        one = PhotoDecisions(photo, tuple(AcceptedKeyword(k) for k in sorted(add)), tuple(sorted(remove)))
        ids.append(apply([one], journal, targets()).batch_id)
    undone = 0
    for number in order:
        batch = ids[number] if number < len(ids) else None
        if batch is None:
            continue
        if undone == 1:
            between()
        assert undo(batch, journal, targets()).refused == []
        undone += 1
    return undone


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), BATCHES, ORDERS)
def test_in_whatever_order_batches_are_undone_the_file_is_what_it_was(
    kind: str, batches: Batches, order: Sequence[int]
) -> None:
    with somewhere(kind) as (folder, photo, journal):
        before = contents(folder)
        wrote_and_undid(photo, journal, batches, order, lambda: None)
        assert contents(folder) == before


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), BATCHES, ORDERS)
# A keyword taken out is no parent of its own; what stood for it goes with the last batch that needed it.
@example("sidecar", [((TERRIER,), ()), ((), (DOG, TERRIER))], [0, 1])
@example("sidecar", [((CAT,), ()), ((TERRIER,), ()), ((), (CAT, SEA))], [1, 2, 0])
@example("jpeg", [((ANIMALS, TERRIER), ()), ((), (ANIMALS,))], [0, 1])
@example("no sidecar", [((TERRIER,), ()), ((CAT, COW), ()), ((), (COW,))], [0, 1, 2])
# A parent that an undo wrote anew, with what it put back, is not there before the next.
@example("sidecar", [((ANIMALS,), ()), ((TERRIER,), ()), ((), (TERRIER,))], [0, 2, 1])
@example("no sidecar", [((TERRIER,), ()), ((ANIMALS,), ()), ((CAT,), (TERRIER,))], [1, 2, 0])
# What the person had, one batch took out and another put in is the person's again, and never else.
@example("sidecar", [((TERRIER,), ()), ((), (SEA,)), ((SEA,), ())], [0, 1, 2])
@example("sidecar", [((CAT,), ()), ((), (CAT,)), ((CAT,), ())], [1, 2, 0])
def test_where_another_program_wrote_between_undos_the_keywords_are_what_they_were(
    kind: str, batches: Batches, order: Sequence[int]
) -> None:
    with somewhere(kind) as (folder, photo, journal):
        before, had = contents(folder), keywords(photo)
        undone = wrote_and_undid(photo, journal, batches, order, lambda: touched(photo))
        assert keywords(photo) == had
        if undone < 2:
            assert contents(folder) == before


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), BATCHES, ORDERS, st.sampled_from((HORSE, POODLE, BIRDS)))
def test_what_the_person_gives_between_two_undos_stays_in_whatever_order(
    kind: str, batches: Batches, order: Sequence[int], given_then: KeywordPath
) -> None:
    with somewhere(kind) as (_, photo, journal):
        had = keywords(photo)
        undone = wrote_and_undid(photo, journal, batches, order, lambda: given_by_hand(photo, given_then))
        assert keywords(photo) == (had | {str(given_then)} if undone > 1 else had)


@pytest.mark.parametrize("kind", KINDS)
def test_a_parent_that_a_later_batch_needed_goes_with_the_last_that_needs_it(kind: str) -> None:
    with somewhere(kind) as (_, photo, journal):
        had = keywords(photo)
        dog, sea, cat = (apply(accept([photo], k), journal, targets()).batch_id for k in (DOG, SEA, CAT))
        undo(dog, journal, targets())
        assert keywords(photo) == had | {"Sea", "Animals|Cat"}
        touched(photo)
        undo(cat, journal, targets())
        assert keywords(photo) == had | {"Sea"}
        if sea is not None:
            undo(sea, journal, targets())
        assert keywords(photo) == had


@pytest.mark.parametrize("kind", KINDS)
def test_a_parent_that_the_person_gives_between_two_undos_stays(kind: str) -> None:
    with somewhere(kind) as (_, photo, journal):
        had = keywords(photo)
        dog, cow = (
            apply(accept([photo], k), journal, targets()).batch_id for k in (DOG, KeywordPath.of("Farm", "Cow"))
        )
        undo(dog, journal, targets())
        given_by_hand(photo, ANIMALS)
        undo(cow, journal, targets())
        assert keywords(photo) == had | {"Animals"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_batch_wrote_and_the_next_took_off_is_not_brought_back_by_undoing_both(kind: str) -> None:
    with somewhere(kind) as (_, photo, journal):
        had = keywords(photo)
        wrote = apply(accept([photo], DOG), journal, targets()).batch_id
        took = apply([PhotoDecisions(photo, (), (DOG,))], journal, targets()).batch_id
        touched(photo)
        undo(wrote, journal, targets())
        assert keywords(photo) == had
        undo(took, journal, targets())
        assert keywords(photo) == had


@pytest.mark.parametrize("kind", KINDS)
def test_two_bridges_that_know_nothing_of_each_other_give_back_every_byte_last_first(kind: str) -> None:
    with somewhere(kind) as (folder, photo, journal):
        before, other = contents(folder), open_journal(folder.parent / "other home")
        apply(accept([photo], DOG), journal, targets())
        apply(accept([photo], CAT), other, targets())
        undo(None, other, targets())
        undo(None, journal, targets())
        assert contents(folder) == before
