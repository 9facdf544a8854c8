"""Proof with the real digiKam: it tags and scans photos, Keywright learns from its database and writes tags into it,
while it is closed and while it is open, and digiKam shows them, keeps them and writes them into the files itself.

    python benchmarks/digikam_proof.py FOLDER        (Debian: digikam xvfb xdotool imagemagick dbus-x11 exiftool)

Nobody needs to look on: digiKam runs on a display and a session bus of its own, with a home of its own in FOLDER.
Screenshots and figures are left there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
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
CLOSED, OPEN = "Keywright|Written while closed", "Keywright|Written while open"
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
        (home / ".config/digikamrc").write_text(RC.format(version=self.version, db=base / "db"))
        (home / ".config/digikam_systemrc").write_text("[System]\nenableFaceEngine=false\ndisableFaceEngine=true\n")
        self.database.touch()  # digiKam asks for the place of its database otherwise
        self._screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        bus = dict(line.split("=", 1) for line in run("dbus-launch").splitlines())
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus["DBUS_SESSION_BUS_ADDRESS"]
        self._bus = int(bus["DBUS_SESSION_BUS_PID"])
        self._digikam: subprocess.Popen[bytes] | None = None

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

    def click(self, x: int, y: int) -> None:
        run("xdotool", "mousemove", str(x), str(y), "click", "1", check=False)
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


def write_tags(text: str, photos: list[Path]) -> str:
    """Accept one keyword on some photos, and write it as Keywright does: files, then digiKam's database."""
    from keywright.keywords import KeywordPath
    from keywright.metadata import SidecarProfile
    from keywright.operations import applying
    from keywright.operations.workspace import Workspace
    from keywright.writeback import AcceptedKeyword, PhotoDecisions

    keyword = AcceptedKeyword(KeywordPath.parse(text))
    decisions = tuple(PhotoDecisions(photo, (keyword,)) for photo in photos)
    with Workspace.open() as workspace:
        chosen = applying.Chosen(decisions, digikam=applying.in_digikam(workspace, photos))
        report = applying.apply(workspace, chosen, SidecarProfile.DIGIKAM, label=text)
    if report.refused or report.stopped or report.warnings:
        sys.exit(f"{report} {report.refused} {report.warnings}")
    return str(report)


def tags_in_database(session: Session) -> dict[str, set[str]]:
    """Tag paths by file name, from digiKam's own tables."""
    tags = {i: (p, n) for i, p, n in session.sql("SELECT id, pid, name FROM Tags")}

    def path(tag: int) -> str:
        parent, name = tags[tag]
        return name if parent == 0 else f"{path(parent)}/{name}"

    found: dict[str, set[str]] = {}
    for name, tag in session.sql("SELECT i.name, t.tagid FROM Images i JOIN ImageTags t ON t.imageid = i.id"):
        if not path(tag).startswith("_Digikam"):
            found.setdefault(name, set()).add(path(tag))
    return found


def tags_in_files(session: Session) -> dict[str, set[str]]:
    rows = json.loads(run("exiftool", "-j", "-r", "-XMP-digiKam:TagsList", "-sep", "\n", str(session.photos)))
    return {Path(r["SourceFile"]).name: set(str(r.get("TagsList", "")).split("\n")) - {""} for r in rows}


def is_consistent(session: Session) -> bool:
    parents = dict(session.sql("SELECT id, pid FROM Tags"))
    expected = set()
    for tag, parent in parents.items():
        above = parent
        while above:
            expected.add((tag, above))
            above = parents[above]
        expected.add((tag, 0))
    tree = set(session.sql("SELECT id, pid FROM TagsTree"))
    return session.sql("PRAGMA integrity_check") == [("ok",)] and tree == expected


