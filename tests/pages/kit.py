"""What the tests of the pages are made with: a window of a browser that is logged in, and what it is held to."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from service.kit import Raw

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).resolve().parents[2] / ".tools" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)  # on a busy machine a job's worker takes seconds to start


@dataclass
class Window:
    """One window. ``errors`` is what its console complained of; a test that ends with any fails."""

    page: Page
    context: BrowserContext
    raw: Raw
    errors: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.raw.connection.url + path)
        return self.page

    def check_accessible(self) -> None:
        """axe-core finds nothing to complain of on the page as it is now."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed (npm install --prefix .tools axe-core)")
        # Evaluated as the developer tools do it: the page's own rules let no script of others in.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: Any = self.page.evaluate("async () => (await axe.run(document)).violations")
        told = [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
        assert not told, "\n".join(told)

    def has_no_sideways_scrolling(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@contextmanager
def open_window(
    browser: Browser,
    raw: Raw,
    *,
    width: int = 1280,
    height: int = 800,
    colours: Literal["light", "dark"] = "light",
    log_in: bool = True,
) -> Iterator[Window]:
    """A window of its own (no cookie is shared with others), logged in by a one-time link."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=colours, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    window = Window(page, context, raw)
    watch(page, window.errors)
    if log_in:
        page.goto(raw.client.login_link())
    try:
        yield window
    finally:
        context.close()
    assert not window.errors, window.errors


def until(page: Page, expression: str) -> None:
    """Wait until a condition holds in the page. (Playwright's own waiting makes code of a text, which the pages' rules
    forbid; what is evaluated as the developer tools do it is not.)"""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never came true: {expression}"
        page.wait_for_timeout(30)


def settled(page: Page) -> None:
    """All decisions of the page are on the bridge's disk."""
    until(page, "Object.keys(localStorage).every((name) => !name.startsWith('keywright.unsent.'))")


def kept(raw: Raw) -> dict[tuple[str, str], str]:
    """What the bridge has kept: (file, keyword) to decision."""
    found = {}
    for one in raw.send("GET", "/v1/decisions?limit=1000").json["decisions"]:
        path = raw.send("GET", f"/v1/photos/{one['photo']}").json["path"]
        found[(re.split(r"[\\/]", path)[-1], one["keyword"])] = one["decision"]
    return found


def watch(page: Page, errors: list[str]) -> None:
    """Note everything the page's console complains of."""

    def told(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", told)
    page.on("pageerror", lambda error: errors.append(str(error)))
