"""A real digiKam that nobody looks on: a display, a bus and a home of its own, driven by its menus and the mouse.

Needs Debian's digikam, xvfb, xdotool, imagemagick, dbus-x11 and libimage-exiftool-perl.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

TOOLS = ("digikam", "Xvfb", "dbus-launch", "dbus-send", "xdotool", "import", "exiftool")
DISPLAY = ":78"
RC = """[General Settings]
Version={version}
Show Splash=false

[Album Settings]
Show Splash=false
Album Monitoring=false
Recurse Albums=true
Recurse Tags=true
Icon Show Tags=true
Icon Show Name=true
Scan At Start=true
Clean At Start=false

[Metadata Settings]
Save Tags=true
Use XMP Sidecar For Reading=false
Metadata Writing Mode=0
Rescan File If Modified=false
Use Lazy Synchronization=false

[Database Settings]
Database Type=QSQLITE
Database Name={db}/
Database Name Thumbnails={db}/
Database Name Face={db}/
Database Name Similarity={db}/
Internal Database Server=false
"""


class Session:
    """A display, a session bus and a home for one digiKam."""

    def __init__(self, base: Path) -> None:
        self.base, self.database, self.photos = base, base / "db/digikam4.db", base / "photos"
        home = base / "home"
        for folder in (home / ".config", base / "run", base / "db"):
            folder.mkdir(parents=True)
        (base / "run").chmod(0o700)
        os.environ |= {
            "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_RUNTIME_DIR": str(base / "run"),
            "XDG_DATA_HOME": str(home / ".local/share"), "XDG_CACHE_HOME": str(home / ".cache"),
            "DISPLAY": DISPLAY, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "LIBGL_ALWAYS_SOFTWARE": "1",
            "QT_LOGGING_RULES": "digikam.*=false", "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox", "KEYWRIGHT_HOME": str(base / "keywright"),
        }  # fmt: skip
        said = run("digikam", "--version", environment={"QT_QPA_PLATFORM": "offscreen"})
        self.version = next(line.split()[1] for line in said.splitlines() if line.startswith("digikam"))
        self.write_settings()
        (home / ".config/digikam_systemrc").write_text("[System]\nenableFaceEngine=false\ndisableFaceEngine=true\n")
        self.database.touch()  # digiKam asks for the place of its database otherwise
        self._screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        bus = dict(line.split("=", 1) for line in run("dbus-launch").splitlines())
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus["DBUS_SESSION_BUS_ADDRESS"]
        self._bus = int(bus["DBUS_SESSION_BUS_PID"])
        self._digikam: subprocess.Popen[bytes] | None = None

    def write_settings(self) -> None:
        """digiKam's settings as at its first start: what it showed last is forgotten."""
        file = self.base / "home/.config/digikamrc"
        file.write_text(RC.format(version=self.version, db=self.base / "db"))

    def sql(self, text: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as connection:
            return connection.execute(text, parameters).fetchall()

    @contextmanager
    def digikam(self) -> Iterator[None]:
        with (self.base / "digikam.log").open("ab") as log:
            self._digikam = subprocess.Popen(["digikam"], stdout=log, stderr=log)
        try:
            yield
            self.action("app_exit")
            for _ in range(20):
                if self._digikam.poll() is not None:
                    break
                time.sleep(0.5)
        finally:
            self._digikam.terminate()
            try:
                self._digikam.wait(15)
            except subprocess.TimeoutExpired:
                self._digikam.kill()
                self._digikam.wait()

    def action(self, name: str) -> None:
        assert self._digikam is not None
        run("dbus-send", "--session", "--print-reply", f"--dest=org.kde.digikam-{self._digikam.pid}", "/Digikam",
            "org.kde.KMainWindow.activateAction", f"string:{name}", check=False)  # fmt: skip

    def show(self) -> None:
        """Bring the main window to a known place, and close the question about models to download."""
        for window in run("xdotool", "search", "--name", "", check=False).split():
            name = run("xdotool", "getwindowname", window, check=False).strip()
            size = run("xdotool", "getwindowgeometry", "--shell", window, check=False)
            wide = int(dict(line.split("=") for line in size.splitlines() if "=" in line).get("WIDTH", 0))
            if "Download" in name:
                run("xdotool", "windowfocus", window, "key", "Escape", check=False)
            elif "digiKam" in name and wide > 300:
                run("xdotool", "windowmove", window, "0", "0", "windowsize", window, "1400", "900", check=False)
        time.sleep(3)

    def click(self, x: int, y: int, button: int = 1, times: int = 1) -> None:
        run("xdotool", "mousemove", str(x), str(y), "click", "--repeat", str(times), "--delay", "120", str(button),
            check=False)  # fmt: skip
        time.sleep(2)

    def press(self, key: str) -> None:
        run("xdotool", "key", key, check=False)
        time.sleep(1)

    def screenshot(self, name: str) -> None:
        run("import", "-window", "root", str(self.base / name), check=False)

    def close(self) -> None:
        self._screen.terminate()
        self._screen.wait()
        os.kill(self._bus, 15)


def run(*command: str, check: bool = True, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | (environment or {}), check=False)
    if check and done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed: {done.stderr}")
    return done.stdout


def keywright(*arguments: str) -> str:
    return run(sys.executable, "-m", "keywright", *arguments)


def wait_for(what: str, is_true: Callable[[], bool], seconds: int = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_true():
                return
        except sqlite3.Error:
            pass
        time.sleep(0.5)
    sys.exit(f"waited {seconds} s in vain until {what}")


def names_on_the_bus() -> str:
    return run("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
               "org.freedesktop.DBus.ListNames", check=False)  # fmt: skip
