"""What a person decides about keywords on photos, and what a photo carries and was suggested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from keywright.keywords import KeywordPath
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.answers import given_answer, keep_answer
from keywright.store.decisions import Decision, DecisionRow, forget_decisions, record_decisions, record_waiting
from keywright.store.lookups import decisions_on, photos_by_id
from keywright.store.photos import KeywordIds, keywords_of
from keywright.store.primes import primes_on, set_prime
from keywright.store.suggestions import settle


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision; ``decision`` ``None`` takes an earlier one back."""

    photo_id: int
    keyword: KeywordPath
    decision: Decision | None
    confidence: float | None = None
    version_id: int | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """The key under which a request is done once, and a digest of what it asks."""

    key: str
    request: str


def decide(workspace: Workspace, made: Sequence[Decided], once: Once | None = None) -> int:
    """Keep decisions, all or none; they are on the disk when this returns, whatever becomes of learning them.

    On a bridge with a teacher (``operations.teaching``) the models have learned them as well, as a rule, or do so soon.
    Under a key that was used for the same request before nothing is done again. Gives how many were kept. Raises
    ``NotFoundError`` where a photo is unknown, ``KeyUsedError`` where the key was used for something else.
    """
    with workspace.store.write() as connection:
        if once is not None and (before := given_answer(connection, once.key, once.request)) is not None:
            return int(before)
        _require_photos(connection, [one.photo_id for one in made])
        ids = KeywordIds(connection)
        # The last word on a photo and keyword counts, also within one request.
        last = {(one.photo_id, ids.id(one.keyword)): one for one in made}
        _remember_what_was(connection, {pair: one.decision for pair, one in last.items()})
        record_decisions(
            connection,
            [
                DecisionRow(photo, keyword, one.decision, one.confidence, one.version_id)
                for (photo, keyword), one in last.items()
                if one.decision is not None
            ],
        )
        forget_decisions(connection, [pair for pair, one in last.items() if one.decision is None])
        refused = [pair for pair, one in last.items() if one.decision is Decision.REJECTED]
        for photo, keyword in primes_on(connection, [photo for photo, _ in refused]) & set(refused):
            set_prime(connection, photo, keyword, on=False)
        settle(connection, {photo for photo, _ in last}, ids.paths())
        if once is not None:
            keep_answer(connection, once.key, once.request, str(len(last)))
    if workspace.teacher is not None:
        workspace.teacher.told()
    return len(last)


def _remember_what_was(connection: Connection, new: Mapping[tuple[int, int], Decision | None]) -> None:
    """What the models know of these photos and keywords, for those of which a person now says something else."""
    photo_ids = sorted({photo for photo, _ in new})
    was = {
        (d.photo_id, d.keyword_id): d.decision for some in decisions_on(connection, photo_ids).values() for d in some
    }
    marked = primes_on(connection, photo_ids)
    changed = [pair for pair, decision in new.items() if was.get(pair) is not decision]
    record_waiting(connection, [(*pair, was.get(pair), pair in marked) for pair in changed])


def _require_photos(connection: Connection, photo_ids: Sequence[int]) -> None:
    wanted = list(dict.fromkeys(photo_ids))
    found = photos_by_id(connection, wanted)
    missing = [number for number in wanted if number not in found]
    if missing:
        raise NotFoundError(f"There is no photo {missing[0]}; nothing was decided.")


class KeywordSource(StrEnum):
    PERSON = "person"
    SUGGESTION = "suggestion"


class KeywordState(StrEnum):
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class CarriedKeyword:
    """A keyword of a photo: whose it is, and what was decided of it."""

    keyword: KeywordPath
    source: KeywordSource
    state: KeywordState
    confidence: float | None
    prime: bool = False  # a person marked the photo as a prime example of it


def keywords_on(workspace: Workspace, photo_id: int) -> list[CarriedKeyword]:
    """What the photo carries, and what was decided on it. Raises ``NotFoundError``."""
    with workspace.store.read() as connection:
        if photo_id not in photos_by_id(connection, [photo_id]):
            raise NotFoundError(f"There is no photo {photo_id}.")
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, [photo_id]).get(photo_id, frozenset())
        made = decisions_on(connection, [photo_id]).get(photo_id, [])
        marked = {keyword for _, keyword in primes_on(connection, [photo_id])}
    states = {Decision.ACCEPTED: KeywordState.ACCEPTED, Decision.REJECTED: KeywordState.REJECTED}
    found = {
        one.keyword_id: CarriedKeyword(
            names[one.keyword_id],
            KeywordSource.PERSON if one.confidence is None else KeywordSource.SUGGESTION,
            states[one.decision],
            one.confidence,
            one.keyword_id in marked,
        )
        for one in made
    }
    for number in carried:
        if number not in found or found[number].state is KeywordState.ACCEPTED:
            before = found.get(number)
            source = before.source if before else KeywordSource.PERSON
            confidence = before.confidence if before else None
            found[number] = CarriedKeyword(names[number], source, KeywordState.ASSIGNED, confidence, number in marked)
    return sorted(found.values(), key=lambda one: one.keyword.key)
