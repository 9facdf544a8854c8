"""People who answer the suggestion dialog."""

from __future__ import annotations

from collections.abc import Iterator

from lightroom.simulation.dialogs import Dialog
from lightroom.simulation.lightroom import Person


def accepts(dialog: Dialog) -> Iterator[str | None]:
    """Takes what is ticked already."""
    assert dialog.controls("checkbox")
    yield "ok"


def cancels(dialog: Dialog) -> Iterator[str | None]:
    del dialog
    yield "cancel"


def presses(title: str) -> Person:
    def person(dialog: Dialog) -> Iterator[str | None]:
        dialog.press(title)
        yield None

    return person


def ticks(title: str, value: bool = True) -> Person:
    def person(dialog: Dialog) -> Iterator[str | None]:
        dialog.tick(title, value)
        yield "ok"

    return person
