"""Keywords with the quality of their models, and their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import thresholds as m
from keywright.service.numbers import finite, share

if TYPE_CHECKING:
    from keywright.operations.thresholds import KeywordThreshold

GROUP = Group("thresholds")


@GROUP.endpoint(
    "GET",
    "/models/keywords",
    "Every keyword with its photos, the quality of its model, and its threshold.",
    answer=m.KeywordModels,
)
def list_keyword_models(bridge: Bridge) -> m.KeywordModels:
    from keywright.operations.listing import list_models
    from keywright.store.thresholds import list_thresholds

    with bridge.workspace.store.read() as connection:
        own = list_thresholds(connection)
    learned = bridge.models_in_use.current().models if bridge.has_models() else None
    return m.KeywordModels(
        keywords=[
            m.KeywordModel(
                keyword=str(one.path),
                photos=one.photos,
                synonyms=list(one.synonyms),
                private=one.private,
                quality=finite(one.quality),
                threshold=finite(one.threshold),
                own=one.path.key in own,
            )
            for one in list_models(bridge.workspace, learned)
        ]
    )


@GROUP.endpoint(
    "GET",
    "/thresholds",
    "A keyword's threshold, and what is to be expected of it.",
    query=m.ThresholdQuery,
    answer=m.Threshold,
)
def get_threshold(bridge: Bridge, query: m.ThresholdQuery) -> m.Threshold:
    from keywright.operations.thresholds import keyword_threshold

    return _threshold(keyword_threshold(bridge.workspace, bridge.models_in_use.current().models, query.keyword))


@GROUP.endpoint(
    "POST",
    "/thresholds",
    "Set a keyword's threshold; null lets the learned one hold again.",
    body=m.ThresholdIn,
    answer=m.Threshold,
)
def set_threshold(bridge: Bridge, body: m.ThresholdIn) -> m.Threshold:
    from keywright.operations import thresholds

    models = bridge.models_in_use.current().models
    return _threshold(thresholds.set_threshold(bridge.workspace, models, body.keyword, body.confidence))


@GROUP.endpoint(
    "GET",
    "/thresholds/preview",
    "What a keyword would be suggested on from a confidence on.",
    query=m.PreviewQuery,
    answer=m.ThresholdPreview,
)
def preview_threshold(bridge: Bridge, query: m.PreviewQuery) -> m.ThresholdPreview:
    from keywright.service.api.questions import pictured

    active = bridge.models_in_use.current()
    found = bridge.previews.preview(active, query.keyword, query.confidence, limit=query.limit)
    return m.ThresholdPreview(
        keyword=str(found.keyword),
        confidence=found.confidence,
        photos=found.photos,
        looked_at=found.looked_at,
        precision=finite(found.precision),
        recall=finite(found.recall),
        shown=[m.PreviewedPhoto(photo=pictured(one.photo), confidence=share(one.confidence)) for one in found.shown],
    )


def _threshold(found: KeywordThreshold) -> m.Threshold:
    return m.Threshold(
        keyword=str(found.keyword),
        learned=finite(found.learned) or 0.0,
        own=found.own,
        photos=found.photos,
        precision=finite(found.precision),
        recall=finite(found.recall),
    )
