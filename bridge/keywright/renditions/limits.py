"""How large a picture may be: a small file can promise more pixels than any memory holds."""

from __future__ import annotations

MAX_PIXELS = 300_000_000
"""Most pixels decoded at once: about 1 GB. A JPEG counts by the size at which it is decoded, up to 64 times smaller."""


class TooLargeError(Exception):
    """More pixels than ``MAX_PIXELS``."""


def check_size(width: int, height: int) -> None:
    """Raise ``TooLargeError`` for a picture that must not be decoded."""
    if width * height > MAX_PIXELS:
        raise TooLargeError(
            f"its {width} × {height} pixels are more than the {MAX_PIXELS // 1_000_000} million that are decoded"
        )
