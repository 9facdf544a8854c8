"""``keywright evaluate``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from keywright.cli.output import json_option, map_option, mappings, note, progress_bar, table
from keywright.operations.workspace import Workspace

_SHOWN = 15  # keywords at each end of the list; --json has all


@click.command()
@click.argument("source")
@click.option(
    "--holdout", type=click.FloatRange(0.05, 0.95), default=0.3, show_default=True, help="Share of photos held back."
)
@click.option(
    "--split-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="A CSV: path, split (train or test), and keywords (A|B;C) as the truth of the test photos.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the report as a page with a reliability diagram and a precision-recall curve.",
)
@map_option
@json_option
def evaluate(
    source: str, holdout: float, split_file: Path | None, html: Path | None, maps: Sequence[str], as_json: bool
) -> None:
    """Learn from a part of the keyworded photos and report how good the suggestions are on the others."""
    from keywright.operations.evaluating import evaluate_source, read_split

    if html is not None:
        from keywright.operations.reporting import require_matplotlib

        require_matplotlib()
    split = read_split(split_file) if split_file else None
    with Workspace.open() as workspace, progress_bar() as progress:
        found = evaluate_source(workspace, source, mappings(maps), holdout=holdout, split=split, progress=progress)
    if html is not None:
        from keywright.operations.reporting import write_report

        write_report(found, source, html)
        note(f"The report is in {html}")
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    click.echo(f"{found.photos:,} photos judged, {found.keywords:,} keywords with a model.")
    click.echo(
        f"Mean average precision {found.mean_average_precision:.4f} "
        f"over {found.judged_keywords} keywords (at least 5 training photos and 3 judged ones)."
    )
    click.echo(
        f"At the keywords' thresholds: precision {found.precision:.0%}, recall {found.recall:.0%}, "
        f"suggestions on {found.coverage:.0%} of the photos. Calibration error {found.calibration_error:.3f}."
    )
    groups = [
        (g.training_photos, g.keywords, _number(g.mean_average_precision), _percent(g.precision), _percent(g.recall))
        for g in found.groups
    ]
    table("By number of training photos", ("photos", "keywords", "mAP", "precision", "recall"), groups, (1, 2, 3, 4))
    ranked = sorted(
        (k for k in found.per_keyword if k.average_precision == k.average_precision), key=lambda k: -k.average_precision
    )
    shown = ranked if len(ranked) <= 2 * _SHOWN else [*ranked[:_SHOWN], *ranked[-_SHOWN:]]
    rows = [
        (
            k.keyword,
            k.training_photos,
            k.photos,
            _number(k.average_precision),
            _percent(k.threshold),
            k.suggested,
            _percent(k.precision),
            _percent(k.recall),
        )
        for k in shown
    ]
    title = (
        "Keywords" if len(shown) == len(ranked) else f"The {_SHOWN} best and {_SHOWN} worst of {len(ranked)} keywords"
    )
    columns = ("keyword", "learned from", "judged on", "AP", "threshold", "suggested", "precision", "recall")
    table(title, columns, rows, (1, 2, 3, 4, 5, 6, 7))


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3f}"


def _percent(value: float) -> str:
    return "" if value != value else f"{value:.0%}"
