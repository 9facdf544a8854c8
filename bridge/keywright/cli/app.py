"""The root command. Names and one-line helps stand here, so that ``--help`` imports no command's file."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from typing import Any

import click

from keywright import __version__
from keywright.errors import KeywrightError


@dataclass(frozen=True, slots=True)
class Listed:
    """A command by its name: the module of this package it stands in, and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "learn": Listed("learn", "Read catalogs, embed what is new, train what changed."),
    "suggest": Listed("suggest", "Suggest keywords for photos, folders or catalogs."),
    "apply": Listed("apply", "Write accepted suggestions to the photos' files."),
    "undo": Listed("apply", "Take out again what a batch wrote."),
    "history": Listed("apply", "The batches that were written, newest last."),
    "evaluate": Listed("evaluate", "Measure how good the suggestions for a catalog are."),
    "audit": Listed("audit", "Keywords that are probably missing or wrong in a catalog."),
    "uncertain": Listed("uncertain", "The photos whose answer would teach most."),
    "search": Listed("search", "Find photos by words, or by photos like them."),
    "keywords": Listed("keywords", "The keywords that were learned: list, search, threshold, export, import."),
    "models": Listed(
        "models",
        "Model versions: list, activate, roll back, compare, remove, export, import, encoder, pull, finetune.",
    ),
    "provider": Listed("provider", "Outside describers: add, list, remove, test, describe."),
    "review": Listed("review", "Open the review pages in the browser: see, decide, apply, take back."),
    "serve": Listed("serve", "Be the bridge that Lightroom, digiKam and the browser talk to."),
    "watch": Listed("watch", "Suggest keywords for photos as they arrive in folders."),
    "config": Listed("config", "Your choices: where they are, what holds, whether they are sound."),
    "install": Listed("install", "Put Keywright into the menus of a photo program."),
    "uninstall": Listed("install", "Take Keywright out of a photo program again."),
    "doctor": Listed("doctor", "Check that everything Keywright needs is there and sound."),
    "bench": Listed("bench", "Measure speed on this machine."),
}


class Commands(click.Group):
    """Loads a command's file when the command is asked for, and shows errors as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        del ctx
        listed = COMMANDS.get(name)
        if listed is None:
            return None
        command = getattr(importlib.import_module(f"keywright.cli.{listed.module}"), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeywrightError as error:
            click.echo(f"keywright: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("keywright: Stopped; what was finished until now is kept.", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keywright")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for everything.")
def keywright(verbose: int) -> None:
    """Learns the keywords you already use from the photos that carry them, suggests them on the photos that lack
    them, and writes what you accept back to where your program reads it.

    SOURCE is a Lightroom catalog (.lrcat), a digiKam database (digikam4.db, mysql://user@host/db) or a folder of
    photos. KEYWRIGHT_HOME moves everything Keywright keeps.
    """
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
