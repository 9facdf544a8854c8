"""The kinds of target this Keywright can write, by the name the journal keeps for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keywright.writeback.base import Target
from keywright.writeback.files import FileSettings, FileTarget


def file_targets(settings: FileSettings | None = None) -> Mapping[str, Target[Any]]:
    """Files alone: photos and their sidecars."""
    files = FileTarget(settings)
    return {files.kind: files}
