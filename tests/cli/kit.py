"""Running keywright as a user does, each time in a process of its own, over a home and photos of the test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Keywright:
    home: Path

    def __call__(self, *arguments: object) -> Ran:
        command = [sys.executable, "-c", "from keywright.cli import main; main()", *map(str, arguments)]
        own = os.environ | {"KEYWRIGHT_HOME": str(self.home)}
        done = subprocess.run(command, env=own, text=True, capture_output=True, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def fails(self, *arguments: object) -> str:
        """The one sentence of a command that cannot do what it was asked."""
        ran = self(*arguments)
        assert ran.status == 1, (ran.status, ran.out, ran.err)
        assert "Traceback" not in ran.err + ran.out
        last = ran.err.strip().splitlines()[-1]
        assert last.startswith("keywright: ")
        return last
