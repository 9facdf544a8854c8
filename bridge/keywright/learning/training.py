"""``train``: vectors and keywords to a calibrated model of every keyword, solving again only what changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, KeywordExamples, LearningError, Rows, TrainingData
from keywright.learning.calibration import fit_correction, fit_curves, logistic, threshold_for_precision
from keywright.learning.cases import bounded, bounds_of, count_cases
from keywright.learning.choosing import average_precisions
from keywright.learning.digests import RowDigests, keyword_digest, row_digests
from keywright.learning.hierarchy import Tree, build_tree, exclusive_siblings, tree_order
from keywright.learning.honest import Honest
from keywright.learning.models import Choices, KeywordModel, ModelSet
from keywright.learning.points import check_vectors
from keywright.learning.settings import LearnerSettings
from keywright.learning.solving import Learned, learn

BY_VECTORS = "by vectors"  # of the encoder's own text side
BY_LETTER = "by classes"  # names of classes that are the very names
BY_MEANING = "by meaning of "  # the same by sentence vectors; the id of their encoder follows
BY_NOTHING = "by nothing"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A positive left out of its keyword's training because the rest of the keyword disowns it. Nothing is deleted."""

    path: KeywordPath
    row: int


@dataclass(frozen=True, slots=True)
class TrainingReport:
    photos: int
    keywords: int
    trained: tuple[KeywordPath, ...]  # new or changed, solved in this training
    unchanged: int
    dropped: tuple[KeywordPath, ...]  # had a model before and no photo now
    set_aside: tuple[SetAside, ...]
    choices: Choices
    mean_average_precision: float  # by leave-one-out, over keywords with at least 5 photos; nan without any
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """``honest`` is what the audit reads; ``None`` where nothing had changed and nothing was trained."""

    models: ModelSet
    report: TrainingReport
    honest: Honest | None


def train(data: TrainingData, settings: LearnerSettings, previous: ModelSet | None = None) -> TrainingResult:
    """Learn every keyword that a photo carries. Where nothing changed since ``previous``, the models are its own; where
    only ``min_photos`` did, they are its own but for that.

    Raises ``LearningError`` where nothing can be learned: no photos, no keywords on them, vectors that are zero, not
    numbers or of several encoders. ``previous`` is never changed.
    """
    started = time.perf_counter()
    data, rows = keyworded(checked(data))
    digests = row_digests(data.vectors)
    examples = usable(data)
    tree = build_tree([keyword.path for keyword in examples])
    tree = replace(tree, exclusive=exclusive_siblings(examples, tree, len(data.vectors)))
    kept = previous if previous is not None and previous.encoder_id == data.encoder_id else None
    wanted = [keyword_digest(keyword, digests, _context(data, settings)) for keyword in examples]
    known = {} if kept is None else {model.path.key: model for model in kept.keywords}
    changed = [
        (found := known.get(keyword.path.key)) is None or found.digest != digest or found.path != keyword.path
        for keyword, digest in zip(examples, wanted, strict=True)
    ]
    dropped = tuple(model.path for key, model in known.items() if key not in {e.path.key for e in examples})
    if kept is not None and not any(changed) and not dropped:
        if kept.min_photos != settings.min_photos:
            kept = replace(kept, min_photos=settings.min_photos)  # who is suggested, not what is known
        return TrainingResult(kept, _report(data, kept, [], (), (), started), None)

    grown = kept is None or abs(len(data.vectors) - kept.choices.photos) > settings.choose_again * kept.choices.photos
    choices = None if kept is None or grown else kept.choices
    learned = learn(data, examples, digests, choices, settings)
    models, set_aside, honest = calibrated(learned, data, digests, examples, wanted, tree, rows, settings)
    result = ModelSet(
        data.encoder_id,
        learned.features,
        models,
        tree,
        learned.choices,
        settings.min_photos,
        honest.correction,
        names_by(data),
    )
    trained = [k.path for k, c in zip(examples, changed, strict=True) if c]
    return TrainingResult(result, _report(data, result, trained, dropped, set_aside, started), honest)


def checked(data: TrainingData) -> TrainingData:
    """The data, or a ``LearningError`` that says why nothing can be learned from it."""
    if not len(data.vectors):
        raise LearningError("There are no photos with vectors to learn from; run learn on a catalog or folder first.")
    check_vectors(data.vectors)
    photos = len(data.vectors)
    for keyword in data.keywords:
        for rows in (keyword.positives, keyword.rejections, keyword.primes):
            if len(rows) and (rows.min() < 0 or rows.max() >= photos):
                raise LearningError(f"The keyword {keyword.path} names photos that have no vector; run learn again.")
    for what, given in (("class evidence", data.class_evidence), ("name vectors", data.name_vectors)):
        if given is not None and (len(given) != len(data.keywords) or not np.isfinite(given).all()):
            raise LearningError(
                f"The {what} for {len(data.keywords)} keywords have {len(given)} rows, or hold what is not a number; "
                "learn again."
            )
    if not any(len(keyword.positives) for keyword in data.keywords):
        raise LearningError(
            "No photo here carries a keyword, so there is nothing to learn; keyword a few photos first."
        )
    return data


