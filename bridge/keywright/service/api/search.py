"""Search: from words, or from a photo that others are to be like."""

from __future__ import annotations

from pathlib import Path

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import search as m
from keywright.service.problems import ProblemError
from keywright.service.text import printable

GROUP = Group("search")


@GROUP.endpoint(
    "GET", "/search", "Photos that words mean, or that are like one.", query=m.SearchQuery, answer=m.SearchResult
)
def search_photos(bridge: Bridge, query: m.SearchQuery) -> m.SearchResult:
    from keywright.operations import registering
    from keywright.operations.searching import search

    if query.under is not None and not Path(query.under).is_absolute():
        raise ProblemError(422, "invalid", f"{query.under} is no whole path of a folder; begin at the drive or at /.")
    like = [] if query.like is None else [str(registering.photo(bridge.workspace, query.like).path)]
    found = search(
        bridge.workspace,
        query.text,
        like,
        limit=query.limit,
        min_score=query.min_score,
        under=[] if query.under is None else [query.under],
        keywords=[] if query.keyword is None else [query.keyword],
    )
    return m.SearchResult(
        photos=[
            m.FoundBySearch(
                photo=one.photo.id,
                catalog=one.photo.catalog_id,
                host_id=printable(one.photo.host_id),
                path=printable(one.photo.path),
                score=round(min(max(one.score, 0.0), 1.0), 4),
                because=[printable(why) for why in one.because],
            )
            for one in found
        ]
    )
