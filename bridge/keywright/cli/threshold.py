"""``keywright keywords threshold``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keywright.cli.output import counted, json_option, percent, progress_bar, show_json, table
from keywright.operations.workspace import Workspace

if TYPE_CHECKING:
    from keywright.operations.thresholds import KeywordThreshold


@click.command()
@click.argument("keyword")
@click.argument("confidence", required=False, type=click.FloatRange(0, 1, min_open=True), metavar="[P]")
@click.option("--default", "clear", is_flag=True, help="Let the learned threshold hold again.")
@click.option("--preview", is_flag=True, help="Only show what P would suggest; nothing is set.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Photos shown by --preview.")
@json_option
def threshold(keyword: str, confidence: float | None, clear: bool, preview: bool, limit: int, as_json: bool) -> None:
    """From which confidence on KEYWORD is suggested: show it, or set it to P (0 to 1)."""
    if clear and (confidence is not None or preview):
        raise click.UsageError("--default takes back what was set; it goes with neither P nor --preview.")
    if preview and confidence is None:
        raise click.UsageError("--preview needs P, the confidence to try.")
    from keywright.operations import thresholds
    from keywright.operations.active import load_models

    with Workspace.open() as workspace, progress_bar() as progress:
        models, _ = load_models(workspace)
        found: thresholds.KeywordThreshold | thresholds.ThresholdPreview
        if preview and confidence is not None:
            found = thresholds.preview_threshold(workspace, models, keyword, confidence, limit=limit, progress=progress)
        elif clear or confidence is not None:
            found = thresholds.set_threshold(workspace, models, keyword, confidence)
        else:
            found = thresholds.keyword_threshold(workspace, models, keyword)
    if as_json:
        show_json(found)
    elif isinstance(found, thresholds.ThresholdPreview):
        click.echo(
            f"From {percent(found.confidence)} on {found.keyword} would be suggested on "
            f"{counted(found.photos, 'photo')} of {found.looked_at:,} that lack it; "
            f"{_expected(found.precision, found.recall)}."
        )
        rows = [(Path(one.photo.path), percent(one.confidence)) for one in found.shown]
        if rows:
            table("Those nearest to it", ("photo", "confidence"), rows, right=(1,))
    else:
        click.echo(_told(found))


def _told(found: KeywordThreshold) -> str:
    whose = (
        "as learned" if found.own is None else f"as you set it (learned: {percent(found.learned)}; --default takes it)"
    )
    return (
        f"{found.keyword} is suggested from {percent(found.holds)} on, {whose}; "
        f"{_expected(found.precision, found.recall)}."
    )


def _expected(precision: float | None, recall: float | None) -> str:
    if precision is None or recall is None:
        return "what to expect of that cannot be told from the photos learned from"
    return f"to be expected are {percent(precision)} right and {percent(recall)} of the photos found"
