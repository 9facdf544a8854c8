"""Search: by words and by example photos, and a new keyword made of what was found."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/search")
def search() -> Response:
    return page("search.html", "Search")
