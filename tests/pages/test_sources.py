"""Who speaks for a suggestion stands beside it, and a keyword that nobody has is marked as new, markup and all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pages.kit import Window, kept, settled
from service.conftest import Learned, running_on_copy
from service.described import describer_says
from service.kit import Raw

HOSTILE = "<img src=x onerror=alert(1)>"
WORDS = {"cat": 0.9, "whiskers": 1.0, HOSTILE: 0.9}


@pytest.fixture
def learned(learned_home: Learned, tmp_path: Path) -> Iterator[Raw]:
    """The bridge that ``window`` is on: there a describer has seen the cat, and what is no keyword."""
    said = partial(describer_says, photo="CHEL_0009.jpg", words=WORDS, lists=True)
    with running_on_copy(learned_home.home, tmp_path, said) as found:
        yield found


def photos(window: Window) -> Page:
    page = window.go("/photos")
    expect(page.get_by_role("gridcell", name=re.compile("CHEL_0009"))).to_be_visible()
    return page


def test_a_new_keyword_is_marked_and_resting_on_a_suggestion_says_who_speaks_for_it(window: Window) -> None:
    page = photos(window)
    cat = page.get_by_role("gridcell", name=re.compile("CHEL_0009"))
    new = cat.get_by_role("button", name=re.compile(r"Accept whiskers \d+ % new"))
    expect(new).to_be_visible()
    expect(cat.get_by_role("button", name=re.compile(r"Accept Cat \d+ %$"))).to_be_visible()
    new.hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("A new keyword: you do not have it yet.")
    expect(tip).to_contain_text("Seen by vision.")
    window.check_accessible()
    page.keyboard.press("Escape")
    cat.get_by_role("button", name="Accept Cat").hover()
    expect(tip).to_contain_text("Seen by vision.")
    expect(tip).to_contain_text("Alike, and carry Cat")
    expect(tip).not_to_contain_text("A new keyword")


def test_markup_in_a_new_keyword_is_shown_as_it_is(window: Window) -> None:
    page = photos(window)
    expect(page.get_by_role("button", name=f"Reject {HOSTILE}")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    page.goto(page.url.split("/photos")[0] + "/by-keyword")
    expect(page.locator("#keywords").get_by_text(HOSTILE)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_by_keyword_marks_it_and_decides_it_like_any_other(window: Window, learned: Raw) -> None:
    page = window.go("/by-keyword?keyword=whiskers")
    expect(page.get_by_role("heading", name="whiskers new")).to_be_visible()
    expect(page.get_by_role("link", name="whiskers new 1")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Cat "))).not_to_contain_text("new")
    window.check_accessible()
    page.get_by_role("button", name="Accept the 1 ticked").click()
    settled(page)
    assert kept(learned) == {("CHEL_0009.jpg", "whiskers"): "accepted"}


def test_a_photo_by_itself_marks_it_too(window: Window) -> None:
    page = photos(window)
    page.get_by_role("gridcell", name=re.compile("CHEL_0009")).get_by_role("button", name="Look at it").click()
    new = page.get_by_role("dialog").get_by_role("button", name=re.compile(r"Accept whiskers \d+ % new"))
    expect(new).to_have_attribute("title", re.compile("Seen by vision"))
    window.check_accessible()
