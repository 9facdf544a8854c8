"""Keywords."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.messages.base import Answer, Body, Keyword, Name, Page, Query


class KeywordsQuery(Page):
    order: Literal["tree", "popular"] = "tree"


class KeywordSearchQuery(Query):
    text: Annotated[str, Field(min_length=1, max_length=200)]
    limit: Annotated[int, Field(ge=1, le=200)] = 20


class KeywordTreeQuery(Query):
    under: Keyword | None = None


class KnownKeyword(Answer):
    keyword: str
    name: str
    photos: int = Field(description="Photos that carry it.")
    synonyms: list[str]
    private: bool = Field(description="Not written into files.")


class KnownKeywords(Answer):
    keywords: list[KnownKeyword]
    next: int | None = None


class PrimesQuery(Query):
    keyword: Keyword


class PrimePhotos(Answer):
    photos: list[int] = Field(description="In the order in which they were marked.")


class KeywordNode(Answer):
    keyword: str
    name: str
    children: int


class KeywordNodes(Answer):
    keywords: list[KeywordNode]


class NewKeyword(Body):
    keyword: Keyword
    synonyms: Annotated[list[Name], Field(max_length=100)] = Field(default=[])
    private: bool = False
