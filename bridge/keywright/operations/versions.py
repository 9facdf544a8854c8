"""Model versions: which there are, which one suggests, and what changed from one to another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.operations.figures import (
    NOTHING_DECIDED,
    Accepted,
    Answered,
    accepted_by_version,
    answered,
    version_figures,
)
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.models import (
    REVIEWED_SINCE,
    VersionRow,
    VersionSize,
    activate_version,
    active_version,
    add_version,
    figures_of,
    keep_figures,
    list_versions,
    previously_active,
    roll_back_version,
    same_version,
    version_content,
    version_sizes,
)

if TYPE_CHECKING:
    from keywright.learning.counting import Figures
    from keywright.learning.models import KeywordModel, ModelSet

LEAST_PHOTOS = 5
"""Keywords on fewer photos have no quality that could be compared."""
TOLERANCE = 0.05
"""A training is worse when the mean average precision falls by more than this, and by more than chance explains."""


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version with its size in bytes (of all its parts, and of those that no other version has), its figures, and
    what persons decided of its suggestions."""

    version: VersionRow
    bytes: int
    own_bytes: int
    figures: Figures | None = None
    accepted: Accepted = NOTHING_DECIDED
    days: Sequence[Answered] = ()  # the same, day by day


def versions(workspace: Workspace) -> list[VersionRow]:
    """Oldest first."""
    with workspace.store.read() as connection:
        return list_versions(connection)


def listed(workspace: Workspace) -> list[ListedVersion]:
    """Oldest first, with sizes, figures and what persons decided."""
    with workspace.store.read() as connection:
        sizes = version_sizes(connection)
        rows = list_versions(connection)
    told, all_days = accepted_by_version(workspace), answered(workspace)
    nothing = VersionSize(0, 0)
    return [
        ListedVersion(
            row,
            sizes.get(row.id, nothing).total,
            sizes.get(row.id, nothing).own,
            version_figures(workspace, row),
            told.get(row.id, NOTHING_DECIDED),
            [one for one in all_days if one.version == row.id],
        )
        for row in rows
    ]


def version(workspace: Workspace, number: int) -> VersionRow:
    """Raises ``NotFoundError``."""
    known = versions(workspace)
    found = next((v for v in known if v.id == number), None)
    if found is None:
        there = f"those there are: {_numbers([v.id for v in known])}" if known else "nothing has been learned yet"
        raise NotFoundError(f"There is no model version {number}; {there}.")
    return found


def activate(workspace: Workspace, number: int) -> VersionRow:
    """Let this version suggest.

    Its encoder is the one in use then. Raises ``NotFoundError``, and ``KeywrightError`` where it is damaged or its
    encoder is not there.
    """
    row = version(workspace, number)
    _require_usable(workspace, row)
    with workspace.store.write() as connection:
        activate_version(connection, number)
    return version(workspace, number)


def roll_back(workspace: Workspace) -> VersionRow:
    """Let the version suggest again that did before the active one.

    Done again it goes further back. One that cannot suggest any more, because its encoder is gone or it is damaged, is
    passed over and announced. Raises ``KeywrightError`` where there is none.
    """
    with workspace.store.read() as connection:
        *before, active = previously_active(connection) or [0]
    return go_back(
        workspace,
        [number for number in before if number != active],
        roll_back_version,
        nowhere="No model version was active before this one, so there is none to go back to.",
        unusable="No version before this one can be gone back to.",
    )


def go_back(
    workspace: Workspace,
    numbers: Sequence[int],
    let_suggest: Callable[[Connection, int], object],
    *,
    nowhere: str,
    unusable: str,
) -> VersionRow:
    """Let the last of these versions suggest, the oldest first, that can; those passed over are announced.

    Raises ``KeywrightError`` with ``nowhere`` where there are none, with ``unusable`` and the reason where none can.
    """
    from keywright.encoders import available_encoders

    here = {info.id for info in available_encoders(workspace.home.encoders) if info.installed}
    why = nowhere
    for number in dict.fromkeys(reversed(numbers)):
        row = version(workspace, number)
        try:
            if row.encoder_id not in here:
                raise KeywrightError(f"its encoder {row.encoder_id} is not here any more.")
            load(workspace, number)
        except KeywrightError as error:
            passed_over = f"Version {number} is passed over: {error}"
            workspace.announce(passed_over)
            why = f"{unusable} {passed_over}"
            continue
        with workspace.store.write() as connection:
            let_suggest(connection, number)
        return version(workspace, number)
    raise KeywrightError(why)


