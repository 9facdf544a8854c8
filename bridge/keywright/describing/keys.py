"""Providers' keys: in the system's keyring, or given to one run through the environment; never in a file of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping

from keywright.errors import KeywrightError, reason

SERVICE = "keywright-provider"
_VARIABLE = "KEYWRIGHT_KEY_"


class KeyringError(KeywrightError):
    """There is no keyring, or it cannot be used; the sentence says what to do."""


class BadKeyError(KeywrightError):
    """What was given as a key can be none. The sentence does not hold it."""


def variable_of(name: str) -> str:
    """The environment variable that holds a provider's key for one run, such as ``KEYWRIGHT_KEY_MY_VISION``."""
    return _VARIABLE + "".join(c if c.isalnum() else "_" for c in name).upper()


def key_of(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The key from the environment, else from the keyring; ``None`` where neither has one.

    Raises ``KeyringError``, and ``BadKeyError`` where what is there can be no key.
    """
    given = environment.get(variable_of(name), "").strip()
    if given:
        return clean_key(name, given)
    try:
        import keyring
        from keyring.errors import KeyringError as TheirError
        from keyring.errors import NoKeyringError
    except ImportError:
        return None
    try:
        kept = keyring.get_password(SERVICE, name)
    except NoKeyringError:
        return None
    except TheirError as error:
        raise KeyringError(f"The keyring of this system cannot be read ({reason(error)}); unlock it.") from error
    return clean_key(name, kept) if kept else None


def clean_key(name: str, key: str) -> str:
    """The key without the blanks and line ends that come along when it is copied. Raises ``BadKeyError``."""
    stripped = key.strip()
    if not stripped or not (stripped.isascii() and stripped.isprintable()):
        raise BadKeyError(
            f"What was given as the key of {name} is none: a key is letters, digits and signs of ASCII; copy it anew."
        )
    return stripped


def keep_key(name: str, key: str) -> None:
    """Raises ``KeyringError`` where there is no keyring to keep it in, and ``BadKeyError``."""
    key = clean_key(name, key)
    try:
        import keyring
        from keyring.errors import KeyringError as TheirError
    except ImportError as error:
        raise KeyringError(
            "Keys are kept in the system's keyring, and what reads it is not installed: "
            f"pip install 'keywright[describers]', or set {variable_of(name)} for a run."
        ) from error
    try:
        keyring.set_password(SERVICE, name, key)
    except TheirError as error:
        raise KeyringError(
            f"This system has no keyring that can keep the key ({reason(error).partition('.')[0]}); "
            f"set {variable_of(name)} in the environment instead: Keywright writes no key into a file."
        ) from error


def forget_key(name: str) -> None:
    """Take the key out of the keyring; none there is no error.

    Raises ``KeyringError`` where the keyring may still hold it, such as a locked one.
    """
    try:
        import keyring
        from keyring.errors import KeyringError as TheirError
        from keyring.errors import NoKeyringError, PasswordDeleteError
    except ImportError:
        return
    try:
        try:
            keyring.delete_password(SERVICE, name)
        except PasswordDeleteError:
            # Some keyrings say so of a key that is not there, some also of one that may not be taken out.
            if keyring.get_password(SERVICE, name) is not None:
                raise
    except NoKeyringError:
        return
    except TheirError as error:
        raise KeyringError(
            f"The key of {name} cannot be taken out of the keyring of this system ({reason(error)}); unlock it."
        ) from error
