"""Coming in by a one-time link, and going out."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for

from keywright.service.access import COOKIE, SESSION_SECONDS
from keywright.service.limits import body_of
from keywright.service.pages.frame import PAGES, bridge
from keywright.service.problems import ProblemError


@PAGES.get("/login")
def log_in() -> Response:
    """Where the one-time link leads: it becomes a session, and the address without the code.

    ``next`` is a page to go to, as its name and what stands behind its ``?``; only pages of ours are gone to.
    """
    name = bridge().guard.log_in(request.args.get("code", "")[:200])
    selection = request.args.get("selection", "")
    place = url_for("pages.photos", selection=int(selection)) if selection.isdecimal() else "/"
    answer = redirect(place, 303)
    answer.set_cookie(COOKIE, name, max_age=SESSION_SECONDS, httponly=True, samesite="Strict", path="/")
    assert isinstance(answer, Response)
    return answer


@PAGES.get("/session")
def session() -> dict[str, str]:
    """The CSRF token of the session: a page that outlived a restart of the bridge asks for the new one."""
    found = bridge().guard.sessions.find(request.cookies.get(COOKIE, ""))
    if found is None:
        raise ProblemError(401, "unauthorized", "There is no session; open the page from Keywright again.")
    return {"csrf": found.csrf}


@PAGES.post("/logout")
def log_out() -> Response:
    body_of(request, 65536)
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise ProblemError(401, "unauthorized", "There is no session to end.")
    bridge().guard.sessions.close(cookie)
    text = render_template("logged_out.html", title="Logged out")
    answer = Response(text, content_type="text/html; charset=utf-8")
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer
