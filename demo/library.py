"""A sample library of real photographs: those inside the scikit-image and scikit-learn wheels, in small series.

Each photograph becomes a series as a photographer would have shot it: other framings, a step to the side, other light.
Most of a series carries its keywords in the files (as XMP, written by Keywright's own writer), the rest is bare.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change


@dataclass(frozen=True, slots=True)
class Series:
    """One photograph of a wheel, and the keywords its series carries."""

    package: str
    file: str
    folder: str
    keywords: tuple[str, ...]


SERIES = (
    Series("skimage", "data/astronaut.png", "2023/Portraits", ("People|Portrait", "Work|Astronaut")),
    Series("skimage", "data/camera.png", "2019/Black and white", ("People|Photographer", "Style|Black and white")),
    Series("skimage", "data/chelsea.png", "2023/At home", ("Animals|Cat",)),
    Series("skimage", "data/coffee.png", "2023/At home", ("Food|Coffee",)),
    Series("skimage", "data/coins.png", "2019/Black and white", ("Objects|Coins", "Style|Black and white")),
    Series("skimage", "data/brick.png", "2020/Textures", ("Textures|Brick",)),
    Series("skimage", "data/grass.png", "2020/Textures", ("Textures|Grass",)),
    Series("skimage", "data/gravel.png", "2020/Textures", ("Textures|Gravel",)),
    Series("skimage", "data/hubble_deep_field.jpg", "2021/Sky", ("Sky|Galaxies",)),
    Series("skimage", "data/moon.png", "2021/Sky", ("Sky|Moon", "Style|Black and white")),
    Series("skimage", "data/rocket.jpg", "2021/Launch", ("Transport|Rocket",)),
    Series("skimage", "data/motorcycle_left.png", "2022/Garage", ("Transport|Motorcycle",)),
    Series("sklearn", "datasets/images/china.jpg", "2022/Beijing", ("Travel|China", "Architecture|Temple")),
    Series("sklearn", "datasets/images/flower.jpg", "2022/Garden", ("Plants|Flower",)),
)
SHOTS = 9
BARE = 2  # shots of each series that carry no keywords: what suggestions are for


def source(series: Series) -> Path:
    """Where the photograph lies in its installed package."""
    package = __import__(series.package)
    return Path(str(package.__file__)).parent / series.file


def shots(picture: Image.Image, seed: int) -> Iterator[Image.Image]:
    """A series of one photograph: the frame moves and narrows, the light and the colours change a little."""
    rng = np.random.default_rng(seed)
    for number in range(SHOTS):
        share = 1.0 if number == 0 else rng.uniform(0.7, 0.92)
        width, height = (int(side * share) for side in picture.size)
        left, top = (int(rng.uniform(0, 1) * room) for room in (picture.width - width, picture.height - height))
        shot = picture.crop((left, top, left + width, top + height))
        shot = ImageEnhance.Brightness(shot).enhance(rng.uniform(0.75, 1.25))
        shot = ImageEnhance.Color(shot).enhance(rng.uniform(0.7, 1.2))
        yield ImageEnhance.Contrast(shot).enhance(rng.uniform(0.85, 1.15))


def make_library(folder: Path) -> tuple[int, int]:
    """Write the sample library; gives the numbers of photos with keywords and without."""
    tagged = bare = 0
    for seed, series in enumerate(SERIES):
        target = folder / series.folder
        target.mkdir(parents=True, exist_ok=True)
        with Image.open(source(series)) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((1024, 1024))
        stem = Path(series.file).stem.upper()[:4]
        for number, shot in enumerate(shots(picture, seed)):
            path = target / f"{stem}_{number + 1:04d}.jpg"
            shot.save(path, quality=90)
            if number < SHOTS - BARE:
                add = frozenset(KeywordPath.parse(text) for text in series.keywords)
                path.write_bytes(plan_file_change(path, add, frozenset(), SidecarProfile.PLAIN).after)
                tagged += 1
            else:
                bare += 1
    return tagged, bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    made = make_library(parser.parse_args().folder)
    print(f"{made[0]} photos with keywords, {made[1]} without")


if __name__ == "__main__":
    main()
