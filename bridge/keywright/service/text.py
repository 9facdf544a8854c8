"""Text for the wire: bytes of a file name that are no Unicode are shown as ``\\xNN``."""

from __future__ import annotations


def printable(value: object) -> str:
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
