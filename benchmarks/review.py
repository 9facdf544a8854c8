"""How fast the review pages are with 100,000 photos and 2,000 keywords, in a real browser on a real bridge.

    python -m benchmarks.review [--photos 100000] [--keywords 2000] [--each 10]

The store is generated: photos over twenty years in 600 folders, with as many suggestions each as said, a tenth of
the photos with keywords and decisions besides. The pictures are those of the sample library; every photo is one of its
own to Keywright, so that its thumbnail is made when it is first seen. Prints a table.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from demo.library import make_library
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert

from keywright.home import Home
from keywright.operations.workspace import Workspace
from keywright.store.decisions import decisions
from keywright.store.photos import catalog_keywords, catalogs, keywords, photo_keywords, photos
from keywright.store.suggestions import KeptState, keep_state, suggested_photos, suggestions

THOUSAND = "Animals 0|Kind 0"
"""A keyword that exactly a thousand photos wait for, each by itself."""
_ROWS = 20_000


def keyword_names(number: int) -> list[str]:
    """A tree of two levels, forty below each top."""
    tops = ["Animals", "Places", "People", "Plants", "Things"]
    return [f"{tops[n // 40 % 5]} {n // 200}|Kind {n}" for n in range(number)]


def generate(home: Home, files: list[Path], number: int, names: list[str], each: int) -> None:
    random.seed(7)
    first = datetime(2005, 1, 1, 8)
    with Workspace.open(home) as workspace, workspace.store.write() as connection:
        connection.execute(
            insert(catalogs).values(
                id=1, kind="folder", source="/photos", identity="folder:/photos", learned=True, read_at="2026-01-01"
            )
        )
        connection.execute(insert(keywords), [{"id": n + 1, "path": name} for n, name in enumerate(names)])
        connection.execute(
            insert(catalog_keywords),
            [{"catalog_id": 1, "keyword_id": n + 1, "host_id": "", "private": False} for n in range(len(names))],
        )

        def photo(n: int) -> dict[str, object]:
            return {
                "id": n + 1,
                "catalog_id": 1,
                "host_id": str(n),
                "path": str(files[n % len(files)]),
                "taken": (first + timedelta(minutes=n * 100)).isoformat(),
                "links": "",
                "content_id": hashlib.blake2b(str(n).encode(), digest_size=16).hexdigest(),
            }

        def suggested(n: int) -> Iterator[dict[str, object]]:
            if n < 1000:
                yield {"photo_id": n + 1, "keyword_id": 1, "confidence": 0.97, "sure": True, "open": True}
            for k in random.sample(range(1, len(names)), each - (n < 1000)):
                sure = random.random() < 0.6
                confidence = random.uniform(0.6, 0.99) if sure else random.uniform(0.3, 0.6)
                yield {"photo_id": n + 1, "keyword_id": k + 1, "confidence": confidence, "sure": sure, "open": True}

        for start in range(0, number, _ROWS):
            part = range(start, min(start + _ROWS, number))
            connection.execute(insert(photos), [photo(n) for n in part])
            connection.execute(insert(suggestions), [one for n in part for one in suggested(n)])
            groups = [{"photo_id": n + 1, "basis": "", "group_id": n + 1 if n < 1000 else n // 3 * 3 + 1} for n in part]
            connection.execute(insert(suggested_photos), groups)
            some = [n for n in part if n % 10 == 0]
            connection.execute(
                insert(photo_keywords), [{"photo_id": n + 1, "keyword_id": n % len(names) + 1} for n in some]
            )
            made = {"decision": "accepted", "confidence": 0.9, "version_id": 1, "decided_at": "2026-01-01"}
            connection.execute(
                insert(decisions),
                [{"photo_id": n + 2, "keyword_id": (n + 9) % len(names) + 1, **made} for n in some if n + 2 <= number],
            )
        keep_state(connection, KeptState(1, "{}"))


SEEN = """(() => {
  const host = document.querySelector("#photos");
  if (!host || host.hidden) return false;
  const box = host.getBoundingClientRect();
  const cells = [...host.querySelectorAll("[role=gridcell]")].filter((cell) => {
    const at = cell.getBoundingClientRect();
    return at.bottom > box.top && at.top < box.bottom;
  });
  return cells.length > 3 && cells.every((cell) => {
    const image = cell.querySelector("img");
    return image && image.complete && image.naturalWidth > 0;
  });
})()"""
SENT = "Object.keys(localStorage).every((name) => !name.startsWith('keywright.unsent.'))"
FRAMES = """async () => {
  const host = document.querySelector("#photos");
  const times = [];
  let before = performance.now();
  const until = before + 4000;
  while (before < until) {
    host.scrollTop += 40;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - before);
    before = now;
  }
  return times.sort((a, b) => a - b);
}"""


def waited(page: Page, act: Callable[[], object], done: str) -> float:
    """Milliseconds from an action until something is true in the page."""
    begun = time.perf_counter()
    act()
    while not page.evaluate(done):
        if time.perf_counter() - begun > 60:
            raise SystemExit("the page never showed it")
        time.sleep(0.005)
    return 1000 * (time.perf_counter() - begun)


def measure(page: Page, url: str) -> None:
    def row(what: str, value: str, aim: str = "") -> None:
        print(f"| {what} | {value} | {aim} |", flush=True)

    print("| | | aim |\n| --- | --- | --- |")
    cold = waited(page, lambda: page.goto(f"{url}/photos?order=newest"), SEEN)
    row("first grid, thumbnails not made yet", f"{cold:.0f} ms", "")
    warm = [waited(page, lambda: page.goto(f"{url}/photos?order=newest"), SEEN) for _ in range(5)]
    row("first grid, all photos", f"{statistics.median(warm):.0f} ms", "1,000 ms")
    waiting = [waited(page, lambda: page.goto(f"{url}/photos?undecided=true"), SEEN) for _ in range(5)]
    row("first grid, those that wait", f"{statistics.median(waiting):.0f} ms", "1,000 ms")
    page.goto(f"{url}/photos?order=newest")
    waited(page, lambda: None, SEEN)
    page.locator("[role=gridcell]").first.focus()
    new = [waited(page, lambda: page.keyboard.press("PageDown"), SEEN) for _ in range(12)]
    row("next page, thumbnails not made yet", f"{statistics.median(new):.0f} ms, at most {max(new):.0f}", "")
    for _ in range(12):
        waited(page, lambda: page.keyboard.press("PageUp"), SEEN)
    page.reload()
    waited(page, lambda: None, SEEN)
    page.locator("[role=gridcell]").first.focus()
    again = [waited(page, lambda: page.keyboard.press("PageDown"), SEEN) for _ in range(12)]
    row("next page", f"{statistics.median(again):.0f} ms, at most {max(again):.0f}", "300 ms")
    row("to the last photo", f"{waited(page, lambda: page.keyboard.press('End'), SEEN):.0f} ms", "")
    page.keyboard.press("Home")
    frames = page.evaluate(FRAMES)
    row(
        "a frame while scrolling for 4 s",
        f"median {frames[len(frames) // 2]:.0f} ms, 95 % within {frames[int(len(frames) * 0.95)]:.0f} ms",
        "",
    )
    first = [waited(page, lambda: page.goto(f"{url}/by-keyword?keyword=Animals+0%7CKind+0"), SEEN) for _ in range(3)]
    row("by keyword, 1,000 photos: first grid", f"{statistics.median(first):.0f} ms", "1,000 ms")
    page.get_by_role("button", name="Accept the 1,000 ticked").wait_for()
    accepted = waited(page, lambda: page.keyboard.press("a"), f"{SENT} && document.querySelector('#photos').hidden")
    row("accept 1,000 at once, until it is on the disk", f"{accepted:.0f} ms", "1,000 ms")
    undone = waited(page, lambda: page.keyboard.press("u"), f"{SENT} && !document.querySelector('#photos').hidden")
    row("undo it", f"{undone:.0f} ms", "")


def main() -> None:
    from pages.kit import CHROMIUM  # the tests' own browser and bridge
    from service.kit import running

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--keywords", type=int, default=2000)
    parser.add_argument("--each", type=int, default=10, help="suggestions of each photo")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        home, library = Home(Path(top) / "home"), Path(top) / "photos"
        make_library(library)
        files = sorted(library.rglob("*.jpg"))
        generate(home, files, chosen.photos, keyword_names(chosen.keywords), chosen.each)
        size = home.database.stat().st_size / 1e6
        told = f"{chosen.photos:,} photos, {chosen.keywords:,} keywords, {chosen.photos * chosen.each:,} suggestions"
        print(f"{told}; the store has {size:.0f} MB\n")
        with running(home.folder) as raw, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.goto(raw.client.login_link())
            measure(page, raw.connection.url)
            browser.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    main()
