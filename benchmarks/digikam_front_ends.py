"""Proof of what digiKam itself calls: Open With on an album's photos, and the workflow in its Batch Queue Manager."""

from __future__ import annotations

import http.cookiejar
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from digikam_session import Session, keywright, names_on_the_bus, run, wait_for

from keywright_plugin import Client, find_bridge

ALBUM = "2023/At home"


def prove_front_ends(session: Session) -> dict[str, bool]:
    """What was seen to be so; digiKam is closed before and afterwards."""
    photos = sorted((session.photos / ALBUM).glob("*.jpg"))
    before = {photo: photo.read_bytes() for photo in photos}
    keywright("learn", str(session.database))  # learned from what is there after undo
    print(keywright("install", "digikam").strip())
    # A small library makes no suggestion nearly certain: its owner asks for less, and an update keeps to that.
    workflows = session.base / "home/.local/share/digikam/queue.xml"
    workflows.write_text(workflows.read_text().replace("--min-confidence 0.9", "--min-confidence 0.7"))
    keywright("install", "digikam")
    session.write_settings()
    browser, opened = session.base / "browser", session.base / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{opened}.new"\nmv "{opened}.new" "{opened}"\n')
    browser.chmod(0o755)
    os.environ["BROWSER"] = str(browser)
    put_first(session)
    checks = {}
    with session.digikam():
        wait_for("digiKam is on the bus", lambda: "org.kde.digikam-" in names_on_the_bus())
        time.sleep(15)
        session.show()
        session.click(120, 241)  # the album 2023, which opens
        session.click(150, 264)  # At home
        time.sleep(4)
        session.click(520, 150)  # the thumbnails
        checks["Open With opens the review on exactly the photos chosen"] = opened_by_menu(session) == photos
        begun = time.monotonic()
        copies = copied_by_queue(session, photos)
        seconds = time.monotonic() - begun
        uninstalling = [sys.executable, "-m", "keywright", "uninstall", "digikam"]
        refused = subprocess.run(uninstalling, capture_output=True, text=True, check=False)
        checks["nothing is installed or taken out while digiKam is open"] = "digiKam is open" in refused.stderr
    keywords = {copy: tags_of(copy) for copy in copies}
    new = [copy for photo, copy in zip(photos, copies, strict=True) if not tags_of(photo) and keywords[copy]]
    rows = {name for (name,) in session.sql(IN_DATABASE)}
    print(f"queue: {len(copies)} copies in {seconds:.0f} s, {len(new)} of photos that had no keyword got one")
    checks["the queue made a copy of every photo"] = len(copies) == len(photos)
    checks["copies of photos without keywords got some"] = bool(new)
    checks["digiKam has the copies' new tags in its database"] = {copy.name for copy in new} <= rows
    checks["the photos themselves are as they were"] = all(p.read_bytes() == data for p, data in before.items())
    keywright("uninstall", "digikam")
    data = session.base / "home/.local/share"
    checks["uninstall leaves nothing"] = not [*data.rglob("*eywright*"), *data.rglob("queue.xml")]
    bridge = find_bridge()
    if bridge is not None:
        Client(bridge[0]).shut_down()
    return checks


def put_first(session: Session) -> None:
    """Where this machine has other programs for photos, ours stands before them under Open With."""
    text = "[Added Associations]\nimage/jpeg=keywright-digikam.desktop;\n"
    (session.base / "home/.config/mimeapps.list").write_text(text)


IN_DATABASE = """
    SELECT i.name FROM Images i JOIN ImageTags l ON l.imageid = i.id JOIN Tags t ON t.id = l.tagid
    WHERE t.name IN ('Cat', 'Coffee')"""


def opened_by_menu(session: Session) -> list[Path]:
    """The photos the review shows after Open With > Suggest keywords with Keywright, on all that are chosen."""
    opened = session.base / "opened"
    session.action("selectAll")
    time.sleep(1)
    session.click(520, 150, button=3)
    session.click(585, 289)  # Open With
    session.screenshot("digikam_open_with.png")
    session.click(1011, 289)  # the first entry, which is ours
    wait_for("the review is opened", opened.exists, 60)
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with visitor.open(opened.read_text()) as page:
        host, _, query = page.url.partition("/photos?")
    with visitor.open(f"{host}/v1/review/photos?{query}") as answer:
        numbers = json.load(answer)["photos"]
    shown = []
    for number in numbers:
        with visitor.open(f"{host}/v1/photos/{number}") as answer:
            shown.append(Path(json.load(answer)["path"]))
    return sorted(shown)


def copied_by_queue(session: Session, photos: list[Path]) -> list[Path]:
    """The copies that the shipped workflow makes of the photos that are chosen, in the same order."""
    session.action("image_add_to_new_queue")
    time.sleep(4)
    session.click(1010, 390)  # the tab Workflow
    session.click(1000, 440, times=2)  # ours
    session.click(640, 105)  # its tool, so that the script is seen
    session.click(24, 42)  # Run
    copies = [photo.with_name(f"{photo.stem}_v1{photo.suffix}") for photo in photos]
    wait_for("the queue is through", lambda: all(copy.exists() for copy in copies), 400)
    time.sleep(8)
    session.screenshot("digikam_queue.png")
    return [copy for copy in copies if copy.exists()]


def tags_of(photo: Path) -> set[str]:
    found = run("exiftool", "-s3", "-sep", "\n", "-XMP-digiKam:TagsList", str(photo))
    return set(found.splitlines())
