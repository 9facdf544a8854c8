"""Search over everything the store knows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.service.messages.base import Answer, Keyword, Query, Text


class SearchQuery(Query):
    text: Text | None = None
    like: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,15}(,[1-9][0-9]{0,15}){0,49}$")] | None = Field(
        default=None,
        description="Numbers of photos, with commas, that others are to be like: the nearest counts; with a text both "
        "must fit.",
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 20
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    under: Text | None = Field(default=None, description="Only photos in or below this folder.")
    keyword: Keyword | None = Field(default=None, description="Only photos that carry this keyword or one below it.")


class FoundBySearch(Answer):
    photo: int
    catalog: int
    host_id: str
    path: str
    name: str
    picture: str = Field(description="Another text when the picture is another one.")
    score: float = Field(description="0 to 1: how sure it is that the photo is meant.")
    because: list[str] = Field(description="Why, in a person's words.")


class SearchResult(Answer):
    photos: list[FoundBySearch] = Field(description="Best first, one of each picture.")
    notes: list[str] = Field(
        description="What a person should know of the result, in sentences: what could not be compared and how that is "
        "mended, what was left out."
    )
