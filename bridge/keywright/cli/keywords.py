"""``keywright keywords list|search|threshold``; ``export`` and ``import`` stand in ``vocabulary.py``."""

from __future__ import annotations

import click

from keywright.cli.output import json_option, show_json, table
from keywright.cli.threshold import threshold
from keywright.cli.vocabulary import export_command, import_command
from keywright.operations.workspace import Workspace


@click.group()
def keywords() -> None:
    """The keywords that were learned."""


keywords.add_command(threshold)
keywords.add_command(export_command)
keywords.add_command(import_command)


@keywords.command(name="list")
@json_option
def list_command(as_json: bool) -> None:
    """Every keyword of the catalogs learned from, with its photos and how good its model is."""
    _show("", as_json)


@keywords.command()
@click.argument("text")
@json_option
def search(text: str, as_json: bool) -> None:
    """The keywords (and synonyms) with a name that begins with TEXT, case and accents aside."""
    _show(text, as_json)


def _show(text: str, as_json: bool) -> None:
    from keywright.operations.active import load_models
    from keywright.operations.listing import list_models
    from keywright.operations.versions import versions

    with Workspace.open() as workspace:
        learned = any(row.active for row in versions(workspace))
        found = list_models(workspace, load_models(workspace)[0] if learned else None, text)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            k.path,
            k.photos,
            "" if k.threshold is None else f"{k.threshold:.0%}",
            "" if k.quality is None else f"{k.quality:.2f}",
            ", ".join(k.synonyms),
        )
        for k in found
    ]
    columns = ("keyword", "photos", "threshold", "AP", "synonyms")
    table(f"{len(found)} keywords", columns, rows, right=(1, 2, 3))
