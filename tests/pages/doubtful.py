"""A library one can doubt: the sample library with keywords forgotten and misplaced, and pictures of two things."""

from __future__ import annotations

from pathlib import Path

from demo.library import make_library
from PIL import Image

from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change

MOON = "2021/Sky/MOON_{:04d}.jpg"
GRAVEL = "2020/Textures/GRAV_{:04d}.jpg"
CAT = "2023/At home/CHEL_{:04d}.jpg"
COFFEE = "2023/At home/COFF_{:04d}.jpg"


def make_doubtful_library(folder: Path) -> None:
    """Two moons lack "Black and white", a gravel is called a cat, and bare photos show half a cat and half a coffee."""
    make_library(folder)
    for number in (1, 2):
        _change(folder / MOON.format(number), remove="Style|Black and white")
    _change(folder / GRAVEL.format(3), add="Animals|Cat")
    for number in range(1, 7):
        cat, coffee = (Image.open(folder / name.format(number)).resize((600, 400)) for name in (CAT, COFFEE))
        cat.paste(coffee.crop((300, 0, 600, 400)), (300, 0))
        cat.save(folder / f"both_{number}.jpg", quality=90)


def _change(path: Path, *, add: str = "", remove: str = "") -> None:
    adding, removing = (frozenset([KeywordPath.parse(text)] if text else []) for text in (add, remove))
    path.write_bytes(plan_file_change(path, adding, removing, SidecarProfile.PLAIN).after)