def _require_usable(workspace: Workspace, row: VersionRow) -> None:
    from keywright.encoders import resolve_encoder

    resolve_encoder(row.encoder_id, workspace.home.encoders)
    load(workspace, row.id)


def load(workspace: Workspace, number: int) -> ModelSet:
    """The models of a version. Raises ``KeywrightError`` where it is damaged."""
    from keywright.learning.models import ModelSet

    with workspace.store.read() as connection:
        return ModelSet.from_parts(version_content(connection, number))


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """A keyword in two versions. Quality is the average precision by leave-one-out, ``None`` where nobody can tell."""

    keyword: KeywordPath
    old_photos: int
    new_photos: int
    old_quality: float | None
    new_quality: float | None
    old_threshold: float
    new_threshold: float


@dataclass(frozen=True, slots=True)
class Comparison:
    old: VersionRow
    new: VersionRow
    added: Sequence[KeywordPath]
    removed: Sequence[KeywordPath]
    changed: Sequence[KeywordChange]  # other photos, another quality or another threshold; in tree order
    compared: int  # keywords both have, on photos enough to tell their quality in both
    old_mean: float | None  # mean average precision over those
    new_mean: float | None
    old_figures: Figures | None = None
    new_figures: Figures | None = None
    old_accepted: Accepted = NOTHING_DECIDED
    new_accepted: Accepted = NOTHING_DECIDED


def compare(workspace: Workspace, old: int, new: int) -> Comparison:
    """What differs between two versions, keyword by keyword. Raises ``NotFoundError``."""
    rows = version(workspace, old), version(workspace, new)
    before, after = (load(workspace, row.id) for row in rows)
    both = _changes(before, after)
    olds, news = ({model.path.key: model.path for model in one.keywords} for one in (before, after))
    pairs = _qualities(both)
    told = accepted_by_version(workspace)
    return Comparison(
        *rows,
        [path for key, path in news.items() if key not in olds],
        [path for key, path in olds.items() if key not in news],
        [
            one
            for one in both
            if (one.old_photos, one.old_quality, one.old_threshold)
            != (one.new_photos, one.new_quality, one.new_threshold)
        ],
        len(pairs),
        _mean([one for one, _ in pairs]),
        _mean([two for _, two in pairs]),
        version_figures(workspace, rows[0]),
        version_figures(workspace, rows[1]),
        told.get(old, NOTHING_DECIDED),
        told.get(new, NOTHING_DECIDED),
    )


def _changes(old: ModelSet, new: ModelSet) -> list[KeywordChange]:
    known: dict[tuple[str, ...], KeywordModel] = {model.path.key: model for model in old.keywords}
    return [
        KeywordChange(
            model.path,
            before.photos,
            model.photos,
            _quality(before),
            _quality(model),
            float(before.threshold),
            float(model.threshold),
        )
        for model in new.keywords
        if (before := known.get(model.path.key)) is not None
    ]


def _qualities(changes: Sequence[KeywordChange]) -> list[tuple[float, float]]:
    return [
        (one.old_quality, one.new_quality)
        for one in changes
        if one.old_quality is not None
        and one.new_quality is not None
        and min(one.old_photos, one.new_photos) >= LEAST_PHOTOS
    ]


def _quality(model: KeywordModel) -> float | None:
    return None if math.isnan(model.average_precision) else float(model.average_precision)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


@dataclass(frozen=True, slots=True)
class Setback:
    """A training that ranks photos worse than the models before it, on the keywords both have."""

    keywords: int
    before: float  # mean average precision by leave-one-out
    after: float
    worst: KeywordChange


