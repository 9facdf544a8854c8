"""Runs the migrations in ``migrations/versions`` (alembic); imported only when one is due."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from keywright.errors import KeywrightError

SCRIPTS = Path(__file__).resolve().parent / "migrations"


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Bring the database of ``connection`` to the newest revision, inside its transaction.

    Raises ``KeywrightError`` where the database was made by a newer Keywright.
    """
    config = configuration()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise KeywrightError(
            "Keywright's own database was written by a newer version of Keywright; "
            "install that version, or set KEYWRIGHT_HOME to another folder."
        ) from error


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(configuration()).get_current_head()
