"""By keyword: unticking the wrong ones and accepting the rest, by mouse and by the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from sqlalchemy import update

from keywright.store.suggestions import suggestions
from pages.kit import Window, kept, settled
from service.kit import Raw


def opened(window: Window) -> Page:
    page = window.go("/by-keyword")
    expect(page.get_by_role("heading", name="Black and white")).to_be_visible()
    expect(page.get_by_role("gridcell").first).to_be_visible()
    return page


def test_what_is_ticked_is_accepted_and_the_unticked_is_asked_about(window: Window, learned: Raw) -> None:
    page = opened(window)
    expect(page.get_by_role("button", name="Accept the 6 ticked")).to_be_visible()
    coins = page.get_by_role("gridcell", name="COIN").first
    expect(coins).to_be_visible()  # named once the photo is known
    frames = 2 if coins.get_by_text("2 frames").count() else 1
    coins.click()
    page.get_by_role("button", name=f"Accept the {6 - frames} ticked").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"wrong on the {frames} photo")
    window.check_accessible()
    dialog.get_by_role("button", name="Leave them undecided").click()
    settled(page)
    assert set(kept(learned).values()) == {"accepted"}
    assert len(kept(learned)) == 6 - frames
    expect(page.locator("#told")).to_contain_text(f"{frames} photo")


def test_a_group_of_frames_is_decided_at_once(window: Window, learned: Raw) -> None:
    page = opened(window)
    group = page.get_by_role("gridcell", name="2 frames").first
    name = str(group.get_by_role("img").get_attribute("alt"))
    page.get_by_role("button", name="Tick none").click()
    group.click()
    page.get_by_role("button", name="Accept the 2 ticked").click()
    page.get_by_role("button", name="Leave them undecided").click()
    settled(page)
    assert len(kept(learned)) == 2
    assert {file[:4] for file, _ in kept(learned)} == {name[:4]}


def test_the_keyboard_alone_unticks_accepts_rejects_undoes_and_goes_on(window: Window, learned: Raw) -> None:
    page = opened(window)
    press = page.keyboard.press
    expect(page.get_by_role("gridcell").first).to_be_focused()
    press("Space")
    press("a")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Enter")  # reject what was unticked
    expect(page.get_by_text("Nothing waits for this keyword")).to_be_visible()
    settled(page)
    decided = kept(learned)
    assert len(decided) == 6
    assert set(decided.values()) == {"accepted", "rejected"}
    press("u")
    expect(page.get_by_role("button", name="Accept the 6 ticked")).to_be_visible()
    settled(page)
    assert kept(learned) == {}
    press("n")
    expect(page.get_by_role("heading", name="Black and white")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("heading", name="Black and white")).to_be_visible()


def test_an_address_with_a_keyword_opens_it_and_less_sure_ones_are_unticked(window: Window, learned: Raw) -> None:
    with learned.bridge.workspace.store.write() as connection:
        connection.execute(update(suggestions).values(sure=False, confidence=0.4))
    page = window.go("/by-keyword?keyword=Animals%7CCat")
    expect(page.get_by_role("heading", name="Cat")).to_be_visible()
    expect(page.get_by_role("button", name="Accept the 0 ticked")).to_be_disabled()
    expect(page.locator("#told")).to_contain_text("less sure")
