"""Keywright's learner against others on the same vectors, and the table of it in ``docs/accuracy.md``.

``python benchmarks/learners.py PHOTOS KEYWORDS.csv CACHE [--parts split shots removed poison] [--seeds 5]``
measures and writes the tables between the markers of docs/accuracy.md. Nothing is chosen on the test photos: their
keywords are read for the scores alone. With ``--ours`` the rivals' rows of the tables stay as they were measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from learning_data import Photos, load
from learning_rivals import RIVALS
from sklearn.metrics import average_precision_score

from keywright.learning.audit import audit
from keywright.learning.evaluation import Evaluation, calibration_error, evaluate, reliability
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import TrainingResult, train

OURS: dict[str, Callable[[Photos], Photos]] = {
    "**Keywright**": lambda photos: photos,
    "**Keywright** without the extra `text`": Photos.by_letter,
    "**Keywright** from vectors alone": Photos.without_names,
}
PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
SHOTS = (1, 2, 4, 8, 16)


def judged(training: Photos, test: Photos) -> np.ndarray:
    enough = (training.carried.sum(axis=0) >= 5) & (test.carried.sum(axis=0) >= 3)
    return np.flatnonzero(training.assigned & enough)


def mean_ap(scores: np.ndarray, test: Photos, columns: np.ndarray) -> float:
    return float(np.mean([average_precision_score(test.carried[:, k], scores[:, k]) for k in columns]))


def ours(training: Photos, test: Photos, labels: np.ndarray | None = None) -> tuple[np.ndarray, TrainingResult]:
    result = train(training.data(labels), LearnerSettings())
    scores = np.zeros(test.carried.shape, dtype=np.float32)
    place = {path: k for k, path in enumerate(training.paths)}
    scores[:, [place[path] for path in result.models.paths]] = result.models.confidences(test.vectors)
    return scores, result


def report(training: Photos, test: Photos, result: TrainingResult, scores: np.ndarray) -> Evaluation:
    thresholds = np.full(len(training.paths), 2.0, dtype=np.float32)
    place = {path: k for k, path in enumerate(training.paths)}
    thresholds[[place[path] for path in result.models.paths]] = result.models.thresholds
    counts = training.carried.sum(axis=0)
    return evaluate(training.paths, scores, test.carried, thresholds, counts, training.assigned)


def split(training: Photos, test: Photos, rivals: bool) -> list[str]:
    columns = judged(training, test)
    x, y = training.vectors, training.carried[:, columns]
    lines = ["| learner | mAP | seconds to train and score |", "| --- | --- | --- |"]
    lines += [] if rivals else standing("split")
    for name, learner in RIVALS.items() if rivals else ():
        started = time.perf_counter()
        scores = np.zeros(test.carried.shape, dtype=np.float32)
        scores[:, columns] = learner(x, y, test.vectors)
        lines.append(f"| {name} | {mean_ap(scores, test, columns):.3f} | {time.perf_counter() - started:.2f} |")
    started = time.perf_counter()
    scores, result = ours(training, test)
    seconds = time.perf_counter() - started
    again = time.perf_counter()
    train(training.data(training.without(0.001, 0)), LearnerSettings(), result.models)
    again = time.perf_counter() - again
    lines.append(
        f"| **Keywright**, all {len(scores[0])} keywords and parents | **{mean_ap(scores, test, columns):.3f}** "
        f"| {seconds:.2f} |"
    )
    for name, kind in list(OURS.items())[1:]:
        started = time.perf_counter()
        fewer, _ = ours(kind(training), test)
        lines.append(f"| {name} | {mean_ap(fewer, test, columns):.3f} | {time.perf_counter() - started:.2f} |")
    lines += ["", f"Training all of them again with what was chosen before: {again:.2f} s."]
    figures = report(training, test, result, scores)
    lines += [
        "",
        f"Expected calibration error {figures.calibration_error:.3f}; at the default thresholds precision "
        f"{figures.precision:.3f}, recall {figures.recall:.3f}, photos with a suggestion {figures.coverage:.3f}.",
        "",
        "| confidence | suggestions | mean confidence | right |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {b.low:.1f}-{b.high:.1f} | {b.suggestions} | {b.mean_confidence:.3f} | {b.share_right:.3f} |"
        for b in figures.reliability
        if b.suggestions
    ]
    lines += [
        "",
        "| photos a keyword was learned from | keywords | mAP | precision | recall | calibration error |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {g.training_photos} | {g.keywords} | {g.mean_average_precision:.3f} | {g.precision:.3f} | {g.recall:.3f} "
        f"| {g.calibration_error:.3f} |"
        for g in figures.groups
    ]
    complete = [
        k
        for k in columns
        if str(training.paths[k]).startswith(("People|Person", "Transport|", "Street|", "Food|", "Animals|"))
    ]
    bars = {path: m.threshold for path, m in zip(result.models.paths, result.models.keywords, strict=True)}
    shown = np.stack([scores[:, k] >= bars[training.paths[k]] for k in complete], axis=1)
    right = shown & test.carried[:, complete]
    lines += [
        "",
        f"Over {len(complete)} keywords of the branches People|Person, Transport, Street, Animals and Food: precision "
        f"{right.sum() / shown.sum():.3f}, recall {right.sum() / test.carried[:, complete].sum():.3f}.",
    ]
    return lines


def shots(training: Photos, test: Photos, seeds: int, rivals: bool) -> list[str]:
    columns = judged(training, test)
    others = RIVALS if rivals else {}
    found: dict[str, dict[int, list[float]]] = {name: {n: [] for n in SHOTS} for name in (*others, *OURS)}
    for count in SHOTS:
        for seed in range(seeds):
            labels = training.few(count, seed)
            some = np.flatnonzero(labels.any(axis=1))
            x, y = training.vectors[some], labels[some][:, columns]
            for name, learner in others.items():
                scores = np.zeros(test.carried.shape, dtype=np.float32)
                scores[:, columns] = learner(x, y, test.vectors)
                found[name][count].append(mean_ap(scores, test, columns))
            for name, kind in OURS.items():
                found[name][count].append(mean_ap(ours(kind(training), test, labels)[0], test, columns))
    lines = [f"| learner | {' | '.join(map(str, SHOTS))} |", "| --- |" + " --- |" * len(SHOTS)]
    lines += [] if rivals else standing("shots")
    for name, values in found.items():
        cells = [f"{np.mean(v):.3f} ± {np.std(v):.3f}" for v in values.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def removed(training: Photos, test: Photos, seeds: int, rivals: bool) -> list[str]:
    columns = judged(training, test)
    others = ["ridge, λ=1", "logistic regression, C=10"] if rivals else []
    values: dict[str, list[float]] = {name: [] for name in (*others, *OURS)}
    for seed in range(seeds):
        labels = training.without(0.4, seed)
        known = labels.any(axis=1)
        x, y = training.vectors[known], labels[known][:, columns]
        for name in others:
            if name.startswith("logistic") and seed:
                continue
            scores = np.zeros(test.carried.shape, dtype=np.float32)
            scores[:, columns] = RIVALS[name](x, y, test.vectors)
            values[name].append(mean_ap(scores, test, columns))
        for name, kind in OURS.items():
            values[name].append(mean_ap(ours(kind(training), test, labels)[0], test, columns))
    lines = ["| learner | mAP with 40 % of the keywords removed |", "| --- | --- |"]
    lines += [] if rivals else standing("removed")
    return lines + [f"| {name} | {np.mean(v):.3f} ± {np.std(v):.3f} |" for name, v in values.items()]


def poison(training: Photos, test: Photos, seeds: int) -> list[str]:
    columns = judged(training, test)
    clean = mean_ap(ours(training, test)[0], test, columns)
    rows, chances, found = [], [], []
    for seed in range(seeds):
        labels, planted = training.poisoned(0.1, seed)
        scores, result = ours(training, test, labels)
        assert result.honest is not None
        _, wrong = audit(result.models, result.honest, training.data(labels).keywords, limit=0)
        place = {path: k for k, path in enumerate(training.paths)}
        hits = np.array([planted[f.row, place[f.keyword]] for f in wrong])
        total = planted.sum()
        rows.append([mean_ap(scores, test, columns), *(hits[: int(m * total)].sum() / total for m in (1, 1.5, 2))])
        chances.append([f.chance for f in wrong])
        found.append(hits)
    mean = np.mean(rows, axis=0)
    bins = reliability(np.concatenate(chances)[:, None], np.concatenate(found)[:, None], 0.0)
    error = calibration_error(bins)
    return [
        "| 10 % of each keyword's photos exchanged for wrong ones | |",
        "| --- | --- |",
        f"| mAP clean | {clean:.3f} |",
        f"| mAP poisoned | {mean[0]:.3f} |",
        f"| planted errors among the audit's first suggestions, as many as were planted | {mean[1]:.0%} |",
        f"| among one and a half times as many | {mean[2]:.0%} |",
        f"| among twice as many | {mean[3]:.0%} |",
        f"| calibration error of the audit's chance that a keyword is wrong | {error:.3f} |",
        "",
        "| chance by the audit | keywords | mean chance | planted |",
        "| --- | --- | --- | --- |",
        *(
            f"| {b.low:.1f}-{b.high:.1f} | {b.suggestions // seeds} | {b.mean_confidence:.3f} | {b.share_right:.3f} |"
            for b in bins
            if b.suggestions
        ),
    ]


def standing(part: str) -> list[str]:
    """The rivals' rows of a table as they stand on the page."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {part} -->\n")
    rows = rest.partition(f"<!-- /{part} -->")[0].splitlines()
    return [row for row in rows if row.split(" | ")[0].removeprefix("| ") in RIVALS]


def write(part: str, lines: Sequence[str]) -> None:
    """Put the lines between ``<!-- part -->`` and ``<!-- /part -->`` of the page."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(f"<!-- {part} -->\n")
    _, _, tail = rest.partition(f"<!-- /{part} -->")
    PAGE.write_text(f"{head}<!-- {part} -->\n" + "\n".join(lines) + f"\n<!-- /{part} -->{tail}", encoding="utf-8")
    print("\n".join(lines), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("keywords", type=Path)
    parser.add_argument("cache", type=Path, help="a folder that vectors are kept in")
    parser.add_argument("--parts", nargs="+", default=["split", "removed", "poison", "shots"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ours", action="store_true", help="measure Keywright alone; the rivals' rows stay")
    arguments = parser.parse_args()
    training, test = load(arguments.photos, arguments.keywords, arguments.cache)
    run = {
        "split": lambda: split(training, test, not arguments.ours),
        "removed": lambda: removed(training, test, arguments.seeds, not arguments.ours),
        "poison": lambda: poison(training, test, arguments.seeds),
        "shots": lambda: shots(training, test, arguments.seeds, not arguments.ours),
    }
    for part in arguments.parts:
        write(part, run[part]())


if __name__ == "__main__":
    main()
