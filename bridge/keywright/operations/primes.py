"""Prime examples: photos that a person marked as showing a keyword as it is meant."""

from __future__ import annotations

import numpy as np

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.base import Floats
from keywright.operations.deciding import keywords_on
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, record_waiting
from keywright.store.lookups import decisions_on, photos_by_id, vectors_of
from keywright.store.photos import KeywordIds, PhotoRow
from keywright.store.primes import list_primes, set_prime


def mark_prime(workspace: Workspace, photo_id: int, keyword: KeywordPath, on: bool) -> bool:
    """Mark a photo as a prime example of a keyword it carries, or take the mark off; whether that changed anything.

    A prime example weighs more in learning (``prime_weight``) and is the first reason shown for a suggestion. On a
    bridge with a teacher the models have learned it, as a rule, when this returns. Raises ``NotFoundError`` where the
    photo is unknown, ``KeywrightError`` where it does not carry the keyword.
    """
    carried = {one.keyword.key: one for one in keywords_on(workspace, photo_id) if one.state != "rejected"}
    spelled = carried.get(keyword.key)
    if on and spelled is None:
        raise KeywrightError(
            f"The photo {photo_id} does not carry {keyword}, so it is no prime example of it; accept the keyword first."
        )
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        number = ids.id(spelled.keyword if spelled else keyword)
        made = {d.keyword_id: d.decision for d in decisions_on(connection, [photo_id]).get(photo_id, ())}
        if on and made.get(number) is Decision.REJECTED:
            raise KeywrightError(f"The photo {photo_id} was refused {keyword} meanwhile; accept the keyword first.")
        changed = set_prime(connection, photo_id, number, on)
        if changed:
            record_waiting(connection, [(photo_id, number, made.get(number), not on)])
    if changed and workspace.teacher is not None:
        workspace.teacher.told()
    return changed


def prime_photos(workspace: Workspace, keyword: KeywordPath) -> list[PhotoRow]:
    """The prime examples of a keyword, those marked first first."""
    with workspace.store.read() as connection:
        ids = [number for number, path in KeywordIds(connection).paths().items() if path.key == keyword.key]
        marked = list(dict.fromkeys(photo for photo, _ in list_primes(connection, ids)))
        rows = photos_by_id(connection, marked)
    return [rows[number] for number in marked if number in rows]


def anchor(workspace: Workspace, keyword: KeywordPath) -> Floats:
    """What to look for when photos like a keyword's prime examples are wanted: their mean vector, shape (d,), of unit
    length.

    Raises ``NotFoundError`` where the keyword has no prime example with a vector.
    """
    contents = [row.content_id for row in prime_photos(workspace, keyword) if row.content_id]
    with workspace.store.read() as connection:
        found = vectors_of(connection, workspace.encoder_id, list(dict.fromkeys(contents)))
    if not found:
        raise NotFoundError(f"{keyword} has no prime example; mark one in the review first.")
    mean = np.mean([vector.astype(np.float32) for vector in found.values()], axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), dtype=np.float32)
