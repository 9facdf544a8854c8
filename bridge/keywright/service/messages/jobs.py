"""Jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.limits import MOST_ID, MOST_PAGE, MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Id, Query

Reading = Literal["learn", "train", "encoder", "finetune", "embed", "rendition", "describe", "suggestions", "audit"]
Writing = Literal["plan", "apply", "undo"]


class Job(Answer):
    id: int
    kind: Reading | Writing
    state: Literal["pending", "processing", "completed", "failed", "cancelled"]
    stage: str
    done: int
    total: int | None
    tries: int
    cancelling: bool
    error: str | None
    result: dict[str, object] | None
    created_at: str
    ended_at: str | None


class Jobs(Answer):
    jobs: list[Job]
    next: int | None = Field(description="The ``before`` of the next page.")


class JobsQuery(Query):
    state: Literal["pending", "processing", "completed", "failed", "cancelled"] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_PAGE)] = 100
    before: Annotated[int, Field(ge=1, le=MOST_ID)] | None = None


class EmbedIn(Body):
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_PHOTOS)]
