"""How an operation tells how far it is, and is told to stop."""

from __future__ import annotations

from typing import Protocol

from keywright.errors import KeywrightError


class CancelledError(KeywrightError):
    """The user stopped the operation; what was finished until then is kept."""


class Progress(Protocol):
    """Called now and then with the stage's name, what is done of it, and of how much (``None``: not known)."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


class Note(Protocol):
    """Told, in a sentence, what the person should know of the result."""

    def __call__(self, text: str, /) -> None: ...


def unsaid(text: str) -> None:
    """A note that nobody reads."""


class Cancel(Protocol):
    """Asked now and then whether to stop."""

    def __call__(self) -> bool: ...


def never() -> bool:
    return False
