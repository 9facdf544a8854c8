"""Text that any terminal and JSON take."""

from __future__ import annotations


def printable(value: object) -> str:
    """The value as text, in which bytes of a file name that are no Unicode are shown as ``\\xNN``."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
