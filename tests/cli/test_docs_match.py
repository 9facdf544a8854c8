"""Docs and code do not part: every command and option is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from keywright.cli.app import COMMANDS, keywright

ROOT = Path(__file__).resolve().parents[2]
COMMON = {"--json", "--help", "-h"}
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]


def commands() -> dict[str, click.Command]:
    context = click.Context(keywright)
    found = {name: keywright.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def sections() -> dict[str, str]:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## keywright (\w+).*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: click.Command) -> set[str]:
    own = {name for p in command.params if isinstance(p, click.Option) for name in p.opts}
    if isinstance(command, click.Group):
        for one in command.commands.values():
            own |= options(one)
    return own - COMMON


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_section_of_a_command_names_exactly_its_options(name: str) -> None:
    text = sections()[name]
    named = set(re.findall(r"`(--[a-z-]+)", text)) - COMMON
    assert options(commands()[name]) == named


@pytest.mark.parametrize("name", ["keywords", "models", "provider"])
def test_the_help_names_everything_a_group_of_commands_does(name: str) -> None:
    group = commands()[name]
    assert isinstance(group, click.Group)
    named = COMMANDS[name].help.partition(": ")[2].rstrip(".").split(", ")
    assert sorted(one.replace(" ", "") for one in named) == sorted(group.commands)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_gives_json(name: str) -> None:
    command = commands()[name]
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    assert all("--json" in p.opts for leaf in leaves for p in leaf.params if p.name == "as_json")
    assert all(any(p.name == "as_json" for p in leaf.params) for leaf in leaves)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_in_the_docs_leads_to_a_page(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+\.\w+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_every_picture_is_shown_on_some_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = [path.name for path in (ROOT / "docs" / "images").iterdir()]
    assert [name for name in pictures if f"images/{name})" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_line_in_the_docs_is_one_keywright_takes(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(
        r"keywright +(\w+)((?: +[^\n`]*)?)", "\n".join(re.findall(r"^ *keywright .*$|`keywright [^`]*`", text, re.M))
    ):
        assert name in COMMANDS, f"{page.name}: keywright {name}"
        assert set(re.findall(r"--[a-z-]+", rest.split("#")[0])) <= options(commands()[name]) | COMMON, f"{name}{rest}"


ABBREVIATIONS = frozenset(
    ("AVIF", "BMP", "CLIP", "GIF", "HEIF", "JPEG", "JPEG XL", "JPEG XR", "MIT", "PNG", "PSF", "TIFF", "XMP")
)
"""What may stand in capitals alone in a cell or in brackets; a word of the language there waits to be filled in."""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_stand_in_waits_for_a_figure(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    cells = [cell for line in re.findall(r"^\|(.*)\|$", text, re.MULTILINE) for cell in re.split(r"(?<!\\)\|", line)]
    brackets = re.findall(r"\(([^()]*)\)", text)
    alone = {part.strip(" *_~") for part in (*cells, *brackets)}
    capitals = {part for part in alone if re.fullmatch(r"[A-Z][A-Z _-]+|\?+|\.\.\.", part)} - ABBREVIATIONS
    assert sorted(capitals) == []
    assert re.findall(r"\b(?:TODO|FIXME|TBD|XXX)\b|\?\?", text) == []
