"""The first visit: from nothing to the first suggestion in three steps."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/welcome")
def welcome() -> Response:
    return page("welcome.html", "Welcome")
