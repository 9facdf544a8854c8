"""Suggestions for a list of photos, at once or as a stream of lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Response, request

from keywright.config import Profile
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import suggestions as m
from keywright.service.numbers import share
from keywright.text import printable

if TYPE_CHECKING:
    from keywright.operations.advising import Loaded

GROUP = Group("suggestions")
LINES = "application/x-ndjson"


@GROUP.endpoint(
    "POST",
    "/suggestions",
    "Suggest keywords for photos; with Accept: application/x-ndjson one line for each photo, as it is ready.",
    body=m.SuggestIn,
    answer=m.Suggestions,
    streams=LINES,
)
def suggest(bridge: Bridge, body: m.SuggestIn) -> m.Suggestions | Response:
    """Photos without a vector are ``waiting``: a job embeds them, and the caller asks again when it has ended."""
    profile = bridge.config.profile(body.profile)
    loaded = bridge.advisor.current()
    photos = list(dict.fromkeys(body.photos))
    if request.accept_mimetypes.best_match(["application/json", LINES]) == LINES:
        lines = (one.model_dump_json() + "\n" for one in _suggested(bridge, loaded, photos, body, profile))
        first = next(lines, "")  # what can be refused is refused before the answer begins
        return Response(_chained(first, lines), content_type=LINES)
    found = list(_suggested(bridge, loaded, photos, body, profile))
    waiting = [one.photo for one in found if one.state == "waiting"]
    job = bridge.queue.add("embed", {"photos": sorted(waiting)}).id if waiting and body.embed else None
    return m.Suggestions(model_version=loaded.version, photos=found, job=job)


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _suggested(
    bridge: Bridge, loaded: Loaded, photos: list[int], body: m.SuggestIn, profile: Profile
) -> Iterator[m.Suggested]:
    for advice in bridge.advisor.suggest(photos, profile.over(body.min_confidence, body.limit), loaded):
        yield m.Suggested(
            photo=advice.photo_id,
            state=advice.state.value,
            suggestions=[
                m.Suggestion(
                    keyword=str(s.keyword),
                    confidence=share(s.confidence),
                    automatic=s.learned is None,
                    sources=[printable(name) for name in s.sources],
                    new=s.new,
                    host_id=advice.host_ids.get(s.keyword),
                    because=[m.Because(path=printable(b.path), similarity=round(b.similarity, 3)) for b in s.because],
                )
                for s in advice.suggestions
            ],
            error=None if advice.error is None else printable(advice.error),
        )
