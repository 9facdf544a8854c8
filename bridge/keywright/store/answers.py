"""Answers kept under the idempotency key of their request, so that a request sent again is not done again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Connection, Table, Text, delete, insert, select

from keywright.errors import KeywrightError
from keywright.store.schema import METADATA

KEPT_DAYS = 14

answers = Table(
    "answers",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),  # a digest of what was asked
    Column("answer", Text, nullable=False),  # a JSON document
    Column("given_at", Text, nullable=False),
)


class KeyUsedError(KeywrightError):
    """The key was used for another request."""


def given_answer(connection: Connection, key: str, request: str) -> str | None:
    """What was answered under this key. Raises ``KeyUsedError`` where the request was another one."""
    row = connection.execute(select(answers).where(answers.c.key == key)).first()
    if row is None:
        return None
    if row.request != request:
        raise KeyUsedError("This Idempotency-Key was used for another request; make a new key for every new request.")
    return str(row.answer)


def keep_answer(connection: Connection, key: str, request: str, answer: str) -> None:
    """Keep an answer in the transaction that did what was asked; old ones are forgotten."""
    now = datetime.now(UTC)
    oldest = (now - timedelta(days=KEPT_DAYS)).isoformat(timespec="seconds")
    connection.execute(delete(answers).where(answers.c.given_at < oldest))
    values = {"key": key, "request": request, "answer": answer, "given_at": now.isoformat(timespec="seconds")}
    connection.execute(insert(answers).values(values))
