"""What a request may be at most: its bytes, the pixels of a picture, the photos of one list, streams at a time."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

from flask import Request

from keywright.service.problems import ProblemError

MOST_JSON_BYTES = 4 << 20
MOST_PICTURE_BYTES = 32 << 20
MOST_PICTURE_PIXELS = 64_000_000
MOST_PICTURE_SIDE = 20_000
MOST_MODEL_BYTES = 128 << 20
MOST_PHOTOS = 10_000
MOST_DECISIONS = 10_000
MOST_PAGE = 1000
MOST_STREAMS = 3
STREAM_SECONDS = 600
MOST_ID = 2**53 - 1
"""The largest number that every JSON reader keeps exactly."""


def body_of(request: Request, most: int) -> bytes:
    """The body, read only where it is small enough. Raises ``ProblemError``."""
    length = request.content_length
    if length is None:
        return b""
    if length > most:
        raise ProblemError(413, "too-large", f"The request is larger than the {most >> 20} MB that are taken here.")
    return request.get_data(cache=False)


def check_jpeg(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG that may be decoded; only its header is read. Raises ``ProblemError``."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        raise _too_many_pixels("far too many") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise ProblemError(422, "not-a-jpeg", "The rendition is no JPEG; send the photo as a JPEG.") from error
    if max(width, height) > MOST_PICTURE_SIDE or width * height > MOST_PICTURE_PIXELS:
        raise _too_many_pixels(f"{width} × {height}")
    return width, height


def _too_many_pixels(number: str) -> ProblemError:
    return ProblemError(
        422,
        "too-many-pixels",
        f"The rendition has {number} pixels; send one of at most {MOST_PICTURE_PIXELS // 1_000_000} million, "
        "1024 on the long side are enough.",
    )


class Slot:
    """A place for one stream; giving it back twice is giving it back once."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back
        self._lock = threading.Lock()

    def give_back(self) -> None:
        with self._lock:
            todo, self._give_back = self._give_back, None
        if todo is not None:
            todo()


class Streams:
    """How many answers may be streamed for long at once: each holds a thread."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._free = threading.BoundedSemaphore(most)

    def take(self) -> Slot:
        """Raises ``ProblemError`` where too many run already."""
        if not self._free.acquire(blocking=False):
            raise ProblemError(
                503,
                "too-many-streams",
                "Too many streams are open; ask again with polling.",
                headers={"Retry-After": "5"},
            )
        return Slot(self._free.release)
