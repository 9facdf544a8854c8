"""How good each model version is: by leave-one-out, and by what persons accepted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import figures as m

if TYPE_CHECKING:
    from keywright.learning.counting import Figures

GROUP = Group("figures")


@GROUP.endpoint("GET", "/models/figures", "How good each model version is.", answer=m.AllFigures)
def list_figures(bridge: Bridge) -> m.AllFigures:
    from keywright.operations.figures import answered, version_figures
    from keywright.operations.versions import versions

    made = answered(bridge.workspace)
    return m.AllFigures(
        versions=[
            m.VersionFigures(
                version=row.id,
                figures=_figures(version_figures(bridge.workspace, row)),
                answered=[
                    m.AnsweredOn(day=one.day, accepted=one.accepted, rejected=one.rejected)
                    for one in made
                    if one.version == row.id
                ],
            )
            for row in versions(bridge.workspace)
        ]
    )


def _figures(found: Figures | None) -> m.Figures | None:
    if found is None:
        return None
    return m.Figures(
        photos=found.photos,
        keywords=found.keywords,
        seconds=round(found.seconds, 2),
        mean_average_precision=_told(found.mean_average_precision),
        calibration_error=_told(found.calibration_error),
        precision=_told(found.precision),
        recall=_told(found.recall),
        reliability=[
            m.Bin(
                low=one.low,
                high=one.high,
                suggestions=one.suggestions,
                mean_confidence=_told(one.mean_confidence),
                right=_told(one.share_right),
            )
            for one in found.reliability
        ],
        curve=[
            m.CurvePoint(confidence=one.confidence, precision=_told(one.precision), recall=_told(one.recall))
            for one in found.curve
        ],
        groups=[
            m.ByExamples(
                training_photos=one.training_photos,
                keywords=one.keywords,
                mean_average_precision=_told(one.mean_average_precision),
                precision=_told(one.precision),
                recall=_told(one.recall),
            )
            for one in found.groups
        ],
    )


def _told(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
