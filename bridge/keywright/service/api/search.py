"""Search: from words, or from photos that others are to be like."""

from __future__ import annotations

from pathlib import Path

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import search as m
from keywright.service.numbers import share
from keywright.service.problems import ProblemError
from keywright.text import printable

GROUP = Group("search")


@GROUP.endpoint(
    "GET", "/search", "Photos that words mean, or that are like others.", query=m.SearchQuery, answer=m.SearchResult
)
def search_photos(bridge: Bridge, query: m.SearchQuery) -> m.SearchResult:
    from keywright.operations import registering
    from keywright.service.api.review import picture
    from keywright.store.lookups import photos_by_id

    if query.under is not None and not Path(query.under).is_absolute():
        raise ProblemError(422, "invalid", f"{query.under} is no whole path of a folder; begin at the drive or at /.")
    wanted = [] if query.like is None else [int(number) for number in query.like.split(",")]
    for number in wanted:
        registering.photo(bridge.workspace, number)  # one that is not there is said here
    answer = bridge.searcher.search(
        {
            "text": query.text,
            "like_photos": wanted,
            "limit": query.limit,
            "min_score": query.min_score,
            "under": [] if query.under is None else [query.under],
            "keywords": [] if query.keyword is None else [query.keyword],
        }
    )
    with bridge.workspace.store.read() as connection:
        rows = photos_by_id(connection, [one["photo"] for one in answer.found])
    return m.SearchResult(
        photos=[
            m.FoundBySearch(
                photo=row.id,
                catalog=row.catalog_id,
                host_id=printable(row.host_id),
                path=printable(row.path),
                name=printable(row.path.name),
                picture=picture(row),
                score=share(one["score"]),
                because=[printable(why) for why in one["because"]],
            )
            for one in answer.found
            if (row := rows.get(one["photo"])) is not None
        ],
        notes=[printable(note) for note in answer.notes],
    )
