"""How fast photos become vectors on this machine, against the fastest they could.

The limit is ``cores / (decode seconds + encode seconds)`` for a photo, both of one core by itself: what the cores give
when nothing waits for anything. Decoding and encoding are measured before and after the run, and averaged. They count
processor time, so that other programs do not lower the limit; the photos a second that were reached count the clock's,
and the share of the cores that the run was given says how much of the difference is other programs' doing.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keywright.encoders.base import Encoder, available_cores
from keywright.encoders.pipeline import BATCH, FailedPhoto, embed_files
from keywright.errors import KeywrightError
from keywright.renditions.base import Pixels, RenditionError
from keywright.renditions.make import make_rendition

SAMPLE = 128
"""Photos on which decoding and encoding are measured by themselves, before the run and again after it."""


@dataclass(frozen=True, slots=True)
class EmbedSpeed:
    """Seconds are per photo and of one core; ``reached`` and ``limit`` are photos per second."""

    encoder_id: str
    runs_on: str
    photos: int
    failed: int
    cores: int
    decode_seconds: float
    encode_seconds: float
    reached: float
    share: float  # of all cores' time during the run, what this process had
    peak_memory: int | None  # bytes of this process, None where the system does not tell

    @property
    def limit(self) -> float:
        return self.cores / (self.decode_seconds + self.encode_seconds)

    @property
    def ratio(self) -> float:
        return self.reached / self.limit

    def lines(self) -> list[str]:
        """The figures for a person."""
        memory = "unknown" if self.peak_memory is None else f"{self.peak_memory / 2**20:.0f} MB"
        return [
            f"encoder         {self.encoder_id} ({self.runs_on})",
            f"photos          {self.photos} ({self.failed} gave no picture)",
            f"decode          {self.decode_seconds * 1000:.2f} ms a photo",
            f"encode          {self.encode_seconds * 1000:.2f} ms a photo",
            f"limit           {self.limit:.1f} photos/s on {self.cores} cores",
            f"reached         {self.reached:.1f} photos/s ({self.ratio:.2f} of the limit)",
            f"cores' share    {self.share:.2f} ({self.ratio / self.share:.2f} of the limit for the time it had)",
            f"peak memory     {memory}",
        ]


def measure(paths: Sequence[Path], encoder: Encoder, progress: Callable[[int, int], None] | None = None) -> EmbedSpeed:
    """Embed ``paths`` and say how fast that was. Raises ``KeywrightError`` where none of them gives a picture."""
    cores = available_cores()
    sample = paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]
    _alone(sample[:BATCH], encoder, cores)  # warm up: imports, caches, memory
    before = _alone(sample, encoder, cores)
    start, used, done, failed = time.perf_counter(), time.process_time(), 0, 0
    for result in embed_files(paths, encoder):
        done += 1
        failed += isinstance(result, FailedPhoto)
        if progress is not None:
            progress(done, len(paths))
    seconds = time.perf_counter() - start
    share = (time.process_time() - used) / (seconds * cores)
    after = _alone(sample, encoder, cores)
    decode, encode = ((first + second) / 2 for first, second in zip(before, after, strict=True))
    runs_on: str = getattr(encoder, "runs_on", "its own runtime")
    return EmbedSpeed(encoder.id, runs_on, done, failed, cores, decode, encode, done / seconds, share, _peak_memory())


def _alone(paths: Sequence[Path], encoder: Encoder, cores: int) -> tuple[float, float]:
    """Core-seconds a photo for decoding and for encoding, each by itself."""
    pixels: list[Pixels] = []
    start = time.process_time()
    for path in paths:
        try:
            pixels.append(make_rendition(path, encoder.view).pixels)
        except RenditionError:
            continue
    decoding = time.process_time() - start
    if not pixels:
        raise KeywrightError("None of the photos gives a picture to measure with: name a folder with photos.")
    # An encoder that takes one call at a time has all cores, or a graphics card, to itself: then the clock counts.
    shares = getattr(encoder, "simultaneous", 1) > 1
    clock = time.process_time if shares else time.perf_counter
    start = clock()
    for at in range(0, len(pixels), BATCH):
        encoder.encode(pixels[at : at + BATCH])
    encoding = (clock() - start) * (1 if shares else cores)
    return decoding / len(pixels), encoding / len(pixels)


def _peak_memory() -> int | None:
    if sys.platform == "win32":
        return None
    if sys.platform == "linux":
        # What getrusage tells there begins with the memory of the process that started this one.
        told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        found = re.search(r"^VmHWM:\s*(\d+) kB$", told, re.MULTILINE)
        return int(found[1]) * 1024 if found else None
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS
