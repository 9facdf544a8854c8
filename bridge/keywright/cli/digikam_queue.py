"""One photo of digiKam's Batch Queue Manager, from its names to its copy with keywords."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright_plugin.client import Client
from keywright_plugin.digikam_queue import keywords_for, split_names
from keywright_plugin.errors import BridgeError

SECONDS = 45.0
"""digiKam gives up after 60, and takes what is in the output then."""


def names_on_stdin(between: str) -> tuple[Path, Path]:
    """The photo and its copy as digiKam's script hands them over."""
    try:
        photo, copy = split_names(os.fsdecode(sys.stdin.buffer.read()), between)
    except ValueError as error:
        raise KeywrightError(f"{error}; run `keywright install digikam` again.") from error
    return Path(photo), Path(copy)


def pass_on(photo: Path, copy: Path, least: float) -> int:
    """Write the copy; how many keywords it was given. Raises ``KeywrightError``."""
    until = time.monotonic() + SECONDS
    try:
        texts = keywords_for(Client.open(timeout=SECONDS / 3), str(photo), least, until)
    except BridgeError as error:
        raise KeywrightError(str(error)) from error
    keywords = _looked_at_here(photo, least) if texts is None else [KeywordPath.parse(text) for text in texts]
    from keywright.writeback.digikam_copy import write_copy
    from keywright.writeback.digikam_settings import read_settings, settings_file

    write_copy(photo, copy, keywords, read_settings(settings_file()), lambda: time.monotonic() < until)
    return len(keywords)


def _looked_at_here(photo: Path, least: float) -> list[KeywordPath]:
    """For a file the bridge does not know: what another tool of the queue has made, or a photo that is new."""
    from keywright.operations.passing import suggest_file
    from keywright.operations.workspace import Workspace

    with Workspace.open() as workspace:
        return suggest_file(workspace, photo, least)
