"""Write-backs: dry run, apply, undo, history; and for a host that writes itself, what is pending and what was done."""

from __future__ import annotations

import itertools

from keywright.keywords import KeywordPath
from keywright.service.api.decisions import digest
from keywright.service.api.jobs import as_message
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import writebacks as m
from keywright.service.messages.jobs import Job
from keywright.service.problems import not_found
from keywright.text import printable
from keywright.writeback import BatchSummary

GROUP = Group("write-backs")


def _batch(one: BatchSummary) -> m.Batch:
    return m.Batch(
        id=one.id,
        kind=one.kind.value,
        label=printable(one.label),
        undoes=one.undoes,
        state=one.state.value,
        note=printable(one.note),
        begun_at=one.begun_at,
        ended_at=one.ended_at,
        asked=one.asked,
        written=one.written,
        undone=one.undone,
        left=one.left,
        unknown=one.unknown,
    )


def _params(bridge: Bridge, body: m.WriteIn) -> dict[str, object]:
    from keywright.operations.registering import catalog

    for number in body.catalogs:
        catalog(bridge.workspace, number)
    return {
        "catalogs": sorted(set(body.catalogs)),
        "min_confidence": body.min_confidence,
        # As it is now: what is written is what was asked for, whatever the configuration says by then.
        "profile": None if body.profile is None else bridge.config.profile(body.profile).model_dump(mode="json"),
        "to_files": body.to_files,
        "sidecars": body.sidecars or bridge.config.files.sidecars,
    }


@GROUP.endpoint("POST", "/write-backs/plan", "A dry run, in a job.", body=m.WriteIn, answer=Job, status=202)
def plan(bridge: Bridge, body: m.WriteIn) -> Job:
    return as_message(bridge.queue.add("plan", _params(bridge, body)))


@GROUP.endpoint(
    "POST", "/write-backs", "Write into files, as one batch, in a job.", body=m.WriteIn, answer=Job, status=202
)
def apply(bridge: Bridge, body: m.WriteIn) -> Job:
    return as_message(bridge.queue.add("apply", _params(bridge, body)))


@GROUP.endpoint("GET", "/write-backs", "The batches, newest first.", query=m.BatchesQuery, answer=m.Batches)
def list_batches(bridge: Bridge, query: m.BatchesQuery) -> m.Batches:
    from keywright.operations.applying import history

    return m.Batches(batches=[_batch(one) for one in history(bridge.workspace, query.limit)])


@GROUP.endpoint(
    "GET",
    "/write-backs/pending",
    "What a host is to do itself, photo by photo.",
    query=m.PendingQuery,
    answer=m.Pending,
)
def list_pending(bridge: Bridge, query: m.PendingQuery) -> m.Pending:
    from keywright.operations.hosting import host_ids, pending

    found, following = pending(bridge.workspace, query.catalog, query.after, query.limit)
    keywords = {path for one in found for path in (*one.add, *one.remove)}
    in_host = host_ids(bridge.workspace, bridge.names, query.catalog, keywords)
    return m.Pending(
        photos=[
            m.PendingPhoto(
                photo=one.photo.id,
                host_id=printable(one.photo.host_id),
                path=printable(one.photo.path),
                add=[str(path) for path in one.add],
                remove=[str(path) for path in one.remove],
            )
            for one in found
        ],
        host_ids={str(path): host_id for path, host_id in in_host.items()},
        next=following,
    )


@GROUP.endpoint(
    "POST",
    "/write-backs/reports",
    "What a host has done, or could not do.",
    body=m.HostReports,
    answer=m.HostReportsKept,
    idempotent=True,
)
def report_host_writes(bridge: Bridge, body: m.HostReports, key: str) -> m.HostReportsKept:
    from keywright.operations import hosting
    from keywright.operations.deciding import Once

    reports = [
        hosting.Reported(one.photo, KeywordPath.parse(one.keyword), one.action == "add", one.done, one.reason)
        for one in body.reports
    ]
    return m.HostReportsKept(kept=hosting.report(bridge.workspace, reports, Once(key, digest(body))))


@GROUP.endpoint("GET", "/write-backs/<batch>", "A batch and its files.", query=m.BatchFilesQuery, answer=m.BatchFiles)
def get_batch(bridge: Bridge, batch: str, query: m.BatchFilesQuery) -> m.BatchFiles:
    from keywright.operations.applying import journal
    from keywright.writeback import batch_files

    summary = _found(bridge, batch)
    files = batch_files(journal(bridge.workspace), batch)
    page = list(itertools.islice(files, query.after, query.after + query.limit + 1))
    return m.BatchFiles(
        batch=summary,
        files=[
            m.BatchFile(
                where=printable(one.where),
                photos=[printable(p) for p in one.photos],
                state=one.state.value,
                reason=printable(one.reason),
                added=[str(p) for p in one.added],
                removed=[str(p) for p in one.removed],
                created=one.created,
            )
            for one in page[: query.limit]
        ],
        next=query.after + query.limit if len(page) > query.limit else None,
    )


@GROUP.endpoint(
    "POST",
    "/write-backs/<batch>/undo",
    "Take out what a batch wrote, in a job.",
    body=m.UndoIn,
    answer=Job,
    status=202,
)
def undo(bridge: Bridge, batch: str, body: m.UndoIn) -> Job:
    _found(bridge, batch)
    return as_message(bridge.queue.add("undo", {"batch": batch, "photos": sorted(set(body.photos))}))


def _found(bridge: Bridge, batch: str) -> m.Batch:
    from keywright.operations.applying import journal
    from keywright.writeback import WriteBackError, batch_summary

    try:
        return _batch(batch_summary(journal(bridge.workspace), batch))
    except WriteBackError as error:
        raise not_found(str(error)) from error
