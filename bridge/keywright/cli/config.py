"""``keywright config path|show|check``."""

from __future__ import annotations

import click

from keywright.cli.output import json_option, show_json, table


@click.group()
def config() -> None:
    """Your choices: one TOML file, and the environment over it."""


@config.command()
@json_option
def path(as_json: bool) -> None:
    """Where the configuration is, or would be."""
    from keywright.config import config_file

    file = config_file()
    if as_json:
        show_json({"path": file, "exists": file.is_file()})
    else:
        click.echo(str(file))


@config.command()
@click.option("--profile", default=None, help="Only this profile, with what [suggest] says where it says nothing.")
@json_option
def show(profile: str | None, as_json: bool) -> None:
    """What holds now: the file, the environment over it, and the defaults."""
    from keywright.config import load_config

    chosen = load_config()
    values = chosen.profile(profile).model_dump() if profile is not None else chosen.model_dump()
    if as_json:
        show_json(values)
        return
    table("Configuration", ("setting", "value"), [(name, _text(value)) for name, value in _flat(values)])


@config.command()
@json_option
def check(as_json: bool) -> None:
    """Whether the configuration is sound; the first fault is named."""
    from keywright.config import config_file, load_config

    chosen = load_config()
    found = {"path": config_file(), "profiles": sorted(chosen.profiles), "sound": True}
    if as_json:
        show_json(found)
    else:
        click.echo(f"{config_file()} is sound; profiles: {', '.join(sorted(chosen.profiles)) or 'none'}.")


def _flat(values: dict[str, object], before: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((before + name, value))
    return found


def _text(value: object) -> str:
    if value is None:
        return "not set"
    return ", ".join(str(one) for one in value) if isinstance(value, tuple) else str(value)
