"""Audit: keywords of a catalog that are probably missing or wrong, decided one by one."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/audit")
def audit() -> Response:
    return page("audit.html", "Audit")
