"""Renditions that no damaged file can stop: decoders that may crash or hang run in worker processes.

A worker is a plain child process (``python -m keywright.renditions.worker``) that is told one photo at a time through a
pipe. So a crash is known to be that photo's, on every system, whatever thread or program started the work; it is one
``RenditionError``, and the next photo gets a new worker. ``multiprocessing`` is not used: its pools cannot say which
photo killed a worker, and on Windows and macOS they import the caller's main module again.

Formats in ``IN_PROCESS`` are decoded in the calling thread: on JPEG a round through a worker costs 0.5 ms for nothing.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from keywright.renditions.base import How, Rendition, RenditionError, View
from keywright.renditions.formats import IN_PROCESS, format_of
from keywright.renditions.make import make_rendition, make_thumbnail

TIME_LIMIT = 60.0
"""Seconds after which a decoder is held to hang."""
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows: no console flashes up


class WorkerDiedError(Exception):
    """The worker ended, or was ended, without an answer."""


class DecoderProcess:
    """One worker process; for one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "keywright.renditions.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )

    def ask(self, request: dict[str, str | int], time_limit: float) -> Rendition:
        """Have one photo decoded. Raises ``RenditionError``, or ``WorkerDiedError`` after which the worker is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(time_limit, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise WorkerDiedError
            answer = json.loads(line)
            if "error" in answer:
                raise RenditionError(answer["error"])
            height, width = int(answer["height"]), int(answer["width"])
            data = self._process.stdout.read(height * width * 3)
            if len(data) != height * width * 3:
                raise WorkerDiedError
        except (OSError, ValueError):
            raise WorkerDiedError from None
        finally:
            timer.cancel()
        return Rendition(np.frombuffer(data, np.uint8).reshape(height, width, 3), How(answer["how"]))

    def stop(self) -> int:
        """End the process and wait for it; gives its exit status, negative for a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill() if self._process.poll() is None else None
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except OSError:
                continue  # unsent bytes to a worker that is gone
        return status


class Renderer:
    """``make_rendition`` and ``make_thumbnail`` for many threads, safe from decoders; a context manager.

    Worker processes start when the first photo needs one, at most one for each thread that asks at the same time, and
    end with the context.
    """

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self._time_limit = time_limit
        self._idle: queue.LifoQueue[DecoderProcess] = queue.LifoQueue()

    def rendition(self, path: Path, view: View) -> Rendition:
        """The photo as an encoder with ``view`` sees it. Raises ``RenditionError``."""
        if _is_trusted(path):
            return make_rendition(path, view)
        return self._ask(path, {"path": os.fspath(path), "crop": view.crop.value, "size": view.size})

    def thumbnail(self, path: Path, longest_side: int) -> Rendition:
        """The whole photo, at most ``longest_side`` pixels long. Raises ``RenditionError``."""
        if _is_trusted(path):
            return make_thumbnail(path, longest_side)
        return self._ask(path, {"path": os.fspath(path), "longest_side": longest_side})

    def _ask(self, path: Path, request: dict[str, str | int]) -> Rendition:
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = DecoderProcess()
        try:
            rendition = worker.ask(request, self._time_limit)
        except RenditionError:
            self._idle.put(worker)
            raise
        except BaseException as error:
            worker.stop()
            if isinstance(error, WorkerDiedError):
                raise RenditionError(
                    f"{path} made its decoder crash, or kept it busy for {self._time_limit:.0f} seconds: it is damaged."
                ) from None
            raise
        self._idle.put(worker)
        return rendition

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().stop()
            except queue.Empty:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _is_trusted(path: Path) -> bool:
    try:
        kind = format_of(path)
    except OSError:
        return True  # make_rendition says what is wrong
    return kind is None or kind in IN_PROCESS
