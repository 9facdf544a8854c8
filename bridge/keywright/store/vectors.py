"""Vectors by content: kept as float16 in the database, and as one memory-mapped matrix for the arithmetic.

The database is the truth. The matrix beside it is made from it, grows at its end, and is made anew whenever it does
not fit the database; a lock keeps two processes from growing it at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
)

from keywright.store.schema import METADATA

vectors = Table(
    "vectors",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("encoder_id", Text, nullable=False),
    Column("content_id", Text, nullable=False),
    Column("norm", Float, nullable=False),  # the length the vector had before it was made a unit vector
    Column("vector", LargeBinary, nullable=False),  # little-endian float16
    UniqueConstraint("encoder_id", "content_id"),
    sqlite_autoincrement=True,  # an id is never given twice, so the matrix can tell new rows from old ones
)

HALF = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class NewVector:
    content_id: str
    vector: NDArray[np.float32]
    norm: float


def add_vectors(connection: Connection, encoder_id: str, new: Iterable[NewVector]) -> None:
    """Keep these vectors; one that is there already stays as it is."""
    rows = [
        {
            "encoder_id": encoder_id,
            "content_id": v.content_id,
            "norm": v.norm,
            "vector": v.vector.astype(HALF).tobytes(),
        }
        for v in new
    ]
    if rows:
        connection.execute(insert(vectors).prefix_with("OR IGNORE", dialect="sqlite"), rows)


def known_contents(connection: Connection, encoder_id: str) -> set[str]:
    """The content ids that have a vector of this encoder."""
    return set(connection.execute(select(vectors.c.content_id).where(vectors.c.encoder_id == encoder_id)).scalars())


@dataclass(frozen=True, slots=True)
class VectorMatrix:
    """All vectors of one encoder: ``matrix`` float16, shape (n, d), read-only; the row of a content id; norms (n,)."""

    encoder_id: str
    matrix: NDArray[np.float16]
    norms: NDArray[np.float32]
    content_ids: Sequence[str]
    rows: dict[str, int]


def load_matrix(connection: Connection, folder: Path, encoder_id: str, dimension: int) -> VectorMatrix:
    """Map the matrix of one encoder, bringing the file up to what ``connection`` sees."""
    ids, content_ids, norms = [], [], []
    listed = select(vectors.c.id, vectors.c.content_id, vectors.c.norm)
    for row in connection.execute(listed.where(vectors.c.encoder_id == encoder_id).order_by(vectors.c.id)):
        ids.append(row.id)
        content_ids.append(row.content_id)
        norms.append(row.norm)
    wanted = np.array(ids, dtype="<i8")
    stem = hashlib.blake2b(encoder_id.encode(), digest_size=8).hexdigest()
    data, index = folder / f"{stem}.f16", folder / f"{stem}.ids"
    with FileLock(folder / f"{stem}.lock"):
        _bring_up(connection, data, index, wanted, dimension)
        if len(wanted):
            matrix = np.memmap(data, dtype=HALF, mode="r", shape=(len(wanted), dimension))
        else:
            matrix = np.zeros((0, dimension), dtype=HALF)  # type: ignore[assignment]
    return VectorMatrix(
        encoder_id,
        matrix,
        np.array(norms, dtype=np.float32),
        content_ids,
        {content: row for row, content in enumerate(content_ids)},
    )


def _bring_up(connection: Connection, data: Path, index: Path, wanted: NDArray[np.int64], dimension: int) -> None:
    """Make the two files hold the rows of ``wanted`` first; rows behind them (of a newer reading) are left."""
    width = dimension * HALF.itemsize
    there = np.fromfile(index, dtype="<i8") if index.exists() else np.zeros(0, dtype="<i8")
    whole = min(len(there), data.stat().st_size // width if data.exists() else 0)
    common = min(whole, len(wanted))
    if not np.array_equal(there[:common], wanted[:common]):
        # A row went away. The files may be mapped elsewhere, so they are replaced rather than cut.
        for file in (index, data):
            file.unlink(missing_ok=True)
        whole = common = 0
    if whole >= len(wanted):
        return
    with data.open("r+b" if data.exists() else "w+b") as rows, index.open("r+b" if index.exists() else "w+b") as names:
        rows.seek(whole * width)
        names.seek(whole * 8)
        for start in range(whole, len(wanted), 500):
            part = wanted[start : start + 500]
            chosen = select(vectors.c.id, vectors.c.vector).where(vectors.c.id.in_([int(i) for i in part]))
            found = {int(row.id): bytes(row.vector) for row in connection.execute(chosen)}
            rows.write(b"".join(found[int(i)] for i in part))
            names.write(part.tobytes())


def count_vectors(connection: Connection, encoder_id: str) -> int:
    chosen = select(func.count()).select_from(vectors).where(vectors.c.encoder_id == encoder_id)
    return int(connection.execute(chosen).scalar_one())
