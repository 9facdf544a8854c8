"""Search runs in a process of its own: it takes an encoder and a sentence model, and the bridge is to stay small.

The process is started with the first search and ends when nobody searched for a while. It is asked one thing at a time,
a line of JSON each way.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace
from keywright.platform import ONE_THREAD

if TYPE_CHECKING:
    from keywright.operations.remembering import Memory

IDLE_SECONDS = 300.0
ANSWER_SECONDS = 120.0
_END_SECONDS = 5.0

log = logging.getLogger(__name__)


class SearchError(KeywrightError):
    """The searching process does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``found``: for each photo ``photo`` (its number), ``score`` and ``because``. ``notes``: what a person should know
    of it, in sentences."""

    found: Sequence[Mapping[str, Any]]
    notes: Sequence[str]


class Searcher:
    """The bridge's side; safe for many threads. ``command``: what starts the process."""

    def __init__(
        self,
        workspace: Workspace,
        log_file: Path | None = None,
        patience: float = ANSWER_SECONDS,
        command: Sequence[str] = (sys.executable, "-m", "keywright.service.searcher"),
    ) -> None:
        self._command = command
        self._workspace = workspace
        self._log_file = log_file
        self._patience = patience
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()

    @property
    def process(self) -> int | None:
        """The number of the process that searches, where it runs."""
        return None if self._process is None else self._process.pid

    def search(self, asked: Mapping[str, object]) -> Answer:
        """``asked``: the arguments of ``operations.searching.search``.

        Raises ``KeywrightError`` as that does, ``SearchError`` where the process does not answer in time.
        """
        with self._lock:
            for _ in range(2):  # it may just have ended, because nobody searched for long
                told = self._ask(json.dumps(asked))
                if told is not None:
                    break
            else:
                raise SearchError("The search ended without an answer; the bridge's log says more. Try again.")
        answer = json.loads(told)
        if "error" in answer:
            raise KeywrightError(answer["error"])
        return Answer(answer["found"], answer["notes"])

    def _ask(self, line: str) -> str | None:
        """``None`` where the process has ended, or is just ending: the next is asked of a new one."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            told = self._answers.get(timeout=self._patience)
        except OSError:
            told = ""
        except queue.Empty:
            self._end()
            raise SearchError(f"The search took longer than {self._patience:.0f} seconds; ask for less.") from None
        if not told:
            self._end()
        return told or None

    def _end(self) -> None:
        """End the process now, and forget it: one that is ending by itself takes its time, and answers no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                with contextlib.suppress(OSError):  # what it did not read any more is lost with it
                    self._process.stdin.close()
            self._process = None

    def _start(self) -> None:
        environment = os.environ | ONE_THREAD | {"KEYWRIGHT_HOME": str(self._workspace.home.folder)}
        output = self._log_file.open("a", encoding="utf-8") if self._log_file else None
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output or subprocess.DEVNULL,
                env=environment,
                text=True,
                encoding="utf-8",
            )
        finally:
            if output is not None:
                output.close()
        self._answers = queue.SimpleQueue()
        assert self._process.stdout is not None
        reading = threading.Thread(target=_pass_on, args=(self._process.stdout, self._answers), daemon=True)
        reading.start()

    def close(self) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pass_on(lines: IO[str], answers: queue.SimpleQueue[str]) -> None:
    """An empty answer says that there will be no more."""
    for line in lines:
        answers.put(line)
    answers.put("")


def answer(workspace: Workspace, asked: Mapping[str, Any], memory: Memory | None = None) -> dict[str, object]:
    """What the process says to one question."""
    from keywright.operations.searching import search

    notes: list[str] = []
    try:
        found = search(workspace, **asked, note=notes.append, memory=memory)
    except KeywrightError as error:
        return {"error": str(error)}
    told = [{"photo": f.photo.id, "score": f.score, "because": list(f.because)} for f in found]
    return {"found": told, "notes": notes}


def serve(workspace: Workspace, lines: queue.SimpleQueue[str | None], out: IO[str], idle: float = IDLE_SECONDS) -> None:
    """Answer until there are no more lines, or none came for ``idle`` seconds."""
    from keywright.operations.remembering import Memory

    memory = Memory(workspace, lasting=True)
    while True:
        try:
            line = lines.get(timeout=idle)
        except queue.Empty:
            return
        if line is None:
            return
        out.write(json.dumps(answer(workspace, json.loads(line), memory)) + "\n")
        out.flush()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s search: %(message)s")
    # What a library prints is no answer: those have a way of their own.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def listen(given: Sequence[str] | IO[str]) -> None:
        for line in given:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, args=(sys.stdin,), daemon=True).start()
    with Workspace.open() as workspace:
        serve(workspace, lines, out)


if __name__ == "__main__":
    main()
