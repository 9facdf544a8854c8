"""The protocol of describers: a photo in, candidate keywords with scores out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from keywright.errors import KeywrightError

MOST_CANDIDATES = 50
"""Candidates of one photo that are listened to."""
LONGEST_NAME = 64
"""Characters of a candidate; what is longer is no keyword."""


class DescriberError(KeywrightError):
    """A describer gave no answer; the sentence says which and why."""


class RefusedError(DescriberError):
    """The provider refuses what we are or ask (a key, a model, an address): asking again will not help."""


class BusyError(DescriberError):
    """The provider asks us to come again later, or failed in a way that may pass."""

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence)
        self.after = after  # seconds the provider asks us to wait, where it says


class UnclearError(DescriberError):
    """The provider answered what cannot be understood."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown to a describer: a small JPEG without any metadata."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something a describer sees, in its own word, and how sure it is (0 to 1; 0.5 where it does not say)."""

    name: str
    score: float


class Describer(Protocol):
    """One provider's way of describing."""

    id: str  # what the answer depends on besides the picture: kind, model, and how it is asked; answers are kept by it

    def describe(self, picture: Picture) -> tuple[Candidate, ...]:
        """What it sees, most sure first. One attempt: raises ``BusyError`` where another may help, ``RefusedError``
        where none will, ``UnclearError`` where the answer makes no sense."""
        ...
