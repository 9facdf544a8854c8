"""Questions that threads ask at the same time are answered in one go: while one round is worked on, the next gathers.

Scoring eight photos at once takes hardly longer than scoring one; a bridge with many waiting requests lives by that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Kind = TypeVar("Kind", bound=Hashable)
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Asked(Generic[Kind, Question, Answer]):
    """What one thread asks, and waits for."""

    def __init__(self, kind: Kind, questions: Sequence[Question]) -> None:
        self.kind = kind
        self.questions = questions
        self.answers: list[Answer] | None = None
        self.error: BaseException | None = None
        self.turn = threading.Event()  # set when there are answers, or when this thread is to lead the next round


class Together(Generic[Kind, Question, Answer]):
    """``answer`` is called with a kind and the questions of that kind that wait, and gives as many answers.

    An error of it is raised in every thread whose questions were in that round. Safe for many threads.
    """

    def __init__(self, answer: Callable[[Kind, Sequence[Question]], Sequence[Answer]], most: int) -> None:
        self._answer = answer
        self._most = most  # questions of one round, where the first asks fewer
        self._waiting: list[_Asked[Kind, Question, Answer]] = []
        self._led = False
        self._lock = threading.Lock()

    def ask(self, kind: Kind, questions: Sequence[Question]) -> Sequence[Answer]:
        mine: _Asked[Kind, Question, Answer] = _Asked(kind, questions)
        with self._lock:
            self._waiting.append(mine)
            lead, self._led = not self._led, True
        if not lead:
            mine.turn.wait()
        if mine.answers is None and mine.error is None:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.answers is not None
        return mine.answers

    def _lead(self, mine: _Asked[Kind, Question, Answer]) -> None:
        """One round with ``mine`` in it; then who waits first leads: nobody works for others for ever."""
        with self._lock:
            number, here = 0, list[_Asked[Kind, Question, Answer]]()
            for one in (mine, *(one for one in self._waiting if one is not mine)):
                if one is mine or (one.kind == mine.kind and number + len(one.questions) <= self._most):
                    here.append(one)
                    number += len(one.questions)
            self._waiting = [one for one in self._waiting if one not in here]
        try:
            answers = self._answer(mine.kind, [question for one in here for question in one.questions])
            start = 0
            for one in here:
                one.answers = list(answers[start : start + len(one.questions)])
                start += len(one.questions)
        except BaseException as error:  # noqa: BLE001  it is raised where each of them asked
            for one in here:
                one.error = error
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            for one in here:
                one.turn.set()
            if following is not None:
                following.turn.set()
