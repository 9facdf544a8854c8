"""While the bridge runs, registered catalogs are looked at now and then; one that has changed is read in a job."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from keywright.config import Watch
from keywright.errors import KeywrightError
from keywright.operations.noticing import Noticing
from keywright.operations.workspace import Workspace
from keywright.service.queue import Queue
from keywright.store.photos import CatalogRow

log = logging.getLogger(__name__)


class Watcher:
    """A thread of its own; ``start`` and ``close``."""

    def __init__(
        self, workspace: Workspace, queue: Queue, settings: Watch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspace = workspace
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._noticing = Noticing(settings.interval)
        self._away: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        if self._settings.catalogs:
            self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(min(self._settings.interval, 15)):
            try:
                self.look()
            except KeywrightError as error:
                log.warning("Catalogs were not looked at: %s", error)

    def look(self) -> list[int]:
        """One look at every catalog whose time has come; gives the jobs that were added."""
        from keywright.operations import registering

        reading = self._being_read()
        jobs = []
        for row in registering.catalogs(self._workspace):
            if self._stopped.is_set():
                break
            # What was never read was registered just now, or cannot be read: whoever registered it was told.
            if row.read_at is None or row.id in reading or not self._noticing.is_due(row.id, self._clock()):
                continue
            begun = self._clock()
            state = self._state(row)
            now = self._clock()
            read = registering.state_when_read(self._workspace, row.id)
            if self._noticing.looked(row.id, now, now - begun, state, read):
                log.info("The catalog %s has changed; it is read anew", row.source)
                jobs.append(self._read(row))
        return jobs

    def _state(self, row: CatalogRow) -> str | None:
        from keywright.operations import registering

        try:
            state = registering.token(row.source)
        except KeywrightError as error:
            if row.id not in self._away:  # a drive that is away is no news at every look
                log.info("The catalog %s is not looked at: %s", row.source, error)
                self._away.add(row.id)
            return None
        self._away.discard(row.id)
        return state

    def _being_read(self) -> set[int]:
        learning = (job for job in self._queue.unfinished() if job.kind == "learn")
        return {int(number) for job in learning for number in job.params.get("catalogs", ())}

    def _read(self, row: CatalogRow) -> int:
        from keywright.operations import registering

        params: dict[str, object] = {"catalogs": [row.id], "only_read": not row.learned}
        if not row.learned and not registering.is_embedded(self._workspace, row.id):
            params["embed"] = False
        return self._queue.add("learn", params).id
