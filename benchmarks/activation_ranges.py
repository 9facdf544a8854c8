"""Measures the ranges of the networks' activations: ``python benchmarks/activation_ranges.py PHOTOS KEYWORDS.csv``.

Writes ``encoders/activation_ranges.txt``, which the eight-bit encoders are made with. It looks at some of the training
photos (``split`` of the table) and keeps, for each tensor, the mean over photos of its least and greatest value: single
outliers are cut off, and all else has finer steps. Nothing of the photos but these numbers is kept.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from keywright.encoders.builtin import BUILTIN
from keywright.encoders.lite_graphs import package_of, packaged
from keywright.encoders.ranges import measured_ranges
from keywright.encoders.weights import is_installed
from keywright.renditions.base import Crop, View
from keywright.renditions.make import make_rendition

FILE = Path(__file__).resolve().parent.parent / "bridge/keywright/encoders/activation_ranges.txt"
PHOTOS = 256
VIEW = View(Crop.SHAPE, 288)
HEAD = """\
# Ranges of activations for the eight-bit encoders: network, tensor, least, greatest value.
# Measured by benchmarks/activation_ranges.py on training photos; a change here changes vectors and needs a new id.
"""


def measured(network: str, paths: list[Path]) -> list[str]:
    loaded, _ = packaged(network).load()
    found = measured_ranges(loaded, [make_rendition(path, VIEW).pixels for path in paths])
    return [f"{network} {name} {one.low:.4f} {one.high:.4f}" for name, one in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    arguments = parser.parse_args()
    with arguments.keywords.open(newline="", encoding="utf-8") as file:
        rows = [arguments.photos / row["path"] for row in csv.DictReader(file) if row["split"] == "train"]
    paths = rows[:: max(1, len(rows) // PHOTOS)][:PHOTOS]
    lines: list[str] = []
    for network in sorted({network for spec in BUILTIN.values() for network in spec.networks}):
        if is_installed(package_of(network)):
            lines += measured(network, paths)
    FILE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
