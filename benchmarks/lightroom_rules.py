"""Break each rule that Lightroom sets a plug-in or a reader of its catalogs, one after the other, and see a test fail.

    python -m benchmarks.lightroom_rules [--only WORDS] [--write docs/lightroom-development.md]

Each break is a small change to a copy of the sources; the tests named with it run on that copy, and must fail. The
table says which test saw it. The command fails where a break goes unseen, or no longer fits the sources. Needs the
real catalogs at ../shared.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.lightroom_breaks import BREAKS, Break

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("bridge", "plugin", "tests", "lightroom-lua", "demo", "docs", "pyproject.toml", ".luacheckrc", "stylua.toml")
TABLE = re.compile(r"(<!-- rules: begin -->\n).*(<!-- rules: end -->)", re.DOTALL)
SECONDS = 400


def seen_by(change: Break, sources: Path) -> str | None:
    """The test that fails on the broken sources; None where none does. Raises ``ValueError`` where it does not fit."""
    file = sources / change.file
    text = file.read_text(encoding="utf-8")
    if text.count(change.old) != 1:
        raise ValueError(f"{change.file} holds {change.old!r} {text.count(change.old)} times")
    file.write_text(text.replace(change.old, change.new), encoding="utf-8")
    try:
        for tests in change.tests:
            named, _, chosen = tests.partition(" -k ")
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", named]
            command += ["-k", chosen] if chosen else []
            found = _failed(command, sources)
            if found:
                return found
        return None
    finally:
        file.write_text(text, encoding="utf-8")


def _failed(command: Sequence[str], sources: Path) -> str | None:
    paths = os.pathsep.join(str(sources / part) for part in ("bridge", "plugin", "tests", "."))
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=sources, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "it never ends"
    if done.returncode == 5:
        raise ValueError(f"{command[-1]} chooses no test")
    found = re.search(r"^(?:FAILED|ERROR) \S+?(?:::(\w+))?(?:\[.*\])?(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1, 2) or (done.returncode and not found):
        raise ValueError(done.stdout[-500:] + done.stderr[-500:])
    return (found.group(1) or "the test file") if found else None


def copy_sources(to: Path) -> Path:
    """What the tests need, in a folder beside which the real catalogs are found as beside the project."""
    sources = to / "main"
    leave = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules", ".cache")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, sources / name)
    (to / "shared").symlink_to((ROOT.parent / "shared").resolve(), target_is_directory=True)
    return sources


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="only rules that hold these words")
    parser.add_argument("--write", type=Path, help="put the table into this page, between its marks")
    options = parser.parse_args(arguments)
    rows, unseen = [], 0
    with tempfile.TemporaryDirectory(prefix="keywright-rules-") as folder:
        sources = copy_sources(Path(folder))
        for change in BREAKS:
            if options.only.lower() not in change.rule.lower():
                continue
            try:
                test = seen_by(change, sources)
            except ValueError as error:
                test, unseen = f"CANNOT BE TRIED: {error}", unseen + 1
            if test is None:
                test, unseen = "NOT SEEN", unseen + 1
            rows.append(f"| {change.rule} | `{test}` |")
            print(rows[-1], flush=True)
    table = "\n".join(["| rule | the test that fails when it is broken |", "| --- | --- |", *rows]) + "\n"
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(TABLE.sub(lambda m: m[1] + table + m[2], page), encoding="utf-8")
    print(f"{len(rows)} rules broken, {unseen} not seen.")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
