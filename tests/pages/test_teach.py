"""Teach: one question at a time, learned at once, with the gain after a round."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from pages.kit import Window


def decided(doubtful: Window) -> dict[tuple[int, str], str]:
    found = doubtful.raw.send("GET", "/v1/decisions").json["decisions"]
    return {(one["photo"], one["keyword"]): one["decision"] for one in found}


def answered_to_the_end(page: Page, key: str) -> int:
    """Answer every question of the round with one key; how many there were."""
    expect(page.locator("#round")).to_contain_text("question 1 of")
    of = int(re.findall(r"of (\d+)", page.locator("#round").inner_text())[0])
    for number in range(1, of + 1):
        expect(page.locator("#round")).to_contain_text(f"question {number} of")
        page.keyboard.press(key)
    return of


def test_answers_by_mouse_are_decisions_and_a_skip_is_none(doubtful: Window) -> None:
    page = doubtful.go("/teach")
    question = page.locator("#question")
    expect(question.locator("h2")).to_contain_text("Is this")
    expect(question.locator("img")).to_have_js_property("complete", True)
    doubtful.check_accessible()
    question.get_by_role("button", name="Yes").click()
    expect(page.locator("#round")).to_contain_text("question 2")
    question.get_by_role("button", name="No", exact=False).first.click()
    expect(page.locator("#round")).to_contain_text("question 3")
    question.get_by_role("button", name="Skip").click()
    expect(page.locator("#round")).to_contain_text("question 4")
    expect(page.locator("#state")).to_have_text("")
    assert sorted(decided(doubtful).values()) == ["accepted", "rejected"]


def test_what_a_round_gained_is_measured_with_all_of_its_answers(doubtful: Window) -> None:
    page = doubtful.go("/teach")
    kept_by_then: list[int] = []

    def slow(route: Route) -> None:
        page.get_by_text("Measuring what was gained").wait_for()
        route.continue_()

    def train(route: Route) -> None:
        kept_by_then.append(len(decided(doubtful)))
        route.continue_()

    page.route("**/v1/decisions", slow)
    page.route("**/v1/models/train", train)
    asked = answered_to_the_end(page, "y")
    expect(page.locator("#gain article")).to_contain_text(f"{asked} answer", timeout=120_000)
    assert kept_by_then == [asked]


def test_a_round_by_the_keyboard_ends_with_what_it_gained(doubtful: Window) -> None:
    page = doubtful.go("/teach")
    asked = answered_to_the_end(page, "y")
    expect(page.get_by_role("heading", name="Round 1 is done")).to_be_visible()
    expect(page.locator("#gain article")).to_contain_text(f"{asked} answer", timeout=120_000)
    assert list(decided(doubtful).values()) == ["accepted"] * asked
    page.keyboard.press("Enter")
    expect(page.locator("#round")).to_contain_text("Round 2")


def test_an_answer_can_be_taken_back(doubtful: Window) -> None:
    page = doubtful.go("/teach")
    expect(page.locator("#round")).to_contain_text("question 1 of")
    page.keyboard.press("y")
    expect(page.locator("#round")).to_contain_text("question 2 of")
    page.keyboard.press("u")
    expect(page.locator("#round")).to_contain_text("question 1 of")
    expect(page.locator("#state")).to_have_text("")
    assert not decided(doubtful)


def test_one_keyword_alone_can_be_taught(doubtful: Window) -> None:
    page = doubtful.go("/teach")
    wanted = str(page.locator("#question h2 strong").inner_text())
    page.keyboard.press("k")
    page.keyboard.type(wanted)
    page.get_by_role("option", name=wanted).first.click()
    expect(page).to_have_url(re.compile("keyword="))
    expect(page.locator("#question h2 strong")).to_have_text(wanted)
