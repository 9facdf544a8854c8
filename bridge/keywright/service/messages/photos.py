"""Photos, their keywords, and photos that look alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.limits import MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Id, Keyword, Query, Text


class PhotoRef(Body):
    """A photo by its path, or by its catalog and what the catalog calls it."""

    path: Text | None = None
    catalog: Id | None = None
    host_id: Text | None = None


class PhotosIn(Body):
    photos: Annotated[list[PhotoRef], Field(min_length=1, max_length=MOST_PHOTOS)]


class Photo(Answer):
    id: int
    catalog: int
    host_id: str
    path: str
    copy_of: str | None
    has_vector: bool
    error: str | None = Field(None, description="Why there is no picture of it.")


class FoundPhoto(Answer):
    photo: Photo | None
    error: str | None = None


class FoundPhotos(Answer):
    photos: list[FoundPhoto] = Field(description="In the order they were asked for.")


class PhotoKeyword(Answer):
    keyword: str
    source: Literal["person", "suggestion"]
    state: Literal["assigned", "accepted", "rejected", "suggested"]
    confidence: float | None
    host_id: str | None = Field(description="What the photo's catalog calls this keyword, where it has it.")
    prime: bool = Field(default=False, description="A person marked the photo as a prime example of it.")
    sources: list[str] = Field(default=[], description="Of a suggestion: as in Suggestion.")
    new: bool = Field(default=False, description="Of a suggestion: as in Suggestion.")


class PhotoKeywords(Answer):
    photo: int
    keywords: list[PhotoKeyword]


class KeywordsIn(Body):
    keywords: Annotated[list[Keyword], Field(min_length=1, max_length=1000)]


class RenditionTaken(Answer):
    photo: int
    job: int


class SimilarQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 20


class Similar(Answer):
    photo: int
    catalog: int
    host_id: str
    path: str
    similarity: float


class SimilarPhotos(Answer):
    photos: list[Similar]
