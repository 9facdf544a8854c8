"""How long a decision takes, from the call to models that know of it, and how much memory that holds: made-up photos.

``python benchmarks/deciding.py [--photos 100000] [--keywords 2000] [--decisions 40] [--home FOLDER]``

A store is filled with made-up vectors and keywords, learned with the real learner, and a teacher decides as a running
bridge does: the decision is on the disk, the models have moved, and the moved version is kept. ``--home`` keeps the
filled home for another run.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.encoders import encoder_dimension
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.active import load_models
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import train_known
from keywright.operations.teaching import Teacher
from keywright.operations.workspace import Workspace
from keywright.store import photos, syncing, vectors
from keywright.store.decisions import Decision, list_decisions
from keywright.store.models import version_sizes

EACH = 4  # keywords a photo
BARE = 1000  # photos without keywords, to decide on
BLOCK = 4096


def fill(workspace: Workspace, count: int, keywords: int) -> None:
    """Photos 1 to ``count`` carry keywords, ``BARE`` more do not."""
    rng = np.random.default_rng(0)
    dimension = encoder_dimension(workspace.encoder_id)
    centres = np.abs(rng.standard_normal((keywords, dimension))).astype(np.float32)
    carried = rng.integers(0, keywords, (count + BARE, EACH))
    paths = [KeywordPath.of(f"group {k // 20}", f"keyword {k}") for k in range(keywords)]
    read = (
        CatalogPhoto(
            f"{n}.jpg",
            Path("/made/up") / f"{n}.jpg",
            frozenset(paths[k] for k in carried[n]) if n < count else frozenset(),
        )
        for n in range(count + BARE)
    )
    with workspace.store.write() as connection:
        catalog = photos.register_catalog(connection, CatalogKind.FOLDER, "/made/up", "/made/up", learn=True)
        syncing.sync_photos(connection, catalog, read, photos.KeywordIds(connection))
        photos.record_stamps(
            connection, [photos.Stamp(n + 1, 1, 1, f"content {n + 1}", None) for n in range(count + BARE)]
        )
        for start in range(0, count + BARE, BLOCK):
            mine = carried[start : start + BLOCK]
            x = np.abs(rng.standard_normal((len(mine), dimension), dtype=np.float32)) * 1.2
            x += centres[mine].mean(axis=1)
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            new = [vectors.NewVector(f"content {start + n + 1}", row, 10.0) for n, row in enumerate(x)]
            vectors.add_vectors(connection, workspace.encoder_id, new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--keywords", type=int, default=2_000)
    parser.add_argument("--decisions", type=int, default=40)
    parser.add_argument("--home", type=Path, default=None)
    told = parser.parse_args()
    folder = told.home or Path(tempfile.mkdtemp(prefix="keywright-deciding-"))
    with Workspace.open(Home(folder)) as workspace:
        with workspace.store.read() as connection:
            filled = bool(photos.list_catalogs(connection))
        if not filled:
            started = time.perf_counter()
            fill(workspace, told.photos, told.keywords)
            print(f"filled in {time.perf_counter() - started:.1f} s", flush=True)
            started = time.perf_counter()
            report = train_known(workspace)
            print(
                f"learned {report.models:,} keywords from {report.photos:,} photos in "
                f"{time.perf_counter() - started:.1f} s",
                flush=True,
            )
        measure(workspace, told.photos, told.decisions)


def measure(workspace: Workspace, count: int, decisions: int) -> None:
    models, version = load_models(workspace)
    with workspace.store.read() as connection:
        known = len(list_decisions(connection))  # of earlier runs on this home
    rng = np.random.default_rng(1 + known)
    leaves = [path for path in models.paths if len(path.parts) > 1]
    workspace.teacher = teacher = Teacher(workspace, 1)
    del models
    before = peak()
    started = time.perf_counter()
    decide(workspace, [Decided(count + 1, leaves[known % len(leaves)], Decision.ACCEPTED, 0.5, version)])
    first = time.perf_counter() - started
    teacher.finish()
    print(
        f"first decision after a start: {1000 * first:.0f} ms until it is on the disk, "
        f"{time.perf_counter() - started:.1f} s until it is learned",
        flush=True,
    )
    seconds, learned, work = [], [], []
    for turn in range(decisions):
        photo = int(rng.integers(1, count)) if turn % 2 else count + 2 + (known + turn) % (BARE - 2)
        keyword = leaves[int(rng.integers(len(leaves)))]
        what = (Decision.ACCEPTED, Decision.REJECTED)[turn % 2]
        started, busy = time.perf_counter(), time.process_time()
        decide(workspace, [Decided(photo, keyword, what, 0.5, version)])
        teacher.finish()
        seconds.append(time.perf_counter() - started)
        work.append(time.process_time() - busy)
        learned.append(teacher.state().seconds or 0.0)
    seconds.sort()
    print(
        f"a decision, on the disk and learned and kept: median {1000 * statistics.median(seconds):.0f} ms, "
        f"95 % within {1000 * seconds[int(0.95 * len(seconds)) - 1]:.0f} ms, slowest {1000 * seconds[-1]:.0f} ms"
    )
    print(f"of it learning and keeping the version: median {1000 * statistics.median(learned):.0f} ms")
    print(
        f"processor time of a decision: median {1000 * statistics.median(work):.0f} ms, "
        f"slowest {1000 * max(work):.0f} ms"
    )
    state = teacher.state()
    print(f"learned {state.learned}, waiting {state.waiting}, problems {len(state.problems)}")
    with workspace.store.read() as connection:
        sizes = version_sizes(connection)
    newest = max(sizes)
    print(f"the reviewed version: {sizes[newest].total / 1e6:.1f} MB, its own {sizes[newest].own / 1e6:.2f} MB")
    print(f"peak memory {peak():.0f} MB, before the first decision {before:.0f} MB")
    teacher.close()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
