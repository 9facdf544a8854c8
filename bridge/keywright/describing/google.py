"""Google Cloud Vision: labels of ``images:annotate``, with the scores Google gives them."""

from __future__ import annotations

import base64
from typing import Any

from keywright.describing.answers import clean
from keywright.describing.base import BusyError, Candidate, Picture, UnclearError, lacks_key, quoted
from keywright.describing.http import post
from keywright.describing.providers import Provider

MOST_LABELS = 30
_MAY_PASS = frozenset({4, 8, 13, 14})
"""google.rpc.Code: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE."""


class GoogleDescriber:
    def __init__(self, provider: Provider, key: str | None) -> None:
        if not key:
            raise lacks_key(provider.name)
        self._provider = provider
        self._key = key
        self.id = f"google-vision/{provider.url}/LABEL_DETECTION/{provider.longest_side}"

    def describe(self, picture: Picture) -> tuple[Candidate, ...]:
        provider = self._provider
        told = post(
            provider.name,
            provider.url.rstrip("/") + "/images:annotate",
            provider.seconds,
            headers={"X-Goog-Api-Key": self._key},
            key=self._key,
            body={
                "requests": [
                    {
                        "image": {"content": base64.b64encode(picture.jpeg).decode()},
                        "features": [{"type": "LABEL_DETECTION", "maxResults": MOST_LABELS}],
                    }
                ]
            },
        )
        return _labels(provider.name, told, self._key)


def _labels(name: str, told: Any, key: str) -> tuple[Candidate, ...]:
    try:
        answer = told["responses"][0]
        error = answer.get("error")
        labels = answer.get("labelAnnotations", [])
        pairs = [(label.get("description"), label.get("score")) for label in labels]
    except (KeyError, IndexError, TypeError, AttributeError) as fault:
        raise UnclearError(f"{name} answered without the labels of a photo") from fault
    if error:
        code = error.get("code") if isinstance(error, dict) else None
        said = quoted(error.get("message", ""), key) if isinstance(error, dict) else ""
        if isinstance(code, int) and code in _MAY_PASS:
            raise BusyError(f"{name} is busy or has a fault ({said})")
        raise UnclearError(f"{name} could not look at the photo ({said})")
    return clean(pairs)
