"""Models: versions side by side, and which of them suggests."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/models")
def models() -> Response:
    return page("models.html", "Models")
