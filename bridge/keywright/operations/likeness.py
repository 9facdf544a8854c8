"""Photos that look like another one."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from keywright.errors import KeywrightError
from keywright.operations.registering import photo
from keywright.operations.workspace import Workspace
from keywright.store.lookups import photos_by_id
from keywright.store.photos import PhotoRow, photos

_BLOCK = 16384  # rows compared at a time: bounds the memory of a collection of any size


def similar(workspace: Workspace, photo_id: int, limit: int) -> list[tuple[PhotoRow, float]]:
    """The photos most like one, with the cosine of their vectors, most alike first.

    Of photos with the same picture one is given. Raises ``NotFoundError`` where there is no such photo, and
    ``KeywrightError`` where it has no vector.
    """
    row = photo(workspace, photo_id)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
        place = matrix.rows.get(row.content_id or "")
        if place is None:
            raise KeywrightError(f"{row.path} has no vector yet; let it be embedded first.")
        vector = matrix.matrix[place].astype(np.float32)
        likeness = np.concatenate(
            [
                matrix.matrix[start : start + _BLOCK].astype(np.float32) @ vector
                for start in range(0, len(matrix.matrix), _BLOCK)
            ]
        )
        likeness[place] = -2
        most = min(4 * limit, len(likeness))  # some vectors may belong to photos that are gone
        best = np.argpartition(-likeness, most - 1)[:most]
        best = best[np.argsort(-likeness[best], kind="stable")]
        near = {matrix.content_ids[int(i)]: float(likeness[i]) for i in best if likeness[i] > -2}
        chosen = select(photos.c.id, photos.c.content_id).where(
            photos.c.content_id.in_(list(near)), photos.c.gone.is_(False)
        )
        holders: dict[str, int] = {}
        for found in connection.execute(chosen.order_by(photos.c.id)):
            holders.setdefault(found.content_id, int(found.id))
        rows = photos_by_id(connection, list(holders.values()))
    return [(rows[holders[content]], value) for content, value in near.items() if content in holders][:limit]
