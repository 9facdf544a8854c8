"""What can go wrong between a front-end and the bridge; every text is one sentence a user can read."""

from __future__ import annotations

from collections.abc import Sequence


class BridgeError(Exception):
    """The bridge cannot be reached or started, or could not do what was asked."""


class UnreachableError(BridgeError):
    """No bridge answers."""


class TooOldError(BridgeError):
    """The bridge and the front-end do not speak the same protocol."""


class ProblemError(BridgeError):
    """The bridge refused: ``status`` is HTTP's, ``kind`` the last part of the problem's type."""

    def __init__(self, status: int, kind: str, detail: str, errors: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.errors = tuple(errors)
