"""``keywright search``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keywright.cli.output import json_option, note, percent, progress_bar, show_json, table
from keywright.operations.workspace import Workspace
from keywright.text import printable


@click.command()
@click.argument("text", required=False)
@click.option("--like", multiple=True, metavar="PHOTO", help="Photos like this one. Can be given several times.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Most photos; 0: no limit.")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.0, metavar="P", help="The least score, 0 to 1.")
@click.option("--under", multiple=True, metavar="FOLDER", help="Only photos in this folder. Several: in any of them.")
@click.option(
    "--keyword",
    "keywords",
    multiple=True,
    metavar="K",
    help="Only photos with this keyword. Several: with all of them.",
)
@json_option
def search(
    text: str | None,
    like: Sequence[str],
    limit: int,
    min_score: float,
    under: Sequence[str],
    keywords: Sequence[str],
    as_json: bool,
) -> None:
    """Find photos by words ("a dog on a beach"), by photos like them, or both.

    Searched is what Keywright has seen: the photos of catalogs it learned from or suggested for.
    """
    if not (text or "").strip() and not like:
        raise click.UsageError("Give some words, or a photo with --like.")
    from keywright.operations import searching

    notes: list[str] = []
    with Workspace.open() as workspace, progress_bar() as progress:
        found = searching.search(
            workspace,
            text,
            like,
            limit=limit,
            min_score=min_score,
            under=under,
            keywords=keywords,
            progress=progress,
            note=notes.append,
        )
    for told in notes:
        note(told)
    if as_json:
        show_json(
            [{"path": one.photo.path, "score": round(one.score, 4), "because": list(one.because)} for one in found]
        )
        return
    rows = [(percent(one.score), printable(str(one.photo.path)), "; ".join(one.because)) for one in found]
    table(f"{len(found):,} photos" if len(found) != 1 else "1 photo", ("score", "photo", "because"), rows, right=(0,))
