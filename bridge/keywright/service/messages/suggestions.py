"""Suggestions with their reasons."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.limits import MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Confidence, Id, Name


class SuggestIn(Body):
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_PHOTOS)]
    min_confidence: Confidence | None = Field(default=None, description="null: each keyword's own threshold.")
    limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Most of one photo; 0: all; null: as the profile says, else 10."
    )
    profile: Name | None = None
    embed: bool = Field(default=True, description="Put photos without a vector into the queue.")


class Because(Answer):
    path: str
    similarity: float


class Suggestion(Answer):
    keyword: str
    confidence: float
    host_id: str | None = Field(
        description="What the photo's catalog calls this keyword, where it has it, such as Lightroom's local id."
    )
    automatic: bool = Field(description="Made of what the camera wrote, as the profile says; no model speaks for it.")
    sources: list[str] = Field(
        description="Who speaks for it besides photos: describers that name it or a keyword below it, and 'its name'."
    )
    new: bool = Field(description="No keyword of the user's yet: a describer alone names it.")
    because: list[Because] = Field(description="Photos with the keyword that this one resembles.")


class Suggested(Answer):
    photo: int
    state: Literal["ready", "waiting", "failed", "unknown"] = Field(
        description="waiting: it has no vector yet, a job makes it."
    )
    suggestions: list[Suggestion]
    error: str | None = None


class Suggestions(Answer):
    model_version: int
    photos: list[Suggested]
    job: int | None = Field(description="The job that embeds the photos that wait.")
