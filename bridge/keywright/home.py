"""Where the bridge keeps what it remembers: one folder, moved by ``KEYWRIGHT_HOME``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from keywright.errors import KeywrightError, reason
from keywright.platform import expanded


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and the names in it; nothing is made until ``prepare``."""

    folder: Path

    @classmethod
    def default(cls) -> Home:
        chosen = os.environ.get("KEYWRIGHT_HOME")
        if chosen:
            return cls(expanded(chosen).absolute())
        from platformdirs import user_data_path

        return cls(user_data_path("keywright", appauthor=False))

    @property
    def database(self) -> Path:
        return self.folder / "keywright.db"

    @property
    def vectors(self) -> Path:
        return self.folder / "vectors"

    @property
    def cache(self) -> Path:
        """What can be made again: converted encoders, thumbnails."""
        return self.folder / "cache"

    @property
    def encoders(self) -> Path:
        """Encoders that were pulled or fine-tuned: what cannot be made again without a download or hours of work."""
        return self.folder / "encoders"

    def prepare(self) -> None:
        """Make the folders, readable by the user alone.

        Raises ``KeywrightError`` where the folder cannot be made or written.
        """
        try:
            for folder in (self.folder, self.vectors, self.cache, self.encoders):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KeywrightError(
                f"The folder {self.folder} cannot be used ({reason(error)}); "
                "make it writable or set KEYWRIGHT_HOME to another one."
            ) from error
