"""Write-backs, ours and those a host does itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.limits import MOST_DECISIONS, MOST_ID, MOST_PAGE, MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Confidence, Id, Keyword, Name, Page, Query, Text


class WriteIn(Body):
    """What to write: what was accepted, or with ``min_confidence`` all that is so sure and was not rejected."""

    catalogs: Annotated[list[Id], Field(max_length=100)] = Field(default=[], description="Empty: all of them.")
    min_confidence: Confidence | None = None
    profile: Name | None = Field(
        default=None, description="Only keywords it is for, where its template puts them, and its automatic ones."
    )
    to_files: bool = Field(default=False, description="Write beside a Lightroom catalog's photos too.")
    sidecars: Literal["lightroom", "darktable", "digikam", "plain"] | None = Field(
        default=None, description="Whose rule says where keywords go; null: what the configuration says."
    )


class BatchesQuery(Query):
    limit: Annotated[int, Field(ge=1, le=MOST_PAGE)] = 100


class Batch(Answer):
    id: str
    kind: str
    label: str
    undoes: str | None
    state: str
    note: str
    begun_at: str
    ended_at: str | None
    asked: int
    written: int
    undone: int
    left: int
    unknown: int


class Batches(Answer):
    batches: list[Batch]


class BatchFile(Answer):
    where: str
    photos: list[str]
    state: str
    reason: str
    added: list[str]
    removed: list[str]
    created: bool


class BatchFiles(Answer):
    batch: Batch
    files: list[BatchFile]
    next: int | None


class BatchFilesQuery(Page):
    pass


class UndoIn(Body):
    photos: Annotated[list[Id], Field(max_length=MOST_PHOTOS)] = Field(default=[], description="Empty: all of it.")


class PendingQuery(Page):
    catalog: Annotated[int, Field(ge=1, le=MOST_ID)]


class PendingPhoto(Answer):
    photo: int
    host_id: str
    path: str
    add: list[str]
    remove: list[str] = Field(description="Keywords that are on the photo, and a person rejected.")


class Pending(Answer):
    photos: list[PendingPhoto]
    host_ids: dict[str, str] = Field(
        description="What the catalog calls the keywords of these photos, those that it has: Lightroom's local ids."
    )
    next: int | None


class HostReport(Body):
    photo: Id
    keyword: Keyword
    action: Literal["add", "remove"]
    done: bool
    reason: Text = ""


class HostReports(Body):
    reports: Annotated[list[HostReport], Field(min_length=1, max_length=MOST_DECISIONS)]


class HostReportsKept(Answer):
    kept: int
