"""``keywright models encoder|pull|finetune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keywright.cli.output import (
    announce,
    counted,
    json_option,
    note,
    note_failures,
    progress_bar,
    show_json,
    stopping,
    table,
)
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace

if TYPE_CHECKING:
    from keywright.operations.switching import ListedEncoder


@click.command()
@click.argument("name", required=False)
@click.option("--back", is_flag=True, help="Take the last change back: the models of the encoder before suggest again.")
@click.option("--anyway", is_flag=True, help="Change also where the new models are worse.")
@json_option
def encoder(name: str | None, back: bool, anyway: bool, as_json: bool) -> None:
    """What photos are looked at with: list the encoders, or change to NAME.

    A change embeds all photos again, which can be stopped and goes on the next time; the new models suggest when they
    are at least as good as the old ones.
    """
    from keywright.operations import switching

    if back and name:
        raise click.UsageError("--back takes no NAME.")
    with Workspace.open() as workspace:
        workspace.announce = note if back else announce
        if back:
            row = switching.switch_back(workspace)
            show_json(row) if as_json else click.echo(f"{row.encoder_id} is in use again (version {row.id}).")
            return
        if name is None:
            _list(workspace, as_json)
            return
        with progress_bar() as progress:
            done = switching.switch(workspace, name, anyway=anyway, progress=progress)
    if as_json:
        show_json(done)
        return
    note_failures(done.embedding.failures)
    if done.embedding.missing:
        note(f"{counted(len(done.embedding.missing), 'file is', 'files are')} not there and took no part.")
    if done.asked == done.before:
        click.echo(f"{done.asked} is in use already.")
        return
    figures = ""
    if done.mean_before is not None and done.mean_asked is not None:
        figures = (
            f" Over {counted(done.compared, 'keyword')} its mean average precision by leave-one-out is "
            f"{done.mean_asked:.3f}, that of {done.before} {done.mean_before:.3f}."
        )
    if done.switched:
        click.echo(f"{done.asked} is in use (version {done.version}).{figures} `--back` takes this back.")
    else:
        click.echo(f"{done.before} stays in use: {done.held_back}.{figures} `--anyway` changes all the same.")


def _list(workspace: Workspace, as_json: bool) -> None:
    from keywright.operations.switching import listed_encoders

    found = listed_encoders(workspace)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            one.info.level or "",
            _state(one),
            one.info.dimension,
            f"{one.vectors:,}",
            one.info.id,
            one.info.about,
        )
        for one in found
    ]
    table("Encoders", ("name", "", "numbers", "photos", "id", "what it is"), rows, right=(2, 3))


def _state(one: ListedEncoder) -> str:
    if one.info.fault is not None:
        return "damaged"
    return "in use" if one.in_use else "" if one.info.installed else "not installed"


@click.command()
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A folder with the model's files, on a machine without a network.",
)
@click.option("--yes", is_flag=True, help="Download without asking.")
@json_option
def pull(name: str | None, source: Path | None, yes: bool, as_json: bool) -> None:
    """Get the CLIP encoder NAME, which also knows words; without NAME, list what there is.

    Nothing is downloaded before you say so. A download that was cut off goes on the next time.
    """
    from keywright.operations import pulling

    with Workspace.open() as workspace:
        if name is None:
            _catalogue(workspace, as_json)
            return
        if source is not None:
            kept = pulling.pull_folder(workspace, name, source)
        else:
            offer = pulling.offered(workspace.home, name)
            if not yes:
                if as_json:
                    raise KeywrightError("Say --yes to have it downloaded: with --json nothing is asked.")
                click.echo(
                    f"{offer.model.name}: {_size(offer.model.megabytes)} from {offer.host}/{offer.model.repository}"
                )
                click.echo(f"Licence: {offer.model.licence}")
                if not click.confirm("Download it?", err=True):
                    raise KeywrightError("Nothing was downloaded.")
            with progress_bar() as progress:
                kept = pulling.pull(workspace, offer.model, progress)
    if as_json:
        show_json(kept)
    else:
        click.echo(f"{kept.name} is here; `keywright models encoder {kept.name}` changes to it.")


@click.command()
@click.option("--name", help="What the new encoder is called; unless given tuned, or the next free of tuned-2, ...")
@click.option("--epochs", type=click.IntRange(1, 200), help="At most so many in each of the three turns.")
@json_option
def finetune(name: str | None, epochs: int | None, as_json: bool) -> None:
    """Let the encoder in use learn your keywords, and change to the result where it is better.

    Photos that nothing was learned from decide. Ctrl-C stops it; the next time it goes on from there.
    """
    from keywright.encoders.tuning import TuneSettings
    from keywright.operations.finetuning import finetune_and_change

    with Workspace.open() as workspace, stopping() as cancel, progress_bar() as progress:
        workspace.announce = announce
        settings = TuneSettings() if epochs is None else TuneSettings(epochs=epochs)
        done, changed = finetune_and_change(workspace, name, settings=settings, progress=progress, cancel=cancel)
    if as_json:
        show_json({"finetuning": done, "switched": changed})
        return
    note_failures(done.failures)
    if done.failures:
        note(f"{counted(len(done.failures), 'photo')} could not be read and took no part.")
    if done.left_out:
        note(f"{counted(done.left_out, 'photo')} took no part: {done.photos:,} are learned from at most.")
    if done.known and done.encoder is not None:
        note(f"An earlier run made {done.encoder.name} of these photos and keywords.")
    figures = (
        f"On photos that nothing was learned from, mean average precision went from {done.mean_before:.3f} to "
        f"{done.mean_after:.3f} (standard error of the difference {done.standard_error:.3f})."
    )
    if changed is None:
        click.echo(f"{figures} That is no gain beyond chance: {done.base} stays in use, nothing was kept.")
    else:
        click.echo(f"{figures} {changed.after} is in use now; `keywright models encoder --back` takes this back.")


def _catalogue(workspace: Workspace, as_json: bool) -> None:
    from keywright.operations import pulling

    found = pulling.offers(workspace.home)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            one.model.name,
            "here" if one.here else "",
            _size(one.model.megabytes),
            f"{one.model.accuracy:.1f} %",
            f"{'' if one.measured else '~'}{one.photos_per_second:,.1f}",
            one.model.licence,
            one.model.about,
        )
        for one in found
    ]
    columns = ("name", "", "size", "ImageNet", "photos/s here", "licence", "")
    table("CLIP encoders to pull; ImageNet: top-1 without training, as published", columns, rows, right=(2, 3, 4))
    click.echo("~ is an estimate from this machine's arithmetic; `keywright bench embed` measures what is here.")


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
