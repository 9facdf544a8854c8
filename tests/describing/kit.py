"""What tests of describers share: a home of their own, a photo of it, and a provider that was agreed to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from describing.server import Server
from keywright.describing.providers import Kind, Provider
from keywright.home import Home
from keywright.operations import describing
from keywright.operations.describing import what_was_seen
from keywright.operations.workspace import Workspace
from keywright.store.photos import PhotoRow, list_photos


@contextmanager
def opened_copy(home: Path, folder: Path) -> Iterator[Workspace]:
    """A copy of a home that several tests share, for one of them to do with as it likes."""
    shutil.copytree(home, folder / "home")
    with Workspace.open(Home(folder / "home")) as opened:
        yield opened


def rows(workspace: Workspace) -> list[PhotoRow]:
    with workspace.store.read() as connection:
        return list_photos(connection)


def photo(workspace: Workspace, name: str) -> PhotoRow:
    """The photo of a file's name."""
    return next(row for row in rows(workspace) if row.path.name == name)


def added(workspace: Workspace, server: Server, **values: object) -> Provider:
    """The provider ``vision``, agreed to, at the server."""
    one = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b", **{"seconds": 60, **values})  # type: ignore[arg-type]
    describing.add(workspace, one, agreed=one.consent())
    return one


def seen(workspace: Workspace) -> dict[str, list[str]]:
    """What was seen on each photo, by its file's name."""
    named = {row.content_id or "": row.path.name for row in rows(workspace)}
    found = what_was_seen(workspace, list(named))
    return {named[content]: [str(s.keyword) for s in said["vision"]] for content, said in found.items()}


def never_wait(seconds: float) -> None:
    del seconds
