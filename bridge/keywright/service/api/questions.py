"""Questions for a person: the most telling photos, and an audit's findings."""

from __future__ import annotations

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import questions as m
from keywright.service.messages.jobs import Job
from keywright.service.numbers import share
from keywright.store import jobs as stored
from keywright.store.photos import PhotoRow
from keywright.text import printable

GROUP = Group("questions")


def pictured(row: PhotoRow) -> m.Pictured:
    """A photo as a page shows it."""
    from keywright.service.api.review import picture

    return m.Pictured(photo=row.id, path=printable(row.path), name=printable(row.path.name), picture=picture(row))


@GROUP.endpoint(
    "GET", "/uncertain", "The photos whose answer would teach most.", query=m.UncertainQuery, answer=m.Questions
)
def list_uncertain(bridge: Bridge, query: m.UncertainQuery) -> m.Questions:
    from keywright.operations.asking import ask
    from keywright.store.lookups import photos_by_id

    active = bridge.models_in_use.current()
    found = ask(bridge.workspace, active.models, query.keyword, limit=query.limit)
    with bridge.workspace.store.read() as connection:
        rows = photos_by_id(connection, [one.photo_id for one in found])
    return m.Questions(
        model_version=active.version,
        questions=[
            m.Question(
                photo=pictured(rows[one.photo_id]),
                keyword=str(one.keyword),
                confidence=share(one.confidence),
                value=share(one.value),
            )
            for one in found
            if one.photo_id in rows
        ],
    )


@GROUP.endpoint("POST", "/audits", "Audit a catalog, in a job.", body=m.AuditIn, answer=Job, status=202)
def audit_catalog(bridge: Bridge, body: m.AuditIn) -> Job:
    from keywright.operations.registering import catalog
    from keywright.service.api.jobs import as_message

    row = catalog(bridge.workspace, body.catalog)
    return as_message(bridge.queue.add("audit", {"catalog": row.id}))


@GROUP.endpoint(
    "GET",
    "/audits",
    "What the newest audit of a catalog found, without what was decided since.",
    query=m.AuditQuery,
    answer=m.Audit,
)
def get_audit(bridge: Bridge, query: m.AuditQuery) -> m.Audit:
    from keywright.operations.doubting import still_open
    from keywright.operations.registering import catalog

    catalog(bridge.workspace, query.catalog)
    with bridge.workspace.store.read() as connection:
        mine = stored.newest_of(connection, "audit", {"catalog": query.catalog})
    done = next((job for job in mine if job.state is stored.JobState.COMPLETED), None)
    newest = mine[0] if mine else None
    result = dict(done.result or {}) if done else {}
    found = still_open(bridge.workspace, result.get("findings", []), query.doubt, query.after, query.limit)
    return m.Audit.model_validate(
        {
            "job": newest.id if newest else None,
            "state": newest.state.value if newest else "none",
            "audited_at": done.ended_at if done else None,
            "judged": result.get("judged", 0),
            "missing": found.missing,
            "wrong": found.wrong,
            "next": found.next,
            "findings": [
                {
                    "doubt": one.doubt,
                    "photos": [pictured(row) for row in one.photos],
                    "keyword": str(one.keyword),
                    "chance": share(one.chance),
                    "confidence": share(one.confidence),
                    "instead": None if one.instead is None else str(one.instead),
                    "because": [
                        {"photo": pictured(row), "similarity": round(max(-1.0, min(1.0, likeness)), 3)}
                        for row, likeness in one.because
                    ],
                }
                for one in found.found
            ],
        }
    )
