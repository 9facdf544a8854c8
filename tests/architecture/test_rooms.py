"""The rooms of the bridge know of each other what docs/architecture.md says, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BRIDGE, PLUGIN = ROOT / "bridge" / "keywright", ROOT / "plugin" / "keywright_plugin"
ENTRANCES = {"__init__", "__main__"}  # of the package: its version, and the door to the command line


def named(cell: str) -> list[str]:
    return re.findall(r"`(\w+)(?:/|\.py)`", cell)


def rooms() -> dict[str, set[str]]:
    """Each room of the table, in its order, and the rooms it may know."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.split("| room |")[1].splitlines()[2:] if line.startswith("|")]
    everywhere = named(rows[0][0])
    found = {name: set[str]() for name in everywhere}
    for names, known in rows[1:]:
        may = set(found) if "all of the above" in known else {*named(known), *everywhere}
        found |= dict.fromkeys(named(names), may)
    return found


def imported(file: Path) -> Iterator[str]:
    """The rooms that a file imports, also late and for types alone."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports without saying from where"
            modules = [f"{node.module}.{one.name}" for one in node.names]
        for module in modules:
            package, _, rest = module.partition(".")
            if package == "keywright" and not rest.startswith("__"):
                yield rest.partition(".")[0]
            elif package == "keywright_plugin":
                yield package


def files() -> Iterator[tuple[str, Path]]:
    for file in BRIDGE.rglob("*.py"):
        yield file.relative_to(BRIDGE).parts[0].removesuffix(".py"), file
    for file in PLUGIN.rglob("*.py"):
        yield "keywright_plugin", file


def test_no_room_imports_what_it_may_not_know() -> None:
    may = rooms()
    wrong = [
        f"{room} imports {other} in {file.relative_to(ROOT)}"
        for room, file in files()
        if room not in ENTRANCES
        for other in imported(file)
        if other != room and other not in may[room]
    ]
    assert wrong == []


def test_the_table_has_every_room_and_each_knows_only_rooms_above_it() -> None:
    table = rooms()
    order = list(table)
    assert {room for room, _ in files()} - ENTRANCES == set(order)
    later = [
        (room, other) for room, known in table.items() for other in known if order.index(other) > order.index(room)
    ]
    assert later == []
