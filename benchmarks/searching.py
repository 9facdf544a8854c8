"""How long a search takes in a large collection, asked of a running bridge over HTTP as the pages and front-ends ask.

    python -m benchmarks.searching [--photos 100000] [--keywords 2000] [--encoder standard] [--times 40]

The store is the one of ``benchmarks.review``, with a name of its own for each photo, a vector near that of one of the
sample library's photographs, and models of all keywords, learned from the tenth of the photos that carries keywords.
Prints the first answer (the search's process starts and loads), then p50 and p95 of the others, and the memory of the
process that searches.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from benchmarks.review import generate, keyword_names
from demo.library import make_library
from sqlalchemy import bindparam, insert, update

from keywright.encoders.base import Encoder
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.home import Home
from keywright.operations.learning import train_known
from keywright.operations.workspace import Workspace
from keywright.store.photos import photo_keywords, photos
from keywright.store.vectors import NewVector, add_vectors

NAMED = (
    "a dog on a beach",
    "cat",
    "red motorcycle",
    "a temple in the rain",
    "IMG_00077",
    "kind 1234",
    "flowers, grass",
)
_ROWS = 5000
_APART = 0.5  # how far a made photo's vector lies from its photograph's
_EXAMPLES = 20


def looked_at(encoder: Encoder, files: Sequence[Path]) -> tuple[np.ndarray, float]:
    """The vectors of real photographs, and their usual length before they were made 1."""
    found = [one for one in embed_files(files, encoder) if isinstance(one, EmbeddedPhoto)]
    return np.stack([one.vector for one in found]).astype(np.float32), float(np.mean([one.norm for one in found]))


def add_looks(workspace: Workspace, library: Sequence[Path], number: int, folder: Path) -> None:
    """A vector and a path of its own for every photo; the examples' files are there."""
    import hashlib

    real, length = looked_at(workspace.encoder, library)
    rng = np.random.default_rng(7)
    for start in range(0, number, _ROWS):
        part = range(start, min(start + _ROWS, number))
        spread = rng.normal(size=(len(part), real.shape[1])).astype(np.float32)
        spread *= _APART / np.sqrt(real.shape[1])
        made = real[[n % len(real) for n in part]] + spread
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        with workspace.store.write() as connection:
            contents = [hashlib.blake2b(str(n).encode(), digest_size=16).hexdigest() for n in part]
            vectors = [NewVector(content, row, length) for content, row in zip(contents, made, strict=True)]
            add_vectors(connection, workspace.encoder_id, vectors)
            rows = []
            for n in part:
                file = folder / f"{2005 + n * 20 // number}" / f"Day {n // 170}" / f"IMG_{n:06}.jpg"
                stamp: tuple[int | None, int | None] = (None, None)
                if n < _EXAMPLES:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(library[n % len(library)].read_bytes())
                    stamp = (file.stat().st_size, file.stat().st_mtime_ns)
                rows.append({"number": n + 1, "path": str(file), "size": stamp[0], "mtime_ns": stamp[1]})
            connection.execute(update(photos).where(photos.c.id == bindparam("number")), rows)


def add_keywords(workspace: Workspace, number: int, keywords: int) -> None:
    """One more keyword on a tenth of the photos, each keyword on as many: all of them are learned."""
    rows = [{"photo_id": n + 6, "keyword_id": n // 10 % keywords + 1} for n in range(0, number - 5, 10)]
    with workspace.store.write() as connection:
        connection.execute(insert(photo_keywords), rows)


def memory(process: int) -> tuple[float, float]:
    """Megabytes of a process: its own, and with the pages of files it shares with the system's cache."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    own, files = (int(told[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return own, own + files


def processor(process: int) -> float:
    """Seconds of processor time that a process took so far: other programs do not make it more."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def timed(process: int, ask: Callable[[int], object], times: int) -> str:
    took, before = [], processor(process)
    for number in range(times):
        begun = time.perf_counter()
        ask(number)
        took.append(1000 * (time.perf_counter() - begun))
    took.sort()
    each = 1000 * (processor(process) - before) / times
    middle, late = statistics.median(took), took[int(0.95 * (len(took) - 1))]
    return f"p50 {middle:.0f} ms, p95 {late:.0f} ms; {each:.0f} ms of processor time"


def main() -> None:
    from service.kit import running  # the tests' own bridge

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--keywords", type=int, default=2000)
    parser.add_argument("--encoder", default="standard")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--keep", type=Path, help="a folder the store is made in, or was")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        top = chosen.keep or Path(temporary)
        home = Home(top / "home")
        if not home.database.exists():
            make_library(top / "photos")
            library = sorted((top / "photos").rglob("*.jpg"))
            generate(home, library, chosen.photos, keyword_names(chosen.keywords), 10)
            with Workspace.open(home, chosen.encoder) as workspace:
                add_looks(workspace, library, chosen.photos, top / "many")
                add_keywords(workspace, chosen.photos, chosen.keywords)
                begun = time.perf_counter()
                report = train_known(workspace)
                print(
                    f"{report.models:,} models learned from {report.photos:,} photos in "
                    f"{time.perf_counter() - begun:.0f} s",
                    flush=True,
                )
        with running(home.folder) as raw:
            client = raw.client
            begun = time.perf_counter()
            client.search(NAMED[0])
            print(f"first answer {time.perf_counter() - begun:.1f} s", flush=True)
            process = raw.bridge.bridge.searcher.process
            assert process is not None
            print(f"words: {timed(process, lambda n: client.search(NAMED[n % len(NAMED)]), chosen.times)}", flush=True)
            for text in NAMED:
                print(f"  {text!r}: {timed(process, lambda _: client.search(text), 5)}", flush=True)  # noqa: B023  asked at once
            print(f"like an example: {timed(process, lambda n: client.search(like=[n % _EXAMPLES + 1]), chosen.times)}")
            both = timed(
                process, lambda n: client.search(NAMED[n % len(NAMED)], like=[n % _EXAMPLES + 1]), chosen.times
            )
            print(f"words and an example: {both}", flush=True)
            print("memory of the search: {:.0f} MB of its own, {:.0f} MB with files".format(*memory(process)))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    main()
