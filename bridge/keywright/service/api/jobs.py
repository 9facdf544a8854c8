"""Jobs: what runs in the background, followed by polling or as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Response

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.limits import STREAM_SECONDS
from keywright.service.messages import jobs as m
from keywright.store.jobs import ENDED, Job, JobState

GROUP = Group("jobs")
EVENT_STREAM = "text/event-stream"
_LOOK_EVERY = 0.25
_ALIVE_EVERY = 15.0


def as_message(job: Job) -> m.Job:
    return m.Job.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "state": job.state.value,
            "stage": job.stage,
            "done": job.done,
            "total": job.total,
            "tries": job.tries,
            "cancelling": job.cancelling,
            "error": job.error,
            "result": job.result,
            "created_at": job.created_at,
            "ended_at": job.ended_at,
        }
    )


@GROUP.endpoint("GET", "/jobs", "The jobs, newest first.", query=m.JobsQuery, answer=m.Jobs)
def list_jobs(bridge: Bridge, query: m.JobsQuery) -> m.Jobs:
    state = JobState(query.state) if query.state else None
    found = bridge.queue.list(state, query.limit, query.before)
    return m.Jobs(jobs=[as_message(job) for job in found], next=found[-1].id if len(found) == query.limit else None)


@GROUP.endpoint("POST", "/jobs/embed", "Embed photos in a job.", body=m.EmbedIn, answer=m.Job, status=202)
def embed_photos(bridge: Bridge, body: m.EmbedIn) -> m.Job:
    return as_message(bridge.queue.add("embed", {"photos": sorted(set(body.photos))}))


@GROUP.endpoint("GET", "/jobs/<id:job>", "How far a job is.", answer=m.Job)
def get_job(bridge: Bridge, job: int) -> m.Job:
    return as_message(bridge.queue.get(job))


@GROUP.endpoint("GET", "/jobs/<id:job>/events", "A job's progress as server-sent events.", streams=EVENT_STREAM)
def follow_job(bridge: Bridge, job: int) -> Response:
    bridge.queue.get(job)
    slot = bridge.streams.take()

    def events() -> Iterator[str]:
        try:
            yield from _events(bridge, job)
        finally:
            slot.give_back()

    answer = Response(events(), content_type=EVENT_STREAM)
    answer.call_on_close(slot.give_back)
    return answer


def _events(bridge: Bridge, number: int) -> Iterator[str]:
    """One event for each change, until the job has ended; a comment now and then shows who has gone away."""
    last, until, alive = None, time.monotonic() + STREAM_SECONDS, time.monotonic()
    while time.monotonic() < until:
        job = bridge.queue.get(number)
        if job != last:
            last, alive = job, time.monotonic()
            yield f"event: {job.state.value}\ndata: {as_message(job).model_dump_json()}\n\n"
        elif time.monotonic() - alive > _ALIVE_EVERY:
            alive = time.monotonic()
            yield ": still here\n\n"
        if job.state in ENDED:
            return
        time.sleep(_LOOK_EVERY)


@GROUP.endpoint("POST", "/jobs/<id:job>/cancel", "Ask a job to stop.", answer=m.Job)
def cancel_job(bridge: Bridge, job: int) -> m.Job:
    return as_message(bridge.queue.cancel(job))


@GROUP.endpoint("POST", "/jobs/<id:job>/retry", "Let a failed or cancelled job begin anew.", answer=m.Job)
def retry_job(bridge: Bridge, job: int) -> m.Job:
    return as_message(bridge.queue.retry(job))
