"""``keywright learn``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keywright.cli.output import (
    announce,
    counted,
    json_option,
    map_option,
    mappings,
    note,
    note_failures,
    progress_bar,
    show_json,
)
from keywright.operations.workspace import Workspace


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@map_option
@click.option("--min-photos", type=click.IntRange(1), help="Photos a keyword needs to be suggested (5).")
@click.option(
    "--precision",
    type=click.FloatRange(0.05, 0.99),
    help="How many of the suggestions at a keyword's own threshold should be right (0.8).",
)
@click.option(
    "--encoder",
    help="What to look at photos with the first time: fast, standard, best; `keywright models encoder` changes it.",
)
@json_option
def learn(
    sources: Sequence[str],
    maps: Sequence[str],
    min_photos: int | None,
    precision: float | None,
    encoder: str | None,
    as_json: bool,
) -> None:
    """Read catalogs, embed what is new, train what changed; without SOURCE, all catalogs learned from so far."""
    from dataclasses import replace

    from keywright.operations.learning import configured
    from keywright.operations.learning import learn as run

    settings = configured()
    settings = replace(
        settings, min_photos=min_photos or settings.min_photos, precision=precision or settings.precision
    )
    with Workspace.open(encoder=encoder) as workspace, progress_bar() as progress:
        workspace.announce = announce
        report = run(workspace, sources, mappings(maps), settings=settings, progress=progress)
    for away in report.not_read:
        note(f"Not read, what it held before still teaches: {away.source}: {away.reason}")
    for source in report.sources:
        if not sources:
            note(f"Read again: {source.source}")
        for warning in source.warnings:
            note(f"{source.source}: {warning}")
        for why, number in sorted(source.skipped.items()):
            note(f"{source.source}: {number:,} left out: {why}")
    embedding = report.embedding
    note_failures(embedding.failures)
    if embedding.missing:
        note(f"{counted(len(embedding.missing), 'file is', 'files are')} not there (the first: {embedding.missing[0]})")
    if report.set_aside:
        note(
            f"{counted(len(report.set_aside), 'keyword')} on photos that the rest of the keyword disowns "
            "took no part in training; `keywright audit` shows them"
        )
    if report.names_changed:
        note(f"{report.names_changed[0].upper()}{report.names_changed[1:]}.")
    if report.held_back:
        note(f"Version {report.version} stays the active one: what was trained is not used, {report.held_back}")
    if as_json:
        show_json(report)
        return
    seen = sum(source.sync.photos for source in report.sources)
    click.echo(f"{counted(seen, 'photo')} read; {embedding.embedded:,} embedded, {embedding.known:,} known already.")
    if report.nothing_new:
        click.echo(f"Nothing changed: nothing was embedded and nothing trained ({counted(report.models, 'keyword')}).")
    else:
        click.echo(
            f"{counted(report.trained, 'keyword')} trained from {counted(report.photos, 'photo')}; "
            f"{counted(report.models, 'keyword has', 'keywords have')} a model (version {report.trained_version})."
        )
