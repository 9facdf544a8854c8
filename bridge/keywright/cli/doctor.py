"""``keywright doctor``."""

from __future__ import annotations

import click

from keywright.cli.output import json_option, show_json, table
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check that everything Keywright needs is there and sound."""
    from keywright.operations.doctor import examine

    with Workspace.open() as workspace:
        checks = list(examine(workspace))
    if as_json:
        show_json(checks)
    else:
        table("Doctor", ("", "what", "found"), [("ok" if c.well else "NOT WELL", c.name, c.found) for c in checks])
    ill = [c for c in checks if not c.well]
    if ill:
        raise KeywrightError(
            f"{len(ill)} of {len(checks)} checks are not well, the first: {ill[0].name}: {ill[0].found}"
        )
