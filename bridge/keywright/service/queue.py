"""The bridge's side of the queue: puts jobs into it, and keeps a worker running while there are any."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keywright.operations.workspace import Workspace
from keywright.platform import ONE_THREAD, lower_priority
from keywright.store import jobs
from keywright.store.jobs import Job, JobState

log = logging.getLogger(__name__)


class Queue:
    """Jobs in the store, and the process that does them."""

    def __init__(self, workspace: Workspace, log_file: Path | None = None) -> None:
        self._workspace = workspace
        self._log_file = log_file
        self._worker: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Go on with what an earlier bridge left undone."""
        with self._workspace.store.write() as connection:
            jobs.put_back_interrupted(connection)
            waiting = jobs.next_job_at(connection)
        if waiting is not None:
            self.wake()

    def add(self, kind: str, params: Mapping[str, Any]) -> Job:
        with self._workspace.store.write() as connection:
            job = jobs.add_job(connection, kind, params)
        self.wake()
        return job

    def get(self, number: int) -> Job:
        with self._workspace.store.read() as connection:
            return jobs.get_job(connection, number)

    def unfinished(self) -> list[Job]:
        """The jobs that wait or run, the newest first."""
        with self._workspace.store.read() as connection:
            return jobs.unfinished_jobs(connection)

    def list(self, state: JobState | None, limit: int, before: int | None) -> list[Job]:
        with self._workspace.store.read() as connection:
            return jobs.list_jobs(connection, state, limit, before)

    def cancel(self, number: int) -> Job:
        with self._workspace.store.write() as connection:
            return jobs.cancel_job(connection, number)

    def retry(self, number: int) -> Job:
        with self._workspace.store.write() as connection:
            job = jobs.retry_job(connection, number)
        self.wake()
        return job

    def wake(self) -> None:
        """Tell the worker that there is work, starting one where none runs."""
        with self._lock:
            if self._closed:
                return
            if self._worker is not None and self._worker.poll() is None and self._worker.stdin is not None:
                with contextlib.suppress(OSError):
                    self._worker.stdin.write("\n")
                    self._worker.stdin.flush()
                    return
            self._worker = self._spawn()
            threading.Thread(target=self._watch, args=(self._worker,), daemon=True).start()

    def _spawn(self) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
        environment["KEYWRIGHT_HOME"] = str(self._workspace.home.folder)
        output = self._log_file.open("a", encoding="utf-8") if self._log_file else None
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "keywright.service.worker"],
                stdin=subprocess.PIPE,
                stdout=output or subprocess.DEVNULL,
                stderr=output or subprocess.DEVNULL,
                env=environment,
                text=True,
                **lower_priority(),
            )
        finally:
            if output is not None:
                output.close()

    def _watch(self, worker: subprocess.Popen[str]) -> None:
        """When a worker ends: put back what it died of, and start another where there is more to do."""
        code = worker.wait()
        with self._lock:
            if self._closed or self._worker is not worker:
                return
            self._worker = None
        with self._workspace.store.write() as connection:
            for job in jobs.list_jobs(connection, JobState.PROCESSING):
                log.warning("The worker ended with %d in the middle of job %d", code, job.id)
                jobs.put_back(connection, job.id, f"The worker ended in the middle of it (exit code {code}).")
            waiting = jobs.next_job_at(connection)
        if waiting is not None:
            self.wake()

    def close(self, patience: float = 5.0) -> None:
        """Let the worker stop at the next safe place; what it was doing goes on at the next start."""
        with self._lock:
            self._closed = True
            worker = self._worker
        if worker is None:
            return
        if worker.stdin is not None:
            with contextlib.suppress(OSError):
                worker.stdin.close()
        try:
            worker.wait(patience)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
