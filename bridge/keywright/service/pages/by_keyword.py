"""By keyword: all photos suggested for one keyword, surest first."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/by-keyword")
def by_keyword() -> Response:
    return page("by_keyword.html", "By keyword")
