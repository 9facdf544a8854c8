"""Audit: what is probably missing or wrong, decided with one key."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from pages.kit import Window


def audited(window: Window) -> Page:
    page = window.go("/audit")
    page.get_by_role("button", name="Audit", exact=True).click()
    expect(page.get_by_role("button", name="Audit again")).to_be_visible(timeout=120_000)
    expect(page.locator("[data-count=missing]")).to_have_text("2")
    return page


def decisions(window: Window) -> list[dict[str, Any]]:
    expect(window.page.locator("#state")).to_have_text("")
    return list(window.raw.send("GET", "/v1/decisions").json["decisions"])


def test_forgotten_keywords_are_given_by_mouse_and_stay_given_after_a_reload(doubtful: Window) -> None:
    page = audited(doubtful)
    doubtful.check_accessible()
    for name in ("MOON_0001.jpg", "MOON_0002.jpg"):
        expect(page.get_by_role("button", name=f"Add it Black and white to {name}")).to_be_visible()
    page.get_by_role("button", name="Add it Black and white to MOON_0001.jpg").click()
    expect(page.locator("[data-count=missing]")).to_have_text("1")
    (made,) = decisions(doubtful)
    assert (made["keyword"], made["decision"]) == ("Style|Black and white", "accepted")
    page.reload()
    expect(page.locator("[data-count=missing]")).to_have_text("1")


def test_a_misplaced_keyword_is_taken_away_by_the_keyboard_alone(doubtful: Window) -> None:
    page = audited(doubtful)
    page.keyboard.press("w")
    expect(page.locator(".finding")).to_contain_text("GRAV_0003.jpg")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    expect(page.locator("[data-count=wrong]")).to_have_text("0")
    (made,) = decisions(doubtful)
    assert (made["keyword"], made["decision"]) == ("Animals|Cat", "rejected")


def test_a_decision_is_taken_back_with_u(doubtful: Window) -> None:
    page = audited(doubtful)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("r")
    expect(page.locator("[data-count=missing]")).to_have_text("1")
    page.keyboard.press("u")
    expect(page.locator("[data-count=missing]")).to_have_text("2")
    assert not decisions(doubtful)
