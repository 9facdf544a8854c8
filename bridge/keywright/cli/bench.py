"""``keywright bench embed``."""

from __future__ import annotations

from pathlib import Path

import click

from keywright.cli.output import json_option, progress_bar, show_json
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace


@click.group()
def bench() -> None:
    """Measure speed on this machine."""


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(1), default=None, help="Measure on this many photos.")
@json_option
def embed(folder: Path, limit: int | None, as_json: bool) -> None:
    """Photos a second from file to vector, and the limit that decoding and encoding alone set."""
    from keywright.encoders.bench import measure
    from keywright.renditions.formats import may_hold_a_picture

    paths = sorted(path for path in folder.rglob("*") if may_hold_a_picture(path))[:limit]
    if not paths:
        raise KeywrightError(f"There are no photos in {folder} to measure with; name a folder with some.")
    with Workspace.open() as workspace, progress_bar() as progress:
        speed = measure(paths, workspace.encoder, lambda done, total: progress("Embedding photos", done, total))
    if as_json:
        show_json({"limit": speed.limit, "ratio": speed.ratio, "speed": speed})
    else:
        click.echo("\n".join(speed.lines()))
