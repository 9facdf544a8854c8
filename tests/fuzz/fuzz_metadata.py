"""Coverage-guided fuzzing of the readers and writers of metadata: no crash, no hang, no runaway memory.

    python tests/fuzz/fuzz_metadata.py [--seconds 60] [CORPUS FOLDER...]

It stops with the input that broke a rule of ``checks.py``, kept in a file it names. Needs atheris
(``pip install -e ".[fuzz]"``; Linux).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keywright", "checks"]):
    from checks import one

    from keywright.metadata.embedded import read_blocks


def seeds(folders: list[Path], into: Path) -> None:
    """The corpora's small files, and the packets inside the others, as one flat folder."""
    for folder in folders:
        for index, file in enumerate(sorted(folder.rglob("*"))):
            if not file.is_file():
                continue
            data = file.read_bytes()
            if len(data) <= 1 << 16:
                (into / f"{folder.name}-{index}").write_bytes(data)
            with file.open("rb") as stream:
                blocks = read_blocks(stream, file.name)
            for part, block in enumerate((blocks.xmp, blocks.iptc, blocks.irb)):
                if block is not None and len(block) <= 1 << 16:
                    (into / f"{folder.name}-{index}-{part}").write_bytes(block)


def main() -> None:
    arguments = sys.argv[1:]
    seconds = "60"
    if "--seconds" in arguments:
        at = arguments.index("--seconds")
        seconds = arguments[at + 1]
        del arguments[at : at + 2]
    here = Path(tempfile.mkdtemp(prefix="keywright-fuzz-"))
    seeds([Path(argument) for argument in arguments], here)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=30",
        "-rss_limit_mb=200",
        "-max_len=65536",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={here}/", str(here)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
