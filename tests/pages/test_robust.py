"""What goes wrong around a page: two windows, a bridge that ends under it, names that could be taken for markup."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from keywright.keywords import KeywordPath
from keywright.operations.deciding import Decided, decide
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.photos import list_photos
from pages.kit import Window, kept, open_window, settled, until, watch
from pages.library import made_up_library
from pages.test_photos_page import tile
from service.conftest import Learned
from service.kit import running

UNSENT = "Object.keys(localStorage).filter((name) => name.startsWith('keywright.unsent.')).length"


def test_two_windows_decide_at_once_and_each_sees_what_the_other_did(window: Window) -> None:
    first = window.go("/photos")
    second = window.context.new_page()
    watch(second, window.errors)
    second.goto(window.raw.connection.url + "/photos")
    tile(second, "CHEL_0009").get_by_role("button", name="Accept Cat").click()
    tile(first, "COFF_0009").get_by_role("button", name="Reject Coffee").click()
    expect(tile(first, "CHEL_0009").get_by_role("button", name="Take back Cat")).to_be_visible()
    expect(tile(second, "COFF_0009").get_by_role("button", name="Take back the rejection")).to_be_visible()
    # Both on one suggestion: the last word counts, and both show it.
    tile(first, "FLOW_0009").get_by_role("button", name="Accept Flower").click()
    expect(tile(second, "FLOW_0009").get_by_role("button", name="Take back Flower")).to_be_visible()
    tile(second, "FLOW_0009").get_by_role("button", name="Take back Flower").click()
    expect(tile(first, "FLOW_0009").get_by_role("button", name="Accept Flower")).to_be_visible()
    settled(first)
    settled(second)
    assert kept(window.raw) == {
        ("CHEL_0009.jpg", "Animals|Cat"): "accepted",
        ("COFF_0009.jpg", "Food|Coffee"): "rejected",
    }


def test_a_bridge_that_is_restarted_under_an_open_page_gets_every_decision_once(
    browser: Browser, learned_home: Learned, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(learned_home.home, home)
    with running(home) as raw:
        opened = open_window(browser, raw)
        window = opened.__enter__()
        page = window.go("/photos")
        tile(page, "CHEL_0009").get_by_role("button", name="Accept Cat").click()
        settled(page)
    # The bridge has ended. Deciding goes on, and the page says what happens to it.
    tile(page, "COFF_0009").get_by_role("button", name="Accept Coffee").click()
    tile(page, "MOTO_0009").get_by_role("button", name="Reject Motorcycle").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("does not answer")
    expect(notice).to_contain_text("2 decisions wait")
    assert page.evaluate(UNSENT) == 2
    with running(home) as raw:
        assert raw.connection.url in page.url  # the same place as before
        expect(notice).to_contain_text("was restarted")
        other = window.context.new_page()
        other.goto(raw.client.login_link())
        expect(page.get_by_text("2 decisions that had waited here are kept now")).to_be_visible()
        expect(notice).to_be_hidden()
        settled(page)
        assert kept(raw) == {
            ("CHEL_0009.jpg", "Animals|Cat"): "accepted",
            ("COFF_0009.jpg", "Food|Coffee"): "accepted",
            ("MOTO_0009.jpg", "Transport|Motorcycle"): "rejected",
        }
        # What comes after goes out as if nothing had been.
        tile(page, "MOTO_0009").get_by_role("button", name="Take back the rejection").click()
        settled(page)
        assert len(kept(raw)) == 2
        window.errors.clear()  # the browser notes the requests nobody answered
        opened.__exit__(None, None, None)


def test_a_page_left_open_while_its_session_ended_says_so_and_goes_on_with_a_new_link(window: Window) -> None:
    page = window.go("/photos")
    tile(page, "CHEL_0009").get_by_role("button", name="Accept Cat").click()
    settled(page)
    other = window.context.new_page()
    other.goto(window.raw.connection.url + "/photos")
    other.get_by_role("button", name="Log out").click()
    other.wait_for_load_state("networkidle")
    tile(page, "COFF_0009").get_by_role("button", name="Reject Coffee").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("this session has ended")
    expect(notice).to_contain_text("keywright review")
    # Left open it goes on asking with the session that is over, far more often than one may guess.
    refused = page.evaluate(
        """async () => {
          const told = [];
          for (let n = 0; n < 30; n++) told.push((await fetch("/v1/state", { credentials: "same-origin" })).status);
          return told;
        }"""
    )
    assert set(refused) == {401}
    other.goto(window.raw.client.login_link())
    expect(other.get_by_role("link", name="Photos")).to_be_visible()
    expect(notice).to_be_hidden()
    settled(page)
    assert kept(window.raw) == {
        ("CHEL_0009.jpg", "Animals|Cat"): "accepted",
        ("COFF_0009.jpg", "Food|Coffee"): "rejected",
    }
    window.errors.clear()  # the browser notes what was refused


def test_an_answer_that_was_lost_on_the_way_makes_no_second_decision(window: Window) -> None:
    page = window.go("/photos")
    sent: list[str] = []

    def lose_the_first(route: object, request: object) -> None:
        sent.append(str(request.headers["idempotency-key"]))  # type: ignore[attr-defined]
        if len(sent) == 1:
            route.fetch()  # type: ignore[attr-defined]  # the bridge keeps it, but the page never hears of it
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/v1/decisions", lose_the_first)
    tile(page, "CHEL_0009").get_by_role("button", name="Accept Cat").click()
    expect(page.get_by_text("that had waited here is kept now")).to_be_visible()
    settled(page)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert kept(window.raw) == {("CHEL_0009.jpg", "Animals|Cat"): "accepted"}
    window.errors.clear()


def test_a_reload_before_decisions_are_sent_loses_none(window: Window) -> None:
    page = window.go("/photos")
    page.route("**/v1/decisions", lambda route: route.abort())
    tile(page, "CHEL_0009").get_by_role("button", name="Accept Cat").click()
    until(page, f"{UNSENT} === 1")
    page.unroute("**/v1/decisions")
    page.reload()
    settled(page)
    assert kept(window.raw) == {("CHEL_0009.jpg", "Animals|Cat"): "accepted"}
    window.errors.clear()


NAMES = (
    "<img src=x onerror=alert(1)>",
    "\"quoted\" & 'so' </script><script>alert(2)</script>",
    "שלום עולם",
    "\u202egnp.exe",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize("place", ["/photos?order=folder", "/apply"])
def test_names_with_markup_quotes_and_other_directions_are_shown_as_text(
    browser: Browser, tmp_path: Path, place: str
) -> None:
    folder, home = tmp_path / "<b>photos</b>", tmp_path / "home"
    made_up_library(folder, home, len(NAMES))
    from keywright.home import Home

    with Workspace.open(Home(home)) as workspace:
        with workspace.store.read() as connection:
            rows = list_photos(connection)
        decide(
            workspace,
            [
                Decided(row.id, KeywordPath.of("Odd", name), Decision.ACCEPTED)
                for row, name in zip(rows, NAMES, strict=True)
            ],
        )
    with running(home) as raw, open_window(browser, raw) as window:
        page: Page = window.go(place)
        if place == "/apply":
            page.get_by_role("button", name="Show what would be written").click()
        for name in NAMES:
            expect(page.get_by_text(name, exact=True).first).to_be_visible()
            assert page.locator("bdi", has_text=name).count()
        assert page.locator("main script, main img[src=x], main b").count() == 0
        assert page.get_by_text("49", exact=True).count() == 0
