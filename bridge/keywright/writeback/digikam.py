"""digiKam's database as a target: the rows of one photo are old or new as a whole, a group of photos one transaction.

Files are written before (``files.py``). What a photo's rows become is decided in ``digikam_rows``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from keywright.keywords import KeywordPath
from keywright.store.journal import Entry, EntryState, Intent
from keywright.store.timeline import Trace
from keywright.writeback.base import (
    Cancel,
    Cluster,
    Done,
    NothingToUndo,
    PhotoDecisions,
    PlannedWrite,
    Prepared,
    Refusal,
    WriteBackError,
)
from keywright.writeback.before import digest, keep_whole
from keywright.writeback.digikam_databases import DatabaseTroubleError, Session, open_session
from keywright.writeback.digikam_host import Host, HostState, RealHost
from keywright.writeback.digikam_rows import (
    CHANGED,
    GONE,
    Changed,
    RowRecord,
    Tag,
    TagTree,
    is_same,
    known_version,
    linked,
    put_in,
    read_image,
    read_tree,
    take_out,
    unmake,
)
from keywright.writeback.order import Past, kept

KIND = "digikam"
DEAF_APPLY = (
    "digiKam is running and cannot be told of new tags, so it will read them from the files itself:"
    " choose Browse > Refresh, or start it again"
)
DEAF_UNDO = "digiKam is running and cannot be told that tags are taken away; close it and undo again"
INTERRUPTED = "Keywright was interrupted before it was written"


@dataclass(frozen=True, slots=True)
class DatabasePhoto:
    """Where digiKam keeps a photo: its database (a path, or a ``mysql://`` address without password) and id there."""

    source: str
    image: int


@dataclass(frozen=True, slots=True)
class PreparedRows(Prepared):
    place: DatabasePhoto
    record: RowRecord


@dataclass(slots=True)
class _Open:
    """A database this target has at hand."""

    session: Session
    uuid: str
    tree: TagTree | None = None
    backed_up: bool = False
    stale: bool = False  # the tags are to be read anew, because digiKam changed them


class DigikamTarget:
    """Rows of digiKam databases. One object for one apply or undo; ``close`` ends its connections.

    ``places`` says which photos are in which database; other photos are none of its concern.
    """

    kind = KIND

    def __init__(
        self,
        places: Mapping[Path, Sequence[DatabasePhoto]],
        backups: Path,
        *,
        host: Host | None = None,
        connect: Callable[[str], Session] = open_session,
    ) -> None:
        self._places = places
        self._backups = backups
        self._host = host or RealHost()
        self._connect = connect
        self._open: dict[str, _Open] = {}
        self._in_trouble: dict[str, str] = {}  # databases that failed while photos were looked up, and what they said
        self._mode: HostState | None = None

    def close(self) -> None:
        for database in self._open.values():
            database.session.close()
        self._open.clear()

    def __enter__(self) -> DigikamTarget:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def clusters(self, decisions: Iterable[PhotoDecisions]) -> Iterator[Cluster | Refusal]:
        found: dict[DatabasePhoto, list[PhotoDecisions]] = {}
        for decision in decisions:
            for place in self._places.get(decision.photo, ()):
                found.setdefault(place, []).append(decision)
        by_source: dict[str, list[DatabasePhoto]] = {}
        for place in found:
            by_source.setdefault(place.source, []).append(place)
        for source, places in by_source.items():
            try:
                self._database(source).tree = None
            except WriteBackError as error:
                yield Refusal(tuple(d.photo for place in places for d in found[place]), source, str(error))
                continue
            for number, place in enumerate(places):
                if source in self._in_trouble:
                    rest = tuple(d.photo for other in places[number:] for d in found[other])
                    yield Refusal(rest, source, self._in_trouble.pop(source))
                    break
                yield Cluster(f"{place.source}#{place.image}", tuple(found[place]), place)

    def same_place(self, address: str) -> str:
        return address

    def prepare(self, cluster: Cluster, name: str) -> PreparedRows | PlannedWrite | Refusal:
        del name  # nothing of ours lies beside a row
        place: DatabasePhoto = cluster.hint
        try:
            database = self._database(place.source)
            row = read_image(database.session, place.image)
            if row is None or row.name not in {photo.name for photo in cluster.photos}:
                return Refusal(cluster.photos, cluster.address, GONE)
            if database.tree is None or database.stale:
                database.tree, database.stale = read_tree(database.session), False
            tree = database.tree
            add = {keyword.path: keyword for d in cluster.decisions for keyword in d.add}
            links: dict[int, str] = {}
            made: dict[int, Tag] = {}
            there, adding, unlink, removing = [], [], {}, []
            for path, keyword in sorted(add.items()):
                known = tree.find(path)
                if known is not None and known.id in row.tags:
                    there.append(path)
                    continue
                tag, new = tree.make(path)
                links[tag.id] = tag.name
                made.update((t.id, t) for t in new)
                adding.append(keyword)
            for path in sorted({p for d in cluster.decisions for p in d.remove} - set(add)):
                known = tree.find(path)
                if known is not None and known.id in row.tags:
                    unlink[known.id] = known.name
                    removing.append(path)
            record = RowRecord(
                place.image, row.name, row.created, database.uuid,
                tuple(links.items()), tuple(unlink.items()), tuple(made[i] for i in sorted(made)),
            )  # fmt: skip
            if adding and self._state() is HostState.DEAF:
                paths = tuple(str(keyword.path) for keyword in adding)
                record = RowRecord(place.image, row.name, row.created, database.uuid, reread=paths)
                removing = []
        except DatabaseTroubleError as error:
            # The others would fail as well, each after its own wait: what is left is refused at once.
            self._forget(place.source)
            self._in_trouble[place.source] = str(error)
            return Refusal(cluster.photos, place.source, str(error))
        except WriteBackError as error:
            return Refusal(cluster.photos, cluster.address, str(error))
        planned = PlannedWrite(
            cluster.address, cluster.photos, False, tuple(adding), tuple(removing), tuple(there), target=KIND
        )  # fmt: skip
        if not adding and not removing:
            return planned
        after = (row.tags | set(links)) - set(unlink)
        intent = Intent(
            target=KIND,
            address=cluster.address,
            photos=tuple(str(photo) for photo in cluster.photos),
            old_digest=_digest(row.tags),
            new_digest=_digest(after),
            before=keep_whole(_text(row.tags)),
            added=record.to_json(),
            added_keywords=tuple(str(keyword.path) for keyword in adding),
            removed_keywords=tuple(str(path) for path in removing),
            creates=False,
        )
        return PreparedRows(intent, len(intent.added), planned, place, record)

    def prepare_undo(self, entry: Entry, name: str, past: Past) -> PreparedRows | NothingToUndo | Refusal:
        del name
        was = entry.intent
        place = place_of(was.address)
        photos = tuple(Path(photo) for photo in was.photos)
        record = _due(RowRecord.from_json(was.added), entry.id, past)
        if place.source in self._in_trouble:
            return Refusal(photos, place.source, self._in_trouble[place.source])
        try:
            database = self._database(place.source)
            if database.uuid != record.uuid:
                return Refusal(photos, was.address, "it is another database than the one that was written")
            row = read_image(database.session, place.image)
            if row is None or not is_same(row, record):
                return NothingToUndo("the photo is not in digiKam's database any more")
            if record.reread:
                record = self._read_by_digikam(database, record)
            there = linked(database.session, record)
            back = [tag for tag, _ in record.unlink if tag not in row.tags]
            if not there and not back:
                return NothingToUndo("none of the tags Keywright put on the photo is there any more")
            if self._state() is HostState.DEAF:
                return Refusal(photos, was.address, DEAF_UNDO)
        except DatabaseTroubleError as error:
            self._forget(place.source)
            self._in_trouble[place.source] = str(error)
            return Refusal(photos, place.source, str(error))
        except WriteBackError as error:
            return Refusal(photos, was.address, str(error))
        after = (row.tags - {tag for tag, _ in there}) | set(back)
        intent = Intent(
            target=KIND,
            address=was.address,
            photos=was.photos,
            old_digest=_digest(row.tags),
            new_digest=_digest(after),
            before=keep_whole(_text(row.tags)),
            added=record.to_json(),
            added_keywords=was.removed_keywords,
            removed_keywords=was.added_keywords,
            creates=False,
            undoes=entry.id,
        )
        paths = tuple(KeywordPath.parse(text) for text in was.added_keywords)
        planned = PlannedWrite(was.address, photos, False, (), paths, (), target=KIND)
        return PreparedRows(intent, len(intent.added), planned, place, record)

    def carry_out(self, work: Sequence[tuple[Entry, PreparedRows]], cancel: Cancel) -> Sequence[Done]:
        by_source: dict[str, list[tuple[Entry, PreparedRows]]] = {}
        for entry, prepared in work:
            by_source.setdefault(prepared.place.source, []).append((entry, prepared))
        done: list[Done] = []
        for source, some in by_source.items():
            if cancel():
                done += [Done(entry, EntryState.LEFT, "it was cancelled", reached=False) for entry, _ in some]
                continue
            try:
                done += self._write(self._database(source), some)
            except DatabaseTroubleError as error:
                # Where the connection broke during the commit, the next start looks what became of it.
                state = EntryState.INTENDED if error.unsure else EntryState.LEFT
                self._forget(source)
                done += [Done(e, state, str(error), stops=str(error), reached=False) for e, _ in some]
        return done

    def settle(self, entry: Entry) -> Done | Refusal:
        """Look under the write lock: a transaction of the killed process is over by then."""
        photos = tuple(Path(photo) for photo in entry.intent.photos)
        if entry.state is not EntryState.INTENDED:
            return Done(entry, entry.state, entry.reason)
        place = place_of(entry.intent.address)
        record = RowRecord.from_json(entry.intent.added)
        try:
            database = self._database(place.source)
            if database.uuid != record.uuid:
                return Done(entry, EntryState.LEFT, "it is another database than the one that was to be written")
            with database.session.writing():
                row = read_image(database.session, place.image)
                if row is None or not is_same(row, record):
                    return Done(entry, EntryState.LEFT, GONE)
                there = linked(database.session, record)
                if record.reread:
                    is_new = row.unread
                elif record.link:
                    is_new = bool(there)
                else:
                    is_new = not any(tag in row.tags for tag, _ in record.unlink)
        except WriteBackError as error:
            return Refusal(photos, entry.intent.address, str(error))
        if entry.intent.undoes is not None:
            is_new = not is_new
        return Done(entry, EntryState.WRITTEN if is_new else EntryState.LEFT, "" if is_new else INTERRUPTED)

    def _write(self, database: _Open, some: Sequence[tuple[Entry, PreparedRows]]) -> list[Done]:
        if not database.backed_up:
            database.session.backup(self._backups, f"digikam-{database.uuid.strip('{}') or 'database'}")
            database.backed_up = True
        changed = Changed()
        reasons: list[str] = []
        with database.session.writing():
            for entry, prepared in some:
                act = put_in if entry.intent.undoes is None else take_out
                reasons.append(act(database.session, prepared.record, changed))
            undone = [p.record for e, p in some if e.intent.undoes is not None]
            unmake(database.session, (tag for record in undone for tag in record.made), changed)
        database.stale = CHANGED in reasons
        warning = ""
        if changed and self._host.state() is HostState.LISTENING:
            warning = self._host.tell(database.uuid, changed)
        results = []
        for (entry, prepared), why in zip(some, reasons, strict=True):
            said = DEAF_APPLY if prepared.record.reread and entry.intent.undoes is None else warning
            state = EntryState.LEFT if why else EntryState.WRITTEN
            results.append(Done(entry, state, why, warning="" if why else said))
        return results

    def _read_by_digikam(self, database: _Open, record: RowRecord) -> RowRecord:
        """The record of keywords that digiKam was to read from the file, with the tags it gave them."""
        if database.tree is None:
            database.tree = read_tree(database.session)
        tags = [database.tree.find(KeywordPath.parse(text)) for text in record.reread]
        links = tuple((tag.id, tag.name) for tag in tags if tag is not None)
        return RowRecord(record.image, record.name, record.created, record.uuid, links)

    def _state(self) -> HostState:
        """Looked at once for an apply: it must not change its mind between a photo and the next."""
        if self._mode is None:
            self._mode = self._host.state()
        return self._mode

    def _database(self, source: str) -> _Open:
        known = self._open.get(source)
        if known is None:
            session = self._connect(source)
            try:
                known = self._open[source] = _Open(session, known_version(session))
            except BaseException:
                session.close()
                raise
        return known

    def _forget(self, source: str) -> None:
        with contextlib.suppress(KeyError):
            self._open.pop(source).session.close()


def place_of(address: str) -> DatabasePhoto:
    source, _, image = address.rpartition("#")
    return DatabasePhoto(source, int(image))


def _touched(trace: Trace) -> tuple[frozenset[int], frozenset[int]]:
    record = RowRecord.from_json(trace.added)
    return frozenset(tag for tag, _ in record.link), frozenset(tag for tag, _ in record.unlink)


def _due(record: RowRecord, entry_id: int, past: Past) -> RowRecord:
    """What of the record is to be taken back; with it go tags that writes undone before had made and this one used."""
    stays, stays_away = kept(entry_id, past, _touched)
    undone = (t for t in past.traces if t.undoes is None and t.state is EntryState.UNDONE)
    made = dict.fromkeys((*record.made, *(tag for t in undone for tag in RowRecord.from_json(t.added).made)))
    return replace(
        record,
        link=tuple((tag, name) for tag, name in record.link if tag not in stays),
        unlink=tuple((tag, name) for tag, name in record.unlink if tag not in stays_away),
        made=tuple(made),
    )


def _text(tags: frozenset[int] | set[int]) -> bytes:
    return ",".join(str(tag) for tag in sorted(tags)).encode()


def _digest(tags: frozenset[int] | set[int]) -> str:
    return digest(_text(tags))
