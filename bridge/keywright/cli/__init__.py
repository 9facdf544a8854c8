"""The command line: one file per group of commands, each imported only when its command is run."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point ``keywright``."""
    from keywright.cli.app import keywright

    sys.exit(keywright.main(standalone_mode=True))
