"""Screenshots of the review pages for the docs: ``python -m benchmarks.review_pictures [PAGE...]``.

Makes a library of photographs, learns it, opens every page in Chromium, and writes ``docs/images/review-PAGE-….png`` in
light and dark and in two widths. A page may be prepared by a function here, so that the picture shows it at work.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from demo.library import make_library
from playwright.sync_api import Page, sync_playwright

from keywright.home import Home
from keywright.operations.learning import learn
from keywright.operations.registering import add_catalog
from keywright.operations.workspace import Workspace

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZES: Mapping[str, tuple[int, int]] = {"wide": (1280, 800), "narrow": (390, 844)}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def wait_for_pictures(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => null)))")


PAGES: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "photos": ("/photos", wait_for_pictures),
    "by-keyword": ("/by-keyword", wait_for_pictures),
    "apply": ("/apply", wait_for_pictures),
    "welcome": ("/welcome", wait_for_pictures),
}
"""Each page's name in the file names: its address, and what is done before the picture is taken."""


def main() -> None:
    from pages.kit import CHROMIUM  # the tests' own window
    from service.kit import running

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(PAGES)}; all without any")
    chosen = parser.parse_args().pages or list(PAGES)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home, library = Path(folder) / "home", Path(folder) / "Pictures"
        make_library(library)
        with Workspace.open(Home(home)) as workspace:
            add_catalog(workspace, str(library), {})
            learn(workspace, [str(library)])
        with running(home) as raw, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for colours in COLOURS:
                for size, (width, height) in SIZES.items():
                    context = browser.new_context(
                        viewport={"width": width, "height": height}, color_scheme=colours, reduced_motion="reduce"
                    )
                    page = context.new_page()
                    page.goto(raw.client.login_link())
                    for name in chosen:
                        address, prepare = PAGES[name]
                        page.goto(raw.connection.url + address)
                        prepare(page)
                        page.screenshot(path=IMAGES / f"review-{name}-{size}-{colours}.png")
                    context.close()
            browser.close()


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    main()
