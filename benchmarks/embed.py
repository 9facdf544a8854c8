"""How fast photos become vectors: ``python benchmarks/embed.py FOLDER [--encoder ID] [--limit N]``.

Prints what ``keywright bench embed`` prints. The goal is 0.8 of the limit; see ``keywright.encoders.bench``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from keywright.encoders import DEFAULT_ENCODER, open_encoder
from keywright.encoders.bench import measure
from keywright.renditions.formats import may_hold_a_picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--limit", type=int, help="measure on this many photos")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if may_hold_a_picture(path))[: arguments.limit]
    with tempfile.TemporaryDirectory() as cache:
        encoder = open_encoder(arguments.encoder, Path(cache))
        print("\n".join(measure(paths, encoder).lines()))


if __name__ == "__main__":
    main()
