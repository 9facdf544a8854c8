"""The teacher of a running bridge: learns what a person says as they say it, on a thread of its own.

What is said is on the disk before it comes here, and waits there until it is learned: whatever fails here, the next
start or the next training takes it in. The factor that decisions are learned with is made when the first one comes and
given up when none has come for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace
from keywright.store.decisions import count_waiting
from keywright.store.lookups import Names
from keywright.store.models import Mark

if TYPE_CHECKING:
    from keywright.learning.models import ModelSet
    from keywright.operations.catching_up import CaughtUp, Opened

IDLE_SECONDS = 600.0
"""After so long without a decision the factor is given up: some 10 MB to 100 MB."""
PATIENCE = 0.1
"""So long a decision is waited for where the factor is at hand, so that the next suggestions know of it."""
_KEPT_PROBLEMS = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TeacherState:
    """What the teacher is about."""

    ready: bool  # the factor is at hand
    waiting: int  # decisions that are kept and not learned yet
    learned: int  # since the bridge started
    seconds: float | None  # how long the last ones took
    problems: tuple[str, ...]  # what was not learned at once and why, the newest last


class Teacher:
    """One for a workspace; safe for many threads.

    ``every``: 1 learns each decision at once, N when N wait, 0 only when ``learn_now`` is called.
    """

    def __init__(self, workspace: Workspace, every: int, names: Names | None = None) -> None:
        self._workspace = workspace
        self._every = every
        self._names = names or Names()
        self._turn = threading.Condition()
        self._learning = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = 0  # how often something new was told
        self._answered = 0  # up to which of these all was done that could be
        self._closed = False
        self._opened: Opened | None = None
        self._state = TeacherState(ready=False, waiting=0, learned=0, seconds=None, problems=())

    def told(self) -> None:
        """Something new waits in the store: learn it when its time has come. Returns soon, whatever there is to do."""
        if self._every == 0:
            return
        with self._turn:
            if self._closed:
                return
            self._asked += 1
            mine = self._asked
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="teacher", daemon=True)
                self._thread.start()
            self._turn.notify_all()
            if self._opened is not None:
                self._turn.wait_for(lambda: self._answered >= mine or self._closed, PATIENCE)

    def learn_now(self) -> TeacherState:
        """Learn all that waits before this returns, seconds where the factor is not at hand. Raises ``KeywrightError``
        where it cannot be learned; what is said stays kept."""
        with self._learning:
            self._learn(1)
        return self.state()

    def finish(self, seconds: float | None = None) -> bool:
        """Wait until all that was told has been seen to; whether it has."""
        with self._turn:
            return self._turn.wait_for(lambda: self._answered >= self._asked or self._closed, seconds)

    def state(self) -> TeacherState:
        with self._workspace.store.read() as connection:
            waiting = count_waiting(connection)
        return replace(self._state, ready=self._opened is not None, waiting=waiting)

    def models(self, mark: Mark) -> ModelSet | None:
        """The models of this mark, where the teacher has them at hand."""
        opened = self._opened
        return opened.models if opened is not None and opened.mark == mark else None

    def close(self) -> None:
        """Let what is being learned come to its end; afterwards the workspace may be closed."""
        with self._turn:
            self._closed = True
            thread = self._thread
            self._turn.notify_all()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._turn:
                if not self._turn.wait_for(lambda: self._asked > self._answered or self._closed, IDLE_SECONDS):
                    self._thread, self._opened = None, None
                    return
                if self._closed:
                    return
                upto = self._asked
            try:
                with self._learning:
                    self._learn(self._every)
            except KeywrightError as error:
                self._note(str(error))
            except Exception as error:
                log.exception("Learning a decision at once failed in a way nobody thought of")
                self._opened = None
                self._note(f"Something went wrong inside Keywright ({error}); the next training learns what was said.")
            with self._turn:
                self._answered = upto
                self._turn.notify_all()

    def _learn(self, least: int) -> None:
        from keywright.learning.settings import LearnerSettings
        from keywright.operations.catching_up import MovedError, catch_up, open_learner

        while not self._closed:
            with self._workspace.store.read() as connection:
                waiting = count_waiting(connection)
            if waiting < max(least, 1):
                return
            opened = open_learner(self._workspace, LearnerSettings(), self._opened)
            if opened is None:
                return  # nothing was learned yet: the first training learns it all
            self._opened = opened
            started = time.perf_counter()
            try:
                self._opened, done = catch_up(self._workspace, opened, self._names)
            except MovedError:
                continue
            self._tell(done, time.perf_counter() - started)
            least = 1  # those that came with them

    def _tell(self, done: CaughtUp, seconds: float) -> None:
        self._state = replace(self._state, learned=self._state.learned + done.learned, seconds=seconds)
        for problem in done.put_off:
            self._note(problem)

    def _note(self, problem: str) -> None:
        log.warning("Not learned at once: %s", problem)
        self._state = replace(self._state, problems=(*self._state.problems, problem)[-_KEPT_PROBLEMS:])


def learn_waiting(workspace: Workspace) -> TeacherState:
    """Learn all that waits in this process, without a bridge: for commands. Raises as ``Teacher.learn_now``."""
    return Teacher(workspace, 0).learn_now()
