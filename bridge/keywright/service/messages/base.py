"""What all messages are made of: strict requests, answers, and the values that are in many of them.

Requests are strict (a number is no text) and name every field they do not know; that is how a front-end finds its own
mistakes. Keywords travel as their text, ``Animals|Dog``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keywright.keywords import KeywordPath
from keywright.service.limits import MOST_ID, MOST_PAGE

Id = Annotated[int, Field(ge=1, le=MOST_ID)]
Confidence = Annotated[float, Field(ge=0, le=1)]


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("holds a character that cannot be kept")
    return text


def _keyword(text: str) -> str:
    return str(KeywordPath.parse(text))


Text = Annotated[str, Field(max_length=4096), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_storable)]
Keyword = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_keyword)]
"""The text form of a keyword path, such as ``Animals|Dog``."""


class Body(BaseModel):
    """What a request carries."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Query(BaseModel):
    """What stands behind the question mark of an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Query):
    limit: Annotated[int, Field(ge=1, le=MOST_PAGE)] = 100
    after: Annotated[int, Field(ge=0, le=MOST_ID)] = 0


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One sentence for a person: what is wrong, and what to do.")
    errors: list[str] = Field(default=[], description="Each fault of an invalid request.")
