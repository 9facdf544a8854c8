"""The protocol of describers: a photo in, candidate keywords with scores out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from keywright.errors import KeywrightError
from keywright.text import one_line

MOST_CANDIDATES = 50
"""Candidates of one photo that are listened to."""
LONGEST_NAME = 64
"""Characters of a candidate; what is longer is no keyword."""
_SAID = 200  # characters of a stranger's message that are shown


class DescriberError(KeywrightError):
    """A describer gave no answer; the sentence says which and why."""


class RefusedError(DescriberError):
    """The provider refuses who we are or what it is set up to (a key, a model, an address), or may be asked no more:
    asking again will not help, nor asking about another photo."""


class PhotoRefusedError(DescriberError):
    """The provider refuses this request, which may be for the photo in it: another photo may be taken."""


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
        where none will, ``PhotoRefusedError`` where one about another photo may, ``UnclearError`` where the answer
        makes no sense."""
        ...


def lacks_key(name: str) -> RefusedError:
    return RefusedError(f"{name} needs a key; set it with `keywright provider add {name} --key`")


def quoted(text: object, secret: str | None = None) -> str:
    """A stranger's own words as they are shown inside a sentence: on one line, short, without control characters, and
    without the ``secret`` that they may repeat."""
    whole = str(text)
    if secret is not None and len(secret) > 3:
        whole = whole.replace(secret, "[the key]")
    return one_line(whole[: 4 * _SAID])[:_SAID]
