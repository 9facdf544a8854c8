"""Proof with the real digiKam: it tags and scans photos, Keywright learns from its database and writes tags into it,
while it is closed and while it is open, and digiKam shows them, keeps them and writes them into the files itself.

    python benchmarks/digikam_proof.py FOLDER        (Debian: digikam xvfb xdotool imagemagick dbus-x11 exiftool)

Nobody needs to look on: digiKam runs on a display and a session bus of its own, with a home of its own in FOLDER.
Screenshots and figures are left there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from digikam_front_ends import prove_front_ends
from digikam_session import TOOLS, Session, keywright, names_on_the_bus, run, wait_for

CLOSED, OPEN = "Keywright|Written while closed", "Keywright|Written while open"


def write_tags(text: str, photos: list[Path]) -> str:
    """Accept one keyword on some photos, and write it as Keywright does: files, then digiKam's database."""
    from keywright.keywords import KeywordPath
    from keywright.metadata import SidecarProfile
    from keywright.operations import applying, picking
    from keywright.operations.workspace import Workspace
    from keywright.writeback import AcceptedKeyword, PhotoDecisions

    keyword = AcceptedKeyword(KeywordPath.parse(text))
    decisions = tuple(PhotoDecisions(photo, (keyword,)) for photo in photos)
    with Workspace.open() as workspace:
        chosen = picking.Chosen(decisions, digikam=picking.in_digikam(workspace, photos))
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
        wait_for("digiKam is on the bus", lambda: "org.kde.digikam-" in names_on_the_bus())
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
    checks |= prove_front_ends(session)
    for what, is_so in checks.items():
        print(f"{'yes' if is_so else 'NO '}  {what}")
    if not all(checks.values()):
        sys.exit(1)


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
