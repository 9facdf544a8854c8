"""How good each model version is: by leave-one-out when it was trained, and by what persons accepted since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, decisions
from keywright.store.models import VersionRow, figures_of

if TYPE_CHECKING:
    from keywright.learning.counting import Figures


@dataclass(frozen=True, slots=True)
class Answered:
    """Suggestions of one version that persons decided on one day (UTC, ISO 8601)."""

    version: int
    day: str
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """Suggestions of one version that persons decided, in all."""

    accepted: int = 0
    rejected: int = 0

    @property
    def share(self) -> float | None:
        total = self.accepted + self.rejected
        return self.accepted / total if total else None


NOTHING_DECIDED = Accepted()


def version_figures(workspace: Workspace, version: VersionRow) -> Figures | None:
    """The figures of a version; of a reviewed one those of its training. ``None`` where nothing was counted, as of an
    imported version, or what was counted is damaged."""
    from keywright.learning.base import LearningError
    from keywright.learning.counting import Counts, figures

    with workspace.store.read() as connection:
        content = figures_of(connection, version.trained)
    if content is None:
        return None
    try:
        return figures(Counts.from_bytes(content))
    except LearningError:
        return None  # the models themselves are sound: a version is listed without


def answered(workspace: Workspace) -> list[Answered]:
    """What persons decided of suggestions, by the version that made them and by day, in that order."""
    day = func.substr(decisions.c.decided_at, 1, 10)
    chosen = (
        select(decisions.c.version_id, day.label("day"), decisions.c.decision, func.count().label("n"))
        .where(decisions.c.version_id.is_not(None), decisions.c.confidence.is_not(None))
        .group_by(decisions.c.version_id, day, decisions.c.decision)
        .order_by(decisions.c.version_id, day)
    )
    found: dict[tuple[int, str], dict[str, int]] = {}
    with workspace.store.read() as connection:
        for row in connection.execute(chosen):
            found.setdefault((int(row.version_id), row.day), {})[row.decision] = int(row.n)
    return [
        Answered(version, when, some.get(Decision.ACCEPTED, 0), some.get(Decision.REJECTED, 0))
        for (version, when), some in found.items()
    ]


def accepted_by_version(workspace: Workspace) -> dict[int, Accepted]:
    found: dict[int, Accepted] = {}
    for one in answered(workspace):
        before = found.get(one.version, NOTHING_DECIDED)
        found[one.version] = Accepted(before.accepted + one.accepted, before.rejected + one.rejected)
    return found
