"""Apply: what will be written where, writing it, and taking it back."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, bridge, page


@PAGES.get("/apply")
def apply() -> Response:
    return page("apply.html", "Apply", sidecars=bridge().config.files.sidecars)
