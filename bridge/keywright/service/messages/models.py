"""Model versions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.service.limits import MOST_ID
from keywright.service.messages.base import Answer, Query


class ModelVersion(Answer):
    id: int
    encoder: str
    created_at: str
    active: bool
    metrics: dict[str, float | None]


class ModelVersions(Answer):
    versions: list[ModelVersion]


class ImportedVersion(Answer):
    version: ModelVersion
    new: bool = Field(description="False: it was there already.")


class RemovedVersion(Answer):
    removed: int
    freed: int = Field(description="Bytes that no other version shared; the store uses them again.")


class CompareQuery(Query):
    old: Annotated[int, Field(ge=1, le=MOST_ID)]
    new: Annotated[int, Field(ge=1, le=MOST_ID)]


class KeywordChange(Answer):
    keyword: str
    old_photos: int | None
    new_photos: int | None
    old_quality: float | None = Field(description="Average precision by leave-one-out.")
    new_quality: float | None


class Comparison(Answer):
    old: ModelVersion
    new: ModelVersion
    added: list[str]
    removed: list[str]
    changed: list[KeywordChange]
    compared: int = Field(description="Keywords that both have, on photos enough to tell their quality.")
    old_mean: float | None = Field(description="Mean average precision over those, by leave-one-out.")
    new_mean: float | None
