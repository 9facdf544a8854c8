"""What a describer said of a photo, put into a home as if it had been asked."""

from __future__ import annotations

from pathlib import Path

from keywright.describing.base import Candidate
from keywright.describing.providers import Kind, Provider
from keywright.home import Home
from keywright.operations.refreshing import refresh
from keywright.operations.workspace import Workspace
from keywright.store.photos import list_photos
from keywright.store.providers import keep_description, keep_provider


def describer_says(home: Path, photo: str, words: dict[str, float], *, lists: bool = False) -> None:
    """The describer ``vision``, which may suggest new keywords, named these words on the photo of this file name.

    ``lists``: the review's lists are brought up to date.
    """
    one = Provider("vision", Kind.OPENAI, "http://localhost:9/v1", "llava:7b", new_keywords=True)
    with Workspace.open(Home(home)) as workspace:
        with workspace.store.write() as connection:
            (row,) = (row for row in list_photos(connection) if row.path.name == photo)
            keep_provider(connection, one, one.consent())
            said = [Candidate(word, score) for word, score in words.items()]
            keep_description(connection, one.name, "vision/llava", row.content_id or "", said)
        if lists:
            refresh(workspace)
