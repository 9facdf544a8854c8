"""Apply: the dry run, writing, and taking back a batch or one photo in it, on files of the test's own."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.deciding import Decided, decide
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.jobs import JobState, add_job
from keywright.store.photos import list_photos
from pages.kit import PATIENCE_MS, Window, open_window
from pages.library import made_up_library
from service.kit import running


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def window(browser: Browser, folder: Path, tmp_path: Path) -> Iterator[Window]:
    """Twelve photos, on ten of which a keyword was accepted."""
    made_up_library(folder, tmp_path / "home", 12)
    accept(tmp_path / "home", 10)
    with running(tmp_path / "home") as raw, open_window(browser, raw) as found:
        yield found


MANY = int(os.environ.get("KEYWRIGHT_APPLIED", "150"))
"""docs/review-development.md says what became of 10,000."""


@pytest.mark.slow
def test_many_accepted_suggestions_are_written_from_the_page_and_taken_back_byte_for_byte(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    made_up_library(folder, tmp_path / "home", MANY)
    accept(tmp_path / "home", MANY)
    before = digests(folder)
    patience = PATIENCE_MS + MANY * 200
    with running(tmp_path / "home") as raw, open_window(browser, raw) as window:
        page = window.go("/apply")
        page.get_by_role("button", name="Show what would be written").click()
        page.get_by_role("button", name=f"Write into {MANY:,} files").click(timeout=patience)
        begun = time.monotonic()
        expect(page.get_by_text(f"Keywords written on {MANY:,} photos.")).to_be_visible(timeout=patience)
        written = time.monotonic()
        assert not set(digests(folder).items()) & set(before.items())
        page.get_by_role("button", name="Take back", exact=True).click()
        page.get_by_role("button", name=f"Take back {MANY:,} photos").click()
        undoing = time.monotonic()
        expect(page.get_by_text(f"Keywords taken out again on {MANY:,} photos.")).to_be_visible(timeout=patience)
        print(f"{MANY:,} photos: written in {written - begun:.0f} s, undone in {time.monotonic() - undoing:.0f} s")
    assert digests(folder) == before


def accept(home: Path, photos: int) -> None:
    with Workspace.open(Home(home)) as workspace:
        with workspace.store.read() as connection:
            rows = list_photos(connection)
        made = [
            Decided(row.id, KeywordPath.of("Made up", f"Kind {row.id % 7}"), Decision.ACCEPTED) for row in rows[:photos]
        ]
        decide(workspace, made)


def look(page: Page) -> None:
    page.get_by_role("button", name="Show what would be written").click()
    expect(page.get_by_role("heading", name="would get keywords")).to_be_visible()


def test_the_dry_run_shows_each_photos_keywords_and_touches_nothing(window: Window, folder: Path) -> None:
    before = digests(folder)
    page = window.go("/apply")
    look(page)
    expect(page.get_by_role("heading", name="10 photos would get keywords")).to_be_visible()
    row = page.get_by_role("row", name="photo-00000.jpg")
    expect(row.get_by_text("+ Kind")).to_be_visible()
    window.check_accessible()
    assert page.get_by_text("false", exact=True).count() == 0
    assert digests(folder) == before


def test_what_was_written_is_taken_back_photo_by_photo_and_as_a_batch(window: Window, folder: Path) -> None:
    before = digests(folder)
    page = window.go("/apply")
    look(page)
    page.get_by_role("button", name="Write into 10 files").click()
    expect(page.get_by_text("Keywords written on 10 photos.")).to_be_visible()
    written = digests(folder)
    assert sum(written[name] != before[name] for name in before) == 10
    page.locator("summary").filter(has_text="10 photos written").click()
    window.check_accessible()
    page.route("**/v1/write-backs?*", lambda route: (page.wait_for_timeout(300), route.continue_()))  # slow to answer
    page.get_by_role("button", name="Take back photo-00003.jpg").click()
    expect(page.get_by_text("Keywords taken out again on 1 photo.")).to_be_visible()
    now = digests(folder)
    assert now["photo-00003.jpg"] == before["photo-00003.jpg"]
    assert sum(now[name] != before[name] for name in before) == 9
    page.get_by_role("button", name="Take back", exact=True).click()
    page.get_by_role("button", name="Take back 9 photos").click()
    expect(page.get_by_text("Keywords taken out again on 9 photos.")).to_be_visible()
    assert digests(folder) == before


def test_the_keyboard_alone_applies_and_takes_back(window: Window, folder: Path) -> None:
    before = digests(folder)
    page = window.go("/apply")
    page.get_by_role("radio", name="What I accepted").focus()
    page.keyboard.press("Enter")  # the form is sent
    write = page.get_by_role("button", name="Write into 10 files")
    expect(write).to_be_visible()
    write.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Keywords written on 10 photos.")).to_be_visible()
    back = page.get_by_role("button", name="Take back", exact=True)
    back.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Keywords taken out again on 10 photos.")).to_be_visible()
    assert digests(folder) == before


def test_a_reload_in_the_middle_of_a_job_goes_on_showing_it(window: Window, folder: Path) -> None:
    page = window.go("/apply")
    look(page)
    with page.expect_response("**/v1/write-backs"):
        page.get_by_role("button", name="Write into 10 files").click()
    page.reload()
    history = page.locator("summary").filter(has_text="10 photos written")
    expect(history.or_(page.get_by_text("Writing keywords")).first).to_be_visible()
    expect(history).to_be_visible()
    assert sum("Kind" in path.read_bytes().decode("latin-1") for path in folder.glob("*.jpg")) >= 10


def test_what_is_written_while_the_page_opens_is_shown_as_written(window: Window) -> None:
    bridge = window.raw.bridge
    everything = {"catalogs": [], "min_confidence": None, "profile": None, "to_files": False, "sidecars": "lightroom"}
    with bridge.workspace.store.write() as connection:
        job = add_job(connection, "apply", everything)  # it waits: nobody has told the worker

    def late(route: Route) -> None:
        """The page is told of the time before the job, when the job is over."""
        before = route.fetch()
        bridge.queue.wake()
        while bridge.queue.get(job.id).state is not JobState.COMPLETED:
            window.page.wait_for_timeout(30)
        route.fulfill(response=before)

    window.page.route("**/v1/write-backs?*", late, times=1)
    page = window.go("/apply")
    expect(page.locator("summary").filter(has_text="10 photos written")).to_be_visible()
