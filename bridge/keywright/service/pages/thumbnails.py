"""Small pictures of photos for the pages. Only of photos in catalogs, by their number; the bridge serves no files."""

from __future__ import annotations

from flask import Response, request

from keywright.errors import KeywrightError
from keywright.operations.registering import NotFoundError
from keywright.service.pages.frame import PAGES, bridge

_NONE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90" fill="none" stroke="#808078" stroke-width="2">'
    '<rect x="36" y="24" width="48" height="40" rx="3"/><path d="M38 60l14-16 10 11 8-7 12 12"/>'
    '<path d="M32 20l56 50"/>'
    "</svg>"
)


@PAGES.get("/thumbnails/<id:photo>/<any(small, large):size>")
def thumbnail(photo: int, size: str) -> Response:
    """``?v=`` is the picture's own name (``picture`` in the API), so the browser may keep what it got for ever."""
    from keywright.operations.thumbnails import Side

    try:
        jpeg = bridge().thumbnails.jpeg(photo, Side[size.upper()])
    except NotFoundError:
        raise
    except KeywrightError:
        # No error: the page says in words why there is no picture; this is what stands in its place.
        return Response(_NONE, content_type="image/svg+xml")
    answer = Response(jpeg, content_type="image/jpeg")
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable" if request.args.get("v") else "no-store"
    return answer
