"""What commands show: a progress bar on a terminal, tables for people, JSON for programs; notes go to stderr."""

from __future__ import annotations

import json
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keywright.catalogs.base import RootMapping
from keywright.keywords import KeywordPath
from keywright.operations.progress import Cancel, Progress, silent
from keywright.text import printable

if TYPE_CHECKING:  # late: it brings the encoders along
    from keywright.operations.embedding import Failure

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 10  # failures named one by one; the rest are counted (--json names all)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
map_option = click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help="Photos catalogued under the folder OLD lie under NEW here. Can be given several times.",
)


def mappings(maps: Sequence[str]) -> list[RootMapping]:
    from keywright.operations.reading import parse_mapping

    return [parse_mapping(text) for text in maps]


def plain(value: object) -> object:
    """A value as JSON has it: dataclasses as objects, paths and keywords as text, what is not a number as null."""
    if isinstance(value, Path | KeywordPath):
        return printable(value)
    if is_dataclass(value) and not isinstance(value, type):
        return (
            plain(asdict(value, dict_factory=dict))
            if not hasattr(value, "__slots__")
            else plain({name: getattr(value, name) for name in value.__dataclass_fields__})
        )
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(v) for v in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if hasattr(value, "item"):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_json(value: object) -> None:
    click.echo(json.dumps(plain(value), ensure_ascii=False))


def note(text: str) -> None:
    """A line for the person, kept apart from the result."""
    click.echo(printable(text), err=True)


def note_failures(failures: Sequence[Failure], what: str = "No picture") -> None:
    """The first photos that failed, one by one, and how many more there are."""
    for failure in failures[:SHOWN]:
        note(f"{what}: {failure.path}: {failure.reason}")
    if len(failures) > SHOWN:
        note(f"{what}: {len(failures) - SHOWN:,} more; --json names them all")


def announce(text: str) -> None:
    """What a person at a terminal should know before something long begins."""
    if sys.stderr.isatty():
        note(text)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """A table on stdout; the columns numbered in ``right`` are right-aligned."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(shown)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress as a bar on stderr, where that is a terminal; else nothing is shown."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield show


@contextmanager
def stopping() -> Iterator[Cancel]:
    """Ctrl-C as the wish to stop at the next good place, which can be asked for; pressed again it stops at once."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        note("Stopping at the next good place; Ctrl-C again stops at once.")

    if threading.current_thread() is not threading.main_thread():  # no other hears Ctrl-C
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def percent(confidence: float) -> str:
    """A confidence for a person; never 100 %, which no suggestion can promise."""
    return f"{min(confidence, 0.99):.0%}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 photo``, ``2 photos``, ``12,345 photos``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
