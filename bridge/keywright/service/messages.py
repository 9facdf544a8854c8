"""What goes over the wire: the typed values that validate requests, make answers, and make the OpenAPI document.

Requests are strict (a number is no text) and name every field they do not know; that is how a front-end finds its own
mistakes. Keywords travel as their text, ``Animals|Dog``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keywright.keywords import KeywordPath
from keywright.service.limits import MOST_DECISIONS, MOST_ID, MOST_PAGE, MOST_PHOTOS

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


# --- the bridge itself


class Pinged(Answer):
    name: Literal["keywright"] = "keywright"
    version: str
    protocol: int
    proof: str | None = Field(None, description="HMAC-SHA256 of the nonce under the token, for who wants to be sure.")


class PingQuery(Query):
    nonce: Annotated[str, Field(min_length=8, max_length=128)] | None = None


class State(Answer):
    version: str
    protocol: int
    encoder: str
    model_version: int | None
    catalogs: int
    jobs_waiting: int
    profiles: list[str]


class LoginLink(Answer):
    url: str
    seconds: int = Field(description="How long the link can be used, once.")


class Done(Answer):
    done: Literal[True] = True


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One sentence for a person: what is wrong, and what to do.")
    errors: list[str] = Field(default=[], description="Each fault of an invalid request.")


# --- catalogs


class CatalogIn(Body):
    source: Annotated[Text, Field(min_length=1, description="A .lrcat, a digikam4.db, mysql://…, or a folder.")]
    mappings: Annotated[dict[Name, Name], Field(max_length=100)] = Field(
        default={}, description="Old folders to the folders their photos lie in on this machine."
    )
    learn: bool = Field(default=True, description="Learn the keywords in it, in a job.")


class Catalog(Answer):
    id: int
    kind: Literal["lightroom", "digikam", "folder"]
    source: str
    learned: bool
    photos: int
    read_at: str | None
    changed: bool | None = Field(None, description="Changed since it was read; null: was not looked at.")
    job: int | None = Field(None, description="The job that reads it now.")


class Catalogs(Answer):
    catalogs: list[Catalog]


# --- photos


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


class PhotoKeywords(Answer):
    photo: int
    keywords: list[PhotoKeyword]


class KeywordsIn(Body):
    keywords: Annotated[list[Keyword], Field(min_length=1, max_length=1000)]


class RenditionTaken(Answer):
    photo: int
    job: int


# --- suggestions and decisions


class SuggestIn(Body):
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_PHOTOS)]
    min_confidence: Confidence | None = Field(default=None, description="null: each keyword's own threshold.")
    limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Most of one photo; 0: all; null: as the profile says, else 10."
    )
    profile: Name | None = None
    embed: bool = Field(default=True, description="Put photos without a vector into the queue.")


class Because(Answer):
    path: str
    similarity: float


class Suggestion(Answer):
    keyword: str
    confidence: float
    because: list[Because] = Field(description="Photos with the keyword that this one resembles.")


class Suggested(Answer):
    photo: int
    state: Literal["ready", "waiting", "failed", "unknown"] = Field(
        description="waiting: it has no vector yet, a job makes it."
    )
    suggestions: list[Suggestion]
    error: str | None = None


class Suggestions(Answer):
    model_version: int
    photos: list[Suggested]
    job: int | None = Field(description="The job that embeds the photos that wait.")


class DecisionIn(Body):
    photo: Id
    keyword: Keyword
    decision: Literal["accepted", "rejected", "undecided"]
    confidence: Confidence | None = None
    model_version: Id | None = None


class DecisionsIn(Body):
    decisions: Annotated[list[DecisionIn], Field(min_length=1, max_length=MOST_DECISIONS)]


class DecisionsKept(Answer):
    kept: int


class Decision(Answer):
    photo: int
    keyword: str
    decision: Literal["accepted", "rejected"]
    confidence: float | None
    model_version: int | None


class Decisions(Answer):
    decisions: list[Decision]
    next: int | None = Field(description="The ``after`` of the next page.")


class DecisionsQuery(Page):
    decision: Literal["accepted", "rejected"] | None = None


class SimilarQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 20


class Similar(Answer):
    photo: int
    path: str
    similarity: float


class SimilarPhotos(Answer):
    photos: list[Similar]


# --- keywords


class KeywordsQuery(Page):
    order: Literal["tree", "popular"] = "tree"


class KeywordSearchQuery(Query):
    text: Annotated[str, Field(min_length=1, max_length=200)]
    limit: Annotated[int, Field(ge=1, le=200)] = 20


class KeywordTreeQuery(Query):
    under: Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_keyword)] | None = None


class KnownKeyword(Answer):
    keyword: str
    name: str
    photos: int = Field(description="Photos that carry it.")
    synonyms: list[str]
    private: bool = Field(description="Not written into files.")


class KnownKeywords(Answer):
    keywords: list[KnownKeyword]
    next: int | None = None


class KeywordNode(Answer):
    keyword: str
    name: str
    children: int


class KeywordNodes(Answer):
    keywords: list[KeywordNode]


class NewKeyword(Body):
    keyword: Keyword
    synonyms: Annotated[list[Name], Field(max_length=100)] = []
    private: bool = False


# --- jobs


class Job(Answer):
    id: int
    kind: Literal["learn", "embed", "rendition", "plan", "apply", "undo"]
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


# --- models


class ModelVersion(Answer):
    id: int
    encoder: str
    created_at: str
    active: bool
    metrics: dict[str, float | None]


class ModelVersions(Answer):
    versions: list[ModelVersion]


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


# --- write-backs


class WriteIn(Body):
    """What to write: what was accepted, or with ``min_confidence`` all that is so sure and was not rejected."""

    catalogs: Annotated[list[Id], Field(max_length=100)] = Field(default=[], description="Empty: all of them.")
    min_confidence: Confidence | None = None
    to_files: bool = Field(default=False, description="Write beside a Lightroom catalog's photos too.")
    sidecars: Literal["lightroom", "darktable", "digikam", "plain"] = "lightroom"


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
    remove: list[str] = Field(description="Keywords the host put there for Keywright, which a person took back.")


class Pending(Answer):
    photos: list[PendingPhoto]
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
