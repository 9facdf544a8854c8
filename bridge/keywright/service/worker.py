"""The worker: a process of its own that does the jobs of the queue one after the other, and ends when it is idle.

Apart from the bridge, so that the bridge answers while every core embeds, stays small, and outlives a decoder that
crashes. The bridge holds the other end of its standard input: a line there says that there may be work, its end that
the bridge is gone.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from filelock import FileLock

from keywright.errors import KeywrightError, reason
from keywright.home import Home
from keywright.operations.progress import CancelledError
from keywright.operations.workspace import Workspace
from keywright.platform import be_polite
from keywright.service.tasks import TASKS
from keywright.store import jobs
from keywright.store.database import StoreError
from keywright.store.jobs import Job, JobState
from keywright.writeback import BusyError

IDLE_SECONDS = 60.0
_TELL_EVERY = 0.5
_LAST_SECONDS = 10.0

log = logging.getLogger(__name__)


class Reporter:
    """Progress and cancelling of one job through the store, asked for often and written seldom."""

    def __init__(self, workspace: Workspace, job: Job, gone: threading.Event) -> None:
        self._workspace = workspace
        self._job = job
        self._gone = gone
        self._told = 0.0
        self._stage = ""
        self._cancelled = False

    def progress(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage == self._stage and done != total and now - self._told < _TELL_EVERY:
            return
        self._stage, self._told = stage, now
        with self._workspace.store.write() as connection:
            self._cancelled |= jobs.report_progress(connection, self._job.id, stage, done, total)

    def cancel(self) -> bool:
        """Whether to stop: a person asked for it, or the bridge is gone."""
        if self._cancelled or self._gone.is_set():
            return True
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            with self._workspace.store.read() as connection:
                self._cancelled = jobs.is_cancelling(connection, self._job.id)
        return self._cancelled


def run_job(workspace: Workspace, job: Job, gone: threading.Event) -> None:
    """Do one job to its end, and keep what became of it."""
    reporter = Reporter(workspace, job, gone)
    try:
        result = TASKS[job.kind](workspace, job.params, reporter.progress, reporter.cancel)
    except (BusyError, StoreError) as error:
        _put_back(workspace, job, str(error))
    except CancelledError as error:
        if not gone.is_set():  # else the next bridge goes on
            _end(workspace, job, JobState.CANCELLED, error=str(error))
    except KeywrightError as error:
        _end(workspace, job, JobState.FAILED, error=str(error))
    except Exception as error:
        log.error("Job %d failed in a way nobody thought of", job.id, exc_info=error)
        _put_back(workspace, job, f"Something went wrong inside Keywright ({reason(error)}); its log says where.")
    else:
        if gone.is_set():
            return
        stopped = reporter.cancel()
        _end(workspace, job, JobState.CANCELLED if stopped else JobState.COMPLETED, result=result)


def _end(
    workspace: Workspace,
    job: Job,
    state: JobState,
    *,
    result: dict[str, object] | None = None,
    error: str | None = None,
) -> None:
    with workspace.store.write() as connection:
        jobs.end_job(connection, job.id, state, result=result, error=error)


def _put_back(workspace: Workspace, job: Job, why: str) -> None:
    with workspace.store.write() as connection:
        jobs.put_back(connection, job.id, why)


def work(workspace: Workspace, wakes: queue.SimpleQueue[None], gone: threading.Event, idle: float) -> None:
    """Do jobs until none came for ``idle`` seconds, or the bridge is gone."""
    while not gone.is_set():
        with workspace.store.write() as connection:
            job = jobs.take_job(connection)
            later = jobs.next_job_at(connection) if job is None else None
        if job is not None:
            run_job(workspace, job, gone)
            continue
        wait = idle
        if later is not None:
            wait = max((later - datetime.now(UTC)).total_seconds(), 0.05)
        try:
            wakes.get(timeout=wait)
        except queue.Empty:
            if later is None:
                return


def listen(lines: Iterable[str], wakes: queue.SimpleQueue[None], gone: threading.Event) -> None:
    """Pass on what the bridge says until it is gone; then the job at hand has a little time to stop by itself."""
    for _ in lines:
        wakes.put(None)
    gone.set()
    wakes.put(None)
    time.sleep(_LAST_SECONDS)
    os._exit(0)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s worker: %(message)s")
    be_polite()
    wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
    gone = threading.Event()
    threading.Thread(target=listen, args=(sys.stdin, wakes, gone), daemon=True).start()
    home = Home.default()
    # A worker whose bridge was killed may still be stopping: two at once would take each other's jobs for lost ones.
    with FileLock(home.folder / "worker.lock"), Workspace.open(home) as workspace:
        if not gone.is_set():
            with workspace.store.write() as connection:
                jobs.put_back_interrupted(connection)
            work(workspace, wakes, gone, IDLE_SECONDS)


if __name__ == "__main__":
    main()
