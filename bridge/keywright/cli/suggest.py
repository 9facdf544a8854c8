"""``keywright suggest``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from keywright.cli.output import json_option, map_option, mappings, note, percent, plain, progress_bar
from keywright.operations.suggesting import PhotoSuggestions
from keywright.operations.workspace import Workspace
from keywright.suggesting.base import ITS_NAME
from keywright.text import printable

confidence_option = click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=None,
    metavar="P",
    help="The least confidence, 0 to 1. Without it each keyword has its own threshold.",
)
profile_option = click.option(
    "--profile", default=None, metavar="NAME", help="A profile of the configuration: which keywords, and where they go."
)


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="SOURCE|PHOTO...")
@confidence_option
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=None,
    help="Most per photo; 0: no limit. Without it what the profile says, else 10.",
)
@profile_option
@map_option
@json_option
def suggest(
    targets: Sequence[str],
    min_confidence: float | None,
    limit: int | None,
    profile: str | None,
    maps: Sequence[str],
    as_json: bool,
) -> None:
    """Suggest keywords for photos, folders or catalogs: the most specific ones, surest first, and why.

    With --json one line for each photo. With --min-confidence 0 --limit 0 every keyword that has a model is listed.
    """
    from keywright.config import load_config
    from keywright.operations.suggesting import suggest_photos

    chosen = load_config().profile(profile).over(min_confidence, limit)
    failed = shown = 0
    with Workspace.open() as workspace, progress_bar() as progress:
        found = suggest_photos(workspace, targets, mappings(maps), profile=chosen, progress=progress)
        if as_json:
            for one in found:
                click.echo(json.dumps(_line(one), ensure_ascii=False))
            return
        results = list(found)
    for one in results:
        if one.error is not None:
            failed += 1
            note(f"No suggestions: {one.photo.path}: {one.error}")
        elif one.suggestions:
            shown += 1
            _show(one)
    click.echo(f"{shown:,} of {len(results):,} photos have suggestions" + (f"; {failed:,} failed." if failed else "."))


def _line(one: PhotoSuggestions) -> dict[str, object]:
    return {
        "path": printable(str(one.photo.path)),
        "photo": printable(one.photo.host_id),
        "copy_of": one.photo.copy_of,
        "suggestions": [
            {
                "keyword": str(s.keyword),
                "confidence": round(s.confidence, 4),
                "automatic": s.learned is None,
                "sources": list(s.sources),
                "new": s.new,
                "because": [{"path": plain(b.path), "similarity": round(b.similarity, 3)} for b in s.because],
            }
            for s in one.suggestions
        ],
        "error": one.error,
    }


def _show(one: PhotoSuggestions) -> None:
    copy = " (virtual copy)" if one.photo.copy_of else ""
    click.echo(printable(f"{one.photo.path}{copy}"))
    for s in one.suggestions:
        why = reasons([b.path.name for b in s.because], s.sources, new=s.new)
        sure = percent(s.confidence) if s.learned is not None else "EXIF"
        click.echo(printable(f"  {sure:>4}  {s.keyword}" + (f"   {why}" if why else "")))


def reasons(alike: Sequence[str], sources: Sequence[str], *, new: bool) -> str:
    """What speaks for a suggestion, in words: ``alike`` are the names of photos."""
    describers = [source for source in sources if source != ITS_NAME]
    why = [f"like {', '.join(alike[:3])}"] if alike else []
    why += [f"seen by {', '.join(describers)}"] if describers else []
    why += ["fits its name"] if ITS_NAME in sources else []
    return ", ".join([*why, "new keyword"] if new else why)
