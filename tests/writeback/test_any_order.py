"""Batches may be undone in any order: in the end the photos are as they were, whoever wrote in between."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.writeback import AcceptedKeyword, Journal, PhotoDecisions, apply, undo
from writeback.kit import CAT, DOG, OTHER_PROGRAM, SEA, accept, contents, jpeg, keywords, open_journal, raw, targets

ANIMALS = KeywordPath.of("Animals")
COW = KeywordPath.of("Animals", "Cow")
TERRIER = KeywordPath.of("Animals", "Dog", "Terrier")
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


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), BATCHES, st.randoms(use_true_random=False), st.booleans())
def test_in_whatever_order_batches_are_undone_the_file_is_what_it_was(
    kind: str, batches: list[tuple[frozenset[KeywordPath], frozenset[KeywordPath]]], chance: object, disturbed: bool
) -> None:
    with somewhere(kind) as (folder, photo, journal):
        before, had = contents(folder), keywords(photo)
        ids = []
        for add, remove in batches:
            one = PhotoDecisions(photo, tuple(AcceptedKeyword(k) for k in sorted(add)), tuple(sorted(remove)))
            ids.append(apply([one], journal, targets()).batch_id)
        order = [one for one in ids if one is not None]
        chance.shuffle(order)  # type: ignore[attr-defined]
        for number, one in enumerate(order):
            if disturbed and number == 1:
                touched(photo)
            assert undo(one, journal, targets()).refused == []
        if disturbed and len(order) > 1:
            assert keywords(photo) == had
        else:
            assert contents(folder) == before


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
