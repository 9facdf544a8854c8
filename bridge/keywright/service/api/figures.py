"""How good each model version is: by leave-one-out, and by what persons accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import figures as m
from keywright.service.numbers import finite

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
        mean_average_precision=finite(found.mean_average_precision),
        calibration_error=finite(found.calibration_error),
        precision=finite(found.precision),
        recall=finite(found.recall),
        reliability=[
            m.Bin(
                low=one.low,
                high=one.high,
                suggestions=one.suggestions,
                mean_confidence=finite(one.mean_confidence),
                right=finite(one.share_right),
            )
            for one in found.reliability
        ],
        curve=[
            m.CurvePoint(confidence=one.confidence, precision=finite(one.precision), recall=finite(one.recall))
            for one in found.curve
        ],
        groups=[
            m.ByExamples(
                training_photos=one.training_photos,
                keywords=one.keywords,
                mean_average_precision=finite(one.mean_average_precision),
                precision=finite(one.precision),
                recall=finite(one.recall),
            )
            for one in found.groups
        ],
    )
