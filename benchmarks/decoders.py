"""What reading a photo costs: ``python benchmarks/decoders.py PHOTO.jpg``.

First, large photos (a 24 and a 45 megapixel JPEG, and a 25 MB DNG with a 24 megapixel preview, all enlarged from PHOTO)
to the encoder's view, against libjpeg-turbo's scaled decoding alone through Pillow's draft mode. Then PHOTO itself, in
one thread, in a thread for each core, and through worker processes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from keywright.renditions.base import Crop, View
from keywright.renditions.make import make_rendition
from keywright.renditions.renderer import DecoderProcess

VIEW = View(Crop.CENTRE, 224)
ROUNDS = 15


def enlarge(photo: Path, megapixels: int, to: Path) -> Path:
    """The photo as a 3:2 JPEG of that many megapixels, with the grain of a sensor: smooth pictures decode too fast."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    with Image.open(photo) as image:
        large = np.asarray(image.convert("RGB").resize((height * 3 // 2, height), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 5, large.shape[:2]).astype(np.float32)[:, :, None]
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(to, quality=90)
    return to


def make_dng(preview: Path, to: Path) -> Path:
    """A DNG of 12 megapixels of made-up sensor data with the JPEG as its preview."""
    with Image.open(preview) as image:
        pixels = np.asarray(image)
    sensor = np.random.default_rng(0).integers(512, 4096, (3000, 4000), dtype=np.uint16)
    version = [(50706, 1, 4, bytes((1, 4, 0, 0)), True), (50708, 2, 0, "Keywright Test", True)]
    pattern = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes((0, 1, 1, 2)), True)]
    with tifffile.TiffWriter(to) as writer:
        writer.write(
            pixels,
            photometric="ycbcr",
            compression="jpeg",
            compressionargs={"level": 92},
            rowsperstrip=pixels.shape[0],
            subfiletype=1,
            subifds=1,
            extratags=version,
            metadata=None,
        )
        writer.write(sensor, photometric=32803, subfiletype=0, extratags=pattern, metadata=None)
    return to


def draft(jpeg: Path) -> None:
    """What Pillow's draft mode alone does."""
    with Image.open(jpeg) as image:
        image.draft("RGB", (256, 256))
        image.load()


def seconds(work: Callable[[], object]) -> float:
    """The median of some rounds, in processor time, so that other programs do not count."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return sorted(taken)[len(taken) // 2]


def large_photos(photo: Path, folder: Path) -> None:
    print("| photo | scaled decoding alone, ms | rendition, ms | ratio |\n| --- | --- | --- | --- |")
    small = enlarge(photo, 24, folder / "24.jpg")
    cases = (
        ("24 megapixel JPEG", small, small),
        ("45 megapixel JPEG", (large := enlarge(photo, 45, folder / "45.jpg")), large),
        ("DNG with a 24 megapixel preview", small, make_dng(small, folder / "24.dng")),
    )
    for name, jpeg, file in cases:
        make_rendition(file, VIEW)
        alone, whole = seconds(lambda jpeg=jpeg: draft(jpeg)), seconds(lambda file=file: make_rendition(file, VIEW))
        size = file.stat().st_size / 1e6
        print(f"| {name}, {size:.0f} MB | {alone * 1000:.1f} | {whole * 1000:.1f} | {whole / alone:.2f} |")


def threads_and_processes(photo: Path, count: int = 1500) -> None:
    cores = os.cpu_count() or 1
    request: dict[str, str | int] = {"path": str(photo), "crop": VIEW.crop.value, "size": VIEW.size}

    def rate(workers: int, work: Callable[[], object]) -> float:
        start = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda _: work(), range(count)))
        return count / (time.perf_counter() - start)

    print("\n| how | photos/s |\n| --- | --- |")
    print(f"| one thread | {rate(1, lambda: make_rendition(photo, VIEW)):.0f} |")
    print(f"| a thread for each of {cores} cores | {rate(cores, lambda: make_rendition(photo, VIEW)):.0f} |")
    worker = DecoderProcess()
    worker.ask(request, 60)
    print(f"| one worker process | {rate(1, lambda: worker.ask(request, 60)):.0f} |")
    worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    photo: Path = parser.parse_args().photo
    with tempfile.TemporaryDirectory() as folder:
        large_photos(photo, Path(folder))
    threads_and_processes(photo)


if __name__ == "__main__":
    main()
