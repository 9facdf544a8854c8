"""What the bridge answers, as values; fields that a newer bridge adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Suggestion:
        because = tuple((str(b["path"]), float(b["similarity"])) for b in told["because"])
        return cls(str(told["keyword"]), float(told["confidence"]), because, told.get("host_id"))


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
