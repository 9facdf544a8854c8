"""What the review pages ask: photos to decide on, keywords that wait, what speaks for a suggestion, selections."""

from __future__ import annotations

import math

from keywright.keywords import KeywordPath
from keywright.service.access import LINK_SECONDS
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import review as m
from keywright.service.numbers import share
from keywright.store.jobs import Job
from keywright.store.photos import PhotoRow
from keywright.text import printable

GROUP = Group("review")
REFRESH = "suggestions"


@GROUP.endpoint("GET", "/review", "Whether the lists are up to date; what is not is begun.", answer=m.ReviewState)
def review_state(bridge: Bridge) -> m.ReviewState:
    from keywright.operations.registering import catalogs

    job = _refreshing(bridge)  # looked for first: one that ends in between has made what is found then
    found = bridge.reviewer.state()
    if found.stale and job is None:
        job = bridge.queue.add(REFRESH, {})
    return m.ReviewState(
        catalogs=len(catalogs(bridge.workspace)),
        photos=found.photos,
        model_version=found.version,
        refreshing=job is not None,
        job=job.id if job else None,
    )


def _refreshing(bridge: Bridge) -> Job | None:
    return next((job for job in bridge.queue.unfinished() if job.kind == REFRESH), None)


@GROUP.endpoint(
    "GET", "/review/photos", "The photos of a filter, all of them.", query=m.ReviewQuery, answer=m.ReviewOrder
)
def order_photos(bridge: Bridge, query: m.ReviewQuery) -> m.ReviewOrder:
    from keywright.operations.reviewing import Filter, Order

    wanted = Filter(
        Order(query.order),
        query.folder,
        query.since,
        query.until,
        KeywordPath.parse(query.keyword) if query.keyword else None,
        query.min_confidence,
        query.undecided,
        query.selection,
    )
    return m.ReviewOrder(photos=bridge.reviewer.list_photos(wanted))


@GROUP.endpoint(
    "POST",
    "/review/photos",
    "Photos with their keywords and suggestions, as they are stored.",
    body=m.ReviewPhotosIn,
    answer=m.ReviewPhotos,
)
def show_photos(bridge: Bridge, body: m.ReviewPhotosIn) -> m.ReviewPhotos:
    return m.ReviewPhotos(
        photos=[
            m.ReviewPhoto(
                id=one.photo.id,
                path=printable(one.photo.path),
                name=printable(one.photo.path.name),
                picture=picture(one.photo),
                taken=one.taken.isoformat() if one.taken else None,
                copy_of=None if one.photo.copy_of is None else printable(one.photo.copy_of),
                video=one.photo.is_video,
                error=None if one.photo.error is None else printable(one.photo.error),
                group=one.group,
                keywords=[
                    m.ReviewKeyword(
                        keyword=str(k.keyword),
                        state=k.state.value,
                        confidence=None if k.confidence is None else round(k.confidence, 4),
                        sure=k.sure,
                        prime=k.prime,
                        sources=[printable(name) for name in k.sources],
                        new=k.new,
                    )
                    for k in one.keywords
                ],
            )
            for one in bridge.reviewer.photos(body.photos)
        ]
    )


def picture(row: PhotoRow) -> str:
    """What an address of a thumbnail changes with."""
    return (row.content_id or f"{row.mtime_ns}")[-16:]


@GROUP.endpoint("GET", "/review/keywords", "Keywords with suggestions that wait, most first.", answer=m.WaitingKeywords)
def list_waiting_keywords(bridge: Bridge) -> m.WaitingKeywords:
    return m.WaitingKeywords(
        keywords=[
            m.WaitingKeyword(keyword=str(one.keyword), sure=one.sure, unsure=one.unsure, new=one.new)
            for one in bridge.reviewer.keywords()
        ]
    )


@GROUP.endpoint(
    "GET",
    "/review/keyword",
    "The photos one keyword is suggested on, in groups, surest first.",
    query=m.WaitingQuery,
    answer=m.WaitingPhotos,
)
def list_waiting_photos(bridge: Bridge, query: m.WaitingQuery) -> m.WaitingPhotos:
    groups = bridge.reviewer.of_keyword(KeywordPath.parse(query.keyword))
    return m.WaitingPhotos(
        keyword=query.keyword,
        groups=[
            m.PhotoGroup(photos=list(one.photos), confidences=[share(c) for c in one.confidences], sure=one.sure)
            for one in groups
        ],
    )


@GROUP.endpoint(
    "GET",
    "/review/photos/<id:photo>/reasons",
    "The photos that speak for a keyword on a photo.",
    query=m.SpeaksQuery,
    answer=m.Speaking,
)
def list_reasons(bridge: Bridge, photo: int, query: m.SpeaksQuery) -> m.Speaking:
    found = bridge.reviewer.reasons(photo, KeywordPath.parse(query.keyword), query.limit)
    return m.Speaking(
        photos=[
            m.Speaks(
                photo=one.photo.id,
                path=printable(one.photo.path),
                picture=picture(one.photo),
                similarity=round(one.similarity, 3) if math.isfinite(one.similarity) else 0.0,
                prime=one.prime,
            )
            for one in found
        ]
    )


@GROUP.endpoint(
    "POST",
    "/review/photos/<id:photo>/prime",
    "Mark a photo as a prime example of a keyword it carries, or no more.",
    body=m.PrimeIn,
    answer=m.Prime,
)
def mark_prime(bridge: Bridge, photo: int, body: m.PrimeIn) -> m.Prime:
    from keywright.operations import primes

    return m.Prime(changed=primes.mark_prime(bridge.workspace, photo, KeywordPath.parse(body.keyword), body.prime))


@GROUP.endpoint("GET", "/review/folders", "The folders photos lie in.", answer=m.Folders)
def list_folders(bridge: Bridge) -> m.Folders:
    return m.Folders(
        folders=[m.Folder(folder=printable(folder), photos=number) for folder, number in bridge.reviewer.folders()]
    )


@GROUP.endpoint(
    "POST",
    "/review/selections",
    "Keep a selection, and a link that opens the pages on it.",
    body=m.SelectionIn,
    answer=m.Selection,
    status=201,
)
def make_selection(bridge: Bridge, body: m.SelectionIn) -> m.Selection:
    number = bridge.reviewer.select(body.photos)
    code = bridge.guard.sessions.new_link()
    return m.Selection(selection=number, url=f"{bridge.url}/login?code={code}&selection={number}", seconds=LINK_SECONDS)


@GROUP.endpoint("GET", "/review/places", "Catalogs that this machine may have, to begin with.", answer=m.Places)
def list_places(bridge: Bridge) -> m.Places:
    from keywright.operations.places import known_places

    del bridge
    return m.Places(places=[m.Place(kind=one.kind.value, source=printable(one.source)) for one in known_places()])
