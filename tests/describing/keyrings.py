"""Keyrings of the tests' own, through keyring's interface for such; none is chosen unless a test sets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Memory(KeyringBackend):
    """What a keyring does, for as long as the test lasts."""

    priority = -1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


class Locked(Memory):
    """A keyring whose owner is not there to open it."""

    def get_password(self, service: str, username: str) -> str | None:
        del service, username
        raise KeyringLocked("Failed to unlock the collection!")

    def delete_password(self, service: str, username: str) -> None:
        del service, username
        raise KeyringLocked("Failed to unlock the collection!")


class Grudging(Memory):
    """A keyring that does not let a key go, and says of it what it says of one that is not there."""

    def delete_password(self, service: str, username: str) -> None:
        del service, username
        raise PasswordDeleteError("Can't delete password in keychain")


@contextmanager
def using(backend: KeyringBackend) -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
