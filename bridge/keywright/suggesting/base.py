"""What a suggestion is, and what a user can set about suggesting."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.keywords import KeywordPath

ITS_NAME = "its name"
"""The source of what a keyword's name says; no describer can be called that."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A training photo with the keyword that this photo resembles; ``row`` is its row in the training data."""

    row: int
    similarity: float  # cosine of the two vectors, within -1 and 1


@dataclass(frozen=True, slots=True)
class Suggestion:
    keyword: KeywordPath
    confidence: float  # the probability that a person would give the photo this keyword
    because: tuple[Reason, ...] = ()  # most alike first
    sources: tuple[str, ...] = ()  # describers that name it or a keyword below it, and ``ITS_NAME``
    new: bool = False  # no keyword of the user's yet


@dataclass(frozen=True, slots=True)
class SuggestSettings:
    min_confidence: float | None = None  # None: each keyword's own threshold
    limit: int = 10  # at most so many a photo, most confident first; 0: all of them
    reasons: int = 3  # at most so many photos as the reason of each
    min_photos: int | None = None  # keywords on fewer photos are not suggested; None: as they were learned
