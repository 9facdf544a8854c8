"""What the review pages list: photos to decide on, keywords that wait, selections, places to begin from."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from keywright.keywords import KeywordPath
from keywright.service.limits import MOST_ID, MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Id, Keyword, Query, Text

MOST_SHOWN = 500


def _keyword(text: str) -> str:
    return str(KeywordPath.parse(text))


Asked = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_keyword)]


class ReviewState(Answer):
    catalogs: int
    photos: int
    model_version: int | None = Field(description="Whose suggestions are listed; null: there are none yet.")
    refreshing: bool = Field(description="The lists are being brought up to date.")
    job: int | None = Field(description="The job that does it.")


class ReviewQuery(Query):
    order: Literal["newest", "folder"] = "newest"
    folder: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    since: date | None = None
    until: date | None = None
    keyword: Asked | None = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    undecided: bool = False
    selection: Annotated[int, Field(ge=1, le=MOST_ID)] | None = None


class ReviewOrder(Answer):
    photos: list[int] = Field(description="All photos of the filter, in their order.")


class ReviewPhotosIn(Body):
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_SHOWN)]


class ReviewKeyword(Answer):
    keyword: str
    state: Literal["assigned", "accepted", "rejected", "suggested"]
    confidence: float | None
    sure: bool = Field(description="A suggestion at or above its keyword's threshold.")
    prime: bool = Field(description="The photo was marked as a prime example of it.")
    sources: list[str] = Field(description="Of a suggestion: who speaks for it besides photos, as in Suggestion.")
    new: bool = Field(description="Of a suggestion: no keyword of the user's yet, a describer alone names it.")


class ReviewPhoto(Answer):
    id: int
    path: str
    name: str
    picture: str = Field(description="Another text when the picture is another one.")
    taken: str | None
    copy_of: str | None
    video: bool
    error: str | None = Field(description="Why there is no picture of it.")
    group: int = Field(description="The first photo of its burst or of its near-duplicates.")
    keywords: list[ReviewKeyword]


class ReviewPhotos(Answer):
    photos: list[ReviewPhoto]


class WaitingKeyword(Answer):
    keyword: str
    sure: int
    unsure: int
    new: bool = Field(description="No keyword of the user's yet: describers alone name it.")


class WaitingKeywords(Answer):
    keywords: list[WaitingKeyword]


class WaitingQuery(Query):
    keyword: Asked


class PhotoGroup(Answer):
    photos: list[int] = Field(description="Frames of a burst or near-duplicates, the surest first.")
    confidences: list[float]
    sure: bool = Field(description="The surest is at or above the keyword's threshold.")


class WaitingPhotos(Answer):
    keyword: str
    groups: list[PhotoGroup]


class SpeaksQuery(Query):
    keyword: Asked
    limit: Annotated[int, Field(ge=1, le=20)] = 4


class Speaks(Answer):
    photo: int
    path: str
    picture: str
    similarity: float
    prime: bool


class Speaking(Answer):
    photos: list[Speaks]


class Folder(Answer):
    folder: str
    photos: int


class Folders(Answer):
    folders: list[Folder]


class SelectionIn(Body):
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_PHOTOS)]


class Selection(Answer):
    selection: int
    url: str = Field(description="A link that opens the pages on these photos, once and for a short time.")
    seconds: int


class PrimeIn(Body):
    keyword: Keyword
    prime: bool


class Prime(Answer):
    changed: bool


class Place(Answer):
    kind: Literal["lightroom", "digikam", "folder"]
    source: Text


class Places(Answer):
    places: list[Place]
