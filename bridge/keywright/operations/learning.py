"""Learn: read the sources, embed what is new, train what changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keywright.catalogs.base import RootMapping
from keywright.config import load_config
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.answers import Recalibration, recalibration
from keywright.learning.counting import count
from keywright.learning.models import ModelSet
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import TrainingReport, train
from keywright.operations.embedding import EmbedReport, embed_photos, require_some
from keywright.operations.gathering import gather
from keywright.operations.naming import names_changed, with_names
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.pruning import prune
from keywright.operations.reading import SourceRead, read_source
from keywright.operations.registering import keep_token, token
from keywright.operations.versions import Kept, keep
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, list_decisions
from keywright.store.models import active_version, figures_of, version_content
from keywright.store.photos import LOOSE, list_catalogs, list_photos
from keywright.store.standing import said_now, wait_from

_MOST_ANSWERS = 2000
"""The newest so many answers to suggestions correct the confidences: what older models were sure of matters less."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A photo whose keyword the rest of that keyword disowns: it was left out of training, nothing else."""

    keyword: KeywordPath
    path: Path


@dataclass(frozen=True, slots=True)
class NotRead:
    """A known catalog that cannot be read now; what was read of it before still teaches."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What one learning did."""

    sources: tuple[SourceRead, ...]
    not_read: tuple[NotRead, ...]
    embedding: EmbedReport
    photos: int  # that took part in training
    models: int  # keywords (and parents) that have a model now
    suggested: int  # of them on photos enough to be suggested
    trained: int  # of them solved anew by this learning
    dropped: tuple[str, ...]  # keywords that no photo carries any more
    set_aside: tuple[SetAside, ...]
    version: int  # the model version that is active now
    trained_version: int  # the version that holds what the sources hold now
    held_back: str | None  # why those two are not the same, where they are not
    names_changed: str | None = None  # why all was trained anew, where what tells the meaning of names is another now

    @property
    def nothing_new(self) -> bool:
        return self.embedding.embedded == 0 and self.trained == 0 and not self.dropped