def usable(data: TrainingData) -> list[KeywordExamples]:
    """Keywords with photos, in tree order.

    A rejected keyword rejects what lies below it; a photo that carries a keyword now does not reject it.
    """
    ordered = [data.keywords[i] for i in tree_order([keyword.path for keyword in data.keywords])]
    out: list[KeywordExamples] = []
    above: list[KeywordExamples] = []
    for keyword in ordered:
        while above and not keyword.path.is_under(above[-1].path):
            above.pop()
        positives = np.unique(keyword.positives)
        rejections = np.union1d(keyword.rejections, above[-1].rejections) if above else keyword.rejections
        rejections = np.setdiff1d(rejections, positives)
        primes = np.intersect1d(keyword.primes, positives)
        clean = replace(keyword, positives=positives, rejections=rejections, primes=primes)
        above.append(clean)
        if len(positives):
            out.append(clean)
    return out


def keyworded(data: TrainingData) -> tuple[TrainingData, Rows]:
    """The photos something is known of, and their rows: one without any keyword or rejection teaches nothing."""
    known = np.zeros(len(data.vectors), dtype=bool)
    for keyword in data.keywords:
        known[keyword.positives] = True
        known[keyword.rejections] = True
    rows = np.flatnonzero(known)
    if len(rows) == len(known):
        return data, rows
    place = np.cumsum(known) - 1
    keywords = [
        replace(
            k,
            positives=place[k.positives],
            rejections=place[k.rejections],
            primes=place[np.intersect1d(k.primes, rows)],
        )
        for k in data.keywords
    ]
    return replace(data, vectors=data.vectors[rows], norms=data.norms[rows], keywords=keywords), rows


def calibrated(
    learned: Learned,
    data: TrainingData,
    row_digests: RowDigests,
    examples: Sequence[KeywordExamples],
    digests: Sequence[str],
    tree: Tree,
    rows: Rows,
    settings: LearnerSettings,
) -> tuple[tuple[KeywordModel, ...], tuple[SetAside, ...], Honest]:
    """From raw scores to models whose confidence is a probability, with a threshold each."""
    cells = learned.cells
    cases = count_cases(examples, data.vectors, row_digests)
    if cells.whole:
        for column, keyword in enumerate(examples):
            if (shares := cases[column].shares) is not None:
                cells.weights[keyword.positives, column] *= shares
    bounds = bounds_of(np.array([each.number for each in cases], dtype=np.float32))
    curves = fit_curves(cells.scores, cells.labels, cells.weights)
    slopes, offsets = curves.slopes.astype(np.float32), curves.offsets.astype(np.float32)

    def logits() -> Iterator[tuple[slice, Floats]]:
        for block, scores in learned.honest():
            yield block, scores * slopes + offsets

    confidences = logistic(cells.scores * slopes + offsets)
    correction = fit_correction(confidences, cells.labels, cells.weights)
    bounded(correction.apply(confidences), bounds)
    scores = Honest(len(rows), len(examples), rows, logits, tree, correction, bounds)
    if cells.whole:
        tree.settle(confidences)
    thresholds = threshold_for_precision(confidences, cells.labels, cells.weights, settings.precision)
    quality = average_precisions(cells.scores, cells.labels, cells.weights)
    models = []
    aside = []
    names = learned.names
    place = {} if names is None else {int(column): n for n, column in enumerate(names.columns)}
    for column, keyword in enumerate(examples):
        slope = float(curves.slopes[column])
        base = float(curves.offsets[column])
        intercept = float(learned.fit.intercepts[column])
        name, name_weight, name_mean = None, 0.0, float("nan")
        if names is not None and (n := place.get(column)) is not None:
            name, name_weight = names.rows[n], float(np.float32(slope * names.weights[n]))
            name_mean = float(names.means[n])
            base -= name_weight * name_mean
        models.append(
            KeywordModel(
                keyword.path,
                digests[column],
                np.ascontiguousarray(learned.fit.coefficients[:, column] * np.float32(slope)),
                float(np.float32(base + slope * intercept)),
                float(np.float32(thresholds[column])),
                len(keyword.positives),
                float(quality[column]),
                slope,
                base,
                name=name,
                name_weight=name_weight,
                name_mean=name_mean,
                cases=cases[column].number,
            )
        )
        aside += [SetAside(keyword.path, int(rows[row])) for row in learned.set_aside[column]]
    return tuple(models), tuple(aside), scores


def names_by(data: TrainingData) -> str:
    """What tells the meaning of keywords' names: models that were told by something else are trained anew."""
    if data.name_vectors is not None:
        return BY_VECTORS
    if data.head is None:
        return BY_NOTHING
    return BY_LETTER if data.class_evidence is None else f"{BY_MEANING}{data.sentences}"


def _context(data: TrainingData, settings: LearnerSettings) -> tuple[str, ...]:
    return (
        data.encoder_id,
        names_by(data),
        repr(settings.precision),
        repr(settings.prime_weight),
        repr(settings.set_aside_poison),
    )


def _report(
    data: TrainingData,
    models: ModelSet,
    trained: Sequence[KeywordPath],
    dropped: tuple[KeywordPath, ...],
    set_aside: tuple[SetAside, ...],
    started: float,
) -> TrainingReport:
    qualities = [m.average_precision for m in models.keywords if m.photos >= 5 and not np.isnan(m.average_precision)]
    return TrainingReport(
        len(data.vectors),
        len(models.keywords),
        tuple(trained),
        len(models.keywords) - len(trained),
        dropped,
        set_aside,
        models.choices,
        float(np.mean(qualities)) if qualities else float("nan"),
        time.perf_counter() - started,
    )
