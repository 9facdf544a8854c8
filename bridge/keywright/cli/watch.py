"""``keywright watch``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from keywright.cli.output import counted, json_option, note, percent
from keywright.cli.suggest import profile_option, reasons
from keywright.text import printable
from keywright_plugin import BridgeError, Client
from keywright_plugin.values import Photo, PhotoRef, Suggested


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--poll", is_flag=True, help="Look again and again: for network drives that tell of no changes.")
@profile_option
@json_option
def watch(folders: Sequence[Path], poll: bool, profile: str | None, as_json: bool) -> None:
    """Suggest keywords for photos as they arrive in folders, until it is ended with Ctrl+C.

    The bridge does the work, and is started where it does not run. A photo that is still being written is waited for.
    """
    from keywright.errors import KeywrightError
    from keywright.home import Home

    try:
        follow(
            Client.open(Home.default().folder),
            [folder.resolve() for folder in folders],
            lambda photo, found: tell(photo, found, as_json=as_json),
            poll=poll,
            profile=profile,
        )
    except BridgeError as error:
        raise KeywrightError(str(error)) from error


def follow(
    client: Client,
    folders: Sequence[Path],
    show: Callable[[Photo, Suggested], None],
    *,
    poll: bool = False,
    profile: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    quiet: float | None = None,
) -> None:
    """Register the folders, then have what arrives embedded, and show what is suggested for it."""
    from keywright.operations.watching import QUIET_SECONDS, watch

    for folder in folders:
        catalog = client.add_catalog(str(folder), learn=False)
        note(f"Watching {catalog.source}")
    for arrived in watch(folders, stop, poll=poll, quiet=QUIET_SECONDS if quiet is None else quiet):
        photos = []
        for path, found in zip(arrived, client.find_photos([PhotoRef(path=str(p)) for p in arrived]), strict=True):
            if isinstance(found, Photo):
                photos.append(found)
            else:
                note(f"{path}: {found}")
        if not photos:
            continue
        note(f"{counted(len(photos), 'photo')} arrived")
        job = client.wait(client.embed([photo.id for photo in photos]).id)
        if job.error is not None:
            note(job.error)
        by_number = {photo.id: photo for photo in photos}
        for one in client.suggest(list(by_number), profile=profile).photos:
            show(by_number[one.photo], one)


def tell(photo: Photo, found: Suggested, *, as_json: bool) -> None:
    """What is suggested for one photo, and why, as ``keywright suggest`` tells it."""
    if as_json:
        suggestions = [
            {
                "keyword": s.keyword,
                "confidence": s.confidence,
                "sources": s.sources,
                "new": s.new,
                "because": [{"path": path, "similarity": near} for path, near in s.because],
            }
            for s in found.suggestions
        ]
        line = {"path": photo.path, "suggestions": suggestions, "error": found.error}
        click.echo(json.dumps(line, ensure_ascii=False))
        return
    click.echo(printable(photo.path))
    for s in found.suggestions:
        why = reasons([re.split(r"[\\/]", path)[-1] for path, _ in s.because], s.sources, new=s.new)
        click.echo(printable(f"  {percent(s.confidence):>4}  {s.keyword}" + (f"   {why}" if why else "")))
    if found.error is not None:
        note(f"No suggestions: {photo.path}: {found.error}")
