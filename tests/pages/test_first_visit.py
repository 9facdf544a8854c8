"""Without any catalog three steps lead to the first suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from keywright.catalogs.base import CatalogKind
from keywright.operations.places import known_places
from pages.kit import open_window
from service.conftest import Learned
from service.kit import Raw


@pytest.fixture
def small_library(learned_home: Learned, tmp_path: Path) -> Path:
    """Some of the sample library, small enough to be learned while somebody waits."""
    import shutil

    for name in ("2023/At home", "2021/Sky"):
        shutil.copytree(learned_home.library / name, tmp_path / "library" / name)
    return tmp_path / "library"


def test_a_first_visit_leads_to_the_first_suggestion_by_the_keyboard_alone(
    browser: Browser, empty: Raw, small_library: Path
) -> None:
    with open_window(browser, empty) as window:
        page = window.page  # the login link led here: there is no catalog yet
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        window.check_accessible()
        page.get_by_role("textbox", name="Catalog or folder").focus()
        page.keyboard.type(str(small_library))
        page.keyboard.press("Enter")
        expect(page.get_by_role("progressbar").first).to_be_visible()
        expect(page.get_by_text("Learned")).to_be_visible(timeout=90_000)
        expect(page.get_by_text("with suggestions")).to_be_visible(timeout=60_000)
        window.check_accessible()
        review = page.get_by_role("link", name="Review them")
        expect(review).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Accept").first).to_be_visible()


def test_a_folder_that_is_none_is_said_and_the_first_step_stays(browser: Browser, empty: Raw) -> None:
    with open_window(browser, empty, width=390) as window:
        page = window.page
        page.get_by_role("textbox", name="Catalog or folder").fill("/no/such/folder")
        page.get_by_role("button", name="Learn from it").click()
        expect(page.get_by_text("/no/such/folder").last).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="Choose what to learn")).to_have_attribute(
            "aria-current", "step"
        )
        window.errors.clear()  # the browser notes the refusal


def test_catalogs_are_found_where_their_programs_put_them(tmp_path: Path) -> None:
    (tmp_path / "Lightroom" / "Old Previews.lrdata").mkdir(parents=True)
    (tmp_path / "Lightroom" / "Old Previews.lrdata" / "no.lrcat").touch()
    (tmp_path / "Lightroom" / "Mine.lrcat").touch()
    (tmp_path / "digikam4.db").touch()
    (tmp_path / "one.jpg").touch()
    found = [(place.kind, Path(place.source).name) for place in known_places(tmp_path)]
    assert found == [
        (CatalogKind.LIGHTROOM, "Mine.lrcat"),
        (CatalogKind.DIGIKAM, "digikam4.db"),
        (CatalogKind.FOLDER, tmp_path.name),
    ]


def test_no_pictures_no_places(tmp_path: Path) -> None:
    assert known_places(tmp_path / "nothing here") == []
