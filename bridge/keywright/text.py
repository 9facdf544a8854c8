"""Text that any terminal and JSON take."""

from __future__ import annotations


def printable(value: object) -> str:
    """The value as text, in which bytes of a file name that are no Unicode are shown as ``\\xNN``."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    """The text on one line, its white space single, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
