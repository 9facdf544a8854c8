"""Screenshots of the review pages for the docs: ``python -m benchmarks.review_pictures [PAGE...]``.

Makes a library of photographs, learns it, opens pages in Chromium, and writes those ``docs/images/review-PAGE-….webp``
that the docs link, each in the width and the colours that its name says. A page may be prepared by a function here, so
that the picture shows it at work. All ten take half a minute of processor time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from keywright.home import Home
from keywright.operations.learning import learn
from keywright.operations.refreshing import refresh
from keywright.operations.registering import add_catalog
from keywright.operations.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZES: Mapping[str, tuple[int, int]] = {"wide": (1280, 800), "narrow": (390, 844)}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def linked() -> list[str]:
    """The names of the pictures of pages that the docs show: ``review-PAGE-WIDTH-COLOURS``."""
    pages = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    found = (re.findall(r"images/(review-[\w-]+)\.webp", page.read_text(encoding="utf-8")) for page in pages)
    return sorted({name for names in found for name in names})


@contextlib.contextmanager
def home_of_maria() -> Iterator[Path]:
    """A folder of the same name each time, since pages show the paths of photos; it is gone afterwards.

    Raises ``FileExistsError`` where somebody has such a folder.
    """
    homes = Path("/home")
    made = (homes if os.access(homes, os.W_OK) else Path(tempfile.gettempdir())) / "maria"
    made.mkdir()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def keep(screenshot: bytes, file: Path) -> None:
    """As WebP: to the eye the same, at a quarter of the size of a PNG."""
    with Image.open(io.BytesIO(screenshot)) as picture:
        picture.convert("RGB").save(file, "WEBP", quality=90, method=6)


def wait_for_pictures(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    # A picture below the window is not fetched, so it would be waited for without end.
    page.evaluate(
        """Promise.all([...document.images].filter((image) => image.getBoundingClientRect().top < innerHeight)
        .map((image) => image.decode().catch(() => null)))"""
    )


def photos(page: Page) -> None:
    """One photo decided, another one's suggestion explained."""
    wait_for_pictures(page)
    page.get_by_role("gridcell").nth(2).get_by_role("button", name="Accept").last.click()
    page.get_by_role("gridcell").nth(1).get_by_role("button", name="Reject").last.click()
    page.get_by_role("gridcell").first.get_by_role("button", name="Accept").nth(1).hover()
    page.get_by_role("tooltip").wait_for()
    wait_for_pictures(page)


def by_keyword(page: Page) -> None:
    wait_for_pictures(page)
    page.get_by_role("gridcell").nth(1).click()


def apply(page: Page) -> None:
    page.get_by_role("button", name="Show what would be written").click()
    page.get_by_role("heading", name="would get keywords").wait_for(timeout=120_000)


def teach(page: Page) -> None:
    page.locator("#question h2 strong").wait_for(timeout=120_000)
    wait_for_pictures(page)


def audit(page: Page) -> None:
    """Audited for the first picture; the others find it done."""
    page.get_by_role("button", name="Audit").first.click()
    page.get_by_role("button", name="Audit again").wait_for(timeout=120_000)
    page.locator(".finding").first.wait_for()
    wait_for_pictures(page)


def search(page: Page) -> None:
    """Two of what was found are chosen."""
    page.locator(".result").first.wait_for(timeout=120_000)
    wait_for_pictures(page)
    for place in (0, 1):
        if page.locator(".result").nth(place).get_attribute("aria-selected") == "false":
            page.locator(".result").nth(place).click()


def keywords(page: Page) -> None:
    page.locator(".preview img").first.wait_for(timeout=120_000)
    wait_for_pictures(page)


def models(page: Page) -> None:
    page.get_by_role("img", name="Calibration").first.wait_for(timeout=120_000)


def catalogs(page: Page) -> None:
    page.locator(".catalog").first.wait_for()
    wait_for_pictures(page)


PAGES: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "photos": ("/photos", photos),
    "by-keyword": ("/by-keyword", by_keyword),
    "apply": ("/apply", apply),
    "teach": ("/teach", teach),
    "audit": ("/audit", audit),
    "search": ("/search?text=cat", search),
    "keywords": ("/keywords?keyword=Animals%7CCat", keywords),
    "models": ("/models", models),
    "catalogs": ("/catalogs", catalogs),
    "welcome": ("/welcome", wait_for_pictures),
}
"""Each page's name in the file names: its address, and what is done before the picture is taken."""


def main() -> None:
    from pages.doubtful import make_doubtful_library  # the tests' own library and window
    from pages.kit import CHROMIUM
    from service.kit import running

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(PAGES)}; all without any")
    parser.add_argument("--to", type=Path, default=IMAGES, metavar="FOLDER", help="instead of docs/images")
    asked = parser.parse_args()
    chosen = asked.pages or list(PAGES)
    wanted = linked()
    asked.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, home_of_maria() as maria:
        library = maria / "Pictures"
        make_doubtful_library(library)
        (library / "Lightroom").mkdir()
        (library / "Lightroom" / "Weddings and travels.lrcat").touch()
        os.environ["XDG_PICTURES_DIR"] = str(library)  # what the first steps find
        with Workspace.open(Home(Path(home))) as workspace:
            add_catalog(workspace, str(library), {})
            learn(workspace, [str(library)])
            refresh(workspace)
        with running(Path(home)) as raw, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for colours, (size, (width, height)) in itertools.product(COLOURS, SIZES.items()):
                named = {f"review-{one}-{size}-{colours}": PAGES[one] for one in chosen}
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=colours, reduced_motion="reduce"
                )
                page = context.new_page()
                page.goto(raw.client.login_link())
                for name in [name for name in named if name in wanted]:
                    address, prepare = named[name]
                    page.goto(raw.connection.url + address)
                    prepare(page)
                    keep(page.screenshot(), asked.to / f"{name}.webp")
                context.close()
            browser.close()


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    main()
