"""Search: words, example photos, and a keyword made of what was found."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.store.photos import KeywordIds, register_catalog
from keywright.store.syncing import sync_photos
from pages.kit import Window


def results(page: Page) -> list[str]:
    return [str(one.get_attribute("aria-label")) for one in page.locator(".result").all()]


def test_words_find_photos_and_what_was_found_becomes_a_keyword(window: Window) -> None:
    page = window.go("/search")
    page.get_by_role("searchbox", name="What is to be seen").fill("coffee")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".result").first).to_be_visible(timeout=60_000)
    assert all("COFF_" in label for label in results(page)[:5])
    window.check_accessible()
    for place in (0, 1, 2):
        page.locator(".result").nth(place).click()
    expect(page.locator("#making")).to_contain_text("3 photos chosen")
    page.get_by_role("combobox", name="Keyword for the chosen photos").fill("Mornings|Espresso")
    page.get_by_role("button", name="Make a keyword of these").click()
    expect(page.locator(".message.good")).to_contain_text("Espresso is on 3 photos now")
    made = window.raw.send("GET", "/v1/decisions").json["decisions"]
    assert [(one["keyword"], one["decision"]) for one in made] == [("Mornings|Espresso", "accepted")] * 3
    page.locator(".message.good").get_by_role("button", name="Take back").click()
    expect(page.locator("#state")).to_have_text("")
    page.wait_for_function("fetch('/v1/decisions').then(a => a.json()).then(a => a.decisions.length === 0)")


def test_by_the_keyboard_photos_like_several_others_are_found(window: Window) -> None:
    page = window.go("/search")
    expect(page.locator("#told")).to_contain_text("Say what is to be seen")
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    expect(page.locator(".result").first).to_be_visible(timeout=60_000)
    page.get_by_role("searchbox", name="What is to be seen").fill("")
    page.keyboard.press("Tab")  # to the button, from where keys are keys again
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("l")
    expect(page.locator(".anchor")).to_have_count(2)
    expect(page.locator("#told")).to_contain_text("the surest first", timeout=60_000)
    assert all("CHEL_" in label for label in results(page)[:4])


def test_the_address_of_a_search_opens_the_same_search(window: Window) -> None:
    page = window.go("/search?text=coffee")
    expect(page.locator(".result").first).to_be_visible(timeout=60_000)
    before = results(page)
    page.reload()
    expect(page.locator(".result").first).to_be_visible(timeout=60_000)
    assert results(page) == before


def test_only_photos_with_a_keyword_are_found_where_that_is_asked(window: Window) -> None:
    page = window.go("/search?text=coffee&keyword=Animals%7CCat")
    expect(page.locator("#told")).not_to_contain_text("Searching", timeout=60_000)
    assert all("CHEL_" in label for label in results(page))


def test_a_search_without_a_find_says_so(window: Window) -> None:
    page = window.go("/search?text=coffee&under=%2Fno%2Fsuch%2Ffolder")
    expect(page.locator("#told, .message.bad").filter(has_text="o").first).to_be_visible(timeout=60_000)
    expect(page.locator(".result")).to_have_count(0)
    window.errors.clear()  # an unknown folder is refused, which the browser notes


def test_what_a_search_could_not_count_is_told_above_its_photos(window: Window) -> None:
    with window.raw.bridge.bridge.workspace.store.write() as connection:
        number = register_catalog(connection, CatalogKind.LIGHTROOM, "x.lrcat", "lightroom:x", learn=False)
        sync_photos(connection, number, [CatalogPhoto("1", Path("/p/new.jpg"), frozenset())], KeywordIds(connection))
    page = window.go("/search?text=coffee%20without%20unicorns")
    expect(page.locator(".result").first).to_be_visible(timeout=60_000)
    told = page.get_by_role("status").filter(has_text="the surest first")
    expect(told).to_contain_text('No photo is left out for "unicorns", because no keyword is named so.')
    expect(told).to_contain_text("1 photo has no vector of the encoder in use yet")
    window.check_accessible()
