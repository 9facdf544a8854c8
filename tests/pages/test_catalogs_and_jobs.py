"""Catalogs and jobs: adding one, learning with live progress, and reading why a file was left out."""

from __future__ import annotations

from pathlib import Path

from demo.library import make_library
from playwright.sync_api import Browser, Page, expect

from keywright.operations.registering import add_catalog
from pages.kit import Window, open_window
from service.kit import Raw


def test_a_catalog_that_is_added_is_learned_with_live_progress(browser: Browser, empty: Raw, tmp_path: Path) -> None:
    make_library(tmp_path / "library")
    (tmp_path / "library" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    with open_window(browser, empty) as window:
        page = window.go("/catalogs")
        page.get_by_role("textbox", name="Where it is").fill(str(tmp_path / "library"))
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("progressbar", name="Learning")).to_be_visible()
        line = page.locator("#ended article").first
        expect(line).to_contain_text("keywords learned from", timeout=120_000)
        expect(page.locator(".catalog")).to_contain_text("Learned from")
        line.get_by_text("1 file was left out").click()
        expect(line).to_contain_text("broken.jpg")
        window.check_accessible()


def test_what_was_never_read_is_not_said_to_have_changed_since(browser: Browser, empty: Raw, tmp_path: Path) -> None:
    make_library(tmp_path / "library")
    number = add_catalog(empty.bridge.workspace, str(tmp_path / "library"), {}).id
    with open_window(browser, empty) as window:
        with window.page.expect_response(f"**/v1/catalogs/{number}") as told:
            page = window.go("/catalogs")
        assert told.value.json()["changed"] is None
        expect(page.locator(".catalog")).to_contain_text("Not read yet")


def test_by_the_keyboard_alone_a_wrong_source_is_one_sentence(window: Window) -> None:
    page = window.go("/catalogs")
    expect(page.locator(".catalog")).to_have_count(1)
    page.keyboard.press("n")
    page.keyboard.type("/no/such/folder")
    page.keyboard.press("Enter")
    expect(page.locator(".message.bad")).to_contain_text("/no/such/folder")
    window.errors.clear()  # the browser itself notes the refusal
    expect(page.locator(".catalog")).to_have_count(1)


def test_a_reload_in_the_middle_of_a_job_shows_it_going_on(window: Window) -> None:
    page = window.go("/catalogs")
    page.get_by_role("button", name="Learn again").click()
    expect(page.locator("#running .job, #ended article").first).to_be_visible()
    page.reload()
    learning = page.locator("#ended article").filter(has_text="Learning")
    expect(learning).to_be_visible(timeout=120_000)
    expect(page.locator("#running .job")).to_have_count(0)


def test_a_name_with_markup_is_shown_as_text(browser: Browser, empty: Raw, tmp_path: Path) -> None:
    folder = tmp_path / '<img src=x onerror="alert(1)"> שלום'
    folder.mkdir()
    with open_window(browser, empty) as window:
        page: Page = window.go("/catalogs")
        page.get_by_role("textbox", name="Where it is").fill(str(folder))
        page.get_by_role("checkbox").uncheck()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".catalog h3")).to_have_text(str(folder))
        expect(page.locator(".catalog img")).to_have_count(0)
