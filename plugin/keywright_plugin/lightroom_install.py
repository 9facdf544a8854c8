"""Puts the plug-in where Lightroom Classic looks for plug-ins by itself, updates it, and takes it away again.

The new folder is made whole beside the old one and takes its place by renaming, so that Lightroom never sees half a
plug-in. Only a folder that is this plug-in is ever replaced or removed.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from keywright_plugin.platform import MACOS, WINDOWS

NAME = "Keywright.lrplugin"
_MARK = "app.keywright.lightroom"


class InstallError(Exception):
    """The plug-in cannot be put there or taken away; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the plug-in is now, and whether one was there before."""

    folder: Path
    updated: bool


def modules_folder(
    windows: bool = WINDOWS, macos: bool = MACOS, user: Path | None = None, appdata: str | None = None
) -> Path:
    """Lightroom's folder for plug-ins of this user. Raises ``InstallError`` where there is no Lightroom."""
    home = user or Path.home()
    if windows:
        roaming = appdata or os.environ.get("APPDATA")
        return Path(roaming or home / "AppData" / "Roaming") / "Adobe" / "Lightroom" / "Modules"
    if macos:
        return home / "Library" / "Application Support" / "Adobe" / "Lightroom" / "Modules"
    raise InstallError("Lightroom Classic runs on Windows and macOS only; name a folder with --to to put it there.")


def plugin_source() -> Path:
    """The plug-in as this Keywright brings it. Raises ``InstallError`` where it is missing."""
    shared = Path(sys.prefix) / "share" / "keywright" / NAME  # where the wheel puts it
    checkout = Path(__file__).resolve().parents[2] / "lightroom-lua" / NAME
    for folder in (checkout, shared):
        if (folder / "Info.lua").is_file():
            return folder
    raise InstallError("This installation of Keywright has no Lightroom plug-in in it; install Keywright again.")


def bridge_command() -> str:
    """The program that Lightroom starts as the bridge: ``keywright`` of this installation."""
    name = "keywright.exe" if WINDOWS else "keywright"
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which("keywright") or "keywright"


def install(modules: Path, source: Path | None = None, command: str | None = None) -> Installed:
    """Put the plug-in into ``modules``, in the place of an older one.

    Raises ``InstallError`` where the folder cannot be written or holds something else under that name.
    """
    target, new, old = modules / NAME, modules / f".{NAME}.new", modules / f".{NAME}.old"
    updated = target.exists()
    if updated:
        _check_ours(target)
    try:
        modules.mkdir(parents=True, exist_ok=True)
        for leftover in (new, old):
            if leftover.exists():
                shutil.rmtree(leftover)
        shutil.copytree(source or plugin_source(), new)
        (new / "command.txt").write_text((command or bridge_command()) + "\n", encoding="utf-8")
        if updated:
            target.rename(old)
        new.rename(target)
        if old.exists():
            shutil.rmtree(old)
    except OSError as error:
        if old.exists() and not target.exists():
            old.rename(target)
        raise InstallError(
            f"The plug-in could not be put into {modules} ({error.strerror or error}); "
            "close Lightroom, check that the folder can be written, and try again."
        ) from error
    return Installed(target, updated)


def uninstall(modules: Path) -> Path | None:
    """Take the plug-in away; ``None`` where there is none.

    Raises ``InstallError`` where the folder cannot be removed or is not this plug-in.
    """
    target = modules / NAME
    if not target.exists():
        return None
    _check_ours(target)
    try:
        shutil.rmtree(target)
    except OSError as error:
        raise InstallError(
            f"{target} could not be removed ({error.strerror or error}); close Lightroom and try again."
        ) from error
    return target


def _check_ours(folder: Path) -> None:
    try:
        ours = _MARK in (folder / "Info.lua").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        ours = False
    if not ours:
        raise InstallError(f"{folder} is not Keywright's plug-in; move it away first.")
