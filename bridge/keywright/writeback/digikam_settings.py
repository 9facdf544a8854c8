"""digiKam's own settings for metadata (``digikamrc``), as the rule for where a photo's keywords go."""

from __future__ import annotations

import configparser
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from keywright.metadata import SidecarProfile, choose_place
from keywright.metadata.sidecars import can_embed

_GROUP = "Metadata Settings"
FILE, SIDECAR, BOTH, SIDECAR_FOR_READ_ONLY = range(4)  # "Metadata Writing Mode"


@dataclass(frozen=True, slots=True)
class MetadataSettings:
    """What digiKam's user has chosen; the defaults are digiKam's."""

    mode: int = FILE
    reads_sidecars: bool = False
    short_names: bool = False  # IMG.xmp in place of IMG.NEF.xmp

    def profiles(self, photo: Path, siblings: Iterable[str] | None = None) -> tuple[SidecarProfile, ...]:
        """The profiles that name the files a photo's keywords go to: the photo itself, its sidecar, or both.

        A sidecar that is there is always written, since digiKam may read it in the photo's place. It comes first: a
        new one takes over what the photo holds, and must not take the new keyword for something it held before.
        ``LIGHTROOM`` stands for the photo itself. ``siblings`` as in ``choose_place``. Raises ``MetadataError`` where
        the photo cannot be read.
        """
        sidecar = SidecarProfile.SIDECAR if self.short_names else SidecarProfile.DARKTABLE
        if self.mode == SIDECAR or not can_embed(photo):
            return (sidecar,)
        if self.mode == SIDECAR_FOR_READ_ONLY and not photo.stat().st_mode & stat.S_IWUSR:
            return (sidecar,)
        if self.mode == BOTH or choose_place(photo, sidecar, siblings).exists:
            return (sidecar, SidecarProfile.LIGHTROOM)
        return (SidecarProfile.LIGHTROOM,)

    def warnings(self) -> tuple[str, ...]:
        """What the settings mean that the user may not expect, one sentence each."""
        said = []
        if self.mode == SIDECAR and not self.reads_sidecars:
            said.append(
                "digiKam is set to write sidecars and not to read them, so it will not see the keywords in sidecars;"
                " switch on Settings > Metadata > Sidecars > Read from sidecar files"
            )
        return tuple(said)


def settings_file(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where digiKam keeps its settings on this system."""
    if system == "win32":
        return Path(environment.get("LOCALAPPDATA", "")) / "digikamrc"
    if system == "darwin":
        return Path(environment.get("HOME", "")) / "Library" / "Preferences" / "digikamrc"
    configured = environment.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else Path(environment.get("HOME", "")) / ".config") / "digikamrc"


def read_settings(file: Path) -> MetadataSettings:
    """The settings in a ``digikamrc``; digiKam's defaults where there is none or it says nothing."""
    values = _group(file, _GROUP)
    mode = values.get("metadata writing mode") or "0"
    return MetadataSettings(
        mode=int(mode) if mode in ("0", "1", "2", "3") else FILE,
        reads_sidecars=_is_on(values.get("use xmp sidecar for reading")),
        short_names=_is_on(values.get("use compatible file name")),
    )


def _is_on(value: str | None) -> bool:
    return (value or "").strip().lower() in ("true", "1", "on", "yes")


def database_of(file: Path) -> str | None:
    """The database that digiKam's settings name, as a source: a path or ``mysql://user@host/db``; ``None`` for none."""
    values = _group(file, "Database Settings")
    name = values.get("database name") or ""
    if not name:
        return None
    if (values.get("database type") or "QSQLITE") == "QSQLITE":
        path = Path(name.replace("$HOME", str(Path.home())))
        return str(path if path.suffix == ".db" else path / "digikam4.db")
    host, user = values.get("database hostname") or "localhost", values.get("database username") or "root"
    return f"mysql://{quote(user, safe='')}@{host}:{values.get('database port') or 3306}/{quote(name, safe='')}"


def _group(file: Path, name: str) -> dict[str, str | None]:
    """One group of the settings, keys in lower case; empty where the file or the group cannot be read."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return dict(parser[name]) if parser.has_section(name) else {}
