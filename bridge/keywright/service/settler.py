"""What a killed apply or undo left (an open batch, unfinished files beside photos) is settled when the bridge starts.

In a thread of its own, so that a drive that does not answer keeps no bridge from starting. A batch that another process
is at work on is left alone: the journal's lock tells. An apply that begins meanwhile waits in the queue for its turn.
"""

from __future__ import annotations

import logging
import threading

from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace

log = logging.getLogger(__name__)

_LAST_SECONDS = 5.0


class Settler:
    """One look; ``start`` and ``close``."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, patience: float | None = None) -> None:
        """Until everything was looked at, or ``patience`` seconds are over."""
        self._thread.join(patience)

    def close(self) -> None:
        """What was not looked at by then, the next start looks at."""
        if self._thread.is_alive():
            self.wait(_LAST_SECONDS)

    def _run(self) -> None:
        from keywright.store.journal import open_batches, unsettled_entry_ids

        try:
            with self._workspace.store.read() as connection:
                if not open_batches(connection) and not unsettled_entry_ids(connection):
                    return
            from keywright.operations import applying

            for report in applying.recover(self._workspace):
                log.info("%s", report)
        except (KeywrightError, OSError) as error:
            log.warning("What a killed batch left was not settled: %s", error)
