"""The queue of jobs: what is to be done in the background, how far it is, and what became of it.

A job is *pending* until a worker takes it, *processing* while it runs, then *completed*, *failed* or *cancelled*. One
whose worker vanished is put back to pending; a limit on tries keeps a job that kills its worker from doing so for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Integer, Row, Table, Text, delete, insert, select, update

from keywright.errors import KeywrightError
from keywright.store.schema import METADATA, AnyText

MOST_TRIES = 4
KEPT = 1000
"""Jobs that have ended are forgotten beyond so many."""
_BACK_OFF = timedelta(seconds=5)


class JobState(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("params", Text, nullable=False),  # a JSON object
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0),  # begun so often and ended by no fault of the user's
    Column("not_before", Text),  # ISO 8601, UTC
    Column("cancelling", Boolean, nullable=False, default=False),
    Column("stage", Text, nullable=False, default=""),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer),
    Column("error", AnyText),  # one sentence
    Column("result", AnyText),  # a JSON object
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),
    Index("ix_jobs_state", "state"),
    sqlite_autoincrement=True,
)


class NoJobError(KeywrightError):
    """There is no job of that number."""


class JobStateError(KeywrightError):
    """What was asked of a job does not go with the state it is in."""


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    params: Mapping[str, Any]
    state: JobState
    tries: int
    not_before: str | None
    cancelling: bool
    stage: str
    done: int
    total: int | None
    error: str | None
    result: Mapping[str, Any] | None
    created_at: str
    ended_at: str | None


def add_job(connection: Connection, kind: str, params: Mapping[str, Any]) -> Job:
    """Put a job at the end of the queue; one just like it that nobody has begun yet is given instead."""
    text = json.dumps(dict(params), sort_keys=True)
    waiting = select(jobs).where(
        jobs.c.kind == kind, jobs.c.params == text, jobs.c.state == JobState.PENDING.value, jobs.c.cancelling.is_(False)
    )
    known = connection.execute(waiting.limit(1)).first()
    if known is not None:
        return _job(known)
    values = {"kind": kind, "params": text, "state": JobState.PENDING.value, "created_at": _now()}
    number = connection.execute(insert(jobs).values(values).returning(jobs.c.id)).scalar_one()
    _forget_old(connection)
    return get_job(connection, int(number))


def get_job(connection: Connection, number: int) -> Job:
    """Raises ``NoJobError`` where there is none."""
    row = connection.execute(select(jobs).where(jobs.c.id == number)).first()
    if row is None:
        raise NoJobError(f"There is no job {number}; it may have been forgotten long after it ended.")
    return _job(row)


def list_jobs(
    connection: Connection, state: JobState | None = None, limit: int = 100, before: int | None = None
) -> list[Job]:
    """The newest first; ``before`` a number to go on from."""
    chosen = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if state is not None:
        chosen = chosen.where(jobs.c.state == state.value)
    if before is not None:
        chosen = chosen.where(jobs.c.id < before)
    return [_job(row) for row in connection.execute(chosen)]


def unfinished_jobs(connection: Connection) -> list[Job]:
    """All that wait or run, the newest first, as of one moment: one that begins meanwhile is missed by no half."""
    unfinished = jobs.c.state.in_([JobState.PENDING.value, JobState.PROCESSING.value])
    return [_job(row) for row in connection.execute(select(jobs).where(unfinished).order_by(jobs.c.id.desc()))]


def newest_of(connection: Connection, kind: str, params: Mapping[str, Any]) -> list[Job]:
    """The jobs of this kind with just these parameters, the newest first."""
    text = json.dumps(dict(params), sort_keys=True)
    chosen = select(jobs).where(jobs.c.kind == kind, jobs.c.params == text).order_by(jobs.c.id.desc())
    return [_job(row) for row in connection.execute(chosen)]


def newest_of_kind(connection: Connection, kind: str) -> Job | None:
    """The newest job of this kind, whatever its parameters."""
    row = connection.execute(select(jobs).where(jobs.c.kind == kind).order_by(jobs.c.id.desc()).limit(1)).first()
    return None if row is None else _job(row)


def take_job(connection: Connection) -> Job | None:
    """Begin the oldest job that may be begun now."""
    now = _now()
    ready = select(jobs).where(
        jobs.c.state == JobState.PENDING.value, (jobs.c.not_before.is_(None)) | (jobs.c.not_before <= now)
    )
    row = connection.execute(ready.order_by(jobs.c.id).limit(1)).first()
    if row is None:
        return None
    connection.execute(
        update(jobs).where(jobs.c.id == row.id).values(state=JobState.PROCESSING.value, tries=row.tries + 1)
    )
    return get_job(connection, int(row.id))


def next_job_at(connection: Connection) -> datetime | None:
    """When the next pending job may be begun; ``None`` where none waits."""
    rows = connection.execute(select(jobs.c.not_before).where(jobs.c.state == JobState.PENDING.value)).scalars().all()
    if not rows:
        return None
    return min(datetime.fromisoformat(text) if text else datetime.now(UTC) for text in rows)


def report_progress(connection: Connection, number: int, stage: str, done: int, total: int | None) -> bool:
    """Keep how far a job is; gives whether it is to be cancelled."""
    connection.execute(update(jobs).where(jobs.c.id == number).values(stage=stage, done=done, total=total))
    return bool(connection.execute(select(jobs.c.cancelling).where(jobs.c.id == number)).scalar())


def is_cancelling(connection: Connection, number: int) -> bool:
    return bool(connection.execute(select(jobs.c.cancelling).where(jobs.c.id == number)).scalar())


def end_job(
    connection: Connection,
    number: int,
    state: JobState,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    text = None if result is None else json.dumps(dict(result))
    connection.execute(
        update(jobs)
        .where(jobs.c.id == number)
        .values(state=state.value, result=text, error=error, ended_at=_now(), cancelling=False)
    )


def put_back(connection: Connection, number: int, why: str) -> None:
    """A job ended by no fault of the user's: it is tried again after a while, or has failed after ``MOST_TRIES``."""
    job = get_job(connection, number)
    if job.cancelling:
        end_job(connection, number, JobState.CANCELLED, error=why)
    elif job.tries >= MOST_TRIES:
        end_job(connection, number, JobState.FAILED, error=why)
    else:
        later = datetime.now(UTC) + _BACK_OFF * 2 ** (job.tries - 1)
        connection.execute(
            update(jobs)
            .where(jobs.c.id == number)
            .values(state=JobState.PENDING.value, not_before=_text(later), error=why)
        )