def learn(
    workspace: Workspace,
    sources: Sequence[str],
    mappings: Sequence[RootMapping] = (),
    *,
    settings: LearnerSettings | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> LearnReport:
    """Bring the models up to what the sources hold now; without sources, to what all catalogs hold that were learned
    from before. Of those one that cannot be read now is reported and left as it was read the last time.

    ``settings`` ``None`` takes those of the configuration. Raises ``KeywrightError`` where a source cannot be read or
    nothing can be learned; the active version stays.
    """
    again = [] if sources else known_sources(workspace)
    read, away, embedded = [], [], EmbedReport()
    states: dict[int, str] = {}
    for source in sources or again:
        try:
            state = token(source)  # before it is read: what changes meanwhile is read the next time
            one = read_source(workspace, source, mappings, learn=True, progress=progress)
        except KeywrightError as error:
            if not again:
                raise
            away.append(NotRead(source, str(error)))
            continue
        read.append(one)
        states[one.catalog_id] = state
        with workspace.store.read() as connection:
            rows = list_photos(connection, [one.catalog_id])
        now = embed_photos(workspace, rows, progress, cancel)
        if not again:
            require_some(now, source)
        embedded = EmbedReport(
            embedded.embedded + now.embedded,
            embedded.known + now.known,
            embedded.missing + now.missing,
            embedded.failures + now.failures,
        )
    report = _train(workspace, tuple(read), tuple(away), embedded, settings or configured(), progress)
    for number, state in states.items():
        keep_token(workspace, number, state)
    return report


def train_known(
    workspace: Workspace, *, settings: LearnerSettings | None = None, progress: Progress = silent
) -> LearnReport:
    """Train on what the store holds, reading no catalog: originals may be away. Raises as ``learn``."""
    return _train(workspace, (), (), EmbedReport(), settings or configured(), progress)


def known_sources(workspace: Workspace) -> list[str]:
    """The catalogs learned from so far. Raises ``KeywrightError`` where there are none."""
    with workspace.store.read() as connection:
        found = [c.source for c in list_catalogs(connection) if c.learned and c.identity != LOOSE]
    if not found:
        raise KeywrightError(
            "No catalog has been learned from yet; name one: `keywright learn SOURCE`, a catalog or a folder of photos."
        )
    return found


def configured() -> LearnerSettings:
    """The settings of the configuration. Raises ``ConfigError``."""
    chosen = load_config().learning
    return LearnerSettings(
        min_photos=chosen.min_photos,
        precision=chosen.precision,
        decisions_before_learning=chosen.decisions_before_learning,
    )


def _train(
    workspace: Workspace,
    sources: tuple[SourceRead, ...],
    away: tuple[NotRead, ...],
    embedded: EmbedReport,
    settings: LearnerSettings,
    progress: Progress,
) -> LearnReport:
    with workspace.store.read() as connection:
        gathered = gather(workspace, connection)
        said = said_now(connection)
        active = active_version(connection)
        previous = _previous(version_content(connection, active.id)) if active else None
    if not gathered.data.keywords:
        named = " and ".join(s.source for s in sources) or "the catalogs known so far"
        raise KeywrightError(
            f"There is nothing to learn from: no photo of {named} that can be read carries a keyword; "
            "give some photos keywords in your own program first."
        )
    progress("Learning keywords", 0, len(gathered.data.keywords))
    data = with_names(workspace, gathered.data)
    result = train(data, settings, previous)
    report = result.report
    progress("Learning keywords", len(data.keywords), len(data.keywords))
    if active is None or result.models is not previous:
        models, honest, metrics = result.models, result.honest, _metrics(report)
        if honest is not None:
            learned = answers_to_suggestions(workspace)
            if learned is not None:
                correction = learned.corrected(models.correction)
                models, honest = replace(models, correction=correction), replace(honest, correction=correction)
                metrics |= _answered(learned)
            counts: bytes | None = count(honest, data.keywords, models, report.seconds).to_bytes()
        else:  # other settings, the same knowledge
            with workspace.store.read() as connection:
                counts = figures_of(connection, active.trained) if active else None
        kept = keep(workspace, models, metrics, previous, counts, lambda connection: wait_from(connection, said))
    else:
        kept = Kept(active.id, active.id)
        with workspace.store.write() as connection:
            wait_from(connection, said)
    prune(workspace, load_config().learning.keep_versions)
    return LearnReport(
        sources,
        away,
        embedded,
        report.photos,
        len(result.models.keywords),
        sum(model.photos >= result.models.min_photos for model in result.models.keywords),
        len(report.trained),
        tuple(str(path) for path in report.dropped),
        tuple(SetAside(one.path, gathered.paths[one.row]) for one in report.set_aside),
        kept.active,
        kept.trained,
        kept.held_back,
        _names_changed(previous, result.models),
    )


def _names_changed(previous: ModelSet | None, models: ModelSet) -> str | None:
    if previous is None or previous.encoder_id != models.encoder_id:
        return None
    return names_changed(previous.names_by, models.names_by)


def _metrics(report: TrainingReport) -> dict[str, float]:
    found = {"photos": float(report.photos), "keywords": float(report.keywords), "seconds": report.seconds}
    if not math.isnan(report.mean_average_precision):
        found["map"] = report.mean_average_precision
    return found


def answers_to_suggestions(workspace: Workspace) -> Recalibration | None:
    """What persons answered to the newest suggestions, as far as it says anything of how sure the models should be."""
    with workspace.store.read() as connection:
        made = [d for d in list_decisions(connection) if d.confidence is not None and d.version_id is not None]
    made = made[-_MOST_ANSWERS:]
    confidences = np.array([d.confidence for d in made], dtype=np.float64)
    return recalibration(confidences, np.array([d.decision is Decision.ACCEPTED for d in made], dtype=bool))


def _answered(found: Recalibration) -> dict[str, float]:
    return {
        "answers": float(found.answers),
        "answers_stretch": found.stretch,
        "answers_shift": found.shift,
        "answers_error_before": found.error_before,
        "answers_error_after": found.error_after,
    }


def _previous(parts: dict[str, bytes]) -> ModelSet | None:
    try:
        return ModelSet.from_parts(parts)
    except KeywrightError:
        # Learning is what mends a damaged version: everything is solved anew.
        return None
