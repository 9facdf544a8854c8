"""Thresholds: from which confidence on a keyword is suggested, and what that brings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.service.messages.base import Answer, Body, Name, Query
from keywright.service.messages.questions import Pictured

Wanted = Annotated[str, Field(min_length=1, max_length=1024)]
Share = Annotated[float, Field(gt=0, le=1)]


class KeywordModel(Answer):
    keyword: str
    photos: int
    synonyms: list[str]
    private: bool
    quality: float | None = Field(description="Average precision by leave-one-out; null: nobody can tell.")
    threshold: float | None = Field(description="null: it has no model.")
    own: bool = Field(description="A person has set the threshold.")


class KeywordModels(Answer):
    keywords: list[KeywordModel] = Field(description="In the order of the tree.")


class ThresholdQuery(Query):
    keyword: Wanted


class Threshold(Answer):
    keyword: str
    learned: float
    own: float | None
    photos: int
    precision: float | None = Field(description="Expected of the threshold that holds, by leave-one-out.")
    recall: float | None


class ThresholdIn(Body):
    keyword: Name
    confidence: Share | None


class PreviewQuery(Query):
    keyword: Wanted
    confidence: Share
    limit: Annotated[int, Field(ge=1, le=200)] = 24


class PreviewedPhoto(Answer):
    photo: Pictured
    confidence: float


class ThresholdPreview(Answer):
    keyword: str
    confidence: float
    photos: int = Field(description="That lack the keyword and would have it suggested.")
    looked_at: int
    precision: float | None
    recall: float | None
    shown: list[PreviewedPhoto] = Field(description="Those nearest to the confidence first.")
