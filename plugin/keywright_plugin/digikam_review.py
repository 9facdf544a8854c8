"""The photos chosen in digiKam, as a selection that the review pages show: exactly these, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keywright_plugin.client import Client
from keywright_plugin.errors import BridgeError, ProblemError
from keywright_plugin.values import PhotoRef


@dataclass(frozen=True, slots=True)
class Selected:
    """``url`` opens the review on the photos, once and for a short time; ``left_out`` says why some are not there."""

    url: str
    photos: int
    left_out: tuple[str, ...]


def select(client: Client, files: Sequence[str], database: str | None) -> Selected:
    """Make a selection of these photos, and have those embedded that are new.

    ``database`` is digiKam's, which is read where a photo is not known yet. Raises ``BridgeError`` where none of the
    photos is known even then.
    """
    files = list(dict.fromkeys(files))
    found = _find(client, files)
    why = {file: one for file, one in found.items() if isinstance(one, str)}
    if why and database is not None:
        catalog = client.add_catalog(database, learn=False)
        if catalog.job is not None:
            job = client.wait(catalog.job)
            if job.error:
                raise BridgeError(job.error)
        found |= _find(client, list(why))
    ids = [one for one in found.values() if isinstance(one, int)]
    left_out = tuple(one for one in found.values() if isinstance(one, str))
    if not ids:
        raise BridgeError(left_out[0] if left_out else "No photo was chosen; choose photos and open them again.")
    url = client.select_for_review(ids)
    client.embed(ids)
    return Selected(url, len(ids), left_out)


def _find(client: Client, files: Sequence[str]) -> dict[str, int | str]:
    """For each file the photo's number, or the sentence why there is none."""
    try:
        found = client.find_photos([PhotoRef(path=file) for file in files])
    except ProblemError as error:
        raise BridgeError(f"These photos cannot be looked up: {error}") from error
    return {file: one if isinstance(one, str) else one.id for file, one in zip(files, found, strict=True)}