def setback(old: ModelSet, new: ModelSet) -> Setback | None:
    """``None`` where the new models are as good, or where one catalog changes too little to say.

    Worse is a mean average precision that fell by more than ``TOLERANCE`` and by more than twice the standard error
    of the mean difference: a few hard photos more under one keyword are no setback, wrong keywords on many are.
    Models of another encoder are worse where it fell at all: what is changed at will is to be no loss.
    """
    changes = [one for one in _changes(old, new) if _qualities([one])]
    pairs = _qualities(changes)
    if len(pairs) < 2:
        return None
    falls = [before - after for before, after in pairs]
    fall = math.fsum(falls) / len(falls)
    spread = math.fsum((one - fall) ** 2 for one in falls) / (len(falls) - 1)
    allowed = max(TOLERANCE, 2 * math.sqrt(spread / len(falls))) if old.encoder_id == new.encoder_id else 0.0
    if fall <= allowed:
        return None
    worst = max(zip(falls, range(len(falls)), strict=True))[1]
    return Setback(
        len(pairs),
        math.fsum(before for before, _ in pairs) / len(pairs),
        math.fsum(after for _, after in pairs) / len(pairs),
        changes[worst],
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a training was kept, which version suggests now, and why that is another one."""

    trained: int
    active: int
    held_back: str | None = None


def keep(
    workspace: Workspace,
    models: ModelSet,
    metrics: Mapping[str, float],
    previous: ModelSet | None,
    counts: bytes | None = None,
    activated: Callable[[Connection], object] = lambda _: None,
) -> Kept:
    """Keep a training as a version, and let it suggest unless it is worse than ``previous``, the active models.
    ``counts`` is what was counted of it (``learning.counting``), ``activated`` what else is to be written with its
    activation.

    A training that gives what a version holds already makes no other one. Where a person rolled that version back, or
    it was held back before, it stays so until a person activates it.
    """
    parts = models.to_parts()
    worse = setback(previous, models) if previous is not None else None
    with workspace.store.write() as connection:
        active = active_version(connection)
        known = same_version(connection, parts)
        taken_back = known is not None and known not in previously_active(connection)
        usable = active is not None and previous is not None
        number = known or add_version(connection, models.encoder_id, parts, metrics, activate=False)
        if counts is not None:
            keep_figures(connection, number, counts)
        if active is None or not usable or (worse is None and not taken_back):
            activate_version(connection, number)
            activated(connection)
            return Kept(number, number)
    take = f"`keywright models activate {number}` lets it suggest"
    if worse is not None:
        one = worse.worst
        return Kept(
            number,
            active.id,
            f"it ranks photos worse than version {active.id}: mean average precision {worse.after:.2f} instead of "
            f"{worse.before:.2f} over {worse.keywords} keywords, most of all {one.keyword} with "
            f"{one.new_quality:.2f} instead of {one.old_quality:.2f}; {take}",
        )
    return Kept(number, active.id, f"version {number} holds just this and was rolled back or never active; {take}")


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(str(number) for number in (ids if len(ids) <= 10 else [*ids[:3], "...", *ids[-5:]]))


def export_version(workspace: Workspace, number: int, file: Path) -> VersionRow:
    """Write a version into one file. Raises ``NotFoundError``, and ``KeywrightError`` where it cannot be written."""
    from keywright.operations.modelfile import Exported, write_model_file

    row = version(workspace, number)
    with workspace.store.read() as connection:
        parts = version_content(connection, number)
        counted = figures_of(connection, row.trained) if version_figures(workspace, row) is not None else None
    load(workspace, number)
    write_model_file(file, Exported(row.encoder_id, row.created_at, row.metrics, parts, counted))
    return row


def import_version(workspace: Workspace, file: Path) -> tuple[VersionRow, bool]:
    """Keep an exported version beside those there are, and whether it is new; which one suggests stays.

    Raises ``KeywrightError`` where the file is damaged, none of ours, or of an encoder that is not there.
    """
    from keywright.operations.modelfile import read_model_file

    found = read_model_file(file, workspace.home.encoders)
    # The training it was reviewed since has that number elsewhere, not here; the figures that come with it are its.
    metrics = {name: value for name, value in found.metrics.items() if name != REVIEWED_SINCE}
    with workspace.store.write() as connection:
        known = same_version(connection, found.parts)
        number = known or add_version(connection, found.encoder_id, found.parts, metrics, activate=False)
        if known is None and found.figures is not None:
            keep_figures(connection, number, found.figures)
    return version(workspace, number), known is None
