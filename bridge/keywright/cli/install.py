"""``keywright install`` and ``keywright uninstall``: the front-ends, into the programs whose menus they extend."""

from __future__ import annotations

from pathlib import Path

import click

from keywright.cli.output import json_option, show_json
from keywright.errors import KeywrightError

to_option = click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="FOLDER", help="Another folder."
)


@click.group()
def install() -> None:
    """Put Keywright into the menus of a photo program."""


@click.group()
def uninstall() -> None:
    """Take Keywright out of a photo program again."""


@install.command("lightroom")
@to_option
@json_option
def install_lightroom(to: Path | None, as_json: bool) -> None:
    """Put the plug-in where Lightroom Classic finds it by itself."""
    from keywright_plugin import lightroom_install

    try:
        done = lightroom_install.install(to or lightroom_install.modules_folder())
    except lightroom_install.InstallError as error:
        raise KeywrightError(str(error)) from error
    if as_json:
        show_json({"folder": done.folder, "updated": done.updated})
        return
    click.echo(f"The plug-in is {'updated' if done.updated else 'installed'} in {done.folder}.")
    click.echo("Restart Lightroom; the menu is Library > Plug-in Extras.")


@uninstall.command("lightroom")
@to_option
@json_option
def uninstall_lightroom(to: Path | None, as_json: bool) -> None:
    """Take the plug-in away again."""
    from keywright_plugin import lightroom_install

    try:
        gone = lightroom_install.uninstall(to or lightroom_install.modules_folder())
    except lightroom_install.InstallError as error:
        raise KeywrightError(str(error)) from error
    if as_json:
        show_json({"folder": gone})
        return
    click.echo(f"{gone} is removed; restart Lightroom." if gone else "The plug-in is not installed.")


@install.command("digikam")
@json_option
def install_digikam(as_json: bool) -> None:
    """Put "Suggest keywords with Keywright" under Open With, and a workflow into the Batch Queue Manager."""
    from keywright.writeback.digikam_running import is_digikam_running
    from keywright_plugin import digikam_install

    to = digikam_install.places()
    try:
        done = digikam_install.install(to, is_digikam_running)
    except digikam_install.InstallError as error:
        raise KeywrightError(str(error)) from error
    if as_json:
        show_json({"files": done.files, "updated": done.updated})
        return
    click.echo(f"Keywright is {'updated' if done.updated else 'installed'} in digiKam:")
    for file in done.files:
        click.echo(f"  {file}")
    if to.menu is not None:
        click.echo("Photos > right click > Open With > Suggest keywords with Keywright opens the review on them.")
    click.echo(f"Batch Queue Manager > Workflow > {digikam_install.TITLE} writes keywords into copies.")


@uninstall.command("digikam")
@json_option
def uninstall_digikam(as_json: bool) -> None:
    """Take both away again; your own workflows stay as they are."""
    from keywright.writeback.digikam_running import is_digikam_running
    from keywright_plugin import digikam_install

    try:
        gone = digikam_install.uninstall(digikam_install.places(), is_digikam_running)
    except digikam_install.InstallError as error:
        raise KeywrightError(str(error)) from error
    if as_json:
        show_json({"files": gone})
        return
    click.echo("Keywright is taken out of digiKam." if gone else "Keywright is not installed in digiKam.")
