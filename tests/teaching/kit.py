"""A home whose photos are made-up vectors: five subjects, no files, learned with the real learner."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.encoders import encoder_dimension
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.workspace import Workspace
from keywright.store import photos, syncing, vectors

NAMES = ("Animals|Cat", "Animals|Dog", "Food|Cake", "Food|Pizza", "Sea")
CAT, DOG, CAKE, PIZZA, SEA = (KeywordPath.parse(name) for name in NAMES)
SUBJECT = {path: number for number, path in enumerate((CAT, DOG, CAKE, PIZZA, SEA))}


def made_up(home: Path, keyworded: int = 100, bare: int = 25, seed: int = 0, spread: float = 0.9) -> Workspace:
    """Photo n shows subject n modulo 5; the first ``keyworded`` carry its keyword, the ``bare`` ones after them do not.

    Photo numbers in the store begin at 1, in the same order.
    """
    workspace = Workspace.open(Home(home))
    read_in(workspace, keyworded, bare)
    dimension = encoder_dimension(workspace.encoder_id)
    centres = np.abs(np.random.default_rng(99).standard_normal((len(NAMES), dimension)))
    noise = np.random.default_rng(seed).standard_normal((keyworded + bare, dimension))
    rows = np.abs(centres[np.arange(keyworded + bare) % len(NAMES)] + spread * noise)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    with workspace.store.write() as connection:
        known = photos.list_photos(connection)
        photos.record_stamps(connection, [photos.Stamp(r.id, 1, 1, f"content {r.id}", None) for r in known])
        new = [vectors.NewVector(f"content {row.id}", rows[row.id - 1], 10.0) for row in known]
        vectors.add_vectors(connection, workspace.encoder_id, new)
    return workspace


def read_in(workspace: Workspace, keyworded: int, bare: int) -> None:
    """Read the catalog (again), with so many of its photos carrying their keyword."""
    found = [
        CatalogPhoto(
            f"{number:05}.jpg",
            Path("/made/up") / f"{number:05}.jpg",
            frozenset([KeywordPath.parse(NAMES[number % len(NAMES)])] if number < keyworded else []),
        )
        for number in range(keyworded + bare)
    ]
    with workspace.store.write() as connection:
        catalog = photos.register_catalog(connection, CatalogKind.FOLDER, "/made/up", "/made/up", learn=True)
        syncing.sync_photos(connection, catalog, found, photos.KeywordIds(connection))


def bare_photo(of: KeywordPath, keyworded: int = 100, turn: int = 0) -> int:
    """The number of a photo that shows a subject and carries nothing."""
    first = keyworded + (SUBJECT[of] - keyworded) % len(NAMES)
    return first + turn * len(NAMES) + 1


def keyworded_photo(of: KeywordPath, turn: int = 0) -> int:
    """The number of a photo that shows a subject and carries its keyword."""
    return SUBJECT[of] + turn * len(NAMES) + 1
