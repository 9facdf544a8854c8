"""Keywords: the tree, how good each model is, and the threshold it is suggested from."""

from __future__ import annotations

from flask import Response

from keywright.service.pages.frame import PAGES, page


@PAGES.get("/keywords")
def keywords() -> Response:
    return page("keywords.html", "Keywords")
