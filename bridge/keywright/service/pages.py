"""The pages for the browser: the login link, and a first page from which the session is ended."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, request
from markupsafe import Markup

from keywright import __version__
from keywright.service.access import COOKIE, CSRF_FIELD, SESSION_SECONDS
from keywright.service.bridge import Bridge
from keywright.service.limits import body_of
from keywright.service.problems import ProblemError

PAGES = Blueprint("pages", __name__)

_PAGE = Markup(
    "<!doctype html>\n<html lang=en><meta charset=utf-8><title>Keywright</title>\n"
    "<h1>Keywright {version}</h1><p>The bridge is running. You can close this page.\n"
    '<form method=post action="/logout"><input type=hidden name={field} value="{csrf}">'
    "<button>Log out</button></form>\n"
)


def _bridge() -> Bridge:
    bridge = current_app.extensions["keywright"]
    assert isinstance(bridge, Bridge)
    return bridge


@PAGES.get("/login")
def log_in() -> Response:
    """Where the one-time link leads: it becomes a session, and the address without the code."""
    name = _bridge().guard.log_in(request.args.get("code", "")[:200])
    answer = redirect("/", 303)
    answer.set_cookie(COOKIE, name, max_age=SESSION_SECONDS, httponly=True, samesite="Strict", path="/")
    assert isinstance(answer, Response)
    return answer


@PAGES.get("/")
def home() -> Response:
    session = _bridge().guard.sessions.find(request.cookies.get(COOKIE, ""))
    csrf = session.csrf if session is not None else ""
    return Response(
        _PAGE.format(version=__version__, field=CSRF_FIELD, csrf=csrf), content_type="text/html; charset=utf-8"
    )


@PAGES.post("/logout")
def log_out() -> Response:
    body_of(request, 65536)
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise ProblemError(401, "unauthorized", "There is no session to end.")
    _bridge().guard.sessions.close(cookie)
    answer = Response("Logged out.\n", content_type="text/plain; charset=utf-8")
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer
