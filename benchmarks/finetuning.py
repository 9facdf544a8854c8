"""What fine-tuning gains: ``python benchmarks/finetuning.py PHOTOS KEYWORDS.csv [--encoder fast] [--shuffled]``.

Fine-tunes on the training photos of the table (``split``) in a home of its own, and prints how long that took, what the
deciding photos among them said, and the learner's mean average precision on the test photos with the encoder before and
after. The test photos' keywords are read for that score alone. ``--shuffled`` deals the keywords out at random.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.encoders import open_encoder
from keywright.encoders.base import Encoder
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.encoders.tuning import TuneSettings
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations.embedding import embed_photos
from keywright.operations.finetuning import finetune
from keywright.operations.workspace import Workspace
from keywright.store import photos
from keywright.store.syncing import sync_photos

Row = tuple[Path, frozenset[KeywordPath]]


def read(folder: Path, table: Path) -> tuple[list[Row], list[Row]]:
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for row in rows:
        paths = frozenset(KeywordPath.parse(text) for text in row["keywords"].split(";"))
        parts[row["split"]].append((folder / row["path"], paths))
    return parts["train"], parts["test"]


def learned_map(encoder: Encoder, training: list[Row], test: list[Row]) -> float:
    """Mean average precision on the test photos over keywords with 5 training and 3 test photos."""
    vectors, norms = [], []
    for photo in embed_files([path for path, _ in (*training, *test)], encoder):
        if not isinstance(photo, EmbeddedPhoto):
            raise SystemExit(photo.reason)
        vectors.append(photo.vector)
        norms.append(photo.norm)
    count, keywords = len(training), sorted({one for _, mine in training for one in mine})
    carried = np.array([[one in mine for one in keywords] for _, mine in (*training, *test)])
    examples = [
        KeywordExamples(k, np.flatnonzero(carried[:count, n]), NO_ROWS, NO_ROWS) for n, k in enumerate(keywords)
    ]
    unit, lengths = np.stack(vectors), np.array(norms, np.float32)
    models = train(TrainingData(encoder.id, unit[:count], lengths[:count], examples), LearnerSettings()).models
    scores, place = models.confidences(unit[count:]), {path: n for n, path in enumerate(models.paths)}
    found = [
        average_precision_score(carried[count:, n], scores[:, place[k]])
        for n, k in enumerate(keywords)
        if carried[:count, n].sum() >= 5 and carried[count:, n].sum() >= 3
    ]
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    parser.add_argument("--encoder", default="fast")
    parser.add_argument("--epochs", type=int, default=TuneSettings().epochs)
    parser.add_argument("--shuffled", action="store_true")
    arguments = parser.parse_args()
    training, test = read(arguments.photos, arguments.keywords)
    given = [paths for _, paths in training]
    if arguments.shuffled:
        given = [given[n] for n in np.random.default_rng(0).permutation(len(given))]
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.open(Home(Path(folder)), encoder=arguments.encoder) as workspace,
    ):
        shown = [CatalogPhoto(str(p), p, paths) for (p, _), paths in zip(training, given, strict=True)]
        with workspace.store.write() as connection:
            catalog = photos.register_catalog(connection, CatalogKind.FOLDER, "/b", str(arguments.photos), learn=True)
            sync_photos(connection, catalog, shown, photos.KeywordIds(connection))
        with workspace.store.read() as connection:
            rows = photos.list_photos(connection)
        embed_photos(workspace, rows)
        start, used = time.perf_counter(), time.process_time()
        seen: set[tuple[str, int]] = set()

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage.startswith("Fine-tuning") and (stage, done) not in seen:
                seen.add((stage, done))
                print(f"{stage}: {done} of {total} epochs, {time.perf_counter() - start:.0f} s", flush=True)

        done = finetune(workspace, settings=TuneSettings(epochs=arguments.epochs), progress=progress)
        print(f"{time.perf_counter() - start:.0f} s by the clock, {time.process_time() - used:.0f} s of processor time")
        print(
            f"deciding photos: {done.mean_before:.4f} to {done.mean_after:.4f} ± {done.standard_error:.4f}; "
            f"kept: {done.better}",
            flush=True,
        )
        if arguments.shuffled:
            return
        home = workspace.home
        print(f"test photos before: {learned_map(workspace.encoder, training, test):.4f}", flush=True)
        if done.encoder is not None:
            tuned = open_encoder(done.encoder.id, home.cache, home.encoders)
            print(f"test photos after: {learned_map(tuned, training, test):.4f}")


if __name__ == "__main__":
    main()
