"""By photo: every photo with its keywords and suggestions."""

from __future__ import annotations

from flask import Response, redirect, url_for

from keywright.service.pages.frame import PAGES, bridge, page


@PAGES.get("/")
def home() -> Response:
    """The photos; without any catalog, the first steps."""
    from keywright.operations.registering import catalogs

    place = "pages.photos" if catalogs(bridge().workspace) else "pages.welcome"
    answer = redirect(url_for(place), 303)
    assert isinstance(answer, Response)
    return answer


@PAGES.get("/photos")
def photos() -> Response:
    return page("photos.html", "Photos")