def prove(session: Session) -> None:
    from demo.library import make_library

    tagged, bare = make_library(session.photos)
    print(f"digiKam {session.version}; {tagged} photos with keywords, {bare} without")
    with session.digikam():
        version = "SELECT count(*) FROM Settings WHERE keyword = 'DBVersion'"
        wait_for("digiKam has made its tables", lambda: session.sql(version) == [(1,)])
        time.sleep(3)
    root = "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath) VALUES ('Photos', 0, 1, ?, '/')"
    session.sql(root, f"volumeid:?path={session.photos}")
    with session.digikam():
        count = "SELECT count(*) FROM Images WHERE status = 1"
        wait_for("digiKam has scanned the photos", lambda: session.sql(count) == [(tagged + bare,)])
        wait_for(
            "digiKam has ended its scan", lambda: bool(session.sql("SELECT 1 FROM Settings WHERE keyword='Scanned'"))
        )
        time.sleep(5)
    before = tags_in_database(session)
    print(f"digiKam's own scan: {sum(map(len, before.values()))} tags on {len(before)} photos")

    keywright("learn", str(session.database))
    sure = json.loads(keywright("apply", str(session.database), "--min-confidence", "0.7", "--json"))
    print(f"closed: {len(sure['written'])} writes of suggestions at least 70 % sure")
    sky, home = sorted(session.photos.glob("2021/Sky/*")), sorted(session.photos.glob("2023/At home/*"))
    print("closed:", write_tags(CLOSED, sky))
    after_closed = tags_in_database(session)
    with session.digikam():
        wait_for("digiKam is on the bus", lambda: "org.kde.digikam-" in _names())
        time.sleep(15)
        session.show()
        print("open:", write_tags(OPEN, home))
        time.sleep(5)
        shown = tags_in_database(session)
        session.click(13, 132)  # the Tags side bar
        session.click(115, 281)  # its fourth tag from the top: Keywright
        session.press("Right")  # open it
        stamps = {photo: photo.stat().st_mtime_ns for photo in (*sky, *home)}
        for name in ("closed", "open"):
            session.press("Down")  # the next tag, whose photos are shown then
            time.sleep(5)
            session.screenshot(f"digikam_tag_{name}.png")
            session.click(900, 800)  # the thumbnails
            session.action("selectAll")
            session.action("image_write_metadata")
            time.sleep(12)
            session.press("Escape")
            session.click(150, 305 if name == "closed" else 328)
    by_digikam = [photo for photo, stamp in stamps.items() if photo.stat().st_mtime_ns != stamp]
    files, rows = tags_in_files(session), tags_in_database(session)
    tag_closed, tag_open = CLOSED.replace("|", "/"), OPEN.replace("|", "/")
    checks = {
        "every tag digiKam had is still there": all(before[name] <= rows[name] for name in before),
        "suggestions written while closed are kept": all(after_closed[n] <= rows[n] for n in after_closed),
        "the tag written while closed is on its photos": all(tag_closed in rows[p.name] for p in sky),
        "the tag written while open is on its photos": all(tag_open in shown[p.name] & rows[p.name] for p in home),
        f"digiKam itself wrote metadata into {len(by_digikam)} of these photos' files": bool(by_digikam),
        "the files hold both tags after that": all(tag_closed in files[p.name] for p in sky)
        and all(tag_open in files[p.name] for p in home),
        "integrity and TagsTree": is_consistent(session),
    }
    for _ in range(3):
        print("undo:", keywright("undo").strip().splitlines()[-1])
    checks["undo gives digiKam's database the tags it had"] = tags_in_database(session) == before
    checks["integrity and TagsTree after undo"] = is_consistent(session)
    for what, is_so in checks.items():
        print(f"{'yes' if is_so else 'NO '}  {what}")
    if not all(checks.values()):
        sys.exit(1)


def _names() -> str:
    return run("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
               "org.freedesktop.DBus.ListNames", check=False)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    base: Path = parser.parse_args().folder.absolute()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        sys.exit(f"this proof needs {', '.join(missing)}")
    if base.exists():
        sys.exit(f"{base} is there already; name a new folder")
    session = Session(base)
    begun = time.monotonic()
    try:
        prove(session)
    finally:
        session.close()
        print(f"{time.monotonic() - begun:.0f} s; screenshots in {base}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
