"""Whether digiKam runs on this machine, by the names of the programs that do."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def is_digikam_among(names: Iterable[str]) -> bool:
    """Whether one of these programs is digiKam: ``digikam``, ``digikam.exe``, an AppImage ``digiKam-9.1.0…``."""
    return any(name.lower() in ("digikam", "digikam.exe") or name.lower().startswith("digikam-") for name in names)


def is_digikam_running() -> bool:
    return is_digikam_among(program_names())


def program_names(system: str = sys.platform) -> set[str]:
    """The names of all programs that run; empty where the system does not tell."""
    if system.startswith("linux"):
        names = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                names.add((folder / "comm").read_text().strip())
        return names
    command = ["tasklist", "/FO", "CSV", "/NH"] if system == "win32" else ["ps", "-axco", "comm"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False).stdout
        return {line.split('","')[0].strip(' "') for line in said.splitlines()}
    return set()
