"""A file that is only passing through: suggestions for it, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.metadata import read_keywords
from keywright.operations.active import load_models
from keywright.operations.workspace import Workspace
from keywright.suggesting import SuggestSettings
from keywright.suggesting.suggest import suggest


def suggest_file(workspace: Workspace, file: Path, min_confidence: float | None) -> list[KeywordPath]:
    """The keywords that are at least so sure (``None``: each one's own threshold) and that the file does not carry.

    Raises ``KeywrightError`` where nothing was learned yet, or there is no picture in the file.
    """
    models, _ = load_models(workspace)
    (found,) = embed_files([file], workspace.encoder)
    if not isinstance(found, EmbeddedPhoto):
        raise KeywrightError(found.reason)
    carried = read_keywords(file).keywords
    settings = SuggestSettings(min_confidence=min_confidence, limit=0, reasons=0)
    (ranked,) = suggest(models, found.vector[None], [carried], settings)
    return [one.keyword for one in ranked]
