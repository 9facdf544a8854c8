"""The thin border between a reader and its database: rows for a query, whichever engine gives them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

Row = tuple[Any, ...]


class RowSource(Protocol):
    """Rows as they were at one moment; queries use ``?`` for parameters and only SQL that both engines know."""

    generation: int  # grows when that moment had to be moved: what was derived from earlier rows may be stale

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query. Raises ``CatalogError`` in one sentence where they cannot be had."""
        ...

    def columns(self, table: str) -> frozenset[str]:
        """The column names of a table, in lower case; empty where there is no such table."""
        ...

    def close(self) -> None: ...


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python's search for reference cycles waits: over ten thousands of new rows that hold none, it takes a third of
    the time. Not around a ``yield``: the caller's own objects are no concern of ours."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def missing_columns(source: RowSource, needed: dict[str, tuple[str, ...]]) -> list[str]:
    """Which of the needed ``Table.column`` a database lacks."""
    missing = []
    for table, columns in needed.items():
        there = source.columns(table)
        missing += [f"{table}.{column}" for column in columns if column.lower() not in there]
    return missing


def when(text: object) -> datetime | None:
    """A catalog's time as local wall-clock time; what is no date, or only half of one, is none."""
    try:
        found = datetime.fromisoformat(text)  # type: ignore[arg-type]
    except TypeError:
        if not isinstance(text, datetime):
            return None
        found = text
    except ValueError:
        return None
    return found if found.tzinfo is None else found.replace(tzinfo=None)


def is_text(name: str) -> bool:
    """Whether a name can be written as UTF-8; one with stray bytes (kept as surrogates) cannot be stored anywhere."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
