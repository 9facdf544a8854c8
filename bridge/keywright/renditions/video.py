"""A frame of a video that shows what it is about: not the black, white or blurred first one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from keywright.renditions.base import How
from keywright.renditions.limits import check_size
from keywright.renditions.picture import Picture

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOMENTS = (0.33, 0.5, 0.15, 0.75, 0.0)
"""Parts of the duration that are looked at, in this order, until a frame has contrast."""
CONTRAST = 24.0
"""Standard deviation of the brightness (0 to 255) from which a frame is taken without looking further."""
_MOST_FRAMES_LOOKED_AT = 60
_ORIENTATION_OF_TURN = {0: 1, 90: 8, 180: 3, 270: 6}  # FFmpeg turns against the clock


class NoVideoSupportError(Exception):
    """PyAV is not installed."""


class NoFrameError(Exception):
    """The file holds no picture."""


def decode_video(path: Path) -> Picture:
    """Decode the first of ``MOMENTS`` with contrast, else the frame that has most of it."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise NoVideoSupportError from None

    best: tuple[float, Picture] | None = None
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise NoFrameError("it holds no video")
        stream = container.streams.video[0]
        check_size(stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "SLICE"
        for moment in MOMENTS:
            try:
                picture = _frame_at(container, stream, moment)
            except FFmpegError:
                continue  # a damaged place; another moment may be whole
            if picture is None:
                continue
            contrast = float(np.asarray(picture.image.convert("L").resize((64, 64))).std())
            if best is None or contrast > best[0]:
                best = (contrast, picture)
            if contrast >= CONTRAST:
                break
    if best is None:
        raise NoFrameError("no frame of it can be decoded")
    return best[1]


def _frame_at(container: InputContainer, stream: VideoStream, moment: float) -> Picture | None:
    """The key frame nearest before the moment; without a known duration, the frame some way into the stream."""
    duration = container.duration
    if duration is not None:
        start = container.start_time or 0
        container.seek(start + int(duration * moment), backward=True)
        for frame in container.decode(stream):
            return _picture_of(frame)
        return None
    container.seek(0)
    found = None
    for number, frame in enumerate(container.decode(stream)):
        found = frame
        if number >= moment * _MOST_FRAMES_LOOKED_AT:
            break
    return None if found is None else _picture_of(found)


def _picture_of(frame: object) -> Picture:
    image = frame.to_image()  # type: ignore[attr-defined]
    assert isinstance(image, Image.Image)
    turn = round(getattr(frame, "rotation", 0)) % 360
    return Picture(image, _ORIENTATION_OF_TURN.get(turn, 1), how=How.FRAME)
