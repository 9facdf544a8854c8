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

    To be added is what was accepted, is not on the photo, and was not reported done; to be taken off is what the
    host put there for Keywright and a person has since rejected or taken back.
    """
    catalog(workspace, catalog_id)
    with workspace.store.read() as connection:
        accepted = list_decisions(connection, Decision.ACCEPTED)
        rows = {row.id: row for row in list_photos(connection, [catalog_id]) if row.id > after}
        done = {pair for pair, one in list_host_writes(connection).items() if one.applied}
        names = KeywordIds(connection).paths()
        wanted = {(d.photo_id, d.keyword_id) for d in accepted if d.photo_id in rows}
        carried = keywords_of(connection, sorted({photo for photo, _ in wanted}))
    add, remove = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for photo, keyword in sorted(wanted - done):
        if keyword not in carried.get(photo, ()):
            add[photo].append(keyword)
    for photo, keyword in sorted(done - wanted):
        if photo in rows:
            remove[photo].append(keyword)
    waiting = sorted(add.keys() | remove.keys())
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
        keep_answer(connection, once.key, once.request, str(len(reports)))
    return len(reports)
