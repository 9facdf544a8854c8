"""Photos that a network can learn to tell apart in seconds: pictures of patterns, their names as keywords."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.operations.learning import learn
from keywright.operations.workspace import Workspace

CENTRE = "efficientnet-lite0/centre224"
KINDS = ("Stripes|Across", "Stripes|Down", "Stripes|Slanted", "Checks|Small", "Checks|Large", "Rings|Even")


def make_patterns(folder: Path, photos: int, *, shuffled: bool = False) -> Path:
    """Small pictures of patterns in any colours, the pattern's name as a keyword in the file."""
    generator = np.random.default_rng(5)
    folder.mkdir()
    names = [KINDS[number % len(KINDS)] for number in range(photos)]
    given = random.Random(3).sample(names, len(names)) if shuffled else names
    y, x = np.mgrid[0:96, 0:96] / 96
    for number, (name, keyword) in enumerate(zip(names, given, strict=True)):
        turns = generator.uniform(5, 8)
        shift = generator.uniform(0, 6)
        wave = {
            "Stripes|Across": np.sin(turns * 6 * y + shift),
            "Stripes|Down": np.sin(turns * 6 * x + shift),
            "Stripes|Slanted": np.sin(turns * 5 * (x + y) + shift),
            "Checks|Small": np.sin(turns * 9 * x + shift) * np.sin(turns * 9 * y + shift),
            "Checks|Large": np.sin(turns * 3 * x + shift) * np.sin(turns * 3 * y + shift),
            "Rings|Even": np.sin(turns * 8 * np.hypot(x - 0.5, y - 0.5) + shift),
        }[name]
        colours = generator.uniform(0, 255, (2, 3))
        noise = generator.normal(0, 70, (96, 96, 3))
        part = ((wave + 1) / 2)[..., None]
        pixels = np.clip(colours[0] * part + colours[1] * (1 - part) + noise, 0, 255).astype(np.uint8)
        _write(folder / f"{number:04}.jpg", pixels, keyword)
    return folder


def make_stripes(folder: Path, photos: int) -> Path:
    """Pictures of 32 × 32 pixels with stripes in eight directions, the direction as a keyword in the file: what an
    untrained network tells apart badly, and learns in seconds."""
    generator = np.random.default_rng(1)
    folder.mkdir()
    y, x = np.mgrid[0:32, 0:32]
    for number in range(photos):
        direction = number % 8
        along = x * np.cos(np.pi * direction / 8) + y * np.sin(np.pi * direction / 8)
        wave = 128 + 40 * np.sin(0.8 * along + generator.uniform(0, 2 * np.pi))
        pixels = np.clip(wave[..., None] + generator.normal(0, 55, (32, 32, 3)), 0, 255).astype(np.uint8)
        _write(folder / f"{number:04}.jpg", pixels, f"Direction {direction}")
    return folder


def _write(file: Path, pixels: NDArray[np.uint8], keyword: str) -> None:
    Image.fromarray(pixels).save(file, quality=90)
    file.write_bytes(plan_file_change(file, [KeywordPath.parse(keyword)]).after)


def learned(folder: Path, photos: int, *, shuffled: bool = False) -> Path:
    library = make_patterns(folder / "library", photos, shuffled=shuffled)
    with Workspace.open(Home(folder / "home"), encoder=CENTRE) as workspace:
        learn(workspace, [str(library)])
    return folder / "home"
