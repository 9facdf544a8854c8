"""Catalogs and jobs: what Keywright was told of, learning it anew, and what runs in the background."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/catalogs")
def catalogs() -> Response:
    return page("catalogs.html", "Catalogs")
