"""Models: versions side by side, activate, roll back, and versions as files."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from pages.kit import Window


def versions(window: Window) -> list[dict[str, Any]]:
    return list(window.raw.send("GET", "/v1/models/versions").json["versions"])


def active(window: Window) -> int:
    return next(int(one["id"]) for one in versions(window) if one["active"])


def with_two_versions(window: Window) -> Page:
    """A photo more of a keyword, and a training: there are two versions then."""
    page = window.go("/models")
    expect(page.locator("#versions tr")).to_have_count(1)
    bare = window.raw.send("GET", "/v1/review/photos?undecided=true").json["photos"][:3]
    made = [{"photo": one, "keyword": "Animals|Cat", "decision": "rejected"} for one in bare]
    window.raw.send("POST", "/v1/decisions", {"decisions": made}, headers={"Idempotency-Key": "two versions"})
    page.get_by_role("button", name="Train now").click()
    # The decisions were learned at once, as a version of their own; whether the training makes another depends on that.
    expect(page.locator(".message.good")).to_be_visible(timeout=120_000)
    page.reload()
    expect(page.locator("#versions tr").nth(1)).to_be_visible()
    return page


def test_two_versions_stand_side_by_side_and_one_is_rolled_back(window: Window) -> None:
    page = with_two_versions(window)
    first = active(window)
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_role("img", name="Calibration of version")).to_have_count(2)
    window.check_accessible()
    page.keyboard.press("b")
    page.get_by_role("button", name="Roll back").last.click()
    expect(page.locator(".message.good")).to_contain_text("suggests again")
    assert active(window) != first
    page.get_by_role("button", name=f"Activate version {first}").click()
    expect(page.locator(".message.good").last).to_contain_text(f"Version {first} suggests now")
    assert active(window) == first


def test_no_bar_of_the_accuracy_covers_another(window: Window) -> None:
    page = with_two_versions(window)
    bars = page.get_by_role("img", name="Accuracy").locator("rect")
    expect(bars.nth(2)).to_be_visible()
    places = sorted((box["y"], box["height"]) for box in (bar.bounding_box() for bar in bars.all()) if box is not None)
    assert len(places) > 2
    assert all(top + height <= below for (top, height), (below, _) in itertools.pairwise(places))


def test_an_old_version_is_removed_once_a_person_has_said_yes(window: Window) -> None:
    page = with_two_versions(window)
    kept = active(window)
    old = next(int(one["id"]) for one in versions(window) if one["id"] != kept)
    number = len(versions(window))
    expect(page.get_by_role("button", name=f"Remove version {kept}")).to_have_count(0)
    page.get_by_role("button", name=f"Remove version {old}").click()
    expect(page.get_by_role("dialog")).to_contain_text("cannot be brought back")
    page.keyboard.press("Enter")  # what is chosen beforehand removes nothing
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(versions(window)) == number
    page.get_by_role("button", name=f"Remove version {old}").click()
    page.get_by_role("button", name="Remove", exact=True).last.click()
    expect(page.locator(".message.good").last).to_contain_text(f"Version {old} was removed")
    assert old not in {one["id"] for one in versions(window)}
    assert active(window) == kept


def test_a_version_goes_out_and_comes_in_as_a_file(window: Window, tmp_path: Path) -> None:
    page = window.go("/models")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export version 1").click()
    file = tmp_path / "kept.models"
    download.value.save_as(file)
    assert file.stat().st_size > 1000
    page.locator("#import").set_input_files(file)
    expect(page.locator(".message.good")).to_contain_text("which is here already")


def test_a_file_that_is_no_version_is_one_sentence(window: Window, tmp_path: Path) -> None:
    page = window.go("/models")
    (tmp_path / "photo.jpg").write_bytes(b"no models")
    page.locator("#import").set_input_files(tmp_path / "photo.jpg")
    expect(page.locator(".message.bad")).to_be_visible()
    expect(page.locator("#versions tr")).to_have_count(1)
    window.errors.clear()  # the browser itself notes the refusal


def test_the_encoder_is_changed_on_the_page_and_the_change_taken_back(window: Window) -> None:
    page = window.go("/models")
    fast, standard = (
        page.locator("#encoders tr", has=page.get_by_role("rowheader", name=n)) for n in ("fast", "stand")
    )
    expect(fast).to_contain_text("in use")
    expect(fast).to_contain_text("1,280")
    expect(page.get_by_role("button", name="Take the change back")).to_be_disabled()
    page.get_by_role("button", name="Change to standard").click()
    expect(page.get_by_role("dialog")).to_contain_text("All photos are embedded again")
    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".message")).to_contain_text("in use", timeout=300_000)
    again = page.get_by_role("button", name="Change all the same")
    if again.count():  # where it is not better by leave-one-out
        again.click()
    expect(standard).to_contain_text("in use", timeout=300_000)
    window.check_accessible()
    page.get_by_role("button", name="Take the change back").click()
    expect(page.locator(".message").last).to_contain_text("is in use again, with version 1.")
    expect(fast).to_contain_text("in use")
    assert active(window) == 1
