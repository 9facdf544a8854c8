"""An audit that is kept: as numbers in a job's result, and read again without what was decided since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keywright.keywords import KeywordPath
from keywright.operations.progress import Cancel, Progress
from keywright.operations.registering import catalog, mappings_of
from keywright.operations.workspace import Workspace
from keywright.store.lookups import decisions_on, photos_by_id
from keywright.store.photos import KeywordIds, PhotoRow, photos_at

if TYPE_CHECKING:
    from keywright.operations.auditing import AuditReport, Finding

MOST_FINDINGS = 5000
"""Of either kind; who has decided these asks for another audit."""


MISSING, WRONG = "missing", "wrong"
"""The kinds of doubt as they are kept: ``learning.audit.Doubt``."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """A finding with the photos as the store knows them now."""

    doubt: str
    photos: tuple[PhotoRow, ...]
    keyword: KeywordPath
    chance: float
    confidence: float
    instead: KeywordPath | None
    because: tuple[tuple[PhotoRow, float], ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A page of the findings that nobody has decided yet, how many there are in all, and where the next page begins
    (``None`` after the last one)."""

    missing: int
    wrong: int
    found: tuple[Doubted, ...]
    next: int | None


def audit_catalog(workspace: Workspace, number: int, progress: Progress, cancel: Cancel) -> dict[str, object]:
    """Audit a registered catalog; gives what ``still_open`` reads. Raises ``KeywrightError`` as ``audit_source``."""
    from keywright.operations.auditing import audit_source  # late: who reads an audit judges nothing

    row = catalog(workspace, number)
    report = audit_source(
        workspace,
        row.source,
        mappings_of(workspace, number),
        limit=MOST_FINDINGS,
        progress=progress,
        cancel=cancel,
    )
    return {"judged": report.photos, "keywords": report.keywords, "findings": _written(workspace, report)}


def _written(workspace: Workspace, report: AuditReport) -> list[dict[str, object]]:
    findings = (*report.missing, *report.wrong)
    with workspace.store.read() as connection:
        speaking = photos_at(connection, list({b.path for one in findings for b in one.because}))
    return [_as_numbers(one, {path: rows[0].id for path, rows in speaking.items()}) for one in findings]


def _as_numbers(one: Finding, ids: Mapping[Any, int]) -> dict[str, object]:
    return {
        "doubt": one.doubt.value,
        "photos": list(one.photo_ids),
        "keyword": str(one.keyword),
        "chance": round(one.chance, 4),
        "confidence": round(one.confidence, 4),
        "instead": None if one.instead is None else str(one.instead),
        "because": [[ids[b.path], round(b.similarity, 3)] for b in one.because if b.path in ids],
    }


def still_open(
    workspace: Workspace,
    findings: Sequence[Mapping[str, Any]],
    doubt: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Open:
    """The findings whose photos are still there and on which nobody has decided since, the most certain first: those of
    one kind where ``doubt`` says so.

    Places are counted over all that the audit found, so that a page begins where the one before ended whatever was
    decided meanwhile.
    """
    ordered = sorted(findings, key=lambda one: -float(one["chance"]))
    with workspace.store.read() as connection:
        about = sorted({int(n) for one in findings for n in one["photos"]})
        rows = photos_by_id(connection, about)
        names = KeywordIds(connection).paths()
        made = decisions_on(connection, about)
    decided = {(photo, names[d.keyword_id].key) for photo, some in made.items() for d in some}
    left: list[tuple[int, Mapping[str, Any], KeywordPath, tuple[PhotoRow, ...]]] = []
    for place, one in enumerate(ordered):
        keyword = KeywordPath.parse(one["keyword"])
        photos = tuple(rows[n] for n in one["photos"] if n in rows and (n, keyword.key) not in decided)
        if photos:
            left.append((place, one, keyword, photos))
    wanted = [entry for entry in left if entry[0] >= after and doubt in (None, entry[1]["doubt"])]
    page = wanted[:limit]
    with workspace.store.read() as connection:
        speaking = photos_by_id(connection, sorted({int(n) for _, one, _, _ in page for n, _ in one["because"]}))
    missing = sum(one["doubt"] == MISSING for _, one, _, _ in left)
    return Open(
        missing,
        len(left) - missing,
        tuple(_doubted(one, keyword, photos, speaking) for _, one, keyword, photos in page),
        wanted[len(page)][0] if len(page) < len(wanted) else None,
    )


def _doubted(
    one: Mapping[str, Any], keyword: KeywordPath, photos: tuple[PhotoRow, ...], speaking: Mapping[int, PhotoRow]
) -> Doubted:
    return Doubted(
        str(one["doubt"]),
        photos,
        keyword,
        float(one["chance"]),
        float(one["confidence"]),
        None if one["instead"] is None else KeywordPath.parse(one["instead"]),
        tuple((speaking[n], float(likeness)) for n, likeness in one["because"] if n in speaking),
    )
