"""``keywright bench embed``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keywright.cli.output import json_option, note, progress_bar, show_json, table
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace

if TYPE_CHECKING:
    from keywright.encoders.comparing import Run


@click.group()
def bench() -> None:
    """Measure speed on this machine."""


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--encoder", "names", multiple=True, help="Only this one: a level, a name or an id. Can be repeated.")
@click.option("--limit", type=click.IntRange(1), default=500, show_default=True, help="Measure on so many photos.")
@json_option
def embed(folder: Path, names: Sequence[str], limit: int, as_json: bool) -> None:
    """Photos a second from file to vector for each encoder, through ONNX Runtime and through torch."""
    from keywright.encoders import resolve_encoder
    from keywright.encoders.comparing import compared, present
    from keywright.renditions.formats import may_hold_a_picture

    paths = sorted(path for path in folder.rglob("*") if may_hold_a_picture(path))[:limit]
    if not paths:
        raise KeywrightError(f"There are no photos in {folder} to measure with; name a folder with some.")
    with Workspace.open() as workspace, progress_bar() as progress:
        kept = workspace.home.encoders
        ids = [resolve_encoder(name, kept) for name in names] or present(kept)
        runs = compared(paths, ids, kept, lambda done, total: progress("Measuring encoders", done, total))
    speeds = [run.speed for run in runs if run.speed is not None]
    if as_json:
        show_json([_as_json(run) for run in runs])
        return
    rows = [
        (
            speed.encoder_id,
            speed.runs_on,
            f"{speed.decode_seconds * 1000:.1f}",
            f"{speed.encode_seconds * 1000:.1f}",
            f"{speed.limit:.1f}",
            f"{speed.reached:.1f}",
            f"{speed.ratio:.2f}",
            f"{speed.share:.2f}",
            "" if speed.peak_memory is None else f"{speed.peak_memory / 2**20:,.0f}",
        )
        for speed in speeds
    ]
    cores = speeds[0].cores
    columns = ("encoder", "runs on", "decode ms", "encode ms", "limit", "photos/s", "of limit", "cores had", "MB")
    table(f"{len(paths)} photos on {cores} cores", columns, rows, right=(2, 3, 4, 5, 6, 7, 8))
    click.echo("limit: cores / (decode + encode); cores had: of the cores' time, what other programs left to the run.")
    for run in runs:
        if run.error is not None:
            note(f"{run.encoder_id} through {run.runtime}: {run.error}")


def _as_json(run: Run) -> dict[str, object]:
    told: dict[str, object] = {"encoder": run.encoder_id, "through": run.runtime, "error": run.error}
    if run.speed is None:
        return told | {"limit": None, "ratio": None, "speed": None}
    return told | {"limit": run.speed.limit, "ratio": run.speed.ratio, "speed": run.speed}
