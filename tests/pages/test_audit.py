"""Audit: what is probably missing or wrong, decided with one key."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from keywright.store import jobs
from keywright.store.photos import list_catalogs, list_photos
from keywright_plugin.values import DecisionMade
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


def many_findings(window: Window, number: int) -> None:
    """An audit that doubts one keyword on that many photos, though the library is small."""
    workspace = window.raw.bridge.workspace
    with workspace.store.read() as connection:
        catalog = list_catalogs(connection)[0].id
        photos = [row.id for row in list_photos(connection)]
    findings = [
        {
            "doubt": "wrong" if n % 4 == 3 else "missing",
            "photos": [photos[n % len(photos)]],
            "keyword": f"Made up|Doubt {n}",
            "chance": round(0.99 - n / 1000, 4),
            "confidence": 0.5,
            "instead": None,
            "because": [[photos[(n + 1) % len(photos)], 0.9]],
        }
        for n in range(number)
    ]
    with workspace.store.write() as connection:
        job = jobs.add_job(connection, "audit", {"catalog": catalog})
        jobs.end_job(connection, job.id, jobs.JobState.COMPLETED, result={"judged": number, "findings": findings})


def test_of_many_findings_a_page_is_read_when_it_is_needed_and_none_is_missed(doubtful: Window) -> None:
    many_findings(doubtful, 160)
    page = doubtful.go("/audit")
    expect(page.locator("[data-count=missing]")).to_have_text("120")
    expect(page.locator("[data-count=wrong]")).to_have_text("40")
    expect(page.locator(".finding")).to_have_count(30)
    for n in range(25):  # 5 are left of those shown: more come by themselves
        page.keyboard.press("a")
        expect(page.locator("[data-count=missing]")).to_have_text(str(119 - n))
    expect(page.locator(".finding")).to_have_count(35)
    for shown in (65, 95):
        page.get_by_role("button", name="Show more").click()
        expect(page.locator(".finding")).to_have_count(shown)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert len(set(page.locator(".finding h2 strong").all_inner_texts())) == 95
    page.keyboard.press("w")
    expect(page.locator(".finding")).to_have_count(30)
    page.keyboard.press("m")
    expect(page.locator(".finding")).to_have_count(30)
    made = decisions(doubtful)
    missing = [f"Made up|Doubt {n}" for n in range(160) if n % 4 != 3]
    assert {one["keyword"] for one in made} == set(missing[:25])


def test_what_is_asked_for_by_every_quick_decision_comes_once(doubtful: Window) -> None:
    many_findings(doubtful, 160)
    page = doubtful.go("/audit")
    expect(page.locator(".finding")).to_have_count(30)
    held: list[Route] = []
    page.route("**/v1/audits?*after=*", lambda route: held.append(route), times=1)
    for n in range(27):  # from the 23rd on each asks for more, and the answer is slow
        page.keyboard.press("a")
        expect(page.locator("[data-count=missing]")).to_have_text(str(119 - n))
    for one in held:
        one.continue_()
    expect(page.locator(".finding")).to_have_count(33)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".finding")).to_have_count(63)


def test_an_audit_cannot_be_begun_before_it_is_known_of_what(doubtful: Window) -> None:
    page = doubtful.page
    begin = page.get_by_role("button", name="Audit", exact=True)
    could: list[bool] = []

    def asked(route: Route) -> None:
        could.append(begin.is_enabled())
        route.continue_()

    page.route("**/v1/catalogs", asked)
    doubtful.go("/audit")
    expect(begin).to_be_enabled()
    assert could == [False]


def test_a_page_of_findings_begins_where_the_one_before_ended_whatever_was_decided_between(doubtful: Window) -> None:
    many_findings(doubtful, 12)
    first = doubtful.raw.send("GET", "/v1/audits?catalog=1&doubt=missing&limit=3").json
    assert [f["keyword"] for f in first["findings"]] == [f"Made up|Doubt {n}" for n in (0, 1, 2)]
    assert (first["missing"], first["wrong"]) == (9, 3)
    one = first["findings"][0]
    doubtful.raw.client.decide([DecisionMade(one["photos"][0]["photo"], one["keyword"], "rejected")])
    second = doubtful.raw.send("GET", f"/v1/audits?catalog=1&doubt=missing&limit=3&after={first['next']}").json
    assert [f["keyword"] for f in second["findings"]] == [f"Made up|Doubt {n}" for n in (4, 5, 6)]
    assert second["missing"] == 8
    assert len(doubtful.raw.client.findings(1).findings) == 11
