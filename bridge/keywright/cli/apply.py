"""``keywright apply``, ``undo`` and ``history``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keywright.cli.output import counted, json_option, map_option, mappings, note, progress_bar, show_json, table
from keywright.cli.suggest import confidence_option, profile_option
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.writeback import BatchReport, PlannedWrite, WriteBackPlan

if TYPE_CHECKING:
    from keywright.operations.applying import Forgotten

_SHOWN = 20  # files named in a dry run; --json names all


class NothingToWriteError(KeywrightError):
    """Nothing was accepted, or nothing is sure enough: a failure for who asked for it, none for a nightly run."""


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE|PHOTO...]")
@confidence_option
@click.option("--accepted", is_flag=True, help="What a person accepted (the default without --min-confidence).")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option(
    "--sidecars",
    type=click.Choice(["lightroom", "darktable", "digikam", "plain"]),
    default=None,
    help="Whose rule says where keywords go (default: what [files] of the configuration says, else lightroom).",
)
@click.option("--to-files", is_flag=True, help="Write beside a Lightroom catalog's photos too.")
@profile_option
@map_option
@json_option
def apply(
    sources: Sequence[str],
    min_confidence: float | None,
    accepted: bool,
    dry_run: bool,
    profile: str | None,
    sidecars: str | None,
    to_files: bool,
    maps: Sequence[str],
    as_json: bool,
) -> None:
    """Write accepted suggestions, or with --min-confidence those that sure, into the photos' files as XMP.

    Everything written is one batch in the journal: `keywright undo` takes exactly it out again.
    """
    if accepted and min_confidence is not None:
        raise click.UsageError("--accepted and --min-confidence exclude each other.")
    if min_confidence is not None and not sources:
        raise click.UsageError("--min-confidence needs a SOURCE or PHOTO to apply to.")
    from keywright.config import EVERYTHING, load_config
    from keywright.metadata import SidecarProfile
    from keywright.operations import applying, picking

    config = load_config()
    named = EVERYTHING if profile is None else config.profile(profile)
    rule = SidecarProfile(sidecars or config.files.sidecars)
    with Workspace.open() as workspace, progress_bar() as progress:
        _settle(workspace)
        chosen = picking.choose(
            workspace,
            sources,
            mappings(maps),
            min_confidence=min_confidence,
            profile=named,
            to_files=to_files,
            progress=progress,
        )
        for path, why in chosen.failures:
            note(f"No suggestions: {path}: {why}")
        for why, number in sorted(chosen.left_out.items()):
            note(f"{number:,} left out: {why}")
        if not chosen.decisions:
            raise NothingToWriteError(_nothing(min_confidence, lightroom=picking.IN_LIGHTROOM in chosen.left_out))
        if dry_run:
            plan = applying.dry_run(chosen, rule, progress)
        else:
            more = f" and {len(sources) - 3:,} more" if len(sources) > 3 else ""
            label = " ".join(sources[:3]) + more if sources else "accepted suggestions"
            report = applying.apply(workspace, chosen, rule, label=label, progress=progress)
    if dry_run:
        show_json(plan) if as_json else _show_plan(plan)
    else:
        _show_report(report, as_json, "keywright undo takes it out again")


def _nothing(min_confidence: float | None, *, lightroom: bool) -> str:
    if lightroom:
        return (
            "Nothing was written: Lightroom writes its own catalog (choose Apply accepted keywords in its plug-in), "
            "or add --to-files to write XMP and then read the metadata from the files in Lightroom."
        )
    if min_confidence is None:
        return "Nothing has been accepted that is not written yet; decide in a review, or add --min-confidence 0.9."
    return f"No suggestion is {min_confidence:.0%} sure or more; nothing was written."


@click.command()
@click.argument("batch", required=False)
@click.option("--photo", "photos", multiple=True, type=click.Path(path_type=Path), help="Only for this photo.")
@json_option
def undo(batch: str | None, photos: Sequence[Path], as_json: bool) -> None:
    """Take out again what BATCH (the newest, without it) wrote; what you changed since stays."""
    from keywright.operations import applying

    only = [expanded(photo).absolute() for photo in photos] or None
    with Workspace.open() as workspace, progress_bar() as progress:
        report = applying.undo(workspace, batch, only, progress=progress)
    _show_report(report, as_json, "")


@click.command()
@click.option("--limit", type=click.IntRange(1), default=None, help="Only the newest so many.")
@click.option(
    "--forget-before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Drop the old contents kept of batches that ended before this day (your time).",
)
@json_option
def history(limit: int | None, forget_before: datetime | None, as_json: bool) -> None:
    """The batches that were written, newest last."""
    from keywright.operations import applying

    if forget_before is not None:
        with Workspace.open() as workspace:
            _settle(workspace)
            _show_forgotten(applying.forget_before(workspace, forget_before.astimezone()), as_json)
        return
    with Workspace.open() as workspace:
        _settle(workspace)
        batches = applying.history(workspace, limit)
    if as_json:
        show_json(batches)
        return
    rows = [(b.id, b.kind, b.state, b.label, b.asked, b.written, b.undone) for b in reversed(batches)]
    table("Batches", ("batch", "kind", "state", "of", "asked", "written", "undone"), rows, right=(4, 5, 6))


def _show_forgotten(found: Forgotten, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    if not found.targets:
        click.echo("There is nothing to drop: no old content is kept of batches that ended before.")
        return
    click.echo(
        f"The old content of {counted(found.targets, 'file')} dropped ({found.freed / 1e6:,.1f} MB, free for what is "
        f"written next). Undoing {counted(len(found.batches), 'batch', 'batches')} still takes out what Keywright "
        "wrote, but no longer gives files back byte for byte:"
    )
    for batch in found.batches:
        click.echo(f"  {batch}")


def _settle(workspace: Workspace) -> None:
    from keywright.operations import applying

    for report in applying.recover(workspace):
        note(str(report))


def _show_plan(plan: WriteBackPlan) -> None:
    files = [one for one in plan.writes if one.target == "file"]
    rows = [
        (Path(w.where).name, ", ".join(p.name for p in w.photos), "new" if w.creates else "changed", _changes(w))
        for w in files[:_SHOWN]
    ]
    table("Would be written", ("file", "photo", "", "keywords"), rows)
    if len(files) > _SHOWN:
        click.echo(f"... and {len(files) - _SHOWN:,} files more")
    for refusal in plan.refused:
        note(f"Refused: {refusal}")
    also = " and in digiKam's database" if len(files) < len(plan.writes) else ""
    click.echo(
        f"{counted(plan.count_photos(), 'photo')} would be written in {counted(len(files), 'file')}{also}, "
        f"{plan.count_unchanged():,} have it all already, {plan.count_refused():,} refused. Nothing was written."
    )


def _changes(write: PlannedWrite) -> str:
    """What goes in, and behind a minus sign what goes out."""
    return ", ".join([*(str(one.path) for one in write.add), *(f"−{path}" for path in write.remove)])


def _show_report(report: BatchReport, as_json: bool, after: str) -> None:
    for settled in report.recovered:
        note(str(settled))
    for warning in report.warnings:
        note(warning)
    refused = list(dict.fromkeys(str(refusal) for refusal in report.refused))
    failed = report.stopped or (refused[0] if refused and not report.written else "")
    for sentence in refused:
        if sentence != failed:
            note(f"Refused: {sentence}")
    if as_json:
        show_json(report)
    else:
        batch = f" Batch {report.batch_id}" + (f"; {after}." if after else ".") if report.batch_id else ""
        click.echo(f"{report.summary(why=False)}{batch}")
    if failed:
        raise KeywrightError(f"Not everything was done: {failed}")
