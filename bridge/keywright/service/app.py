"""The Flask application of one bridge: access first, then the endpoints; every answer has the headers for safety."""

from __future__ import annotations

from flask import Flask, Response, request

from keywright.service import problems
from keywright.service.api import GROUPS
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Endpoint, IdConverter
from keywright.service.pages import OPEN, PAGES

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def endpoints() -> list[Endpoint]:
    """Every endpoint of the API, in the order of the groups."""
    return [one for group in GROUPS for one, _ in group.endpoints]


def create_app(bridge: Bridge) -> Flask:
    app = Flask("keywright.service", static_folder=None)
    app.extensions["keywright"] = bridge
    app.config["MAX_CONTENT_LENGTH"] = None  # each endpoint has its own limit, waitress one for all
    app.config["MAX_FORM_MEMORY_SIZE"] = 65536
    app.config["MAX_FORM_PARTS"] = 50
    app.url_map.converters["id"] = IdConverter
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    for group in GROUPS:
        group.install(app)
    app.register_blueprint(PAGES)
    open_to_all = {f"{group.name}.{one.name}" for group in GROUPS for one, _ in group.endpoints if one.open}
    open_to_all |= OPEN

    @app.before_request
    def let_in() -> None:
        bridge.guard.check_place(request)
        if request.endpoint not in open_to_all:
            bridge.guard.check_caller(request)

    @app.after_request
    def keep_safe(response: Response) -> Response:
        for name, value in SAFE_HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")  # the pages' own files are kept, and asked about
        return response

    problems.install(app)
    return app
