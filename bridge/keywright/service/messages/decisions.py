"""Decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.limits import MOST_DECISIONS
from keywright.service.messages.base import Answer, Body, Confidence, Id, Keyword, Page


class DecisionIn(Body):
    photo: Id
    keyword: Keyword
    decision: Literal["accepted", "rejected", "undecided"]
    confidence: Confidence | None = None
    model_version: Id | None = None


class DecisionsIn(Body):
    decisions: Annotated[list[DecisionIn], Field(min_length=1, max_length=MOST_DECISIONS)]


class DecisionsKept(Answer):
    kept: int


class Decision(Answer):
    photo: int
    keyword: str
    decision: Literal["accepted", "rejected"]
    confidence: float | None
    model_version: int | None


class Decisions(Answer):
    decisions: list[Decision]
    next: int | None = Field(description="The ``after`` of the next page.")


class DecisionsQuery(Page):
    decision: Literal["accepted", "rejected"] | None = None
