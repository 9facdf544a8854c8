"""Time and memory of learning and scoring at size, beside the bare matrix products: made-up photos, real arithmetic.

``python benchmarks/learning_size.py [--photos 200000] [--keywords 2000]``. Processor seconds of the training are told
beside those of the clock; they hold the waiting of idle BLAS threads. On a machine that does other work too, compare
those of one thread (``OMP_NUM_THREADS=1``).
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from scipy import linalg

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData
from keywright.learning.models import SCORING_BLOCK
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train

DIMENSION = 1280
BLOCK = 4096
EACH = 4  # keywords a photo


def made_up(photos: int, keywords: int) -> TrainingData:
    rng = np.random.default_rng(0)
    centres = np.abs(rng.standard_normal((keywords, DIMENSION))).astype(np.float32)
    vectors = np.empty((photos, DIMENSION), dtype=np.float16)
    carried = rng.integers(0, keywords, (photos, EACH))
    for start in range(0, photos, BLOCK):
        mine = carried[start : start + BLOCK]
        x = np.abs(rng.standard_normal((len(mine), DIMENSION), dtype=np.float32)) * 1.2 + centres[mine].mean(axis=1)
        vectors[start : start + BLOCK] = x / np.linalg.norm(x, axis=1, keepdims=True)
    order = np.argsort(carried.ravel(), kind="stable")
    rows, edges = order // EACH, np.searchsorted(carried.ravel()[order], np.arange(keywords + 1))
    examples = [
        KeywordExamples(
            KeywordPath.of(f"group {k // 20}", f"keyword {k}"),
            np.unique(rows[edges[k] : edges[k + 1]]),
            NO_ROWS,
            NO_ROWS,
        )
        for k in range(keywords)
    ]
    return TrainingData("made up", vectors, np.ones(photos, dtype=np.float32), examples)


def bare_training(photos: int, keywords: int) -> tuple[float, float]:
    """Seconds (by the clock, of the processor) of one Gram matrix, one factor, all leverages and all scores once."""
    x = np.random.default_rng(0).random((BLOCK, DIMENSION), dtype=np.float32)
    w = np.random.default_rng(0).random((DIMENSION, keywords), dtype=np.float32)
    started, worked = time.perf_counter(), time.process_time()
    for _ in range(0, photos, BLOCK):
        gram = x.T @ x
        x @ gram
        x @ w
    linalg.cholesky(gram.astype(np.float64) + 1e3 * np.eye(DIMENSION))
    return time.perf_counter() - started, time.process_time() - worked


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200_000)
    parser.add_argument("--keywords", type=int, default=2_000)
    arguments = parser.parse_args()
    data = made_up(arguments.photos, arguments.keywords)
    print(f"made up: {peak():.2f} GB", flush=True)
    bare, bare_worked = bare_training(arguments.photos, arguments.keywords)
    started, worked = time.perf_counter(), time.process_time()
    result = train(data, LearnerSettings())
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"train {seconds:.1f} s, bare products {bare:.1f} s, ratio {seconds / bare:.2f}, peak {peak():.2f} GB")
    print(f"of the processor: {worked:.1f} s, bare products {bare_worked:.1f} s, ratio {worked / bare_worked:.2f}")
    print(f"{result.report.choices}", flush=True)
    x = np.asarray(data.vectors[:SCORING_BLOCK], dtype=np.float32)
    w = np.ascontiguousarray(result.models.weights)
    out = np.empty((len(x), w.shape[1]), dtype=np.float32)
    bare = ours = 0.0
    for _ in range(0, arguments.photos, len(x)):
        started = time.perf_counter()
        np.matmul(x, w, out=out)
        bare += time.perf_counter() - started
        started = time.perf_counter()
        result.models.confidences(x, out=out)
        ours += time.perf_counter() - started
    print(f"score {ours:.1f} s, bare product {bare:.1f} s, ratio {ours / bare:.2f}")
    print(f"peak {peak():.2f} GB")


if __name__ == "__main__":
    main()
