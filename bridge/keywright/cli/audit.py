"""``keywright audit``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keywright.cli.output import counted, json_option, map_option, mappings, note, progress_bar, show_json, table
from keywright.operations.workspace import Workspace

if TYPE_CHECKING:
    from keywright.operations.auditing import Finding


@click.command()
@click.argument("source")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Most findings of either kind; 0: all."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0.05, 1),
    default=None,
    help="The least confidence of a missing keyword; without it each keyword has its own threshold.",
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the findings to a CSV file.",
)
@map_option
@json_option
def audit(
    source: str, limit: int, min_confidence: float | None, csv_file: Path | None, maps: Sequence[str], as_json: bool
) -> None:
    """Keywords that are probably missing, and keywords that are probably wrong. Nothing is changed."""
    from keywright.operations.auditing import audit_source, write_csv

    with Workspace.open() as workspace, progress_bar() as progress:
        report = audit_source(
            workspace, source, mappings(maps), limit=limit, min_confidence=min_confidence, progress=progress
        )
    if csv_file is not None:
        write_csv(report, csv_file)
        note(f"{counted(len(report.missing) + len(report.wrong), 'finding is', 'findings are')} in {csv_file}")
    if report.without_keywords:
        note(f"{counted(report.without_keywords, 'photo carries', 'photos carry')} no keyword: `keywright suggest`")
    if as_json:
        show_json(report)
        return
    if csv_file is not None:
        return
    for title, found, more in (
        ("Probably missing", report.missing, report.more_missing),
        ("Probably wrong", report.wrong, report.more_wrong),
    ):
        if found:
            _show(title, found)
            if more:
                click.echo(f"{more:,} more; --limit 0 shows them all.")
    if not (report.missing or report.wrong):
        click.echo(f"Nothing doubtful in {counted(report.photos, 'photo')} with {counted(report.keywords, 'keyword')}.")


def _show(title: str, found: Sequence[Finding]) -> None:
    rows = []
    for one in found:
        copies = f" and {counted(len(one.others), 'copy', 'copies')}" if one.others else ""
        rows.append(
            (
                f"{one.path}{copies}",
                one.keyword,
                f"{one.chance:.0%}",
                *([one.instead or ""] if title == "Probably wrong" else []),
                ", ".join(because.path.name for because in one.because),
            )
        )
    instead = ("instead",) if title == "Probably wrong" else ()
    table(title, ("photo", "keyword", "chance", *instead, "looks like"), rows, right=(2,))
