"""A copy of a photo that carries more keywords: what a queue of digiKam puts out. The photo itself is only read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.metadata.data import pieces
from keywright.metadata.sidecars import Siblings, existing, full_name
from keywright.writeback.digikam_settings import MetadataSettings


def write_copy(
    photo: Path,
    copy: Path,
    keywords: Iterable[KeywordPath],
    settings: MetadataSettings,
    in_time: Callable[[], bool] = lambda: True,
) -> None:
    """Make ``copy``, with its sidecar where ``settings`` want one or the photo has one.

    Both are made whole in a folder of their own beside it and then put there, the copy last; nothing is put there once
    ``in_time`` says no. Raises ``KeywrightError`` where the photo cannot be read or the copy cannot be written.
    """
    keywords = frozenset(keywords)
    try:
        with tempfile.TemporaryDirectory(prefix=".keywright-", dir=copy.parent) as folder:
            made = Path(folder, copy.name)
            shutil.copyfile(photo, made)
            shutil.copymode(photo, made)
            full, short = existing(photo, Siblings(photo))
            if (sidecar := full or short) is not None:
                shutil.copyfile(sidecar, Path(folder, full_name(made)))
            for profile in settings.profiles(made):
                change = plan_file_change(made, keywords, profile=profile)
                if change.changes:
                    _put(change.target, pieces(change.result))
            if not in_time():
                raise KeywrightError(f"The copy of {photo} was not ready in time; run the queue again.")
            for file in sorted(Path(folder).iterdir(), key=lambda file: file == made):
                file.replace(copy.parent / file.name)
    except OSError as error:
        raise KeywrightError(f"The copy of {photo} cannot be written to {copy} ({reason(error)}).") from error


def _put(file: Path, content: Iterable[bytes]) -> None:
    new = file.with_name("new")
    with new.open("wb") as stream:
        stream.writelines(content)
    if file.exists():
        shutil.copymode(file, new)
    new.replace(file)
