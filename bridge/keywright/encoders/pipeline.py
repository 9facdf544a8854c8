"""From files to vectors: decoding and encoding of many photos at once, with bounded memory.

Each worker thread takes a few photos, decodes them and encodes them: no queue between the two can run empty or full,
and every core is busy from the first photo to the last. That works because decoders and networks run without Python's
lock, and an encoder says how many calls it takes at once (``simultaneous``: the built-in one takes one for each core;
one that has the whole machine, or a graphics card, to itself takes one, while the other threads decode). Decoders that
may crash run in processes of their own (``renditions.renderer``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import Encoder, available_cores
from keywright.renditions.base import How, Pixels, RenditionError
from keywright.renditions.renderer import Renderer

BATCH = 8
"""Photos that a thread decodes and encodes at a time: larger gains nothing on a CPU and shares out worse at the end."""
_BATCHES_AHEAD = 3  # for each thread


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """``vector``: float32, shape (dimension,), unit; ``norm``: its length before; ``index``: its place in the input."""

    index: int
    path: Path
    vector: NDArray[np.float32]
    norm: float
    how: How


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A photo that gives no picture; ``reason`` is a sentence that names it."""

    index: int
    path: Path
    reason: str


def embed_files(
    paths: Iterable[Path],
    encoder: Encoder,
    *,
    cancel: Callable[[], bool] = lambda: False,
    threads: int | None = None,
    batch: int | None = None,
) -> Iterator[EmbeddedPhoto | FailedPhoto]:
    """Embed photos; results come in the order of ``paths``, which is read only a little ahead.

    When ``cancel()`` becomes true the results end early; closing the iterator has the same effect. ``threads``: one for
    each core if not given; ``batch``: what the encoder says it is best given, else ``BATCH``.
    """
    cores = available_cores()
    wanted: int = getattr(encoder, "batch", BATCH) if batch is None else batch
    simultaneous: int = getattr(encoder, "simultaneous", 1)
    count = threads or (cores if simultaneous >= cores else cores + 1)
    turn = threading.Semaphore(simultaneous)
    stopped = threading.Event()

    def work(part: tuple[tuple[int, Path], ...]) -> list[EmbeddedPhoto | FailedPhoto]:
        return _embed_batch(part, encoder, renderer, turn, stopped.is_set)

    batches = _batched(enumerate(paths), wanted)
    with Renderer() as renderer, ThreadPoolExecutor(count, thread_name_prefix="embed") as pool:
        waiting: deque[Future[list[EmbeddedPhoto | FailedPhoto]]] = deque()
        try:
            while not cancel():
                while len(waiting) < count * _BATCHES_AHEAD and (part := next(batches, None)) is not None:
                    waiting.append(pool.submit(work, part))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def _batched(items: Iterator[tuple[int, Path]], size: int) -> Iterator[tuple[tuple[int, Path], ...]]:
    while part := tuple(islice(items, size)):
        yield part


def _embed_batch(
    part: tuple[tuple[int, Path], ...],
    encoder: Encoder,
    renderer: Renderer,
    turn: threading.Semaphore,
    stopped: Callable[[], bool],
) -> list[EmbeddedPhoto | FailedPhoto]:
    """Decode and encode a few photos, in their order; fewer when told to stop."""
    pixels: list[Pixels] = []
    hows: list[How] = []
    results: list[FailedPhoto | None] = []
    for index, path in part:
        if stopped():
            return []
        try:
            rendition = renderer.rendition(path, encoder.view)
        except RenditionError as error:
            results.append(FailedPhoto(index, path, str(error)))
            continue
        pixels.append(rendition.pixels)
        hows.append(rendition.how)
        results.append(None)
    if pixels:
        with turn:
            encoded = encoder.encode(pixels)
    row = 0
    done: list[EmbeddedPhoto | FailedPhoto] = []
    for (index, path), failed in zip(part, results, strict=True):
        if failed is not None:
            done.append(failed)
            continue
        done.append(EmbeddedPhoto(index, path, encoded.vectors[row], float(encoded.norms[row]), hows[row]))
        row += 1
    return done
