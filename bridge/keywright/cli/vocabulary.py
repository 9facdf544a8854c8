"""``keywright keywords export|import``: Lightroom's keyword lists, and CSV."""

from __future__ import annotations

from pathlib import Path

import click

from keywright.cli.output import counted, json_option, show_json
from keywright.errors import KeywrightError, reason

_FORMATS = click.Choice(["lightroom", "csv"])
_format_option = click.option(
    "--format", "kind", type=_FORMATS, default=None, help="lightroom (its keyword list) or csv; else as FILE is called."
)


@click.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_format_option
@click.option("--overwrite", is_flag=True, help="Replace FILE where it is there.")
@json_option
def export_command(file: Path, kind: str | None, overwrite: bool, as_json: bool) -> None:
    """Write all known keywords with their synonyms to FILE, for Lightroom's Import Keywords or as a CSV table."""
    from keywright.operations.vocabularies import export_keywords
    from keywright.operations.workspace import Workspace
    from keywright.vocabulary import write_csv, write_list

    with Workspace.open() as workspace:
        known = export_keywords(workspace)
    # Excel takes a CSV without a mark for the system's old character set.
    data = write_csv(known).encode("utf-8-sig") if _is_csv(file, kind) else write_list(known).encode()
    try:
        with file.open("wb" if overwrite else "xb") as out:
            out.write(data)
    except FileExistsError:
        raise KeywrightError(f"{file} is there already; name another file, or say --overwrite.") from None
    except OSError as error:
        raise KeywrightError(f"{file} cannot be written ({reason(error)}).") from error
    synonyms = sum(len(keyword.synonyms) for keyword in known)
    if as_json:
        show_json({"path": file, "keywords": len(known), "synonyms": synonyms})
    else:
        click.echo(f"{counted(len(known), 'keyword')} and {counted(synonyms, 'synonym')} written to {file}.")


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_format_option
@json_option
def import_command(file: Path, kind: str | None, as_json: bool) -> None:
    """Add the keywords and synonyms in FILE to those that are known. Nothing that is known is taken away."""
    from keywright.operations.vocabularies import import_keywords
    from keywright.operations.workspace import Workspace
    from keywright.vocabulary import decode, read_csv, read_list

    try:
        data = file.read_bytes()
    except OSError as error:
        raise KeywrightError(f"{file} cannot be read ({reason(error)}).") from error
    text = decode(data, str(file))
    listed = read_csv(text, str(file)) if _is_csv(file, kind) else read_list(text, str(file))
    with Workspace.open() as workspace:
        done = import_keywords(workspace, listed)
    if as_json:
        show_json({"path": file, "keywords": done.keywords, "new": done.new, "synonyms": done.synonyms})
        return
    click.echo(
        f"{counted(done.keywords, 'keyword')} in {file}: {done.new:,} new, "
        f"{counted(done.synonyms, 'synonym')} added; nothing was taken away."
    )


def _is_csv(file: Path, kind: str | None) -> bool:
    return kind == "csv" if kind is not None else file.suffix.lower() in (".csv", ".tsv")
