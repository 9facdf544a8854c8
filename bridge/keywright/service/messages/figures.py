"""How good each model version is."""

from __future__ import annotations

from pydantic import Field

from keywright.service.messages.base import Answer


class Bin(Answer):
    low: float
    high: float
    suggestions: int
    mean_confidence: float | None
    right: float | None = Field(description="The share that is right.")


class CurvePoint(Answer):
    confidence: float
    precision: float | None
    recall: float | None


class ByExamples(Answer):
    """Keywords with a like number of training photos."""

    training_photos: str
    keywords: int
    mean_average_precision: float | None
    precision: float | None
    recall: float | None


class Figures(Answer):
    """By leave-one-out, when the version was trained; null where nobody can tell."""

    photos: int
    keywords: int
    seconds: float
    mean_average_precision: float | None
    calibration_error: float | None
    precision: float | None = Field(description="Over all suggestions at the keywords' own thresholds.")
    recall: float | None
    reliability: list[Bin]
    curve: list[CurvePoint]
    groups: list[ByExamples]


class AnsweredOn(Answer):
    """Suggestions that were decided on one day."""

    day: str
    accepted: int
    rejected: int


class VersionFigures(Answer):
    version: int
    figures: Figures | None = Field(description="null: nothing was counted, as of an imported version.")
    answered: list[AnsweredOn] = Field(description="Its suggestions that persons decided, by day.")


class AllFigures(Answer):
    versions: list[VersionFigures] = Field(description="Oldest first.")