def put_back_interrupted(connection: Connection) -> list[int]:
    """Jobs that were running when the whole bridge ended: pending again at once, and not counted as tried."""
    running = connection.execute(select(jobs).where(jobs.c.state == JobState.PROCESSING.value)).all()
    for row in running:
        if row.cancelling:
            end_job(connection, row.id, JobState.CANCELLED)
        else:
            values = {"state": JobState.PENDING.value, "tries": max(row.tries - 1, 0), "not_before": None}
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))
    return [int(row.id) for row in running]


def cancel_job(connection: Connection, number: int) -> Job:
    """A pending job is cancelled at once, a running one is asked to stop. Raises ``JobStateError`` once it ended."""
    job = get_job(connection, number)
    if job.state in ENDED:
        raise JobStateError(f"Job {number} has {_past(job.state)} already; there is nothing to cancel.")
    if job.state is JobState.PENDING:
        end_job(connection, number, JobState.CANCELLED)
    else:
        connection.execute(update(jobs).where(jobs.c.id == number).values(cancelling=True))
    return get_job(connection, number)


def retry_job(connection: Connection, number: int) -> Job:
    """A failed or cancelled job begins anew. Raises ``JobStateError`` for any other."""
    job = get_job(connection, number)
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise JobStateError(f"Job {number} is {job.state.value}; only failed and cancelled jobs are tried again.")
    connection.execute(
        update(jobs)
        .where(jobs.c.id == number)
        .values(
            state=JobState.PENDING.value,
            tries=0,
            not_before=None,
            cancelling=False,
            error=None,
            result=None,
            ended_at=None,
            stage="",
            done=0,
            total=None,
        )
    )
    return get_job(connection, number)


def _past(state: JobState) -> str:
    return {JobState.COMPLETED: "been completed", JobState.CANCELLED: "been cancelled"}.get(state, state.value)


def _forget_old(connection: Connection) -> None:
    ended = select(jobs.c.id).where(jobs.c.state.in_([s.value for s in ENDED])).order_by(jobs.c.id.desc())
    oldest = connection.execute(ended.offset(KEPT).limit(1)).scalar()
    if oldest is not None:
        connection.execute(delete(jobs).where(jobs.c.id <= oldest, jobs.c.state.in_([s.value for s in ENDED])))


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _job(row: Row[Any]) -> Job:
    return Job(
        id=int(row.id),
        kind=row.kind,
        params=json.loads(row.params),
        state=JobState(row.state),
        tries=int(row.tries),
        not_before=row.not_before,
        cancelling=bool(row.cancelling),
        stage=row.stage,
        done=int(row.done),
        total=row.total,
        error=row.error,
        result=None if row.result is None else json.loads(row.result),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
