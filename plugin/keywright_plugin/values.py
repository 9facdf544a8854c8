"""What the bridge answers, as values; fields that a newer bridge adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

T = TypeVar("T")


def of(kind: type[T], told: Mapping[str, Any]) -> T:
    """A value of plain fields; what a newer bridge tells besides is passed over."""
    return kind(**{one.name: told[one.name] for one in fields(kind) if one.name in told})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as the bridge knows it."""

    id: int
    catalog: int
    host_id: str
    path: str
    has_vector: bool
    error: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Photo:
        return cls(
            int(told["id"]),
            int(told["catalog"]),
            str(told["host_id"]),
            str(told["path"]),
            bool(told["has_vector"]),
            told["error"],
        )


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """A photo as a host names it: its path, or the bridge's number of the catalog and the catalog's name for it."""

    path: str | None = None
    catalog: int | None = None
    host_id: str | None = None

    def told(self) -> dict[str, object]:
        named = {"path": self.path, "catalog": self.catalog, "host_id": self.host_id}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Suggestion:
    keyword: str
    confidence: float
    because: tuple[tuple[str, float], ...]  # paths of photos with the keyword that look alike, and how much
    host_id: str | None = None  # what the photo's catalog calls the keyword, where it has it
    sources: tuple[str, ...] = ()  # who speaks for it besides: describers, and "its name"
    new: bool = False  # no keyword of the user's yet: describers alone name it

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Suggestion:
        because = tuple((str(b["path"]), float(b["similarity"])) for b in told["because"])
        return cls(
            str(told["keyword"]),
            float(told["confidence"]),
            because,
            told.get("host_id"),
            tuple(map(str, told.get("sources", ()))),
            bool(told.get("new", False)),
        )


@dataclass(frozen=True, slots=True)
class Suggested:
    """``state``: ready, waiting (a job embeds it), failed or unknown."""

    photo: int
    state: str
    suggestions: tuple[Suggestion, ...]
    error: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Suggested:
        suggestions = tuple(Suggestion.of(s) for s in told["suggestions"])
        return cls(int(told["photo"]), str(told["state"]), suggestions, told["error"])


@dataclass(frozen=True, slots=True)
class Suggestions:
    model_version: int
    photos: tuple[Suggested, ...]
    job: int | None  # embeds the photos that wait


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """``decision``: accepted, rejected or undecided."""

    photo: int
    keyword: str
    decision: str
    confidence: float | None = None
    model_version: int | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    id: int
    kind: str
    source: str
    photos: int
    read_at: str | None
    changed: bool | None
    job: int | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Catalog:
        return cls(
            int(told["id"]),
            str(told["kind"]),
            str(told["source"]),
            int(told["photos"]),
            told["read_at"],
            told["changed"],
            told["job"],
        )


@dataclass(frozen=True, slots=True)
class Job:
    """``state``: pending, processing, completed, failed or cancelled."""

    id: int
    kind: str
    state: str
    stage: str
    done: int
    total: int | None
    error: str | None
    result: Mapping[str, Any] | None

    @property
    def ended(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Job:
        return cls(
            int(told["id"]),
            str(told["kind"]),
            str(told["state"]),
            str(told["stage"]),
            int(told["done"]),
            told["total"],
            told["error"],
            told["result"],
        )


@dataclass(frozen=True, slots=True)
class PendingPhoto:
    """What the host is to do on one photo."""

    photo: int
    host_id: str
    path: str
    add: Sequence[str]
    remove: Sequence[str]
    host_ids: Mapping[str, str] = field(default_factory=dict)
    """What the catalog calls those of these keywords that it has."""


@dataclass(frozen=True, slots=True)
class HostReport:
    """``action``: add or remove; ``done``, or the reason why not."""

    photo: int
    keyword: str
    action: str
    done: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """How the bridge is."""

    version: str
    protocol: int
    encoder: str
    model_version: int | None
    catalogs: int
    jobs_waiting: int
    profiles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Encoder:
    """What photos are looked at with; ``vectors``: how many pictures were."""

    id: str
    name: str | None
    about: str
    dimension: int
    installed: bool
    in_use: bool
    vectors: int


@dataclass(frozen=True, slots=True)
class PhotoKeyword:
    """``source``: person or suggestion; ``state``: assigned, accepted, rejected or suggested."""

    keyword: str
    source: str
    state: str
    confidence: float | None
    host_id: str | None = None
    prime: bool = False
    sources: Sequence[str] = ()  # of a suggestion, as there
    new: bool = False


@dataclass(frozen=True, slots=True)
class Similar:
    photo: int
    catalog: int
    host_id: str
    path: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that a search found, how sure (0 to 1), and why."""

    photo: int
    catalog: int
    host_id: str
    path: str
    score: float
    because: Sequence[str]


@dataclass(frozen=True, slots=True)
class Describer:
    name: str
    agreed: bool
    calls: int
    money: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What was written in one go."""

    id: str
    kind: str
    label: str
    state: str
    asked: int
    written: int
    undone: int
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Keyword:
    keyword: str
    name: str
    photos: int
    synonyms: Sequence[str]
    private: bool


@dataclass(frozen=True, slots=True)
class KeywordModel:
    keyword: str
    photos: int
    quality: float | None  # average precision by leave-one-out
    threshold: float | None
    own: bool  # a person has set the threshold


@dataclass(frozen=True, slots=True)
class ModelVersion:
    id: int
    encoder: str
    created_at: str
    active: bool
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions; the means are of the keywords (``compared``) that both have on photos enough."""

    old: ModelVersion
    new: ModelVersion
    added: Sequence[str]
    removed: Sequence[str]
    compared: int
    old_mean: float | None
    new_mean: float | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Comparison:
        return of(cls, {**told, "old": of(ModelVersion, told["old"]), "new": of(ModelVersion, told["new"])})


@dataclass(frozen=True, slots=True)
class Threshold:
    keyword: str
    learned: float
    own: float | None
    photos: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class ThresholdPreview:
    """``shown``: photos and confidences, those nearest to the threshold first."""

    keyword: str
    confidence: float
    photos: int
    looked_at: int
    precision: float | None
    recall: float | None
    shown: Sequence[tuple[int, float]]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> ThresholdPreview:
        shown = tuple((int(one["photo"]["photo"]), float(one["confidence"])) for one in told["shown"])
        return of(cls, {**told, "shown": shown})


@dataclass(frozen=True, slots=True)
class Question:
    """Does this photo show this keyword?"""

    photo: int
    path: str
    keyword: str
    confidence: float
    value: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Question:
        return of(cls, {**told, "photo": int(told["photo"]["photo"]), "path": str(told["photo"]["path"])})


@dataclass(frozen=True, slots=True)
class Finding:
    """``doubt``: missing or wrong."""

    doubt: str
    photos: Sequence[int]
    keyword: str
    chance: float
    confidence: float
    instead: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Finding:
        return of(cls, {**told, "photos": tuple(int(one["photo"]) for one in told["photos"])})


@dataclass(frozen=True, slots=True)
class Audit:
    """``state``: none where there was no audit yet, else of its job."""

    job: int | None
    state: str
    judged: int
    findings: Sequence[Finding]
