"""Reads a folder tree of photos: the keywords and captions are those in the files themselves and in their
sidecars."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self

from keywright.catalogs.base import CatalogError, CatalogKeyword, CatalogKind, CatalogPhoto, CatalogReport
from keywright.catalogs.roots import warn
from keywright.catalogs.walking import FoundPhoto, walk
from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath

UNREADABLE_PHOTO = "photo that cannot be read"
DAMAGED = "photo with damaged metadata, read as far as possible"
_SHOWN = 5  # warnings about single photos; the rest is counted
_AT_ONCE = 256  # photos being read ahead


class _Read(NamedTuple):
    """What one photo's file and sidecars say."""

    keywords: frozenset[KeywordPath]
    caption: str = ""
    warnings: tuple[str, ...] = ()


class FolderCatalog:
    """A folder of photos. Raises ``CatalogError`` where there is no photo in it, or no folder.

    Files are read once: after the first full pass their keywords are remembered. ``threads`` hides the waiting for
    slow drives.
    """

    kind = CatalogKind.FOLDER

    def __init__(self, folder: Path, threads: int = 4) -> None:
        self.source = str(folder)
        self.report = CatalogReport()
        self.identity = f"folder:{folder.resolve()}"
        self._folder = folder
        self._threads = threads
        self._known: dict[str, _Read] | None = None
        try:
            first = next(walk(folder, CatalogReport()), None)
        except OSError as error:
            raise CatalogError(_unlistable(folder, error)) from error
        if first is None:
            raise CatalogError(_no_photos(folder))
        if (folder / "digikam4.db").is_file():
            warn(
                self.report,
                f"{folder} holds digiKam's database; name {folder / 'digikam4.db'} to read digiKam's own tags",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._known = None

    def keywords(self) -> Sequence[CatalogKeyword]:
        """Every keyword some photo carries, with its ancestors; reads all files if that was not done before."""
        known = self._all()
        carried = set().union(*(read.keywords for read in known.values())) if known else set()
        paths = carried | {above for path in carried for above in path.ancestors()}
        return [CatalogKeyword(path, "") for path in sorted(paths)]

    def captions(self) -> dict[str, str]:
        """What titles, captions and descriptions in the files and their sidecars say, by relative path."""
        return {photo: read.caption for photo, read in self._all().items() if read.caption}

    def _all(self) -> dict[str, _Read]:
        if self._known is None:
            for _ in self.photos():
                pass
        assert self._known is not None
        return self._known

    def photos(self) -> Iterator[CatalogPhoto]:
        known, fresh = self._known, {}
        shared: dict[frozenset[KeywordPath], frozenset[KeywordPath]] = {}  # one set for all photos that carry the same
        unreadable = damaged = 0
        for found, outcome in self._outcomes(known):
            if isinstance(outcome, KeywrightError):
                unreadable += 1
                if unreadable <= _SHOWN:
                    warn(self.report, str(outcome))
                continue
            if outcome.warnings:
                damaged += 1
                if damaged <= _SHOWN:
                    warn(self.report, f"{found.path}: {outcome.warnings[0]}")
            keywords = shared.setdefault(outcome.keywords, outcome.keywords)
            fresh[found.relative] = _Read(keywords, outcome.caption)
            yield CatalogPhoto(found.relative, str(found.path), keywords, is_video=found.is_video)
        if known is None:
            self._known = fresh
            self.report.note(UNREADABLE_PHOTO, unreadable)
            self.report.note(DAMAGED, damaged)

    def change_token(self) -> str:
        """Names, sizes and times of all photos and sidecars; walks the tree, opens no file."""
        digest = hashlib.sha256()
        try:
            for found in walk(self._folder, CatalogReport(), stamped=True):
                digest.update(repr((found.relative, found.stamps)).encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise CatalogError(_unlistable(self._folder, error)) from error
        return digest.hexdigest()[:32]

    def _outcomes(self, known: dict[str, _Read] | None) -> Iterator[tuple[FoundPhoto, _Read | KeywrightError]]:
        """The photos in order, each with what reading it gave; as many as ``_AT_ONCE`` are read ahead."""
        waiting: deque[tuple[FoundPhoto, Future[_Read]]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="keywords") as pool:
            try:
                for found in walk(self._folder, self.report):
                    if known is not None and found.relative in known:
                        yield found, known[found.relative]
                        continue
                    waiting.append((found, pool.submit(_read, found)))
                    if len(waiting) >= _AT_ONCE:
                        yield _finished(*waiting.popleft())
                while waiting:
                    yield _finished(*waiting.popleft())
            except OSError as error:
                raise CatalogError(_unlistable(self._folder, error)) from error
            finally:
                for _, future in waiting:
                    future.cancel()


def _read(found: FoundPhoto) -> _Read:
    from keywright.metadata import read_keywords  # late: it brings the XML parser with it

    read = read_keywords(found.path, siblings=found.siblings)
    return _Read(read.keywords, read.caption, read.warnings)


def _finished(found: FoundPhoto, future: Future[_Read]) -> tuple[FoundPhoto, _Read | KeywrightError]:
    try:
        return found, future.result()
    except KeywrightError as error:
        return found, error


def _no_photos(folder: Path) -> str:
    catalogs = sorted(
        entry for pattern in ("*.lrcat", "digikam4.db") for entry in folder.glob(pattern) if entry.is_file()
    )
    if catalogs:
        return f"there are no photos in {folder}, but a catalog; name {catalogs[0]} to read that"
    return f"there are no photos in {folder}; name the folder your photos are in"


def _unlistable(folder: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {folder}; check the name, or connect the drive it is on"
    if isinstance(error, PermissionError):
        return f"the folder {folder} may not be read (permission denied); give yourself read access to it"
    return f"the folder {folder} cannot be read: {reason(error)}; check the drive it is on"
