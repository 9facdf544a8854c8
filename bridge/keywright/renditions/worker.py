"""A worker process: reads one request a line, decodes, answers; ends when its input ends.

Run as ``python -m keywright.renditions.worker`` by ``renderer.DecoderProcess``. An answer is a line of JSON,
``{"how", "height", "width"}`` followed by the pixels, or ``{"error"}``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from keywright.renditions.base import Crop, Rendition, RenditionError, View
from keywright.renditions.make import make_rendition, make_thumbnail


def answer(line: bytes) -> tuple[bytes, bytes]:
    """The line and the bytes that answer a request."""
    request = json.loads(line)
    path = Path(request["path"])
    try:
        rendition: Rendition = (
            make_rendition(path, View(Crop(request["crop"]), request["size"]))
            if "crop" in request
            else make_thumbnail(path, request["longest_side"])
        )
    except RenditionError as error:
        return json.dumps({"error": str(error)}).encode() + b"\n", b""
    height, width, _ = rendition.pixels.shape
    head = {"how": rendition.how.value, "height": height, "width": width}
    return json.dumps(head).encode() + b"\n", rendition.pixels.tobytes()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    for line in requests:
        head, pixels = answer(line)
        answers.write(head)
        answers.write(pixels)
        answers.flush()


def main() -> None:
    # Ctrl-C reaches every process of a terminal; whoever asked for the photo decides what is stopped.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Some C libraries print to standard output; only answers may go there.
    channel = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    with os.fdopen(channel, "wb") as answers:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.setmode(answers.fileno(), os.O_BINARY)
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
