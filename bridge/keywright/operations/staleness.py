"""Whether the stored suggestions still say what models and describers say: asked by every page, so found at once."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from sqlalchemy import Connection, func, select

from keywright.store.models import active_mark
from keywright.store.photos import catalogs, photos
from keywright.store.providers import described_mark
from keywright.store.suggestions import kept_state
from keywright.store.thresholds import thresholds_mark
from keywright.store.vectors import vectors

FORM = 2
"""Of what is kept of a suggestion: those of another form are made anew."""
LEAST_REST = 10.0
_REST_FOR_WORK = 5.0  # of learned decisions alone: so many times as long as the last refreshing took


def is_stale(connection: Connection, encoder_id: str, now: float | None = None) -> bool:
    """Whether the stored suggestions are to be made anew; found at once. ``now`` in seconds since 1970.

    They are where they come from another model version, photos, keywords or descriptions than there are now. Where the
    version has only learned some decisions since, they are only after a while: scoring a large collection after every
    few decisions would keep the machine busy for nothing.
    """
    mark = active_mark(connection)
    if mark is None:
        return False
    kept = kept_state(connection)
    if kept is None:
        return True
    told: dict[str, Any] = json.loads(kept.seen)
    if told.get("sources") != made_from(connection, encoder_id):
        return True
    rest = max(LEAST_REST, _REST_FOR_WORK * told["took"])
    return bool(told["content"] != mark.content and (now or time.time()) - told["ended"] > rest)


def made_from(connection: Connection, encoder_id: str) -> str:
    """A digest that is another one once the version, the thresholds, the photos, their keywords or what describers said
    are others."""
    mark = active_mark(connection)
    told = [
        FORM,
        encoder_id,
        mark.version if mark else None,
        thresholds_mark(connection),
        connection.execute(select(func.max(vectors.c.id))).scalar(),
        connection.execute(select(func.max(photos.c.id))).scalar(),
        sorted((int(r.id), r.read_at or "") for r in connection.execute(select(catalogs.c.id, catalogs.c.read_at))),
        described_mark(connection),
    ]
    return hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()
