"""``keywright-digikam``: suggestions for an album or the whole collection, for terminals, cron and batch use."""

from __future__ import annotations

import sys

import click

from keywright.cli.output import json_option, progress_bar
from keywright.cli.suggest import confidence_option
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def digikam() -> None:
    """Keywright for digiKam's albums. The database is the one in digiKam's own settings, unless another is named."""


@digikam.command()
@click.option("--album", default="", metavar="ALBUM", help='Such as "2023/Trips"; everything without it.')
@click.option("--database", default=None, metavar="SOURCE", help="A digikam4.db or mysql://user@host/db.")
@click.option("--apply", "applies", is_flag=True, help="Write them: needs --min-confidence.")
@confidence_option
@json_option
@click.pass_context
def suggest(
    context: click.Context,
    album: str,
    database: str | None,
    applies: bool,
    min_confidence: float | None,
    as_json: bool,
) -> None:
    """Suggest keywords for an album and the albums in it, or write those that are sure enough."""
    from keywright.cli import apply as applying
    from keywright.cli import suggest as suggesting
    from keywright.operations.albums import photos_in_album
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
        context.invoke(
            applying.apply,
            sources=photos,
            min_confidence=min_confidence,
            accepted=False,
            dry_run=False,
            profile="digikam",
            to_files=False,
            maps=(),
            as_json=as_json,
        )
    else:
        context.invoke(
            suggesting.suggest, targets=photos, min_confidence=min_confidence, limit=10, maps=(), as_json=as_json
        )


def main() -> None:
    """The entry point ``keywright-digikam``: exits with 0, 1 (failed) or 2 (usage)."""
    try:
        digikam.main(standalone_mode=True, prog_name="keywright-digikam")
    except KeywrightError as error:
        click.echo(f"keywright-digikam: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
