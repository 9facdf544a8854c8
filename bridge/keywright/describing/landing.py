"""LandingLens: a model that the user trained there, asked through its cloud endpoint.

Of a classifier the one class it decides for, of a detector or segmenter every class it finds, each with its best score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keywright.describing.answers import clean
from keywright.describing.base import Candidate, Picture, RefusedError, UnclearError, lacks_key
from keywright.describing.http import post
from keywright.describing.providers import Provider


class LandingDescriber:
    def __init__(self, provider: Provider, key: str | None) -> None:
        if not key:
            raise lacks_key(provider.name)
        if not provider.model:
            raise RefusedError(f"{provider.name} needs the id of an endpoint; add it again with --model")
        self._provider = provider
        self._key = key
        self.id = f"landinglens/{provider.url}/{provider.model}/{provider.longest_side}"

    def describe(self, picture: Picture) -> tuple[Candidate, ...]:
        provider = self._provider
        told = post(
            provider.name,
            provider.url,
            provider.seconds,
            headers={"apikey": self._key},
            key=self._key,
            query={"endpoint_id": provider.model},
            file=("photo.jpg", picture.jpeg, "image/jpeg"),
        )
        if not isinstance(told, dict) or ("predictions" not in told and "backbonepredictions" not in told):
            raise UnclearError(f"{provider.name} answered without predictions")
        return clean(_found(told))


def _found(told: dict[str, Any]) -> Iterator[tuple[object, object]]:
    """Label names with scores; what a detector found goes before the verdict on the whole picture."""
    if told.get("backbonetype") in ("ObjectDetectionPrediction", "SegmentationPrediction"):
        yield from _regions(told.get("backbonepredictions"))
        return
    whole = told.get("predictions")
    if isinstance(whole, dict) and "labelName" in whole:
        yield whole.get("labelName"), whole.get("score")
    else:
        yield from _regions(whole)


def _regions(value: Any) -> Iterator[tuple[object, object]]:
    if not isinstance(value, dict):
        return
    regions = value.get("bitmaps", value)
    if isinstance(regions, dict):
        for region in regions.values():
            if isinstance(region, dict):
                yield region.get("labelName", region.get("label_name")), region.get("score")
