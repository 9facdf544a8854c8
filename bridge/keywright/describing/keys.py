"""Providers' keys: in the system's keyring, or given to one run through the environment; never in a file of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping

from keywright.errors import KeywrightError, reason

SERVICE = "keywright-provider"
_VARIABLE = "KEYWRIGHT_KEY_"


class KeyringError(KeywrightError):
    """There is no keyring, or it cannot be used; the sentence says what to do."""


def variable_of(name: str) -> str:
    """The environment variable that holds a provider's key for one run, such as ``KEYWRIGHT_KEY_MY_VISION``."""
    return _VARIABLE + "".join(c if c.isalnum() else "_" for c in name).upper()


def key_of(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The key from the environment, else from the keyring; ``None`` where neither has one. Raises ``KeyringError``."""
    given = environment.get(variable_of(name))
    if given:
        return given
    try:
        import keyring
        from keyring.errors import KeyringError as TheirError
        from keyring.errors import NoKeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(SERVICE, name)
    except NoKeyringError:
        return None
    except TheirError as error:
        raise KeyringError(f"The keyring of this system cannot be read ({reason(error)}); unlock it.") from error


def keep_key(name: str, key: str) -> None:
    """Raises ``KeyringError`` where there is no keyring to keep it in."""
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
    """Take the key out of the keyring; none there is no error."""
    try:
        import keyring
        from keyring.errors import KeyringError as TheirError
    except ImportError:
        return
    try:
        keyring.delete_password(SERVICE, name)
    except TheirError:
        return  # there was none, or no keyring that could have had one
