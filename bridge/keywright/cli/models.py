"""``keywright models list|activate|rollback|compare|remove|export|import``; encoders are in ``cli/encoders.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isnan
from pathlib import Path

import click

from keywright.cli.encoders import encoder, finetune, pull
from keywright.cli.output import counted, json_option, note, show_json, table
from keywright.operations.figures import Accepted
from keywright.operations.workspace import Workspace
from keywright.store.models import VersionRow

_SHOWN = 25  # keywords of a comparison; --json has all
_version = click.argument("version", type=click.IntRange(1))


@click.group()
def models() -> None:
    """The model versions: every training is one, and one of them suggests."""


@models.command(name="list")
@json_option
def list_command(as_json: bool) -> None:
    """Every version with its metrics, oldest first; the active one suggests."""
    from keywright.operations.versions import listed

    with Workspace.open() as workspace:
        found = listed(workspace)
    if as_json:
        show_json(
            [
                {
                    "version": one.version.id,
                    "active": one.version.active,
                    "created_at": one.version.created_at,
                    "encoder": one.version.encoder_id,
                    "metrics": one.version.metrics,
                    "bytes": one.bytes,
                    "own_bytes": one.own_bytes,
                    "reviewed_since": None if one.version.trained == one.version.id else one.version.trained,
                    "figures": one.figures,
                    "accepted": one.accepted.accepted,
                    "rejected": one.accepted.rejected,
                    "days": one.days,
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            one.version.id,
            "active" if one.version.active else "",
            _time(one.version.created_at),
            _kind(one.version),
            *_metrics(one.version.metrics),
            "" if one.figures is None else _number(one.figures.calibration_error),
            _accepted(one.accepted),
            _megabytes(one.bytes),
            _megabytes(one.own_bytes),
        )
        for one in found
    ]
    columns = ("version", "", "made", "by", "photos", "keywords", "mAP", "error", "accepted", "size", "its own")
    table(counted(len(found), "model version"), columns, rows, right=(0, 4, 5, 6, 7, 8, 9, 10))


@models.command()
@_version
@json_option
def activate(version: int, as_json: bool) -> None:
    """Let VERSION suggest."""
    from keywright.operations import versions

    with Workspace.open() as workspace:
        found = versions.activate(workspace, version)
    show_json(found) if as_json else click.echo(f"Version {found.id} is active.")


@models.command()
@json_option
def rollback(as_json: bool) -> None:
    """Let the version suggest again that was active before; once more goes further back."""
    from keywright.operations import versions

    with Workspace.open() as workspace:
        workspace.announce = note
        found = versions.roll_back(workspace)
    show_json(found) if as_json else click.echo(f"Version {found.id} is active again.")


@models.command()
@click.argument("old", type=click.IntRange(1))
@click.argument("new", type=click.IntRange(1))
@json_option
def compare(old: int, new: int, as_json: bool) -> None:
    """What differs between version OLD and version NEW, keyword by keyword."""
    from keywright.operations import versions

    with Workspace.open() as workspace:
        found = versions.compare(workspace, old, new)
    if as_json:
        show_json(found)
        return
    sides = list(zip(_metrics(found.old.metrics), _metrics(found.new.metrics), strict=True))
    rows: list[tuple[object, ...]] = [
        ("trained", _time(found.old.created_at), _time(found.new.created_at)),
        *((name, *side) for name, side in zip(("photos", "keywords", "mAP, all keywords"), sides, strict=True)),
        (f"mAP, {counted(found.compared, 'keyword')} of both", _number(found.old_mean), _number(found.new_mean)),
    ]
    both = (found.old_figures, found.new_figures)
    for name, field in (
        ("calibration error", "calibration_error"),
        ("precision at the thresholds", "precision"),
        ("recall at the thresholds", "recall"),
        ("seconds", "seconds"),
    ):
        rows.append((name, *("" if one is None else _number(getattr(one, field)) for one in both)))
    sizes = [{} if one is None else {g.training_photos: g for g in one.groups} for one in both]
    for size in dict.fromkeys(name for groups in sizes for name in groups):
        quality = (groups[size].mean_average_precision if size in groups else None for groups in sizes)
        rows.append((f"mAP on {size} training photos", *map(_number, quality)))
    rows.append(("suggestions accepted", _accepted(found.old_accepted), _accepted(found.new_accepted)))
    table("Leave-one-out figures", ("", f"version {old}", f"version {new}"), rows, right=(1, 2))
    for what, paths in (("Only in", found.removed), ("New in", found.added)):
        if paths:
            names = ", ".join(str(path) for path in paths[:_SHOWN])
            more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
            click.echo(f"{what} version {old if what == 'Only in' else new}: {names}{more}")
    changed = sorted(found.changed, key=lambda one: -abs((one.new_quality or 0) - (one.old_quality or 0)))
    if not changed:
        click.echo("The keywords of both are the same in photos, quality and threshold.")
        return
    lines = [
        (
            one.keyword,
            one.old_photos,
            one.new_photos,
            _number(one.old_quality),
            _number(one.new_quality),
            _change(one.old_quality, one.new_quality),
            f"{one.old_threshold:.0%}",
            f"{one.new_threshold:.0%}",
        )
        for one in changed[:_SHOWN]
    ]
    title = f"{counted(len(changed), 'keyword differs', 'keywords differ')}, those first whose quality changed most"
    columns = ("keyword", "photos", "then", "AP", "then", "change", "threshold", "then")
    table(title, columns, lines, right=(1, 2, 3, 4, 5, 6, 7))
    if len(changed) > _SHOWN:
        click.echo(f"{len(changed) - _SHOWN:,} more; --json names them all.")


@models.command()
@click.argument("versions", nargs=-1, type=click.IntRange(1), metavar="[VERSION...]")
@click.option("--keep", type=click.IntRange(1), help="Instead of naming versions: keep the newest so many.")
@json_option
def remove(versions: Sequence[int], keep: int | None, as_json: bool) -> None:
    """Forget VERSIONs, or with --keep all but the newest; the active one always stays."""
    from keywright.operations import pruning

    if bool(versions) == (keep is not None):
        raise click.UsageError("Name the versions to remove, or say with --keep how many of the newest stay.")
    with Workspace.open() as workspace:
        found = pruning.remove(workspace, versions) if keep is None else pruning.prune(workspace, keep)
    if as_json:
        show_json(found)
    elif found.removed:
        numbers = ", ".join(map(str, found.removed))
        click.echo(
            f"{counted(len(found.removed), 'model version')} removed ({numbers}); {_megabytes(found.freed)} that no "
            "other version shares are free for what is learned next."
        )
    else:
        click.echo("There is nothing to remove.")


@models.command()
@_version
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def export(version: int, file: Path, as_json: bool) -> None:
    """Write VERSION into FILE, for another machine or for keeping."""
    from keywright.operations.versions import export_version

    with Workspace.open() as workspace:
        found = export_version(workspace, version, file)
    size = file.stat().st_size
    if as_json:
        show_json({"version": found, "file": file, "bytes": size})
        return
    click.echo(f"Version {found.id} is in {file} ({_megabytes(size)}).")


@models.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def import_command(file: Path, as_json: bool) -> None:
    """Keep the models of an exported FILE as a version; the active one stays active."""
    from keywright.operations.versions import import_version

    with Workspace.open() as workspace:
        found, new = import_version(workspace, file)
    if as_json:
        show_json({"version": found, "new": new})
        return
    if new:
        click.echo(f"{file} is version {found.id} now; `keywright models activate {found.id}` lets it suggest.")
    else:
        click.echo(f"{file} holds what version {found.id} holds already.")


models.add_command(encoder)
models.add_command(pull)
models.add_command(finetune)


def _metrics(metrics: Mapping[str, float]) -> tuple[str, str, str]:
    photos, keywords = (f"{metrics[name]:,.0f}" if name in metrics else "" for name in ("photos", "keywords"))
    return photos, keywords, _number(metrics.get("map"))


def _number(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.3f}"


def _kind(version: VersionRow) -> str:
    if version.trained == version.id:
        return "training"
    return f"{version.metrics.get('decisions', 0):,.0f} decisions since {version.trained}"


def _accepted(found: Accepted) -> str:
    return "" if found.share is None else f"{found.share:.0%} of {found.accepted + found.rejected:,}"


def _change(old: float | None, new: float | None) -> str:
    return "" if old is None or new is None else f"{new - old:+.3f}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _time(created_at: str) -> str:
    """In the person's own time zone."""
    try:
        return datetime.fromisoformat(created_at).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created_at
