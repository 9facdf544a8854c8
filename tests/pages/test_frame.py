"""What every page has: the navigation, colours, keys, messages, and who is let in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from pages.kit import Window, open_window
from service.kit import Raw


def pages_of(window: Window) -> list[str]:
    return [str(link.get_attribute("href")) for link in window.page.locator(".bar > nav a").all()]


def test_every_page_of_the_navigation_opens_and_marks_itself(window: Window) -> None:
    for address in pages_of(window):
        window.go(address)
        here = window.page.locator(".bar > nav a[aria-current=page]")
        expect(here).to_have_attribute("href", address)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_accessible_in_both_colours_and_widths(browser: Browser, learned: Raw, colours: str) -> None:
    for width in (1280, 390):
        with open_window(browser, learned, width=width, colours=colours) as window:  # type: ignore[arg-type]
            for address in [*pages_of(window), "/welcome"]:
                window.go(address)
                window.page.wait_for_load_state("networkidle")
                window.check_accessible()
                assert window.has_no_sideways_scrolling(), f"{address} at {width}"


def test_nothing_inline_is_in_any_page(window: Window) -> None:
    for address in [*pages_of(window), "/welcome"]:
        answer = window.page.request.get(window.raw.connection.url + address)
        text = answer.text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text), address
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_switch_of_colours_is_remembered(window: Window) -> None:
    page = window.go("/photos")
    page.get_by_role("button", name="Colours: as the system has them").click()
    page.get_by_role("button", name="Colours: light").click()
    page.reload()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 23, 21)"


def test_a_question_mark_lists_the_keys_and_another_hides_them(window: Window) -> None:
    page = window.go("/photos")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    window.check_accessible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_g_and_a_number_go_to_that_page(window: Window) -> None:
    page = window.go("/photos")
    second = pages_of(window)[1]
    page.keyboard.press("g")
    page.keyboard.press("2")
    page.wait_for_url("**" + second)


def test_who_has_no_session_reads_how_to_come_in(browser: Browser, learned: Raw) -> None:
    with open_window(browser, learned, log_in=False) as window:
        page = window.go("/photos")
        expect(page.get_by_text("keywright review")).to_be_visible()
        window.errors.clear()  # the browser itself notes the 401


def test_logging_out_ends_the_session(window: Window) -> None:
    page = window.go("/photos")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()
    window.check_accessible()
    window.go("/photos")
    expect(page.get_by_text("keywright review")).to_be_visible()
    window.errors.clear()


def test_what_is_being_kept_is_said_without_widening_a_narrow_page(browser: Browser, learned: Raw) -> None:
    with open_window(browser, learned, width=390, height=800) as window:
        held: list[Route] = []
        window.page.route("**/v1/decisions", lambda route: held.append(route))
        page = window.go("/photos")
        page.get_by_role("button", name=re.compile("^Accept [A-Z]")).first.click()
        expect(page.locator("#state")).to_have_text("Keeping 1 decision…")
        assert window.has_no_sideways_scrolling()
        for one in held:
            one.continue_()
        expect(page.locator("#state")).to_have_text("")
