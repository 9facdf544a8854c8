"""Keywords: the tree, the quality of models, and thresholds with what they would bring."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from pages.kit import Window


def threshold_of(window: Window, keyword: str) -> float | None:
    found = window.raw.send("GET", f"/v1/thresholds?keyword={keyword}").json["own"]
    return None if found is None else float(found)


def open_keyword(page: Page, name: str) -> None:
    page.get_by_role("searchbox", name="Show keywords with").fill(name)
    expect(page.locator("#number")).to_have_text("1 keyword")
    page.get_by_role("option", name=name).click()
    expect(page.locator("#one h2")).to_contain_text(name)


def test_the_tree_shows_photos_and_quality(window: Window) -> None:
    page = window.go("/keywords")
    expect(page.get_by_role("option", name="Animals › Cat 7 photos")).to_be_visible()
    window.check_accessible()
    page.get_by_role("combobox", name="Order").select_option("photos")
    first = page.get_by_role("option").filter(has=page.locator(".keyword-name")).first
    expect(first).to_contain_text("Style")
    expect(first).to_contain_text("21photos, quality 100 of 100")


def test_a_moved_threshold_shows_what_it_would_suggest_and_holds(doubtful: Window) -> None:
    page = doubtful.go("/keywords")
    open_keyword(page, "Coffee")
    told = page.locator("#one [role=status]")
    expect(told).to_contain_text("Would be suggested on")
    page.get_by_role("slider", name="Suggest it from").fill("2")
    page.get_by_role("slider", name="Suggest it from").dispatch_event("change")
    expect(page.get_by_text("Set by you.")).to_be_visible()
    expect(page.locator(".preview img").first).to_be_visible()
    assert threshold_of(doubtful, "Food%7CCoffee") == 0.02
    doubtful.check_accessible()
    page.get_by_role("button", name="Let the learned one hold").click()
    expect(page.get_by_text("Learned by itself.")).to_be_visible()
    assert threshold_of(doubtful, "Food%7CCoffee") is None


def test_by_the_keyboard_alone_a_threshold_is_set(window: Window) -> None:
    page = window.go("/keywords")
    expect(page.locator(".keyword-row").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("Moon")
    expect(page.locator("#number")).to_have_text("1 keyword")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#one h2")).to_contain_text("Moon")
    expect(page.locator("#threshold")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Home")
    expect(page.get_by_text("Set by you.")).to_be_visible()
    assert threshold_of(window, "Sky%7CMoon") == 0.01
