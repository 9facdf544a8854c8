"""Write-backs that the host does itself: Lightroom's plug-in asks what is to be done, and reports what was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from keywright.keywords import KeywordPath
from keywright.operations.deciding import Once
from keywright.operations.registering import NotFoundError, catalog
from keywright.operations.workspace import Workspace
from keywright.store.answers import given_answer, keep_answer
from keywright.store.decisions import Decision, list_decisions
from keywright.store.hosts import (
    HostWrite,
    forget_host_write,
    host_keyword_ids,
    list_host_writes,
    record_host_writes,
)
from keywright.store.lookups import Names, photos_by_id
from keywright.store.photos import KeywordIds, PhotoRow, keywords_of, list_photos
from keywright.store.syncing import take_keyword_off


@dataclass(frozen=True, slots=True)
class Pending:
    """What the host is to do on one photo."""

    photo: PhotoRow
    add: tuple[KeywordPath, ...]
    remove: tuple[KeywordPath, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """What the host did, or could not do, with one keyword on one photo."""

    photo_id: int
    keyword: KeywordPath
    adding: bool
    done: bool
    reason: str = ""


def pending(workspace: Workspace, catalog_id: int, after: int, limit: int) -> tuple[list[Pending], int | None]:
    """The photos (with a number above ``after``) of a catalog that its host is to change, and where to go on.

    To be added is what was accepted, is not on the photo, and was not reported done. To be taken off is what a person
    rejected on a photo that carries it, whoever put it there: by explicit decision alone, never because an acceptance
    was taken back.
    """
    catalog(workspace, catalog_id)
    with workspace.store.read() as connection:
        rows = {row.id: row for row in list_photos(connection, [catalog_id]) if row.id > after}
        made = [d for d in list_decisions(connection) if d.photo_id in rows]
        done = {pair for pair, one in list_host_writes(connection).items() if one.applied}
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, sorted({d.photo_id for d in made}))
    there, accepted, rejected = (defaultdict[int, set[int]](set) for _ in range(3))
    for photo, on_it in carried.items():
        there[photo] |= on_it
    for photo, keyword in done:
        there[photo].add(keyword)
    for d in made:
        (accepted if d.decision is Decision.ACCEPTED else rejected)[d.photo_id].add(d.keyword_id)
    add = {photo: sorted(some - there[photo]) for photo, some in accepted.items()}
    remove = {}
    for photo, some in rejected.items():
        # Two spellings are one keyword to the host; one that is accepted stays under every spelling.
        wrong = {names[number].key for number in some} - {names[number].key for number in accepted.get(photo, ())}
        remove[photo] = sorted(number for number in there[photo] if names[number].key in wrong)
    waiting = sorted(photo for photo in rows if add.get(photo) or remove.get(photo))
    page = waiting[:limit]
    found = [
        Pending(rows[n], tuple(names[k] for k in add.get(n, ())), tuple(names[k] for k in remove.get(n, ())))
        for n in page
    ]
    return found, page[-1] if len(waiting) > limit else None


def host_ids(
    workspace: Workspace, names: Names, catalog_id: int, keywords: Collection[KeywordPath]
) -> dict[KeywordPath, str]:
    """What a catalog calls these keywords, those that it has, letter case aside."""
    with workspace.store.read() as connection:
        names.refresh(connection)
        found = host_keyword_ids(connection, names, {catalog_id: keywords})
    return {path: host_id for (_, path), host_id in found.items()}


def report(workspace: Workspace, reports: Sequence[Reported], once: Once) -> int:
    """Keep what the host did, all or none. Raises ``NotFoundError`` where a photo is unknown."""
    with workspace.store.write() as connection:
        if (before := given_answer(connection, once.key, once.request)) is not None:
            return int(before)
        known = photos_by_id(connection, list({one.photo_id for one in reports}))
        missing = [one.photo_id for one in reports if one.photo_id not in known]
        if missing:
            raise NotFoundError(f"There is no photo {missing[0]}; nothing of the report was kept.")
        ids = KeywordIds(connection)
        for one in reports:
            keyword = ids.id(one.keyword)
            if one.adding:
                record_host_writes(connection, [HostWrite(one.photo_id, keyword, one.done, one.reason)])
            elif one.done:
                forget_host_write(connection, one.photo_id, keyword)
                # It would wait to be taken off again until the catalog is read anew.
                take_keyword_off(connection, one.photo_id, keyword)
        keep_answer(connection, once.key, once.request, str(len(reports)))
    return len(reports)
