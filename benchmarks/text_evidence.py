"""What names are worth to keywords on one to four photos: the learner with them, by letter alone, and without.

``python benchmarks/text_evidence.py PHOTOS KEYWORDS.csv CACHE [--seeds 3] [--test]`` prints mean average precision. By
default the training photos are halved at random, one half taught and the other scored; ``--test`` teaches from the
training photos and scores the test photos, which choose nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from learning_data import Photos, load
from sklearn.metrics import average_precision_score

from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train

SHOTS = (1, 2, 3, 4)


def part(photos: Photos, rows: np.ndarray) -> Photos:
    return replace(photos, vectors=photos.vectors[rows], norms=photos.norms[rows], carried=photos.carried[rows])


def mean_ap(taught: Photos, scored: Photos, shots: int, seed: int) -> float:
    models = train(taught.data(taught.few(shots, seed)), LearnerSettings()).models
    confidences = models.confidences(scored.vectors)
    place = {path: column for column, path in enumerate(models.paths)}
    truth = scored.carried
    columns = [k for k in np.flatnonzero(taught.assigned) if truth[:, k].sum() >= 3 and taught.paths[k] in place]
    return float(
        np.mean([average_precision_score(truth[:, k], confidences[:, place[taught.paths[k]]]) for k in columns])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    parser.add_argument("cache", type=Path, help="a folder that vectors are kept in")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    training, test = load(arguments.photos, arguments.keywords, arguments.cache)
    pairs = [(training, test)] * arguments.seeds
    if not arguments.test:
        halves = [np.random.default_rng(seed).random(len(training.vectors)) < 0.5 for seed in range(arguments.seeds)]
        pairs = [(part(training, half), part(training, ~half)) for half in halves]
    means: dict[str, list[float]] = {}
    for shots in SHOTS:
        for seed, (taught, scored) in enumerate(pairs):
            for name, one in (
                ("no names", taught.without_names()),
                ("names by letter", taught.by_letter()),
                ("names by meaning", taught),
            ):
                means.setdefault(name, []).append(mean_ap(one, scored, shots, seed))
    print(f"| photos of each keyword | {' | '.join(map(str, SHOTS))} |")
    print("| --- |" + " --- |" * len(SHOTS))
    for name, values in means.items():
        each = np.array(values).reshape(len(SHOTS), -1)
        print(f"| {name} | " + " | ".join(f"{row.mean():.3f} ± {row.std():.3f}" for row in each) + " |")


if __name__ == "__main__":
    main()
