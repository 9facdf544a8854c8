"""Photos: find or enter them, their keywords, a JPEG of one that the bridge cannot read, and photos that look alike."""

from __future__ import annotations

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import photos as m
from keywright.store.decisions import Decision
from keywright.store.photos import PhotoRow
from keywright.text import printable

GROUP = Group("photos")


def _photo(row: PhotoRow) -> m.Photo:
    return m.Photo(
        id=row.id,
        catalog=row.catalog_id,
        host_id=printable(row.host_id),
        path=printable(row.path),
        copy_of=None if row.copy_of is None else printable(row.copy_of),
        has_vector=row.content_id is not None and row.error is None,
        error=None if row.error is None else printable(row.error),
    )


@GROUP.endpoint(
    "POST", "/photos", "Find photos by path, or by catalog and host id.", body=m.PhotosIn, answer=m.FoundPhotos
)
def find_photos(bridge: Bridge, body: m.PhotosIn) -> m.FoundPhotos:
    """Photos inside a registered folder that were not read yet are entered; nothing outside is touched."""
    from keywright.operations.registering import Named, find_photos

    named = [Named(one.path, one.catalog, one.host_id) for one in body.photos]
    found = [
        m.FoundPhoto(photo=None, error=printable(one))
        if isinstance(one, KeywrightError)
        else m.FoundPhoto(photo=_photo(one))
        for one in find_photos(bridge.workspace, named)
    ]
    return m.FoundPhotos(photos=found)


@GROUP.endpoint("GET", "/photos/<id:photo>", "A photo.", answer=m.Photo)
def get_photo(bridge: Bridge, photo: int) -> m.Photo:
    from keywright.operations import registering

    return _photo(registering.photo(bridge.workspace, photo))


@GROUP.endpoint(
    "PUT", "/photos/<id:photo>/rendition", "Send a JPEG of a photo.", picture=True, answer=m.RenditionTaken, status=202
)
def send_rendition(bridge: Bridge, photo: int, jpeg: bytes) -> m.RenditionTaken:
    from keywright.operations.uploading import keep_rendition

    keep_rendition(bridge.workspace, photo, jpeg)
    return m.RenditionTaken(photo=photo, job=bridge.queue.add("rendition", {"photo": photo}).id)


@GROUP.endpoint(
    "GET", "/photos/<id:photo>/keywords", "What a photo carries, and what was decided.", answer=m.PhotoKeywords
)
def get_photo_keywords(bridge: Bridge, photo: int) -> m.PhotoKeywords:
    return _keywords(bridge, photo)


def _keywords(bridge: Bridge, photo: int) -> m.PhotoKeywords:
    from keywright.operations.advising import AdviceState
    from keywright.operations.deciding import keywords_on
    from keywright.operations.hosting import host_ids
    from keywright.operations.registering import photo as known_photo

    carried = keywords_on(bridge.workspace, photo)
    catalog = known_photo(bridge.workspace, photo).catalog_id
    in_host = host_ids(bridge.workspace, bridge.names, catalog, [one.keyword for one in carried])
    found = [
        m.PhotoKeyword(
            keyword=str(one.keyword),
            source=one.source.value,
            state=one.state.value,
            confidence=one.confidence,
            host_id=in_host.get(one.keyword),
            prime=one.prime,
        )
        for one in carried
    ]
    if bridge.has_models():
        for advice in bridge.advisor.suggest([photo], bridge.config.profile(None)):
            if advice.state is AdviceState.READY:
                found += [
                    m.PhotoKeyword(
                        keyword=str(s.keyword),
                        source="suggestion",
                        state="suggested",
                        confidence=s.confidence,
                        host_id=advice.host_ids.get(s.keyword),
                        sources=[printable(name) for name in s.sources],
                        new=s.new,
                    )
                    for s in advice.suggestions
                ]
    return m.PhotoKeywords(photo=photo, keywords=found)


@GROUP.endpoint(
    "POST", "/photos/<id:photo>/keywords", "Give a photo keywords.", body=m.KeywordsIn, answer=m.PhotoKeywords
)
def add_photo_keywords(bridge: Bridge, photo: int, body: m.KeywordsIn) -> m.PhotoKeywords:
    _decide(bridge, photo, body, Decision.ACCEPTED)
    return _keywords(bridge, photo)


@GROUP.endpoint(
    "POST",
    "/photos/<id:photo>/keywords/remove",
    "Say that keywords are not the photo's.",
    body=m.KeywordsIn,
    answer=m.PhotoKeywords,
)
def remove_photo_keywords(bridge: Bridge, photo: int, body: m.KeywordsIn) -> m.PhotoKeywords:
    _decide(bridge, photo, body, Decision.REJECTED)
    return _keywords(bridge, photo)


def _decide(bridge: Bridge, photo: int, body: m.KeywordsIn, decision: Decision) -> None:
    from keywright.operations.deciding import Decided, decide

    decide(bridge.workspace, [Decided(photo, KeywordPath.parse(text), decision) for text in body.keywords])


@GROUP.endpoint(
    "GET", "/photos/<id:photo>/similar", "The photos most like this one.", query=m.SimilarQuery, answer=m.SimilarPhotos
)
def find_similar(bridge: Bridge, photo: int, query: m.SimilarQuery) -> m.SimilarPhotos:
    from keywright.operations.likeness import similar

    found = similar(bridge.workspace, photo, query.limit)
    return m.SimilarPhotos(photos=[_similar(row, near) for row, near in found])


def _similar(row: PhotoRow, near: float) -> m.Similar:
    return m.Similar(
        photo=row.id,
        catalog=row.catalog_id,
        host_id=printable(row.host_id),
        path=printable(row.path),
        similarity=round(near, 4),
    )
