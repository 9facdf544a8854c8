"""Pages in a real browser: a bridge that listens, Chromium, and a window that forgives no error in its console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pages.doubtful import make_doubtful_library
from pages.kit import CHROMIUM, Window, open_window
from service.conftest import Learned, learn_library, running_on_copy
from service.kit import Raw, running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def learned_home(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A home that has learned the sample library, made once; and the library."""
    return learn_library(tmp_path_factory.mktemp("reviewed"), lists=True)


@pytest.fixture(scope="session")
def doubtful_home(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A home that has learned a library with keywords forgotten and misplaced, made once."""
    return learn_library(tmp_path_factory.mktemp("doubtful"), make_doubtful_library)


@pytest.fixture
def doubtful(browser: Browser, doubtful_home: Learned, tmp_path: Path) -> Iterator[Window]:
    """A window on a bridge that has learned that library."""
    with running_on_copy(doubtful_home.home, tmp_path) as bridge, open_window(browser, bridge) as found:
        yield found


@pytest.fixture
def learned(learned_home: Learned, tmp_path: Path) -> Iterator[Raw]:
    """A bridge on a copy of that home; the library itself is shared, so nothing may be written into it."""
    with running_on_copy(learned_home.home, tmp_path) as found:
        yield found


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Raw]:
    """A bridge that knows nothing yet."""
    with running(tmp_path / "home") as found:
        yield found


@pytest.fixture
def window(browser: Browser, learned: Raw) -> Iterator[Window]:
    """A window of 1280 pixels, logged in to the bridge that has learned."""
    with open_window(browser, learned) as found:
        yield found


@pytest.fixture
def narrow(browser: Browser, learned: Raw) -> Iterator[Window]:
    """The same, as wide as a telephone."""
    with open_window(browser, learned, width=390, height=844) as found:
        yield found


@pytest.fixture
def page(window: Window) -> Page:
    return window.page
