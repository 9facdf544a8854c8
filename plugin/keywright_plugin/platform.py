"""What differs between Windows, macOS and Linux for the front-ends; nothing else here asks which system it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

_DETACHED_PROCESS = 0x00000008
_NEW_GROUP = 0x00000200
_STILL_ACTIVE = 259


def data_folder(
    environment: dict[str, str] | None = None, windows: bool = WINDOWS, macos: bool = MACOS, user: Path | None = None
) -> Path:
    """Where the bridge keeps what it remembers; the same rule as the bridge's own, without its libraries."""
    env = dict(os.environ) if environment is None else environment
    home = user or Path.home()
    if chosen := env.get("KEYWRIGHT_HOME"):
        return Path(os.path.expanduser(chosen)).absolute()  # noqa: PTH111 - Path's own raises for ~name of nobody
    if windows:
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "keywright"
    if macos:
        return home / "Library" / "Application Support" / "keywright"
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "keywright"


def detached(windows: bool = WINDOWS) -> dict[str, Any]:
    """Arguments for ``Popen`` that let the new process outlive its parent and its terminal or window."""
    quiet: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "close_fds": True,
    }
    if windows:
        return quiet | {"creationflags": _DETACHED_PROCESS | _NEW_GROUP}
    return quiet | {"start_new_session": True}


def is_alive(pid: int, windows: bool = WINDOWS) -> bool:
    """Whether a process of that number runs; a process of another user counts as running."""
    if pid <= 0:
        return False
    if windows:
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _alive_on_windows(pid: int, kernel: Any = None) -> bool:
    import ctypes

    kernel32: Any = kernel or getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009
    handle = kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    try:
        return bool(kernel32.GetExitCodeProcess(handle, ctypes.byref(code))) and code.value == _STILL_ACTIVE
    finally:
        kernel32.CloseHandle(handle)


def belongs_to_me_alone(path: Path, windows: bool = WINDOWS) -> bool:
    """Whether nobody but this user can read a file, as far as its mode tells; on Windows the profile's rights hold."""
    if windows:
        return True
    found = path.stat()
    return found.st_uid == os.geteuid() and found.st_mode & 0o077 == 0
