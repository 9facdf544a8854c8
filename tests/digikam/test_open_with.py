"""Open With in digiKam: the review opens in the browser on exactly the photos that were chosen."""

from __future__ import annotations

import http.cookiejar
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from keywright_plugin import Client, find_bridge

pytestmark = pytest.mark.slow
REAL = Path(sys.executable).with_name("keywright-digikam")
NAMES = ["plain.jpg", "two words.jpg", "qu\"ote's $HOME `id`.jpg", "-dash %F.jpg", "new\nline.jpg"]


@pytest.fixture
def base(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A digiKam whose settings name a database with hostile photos, a home, and a browser that notes what it opens."""
    import sqlite3

    shutil.copyfile(shared / "catalogs/digikam/sqlite-7.9.0/digikam4.db", tmp_path / "digikam4.db")
    (tmp_path / "photos").mkdir()
    source = next((shared / "photos").rglob("*.jpg"))
    with sqlite3.connect(tmp_path / "digikam4.db") as database:
        database.execute("UPDATE AlbumRoots SET identifier = ?", (f"volumeid:?path={tmp_path}/photos",))
        (album,) = database.execute("SELECT id FROM Albums WHERE relativePath = '/'").fetchone()
        for name in NAMES:
            shutil.copyfile(source, tmp_path / "photos" / name)
            database.execute("INSERT INTO Images (album, name, status, category) VALUES (?, ?, 1, 1)", (album, name))
    (tmp_path / "config").mkdir()
    (tmp_path / "config/digikamrc").write_text(f"[Database Settings]\nDatabase Name={tmp_path}/digikam4.db\n")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("KEYWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    yield tmp_path
    found = find_bridge(tmp_path / "home")
    if found is not None:
        Client(found[0]).shut_down()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(REAL), *words], check=False, capture_output=True, text=True, timeout=120)


def test_exactly_the_chosen_photos_are_reviewed(base: Path) -> None:
    chosen = [str(base / "photos" / name) for name in NAMES[1:]]
    done = run("review", "--", *chosen)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The review of 4 photos is open in the browser.\n"
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies)
    with browser.open((base / "opened").read_text()) as page:
        assert page.status == 200
        host, _, query = page.url.partition("/photos?")
    with browser.open(f"{host}/v1/review/photos?{query}") as answer:
        numbers = json.load(answer)["photos"]
    shown = []
    for number in numbers:
        with browser.open(f"{host}/v1/photos/{number}") as answer:
            shown.append(json.load(answer)["path"])
    assert shown == chosen


def test_a_photo_that_digikam_does_not_have_is_named_and_the_others_are_opened(base: Path) -> None:
    done = run("review", "--", str(base / "photos/plain.jpg"), str(base / "elsewhere.jpg"))
    assert done.returncode == 0
    assert done.stderr.startswith("Left out: ")
    assert str(base / "elsewhere.jpg") in done.stderr
    assert done.stdout == "The review of 1 photo is open in the browser.\n"


def test_where_no_photo_is_known_no_browser_opens_and_one_sentence_says_why(base: Path) -> None:
    done = run("review", "--", str(base / "elsewhere.jpg"))
    assert done.returncode == 1
    assert done.stderr.startswith("keywright-digikam: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (base / "opened").exists()


def test_a_bridge_that_cannot_be_started_is_one_sentence(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWRIGHT_COMMAND", "/nowhere/keywright")
    done = run("review", "--", str(base / "photos/plain.jpg"))
    assert done.returncode == 1
    assert "cannot be started" in done.stderr
