"""``keywright uncertain``."""

from __future__ import annotations

import click

from keywright.cli.output import json_option, progress_bar, show_json, table
from keywright.operations.workspace import Workspace


@click.command()
@click.argument("keyword", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most photos.")
@json_option
def uncertain(keyword: str | None, limit: int, as_json: bool) -> None:
    """The photos whose answer would teach most: does the photo carry the keyword, or not?"""
    from keywright.operations.active import load_models
    from keywright.operations.asking import ask

    with Workspace.open() as workspace, progress_bar() as progress:
        found = ask(workspace, load_models(workspace)[0], keyword, limit=limit, progress=progress)
    if as_json:
        show_json(found)
        return
    if not found:
        click.echo("There is nothing to ask: what no person has said is sure enough already.")
        return
    rows = [(one.path, one.keyword, f"{one.confidence:.0%}") for one in found]
    table("The answers that would teach most", ("photo", "does it carry", "confidence"), rows, right=(2,))
