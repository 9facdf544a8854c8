"""``keywright-digikam``: what a digiKam user calls, and what digiKam's menus and queues call.

The commands load what they need when they run: a queue calls one for every photo.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from keywright.cli.output import counted, json_option, note, progress_bar, show_json
from keywright.errors import KeywrightError
from keywright.text import printable

confidence = click.FloatRange(0, 1)
database_option = click.option(
    "--database", default=None, metavar="SOURCE", help="A digikam4.db or mysql://user@host/db."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def digikam() -> None:
    """Keywright for digiKam's albums. The database is the one in digiKam's own settings, unless another is named."""


@digikam.command()
@click.option("--album", default="", metavar="ALBUM", help='Such as "2023/Trips"; everything without it.')
@database_option
@click.option("--apply", "applies", is_flag=True, help="Write them: needs --min-confidence.")
@click.option("--min-confidence", type=confidence, default=None, metavar="P", help="The least confidence, 0 to 1.")
@click.option("--profile", default=None, metavar="NAME", help="A profile of the configuration.")
@json_option
@click.pass_context
def suggest(
    context: click.Context,
    album: str,
    database: str | None,
    applies: bool,
    min_confidence: float | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Suggest keywords for an album and the albums in it, or write those that are sure enough."""
    from keywright.cli import apply as applying
    from keywright.cli import suggest as suggesting
    from keywright.operations.albums import photos_in_album
    from keywright.operations.workspace import Workspace
    from keywright.writeback import BatchReport
    from keywright.writeback.digikam_settings import database_of, settings_file

    if applies and min_confidence is None:
        raise click.UsageError("--apply needs --min-confidence, such as --min-confidence 0.9.")
    source = database or database_of(settings_file())
    if source is None:
        raise KeywrightError(
            f"digiKam's settings ({settings_file()}) name no database; name it with --database, such as"
            " --database ~/Pictures/digikam4.db."
        )
    with Workspace.open() as workspace, progress_bar() as progress:
        photos = [str(path) for path in photos_in_album(workspace, source, album, progress)]
    if not photos:
        raise KeywrightError(f"There are no photos in the album {album}.")
    if applies:
        try:
            context.invoke(
                applying.apply,
                sources=photos,
                min_confidence=min_confidence,
                profile=profile,
                sidecars="digikam",
                as_json=as_json,
            )
        except applying.NothingToWriteError as nothing:
            # A nightly run that finds everything done has not failed.
            show_json(BatchReport()) if as_json else click.echo(str(nothing))
    else:
        context.invoke(
            suggesting.suggest, targets=photos, min_confidence=min_confidence, profile=profile, as_json=as_json
        )


@digikam.command()
@database_option
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path))
def review(database: str | None, photos: Sequence[Path]) -> None:
    """Open the review in the browser on exactly these photos: called by Open With in digiKam.

    Photos that Keywright does not know yet are looked up in digiKam's database.
    """
    from keywright.cli.digikam_review import open_review, tell

    try:
        chosen = open_review(photos, database)
    except KeywrightError as error:
        tell(printable(str(error)))
        raise
    for why in chosen.left_out:
        note(f"Left out: {why}")
    if chosen.left_out:
        tell(f"{counted(len(chosen.left_out), 'photo')} left out: {printable(chosen.left_out[0])}")
    click.echo(f"The review of {counted(chosen.photos, 'photo')} is open in the browser.")


@digikam.command()
@click.option("--min-confidence", type=confidence, default=0.9, show_default=True, metavar="P", help="As in suggest.")
@click.option("--between", metavar="LINE", help="Read the two names from stdin, in quotes, with this line between.")
@click.argument("names", nargs=-1, metavar="[INPUT OUTPUT]", type=click.Path(path_type=Path))
def queue(min_confidence: float, between: str | None, names: Sequence[Path]) -> None:
    """Copy a photo with keywords that were accepted or are sure enough: called by digiKam's Batch Queue Manager.

    It ends within the minute that digiKam waits; where it fails there is no output, and digiKam says so.
    """
    from keywright.cli.digikam_queue import names_on_stdin, pass_on

    if between is not None:
        photo, copy = names_on_stdin(between)
    elif len(names) == 2:
        photo, copy = names
    else:
        raise click.UsageError("Name the photo and its copy.")
    number = pass_on(photo, copy, min_confidence)
    click.echo(printable(f"{photo.name}: {counted(number, 'keyword')} written into the copy."))


def main() -> None:
    """The entry point ``keywright-digikam``: exits with 0, 1 (failed) or 2 (usage)."""
    try:
        digikam.main(standalone_mode=True, prog_name="keywright-digikam")
    except KeywrightError as error:
        click.echo(printable(f"keywright-digikam: {error}"), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
