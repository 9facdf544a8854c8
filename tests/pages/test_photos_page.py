"""By photo: deciding with the mouse and with the keyboard alone, and what is on the disk afterwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pages.kit import Window, kept, open_window, settled, until
from service.kit import Raw


@pytest.fixture
def page(window: Window) -> Page:
    found = window.go("/photos")
    expect(tiles(found).first).to_be_visible()
    return found


def tiles(page: Page) -> Locator:
    return page.get_by_role("gridcell")


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("gridcell", name=re.compile(name))


def test_a_click_accepts_a_suggestion_the_cross_rejects_one_and_another_click_takes_it_back(
    page: Page, learned: Raw
) -> None:
    cat, coffee = tile(page, "CHEL_0009"), tile(page, "COFF_0009")
    cat.get_by_role("button", name="Accept Cat").click()
    coffee.get_by_role("button", name="Reject Coffee").click()
    expect(cat.get_by_role("button", name="Take back Cat")).to_be_visible()
    settled(page)
    assert kept(learned) == {
        ("CHEL_0009.jpg", "Animals|Cat"): "accepted",
        ("COFF_0009.jpg", "Food|Coffee"): "rejected",
    }
    cat.get_by_role("button", name="Take back Cat").click()
    coffee.get_by_role("button", name="Take back the rejection of Coffee").click()
    expect(cat.get_by_role("button", name="Accept Cat")).to_be_visible()
    settled(page)
    assert kept(learned) == {}


def test_the_keyboard_alone_decides_selects_and_undoes(page: Page, learned: Raw) -> None:
    press = page.keyboard.press
    expect(tiles(page).first).to_be_focused()
    first = str(tiles(page).first.get_by_role("img").get_attribute("alt"))
    press("a")  # all of the first photo
    settled(page)
    accepted = kept(learned)
    assert {name for name, _ in accepted} == {first}
    assert set(accepted.values()) == {"accepted"}
    press("u")
    settled(page)
    assert kept(learned) == {}
    press("Space")
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    expect(page.get_by_text("3 photos selected")).to_be_visible()
    press("r")
    settled(page)
    rejected = kept(learned)
    assert len({name for name, _ in rejected}) == 3
    assert set(rejected.values()) == {"rejected"}
    press("u")
    press("Escape")
    settled(page)
    assert kept(learned) == {}
    press("End")
    press("Tab")  # its first chip
    press("a")
    settled(page)
    assert list(kept(learned).values()) == ["accepted"]
    press("Escape")
    press("Home")
    press("1")
    settled(page)
    assert len(kept(learned)) == 2


def test_a_keyword_is_added_with_completion_over_the_tree(page: Page, learned: Raw) -> None:
    settled(page)
    expect(page.get_by_role("gridcell").first.get_by_role("button", name="Reject").first).to_be_visible()
    page.keyboard.press("k")
    field = page.get_by_role("combobox", name="Add a keyword")
    expect(field).to_be_focused()
    field.type("gal")
    expect(page.get_by_role("option", name="Sky › Galaxies")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Take back Galaxies")).to_be_visible()
    field.type("Places|Far away")
    expect(page.get_by_role("option", name="New keyword")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Take back Far away")).to_be_visible()
    settled(page)
    assert {keyword for _, keyword in kept(learned)} == {"Sky|Galaxies", "Places|Far away"}


def test_the_photos_that_speak_for_a_suggestion_are_shown_on_hover_and_on_focus(page: Page) -> None:
    tile(page, "CHEL_0009").get_by_role("button", name="Accept Cat").hover()
    tooltip = page.get_by_role("tooltip")
    expect(tooltip.get_by_role("img")).to_have_count(4)
    expect(tooltip).to_contain_text("carry Cat")
    assert all("CHEL" in str(image.get_attribute("alt")) for image in tooltip.get_by_role("img").all())
    page.mouse.move(5, 5)
    expect(tooltip).to_be_hidden()
    tiles(page).first.focus()
    page.keyboard.press("Tab")
    expect(tooltip).to_be_visible()


def test_a_star_marks_a_prime_example_and_another_takes_it_off(window: Window) -> None:
    page = window.go("/photos?order=folder&keyword=Animals%7CCat")
    first = tile(page, "CHEL_0001")
    first.hover()
    star = first.get_by_role("button", name="Cat: prime example")
    expect(star).to_have_attribute("aria-pressed", "false")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(first.get_by_role("button", name="Cat: prime example")).to_have_attribute("aria-pressed", "true")


def test_filters_narrow_the_list_and_the_back_button_goes_back_to_it(window: Window) -> None:
    page = window.go("/photos")
    expect(page.locator("#count")).to_have_text("28 photos")
    page.get_by_label("Waiting for me").uncheck()
    expect(page.locator("#count")).to_have_text("126 photos")
    field = page.get_by_role("combobox", name="Keyword", exact=True)
    field.fill("moon")
    page.get_by_role("option", name="Sky › Moon").click()
    expect(page.locator("#count")).to_have_text("9 photos")
    page.get_by_role("combobox", name="Folder").focus()
    page.get_by_role("combobox", name="Folder").select_option(label="2021/Launch (9)")
    expect(page.get_by_text("No photo is like that")).to_be_visible()
    page.go_back()
    expect(page.locator("#count")).to_have_text("9 photos")
    expect(field).to_have_value("Sky › Moon")
    page.reload()
    expect(page.locator("#count")).to_have_text("9 photos")
    page.go_back()
    expect(page.locator("#count")).to_have_text("126 photos")


def test_coming_back_from_another_page_finds_the_photo_one_was_at(window: Window) -> None:
    page = window.go("/photos?order=folder")
    expect(tiles(page).first).to_be_focused()
    page.keyboard.press("End")
    expect(tiles(page).last).to_be_focused()
    name = tiles(page).last.get_by_role("img").get_attribute("alt")
    until(page, "history.state?.photo !== undefined")
    page.get_by_role("link", name="Apply").click()
    page.wait_for_url("**/apply")
    page.go_back()
    expect(page.get_by_role("img", name=str(name))).to_be_visible()


def test_selected_photos_are_accepted_by_the_bar_and_taken_back_by_its_message(page: Page, learned: Raw) -> None:
    page.keyboard.press("Control+a")
    expect(page.get_by_text("28 photos selected")).to_be_visible()
    page.get_by_role("button", name="Accept 38 suggestions").click()
    settled(page)
    decisions = learned.send("GET", "/v1/decisions?limit=1000").json["decisions"]
    assert [one["decision"] for one in decisions] == ["accepted"] * 38
    page.get_by_role("button", name="Undo").click()  # its message goes by in seconds
    expect(page.get_by_text("Undone")).to_be_visible()
    settled(page)
    assert kept(learned) == {}


def test_the_page_is_accessible_while_it_is_used(browser: Browser, learned: Raw) -> None:
    for width in (1280, 390):
        with open_window(browser, learned, width=width, height=800) as window:
            page = window.go("/photos")
            expect(tiles(page).first.get_by_role("img")).to_be_visible()
            expect(tiles(page).first).to_be_focused()
            page.keyboard.press("Space")
            page.keyboard.press("1")
            window.check_accessible()
            page.keyboard.press("Enter")
            expect(page.get_by_role("dialog")).to_be_visible()
            window.check_accessible()
            assert window.has_no_sideways_scrolling()
            page.keyboard.press("u")
            settled(page)
