"""The pages' own files: styles, scripts and the icon, each with the media type it has on every system."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory

from keywright.service.pages.frame import PAGES
from keywright.service.problems import not_found

_FOLDER = Path(__file__).parent / "static"
# Windows asks its registry what a .js file is, and may be told that it is plain text, which no browser runs.
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@PAGES.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """Checked by the browser each time it is needed, and sent again only where it has changed."""
    media = _MEDIA.get(Path(name).suffix)
    if media is None:
        raise not_found(f"There is no file {name}.")
    return send_from_directory(_FOLDER, name, mimetype=media)
