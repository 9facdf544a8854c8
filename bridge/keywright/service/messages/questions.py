"""What a person is asked: the photos whose answer teaches most, and keywords that are probably missing or wrong."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.messages.base import Answer, Body, Id, Page, Query


class Pictured(Answer):
    """A photo as a page shows it."""

    photo: int
    path: str
    name: str
    picture: str = Field(description="Another text when the picture is another one.")


class UncertainQuery(Query):
    keyword: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None, description="A path, or the name at its end; without it all keywords are asked about."
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 20


class Question(Answer):
    photo: Pictured
    keyword: str
    confidence: float
    value: float = Field(description="0 to 1: how much the answer teaches.")


class Questions(Answer):
    model_version: int
    questions: list[Question] = Field(description="Each on another photo, the most telling first.")


class AuditIn(Body):
    catalog: Id


class AuditQuery(Page):
    catalog: Annotated[int, Field(ge=1)]
    doubt: Literal["missing", "wrong"] | None = Field(default=None, description="Without it both kinds are listed.")


class SpeakingPhoto(Answer):
    photo: Pictured
    similarity: float


class Finding(Answer):
    doubt: Literal["missing", "wrong"]
    photos: list[Pictured] = Field(description="All it concerns: copies with the same picture stand together.")
    keyword: str
    chance: float = Field(description="That the catalog is in error here.")
    confidence: float = Field(description="That the photo should carry the keyword, judged without this photo.")
    instead: str | None = Field(description="Wrong: a sibling the photo is taken for.")
    because: list[SpeakingPhoto]


class Audit(Answer):
    job: int | None = Field(description="The job of the newest audit of this catalog; null: there was none.")
    state: Literal["none", "pending", "processing", "completed", "failed", "cancelled"]
    audited_at: str | None
    judged: int = Field(description="Photos that were judged, each by models that never saw it.")
    missing: int = Field(description="Keywords that are probably missing and not decided since, on all pages.")
    wrong: int = Field(description="The same of those that are probably wrong.")
    findings: list[Finding] = Field(description="Those not decided since, the most certain first.")
    next: int | None = Field(description="The ``after`` of the next page.")
