"""Teach: one question after another, each on the photo whose answer teaches most."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/teach")
def teach() -> Response:
    return page("teach.html", "Teach")
