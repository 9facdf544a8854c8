"""What every page has: the blueprint, the navigation, and how a template becomes an answer.

A page is a template and a module of script. What it shows it asks of the API, as any other front-end does; nothing is
written into the page but its title and the session's CSRF token.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, render_template, request

from keywright import __version__
from keywright.service.access import COOKIE, CSRF_FIELD
from keywright.service.bridge import Bridge
from keywright.service.problems import MEDIA_TYPE

PAGES = Blueprint("pages", __name__, template_folder="templates")

OPEN = frozenset({"pages.log_in", "pages.static_file"})
"""What is answered without a session: the login link, and the look of the page that says there is none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation."""

    endpoint: str
    label: str
    group: str
    hint: str


NAVIGATION = (
    Entry("pages.photos", "Photos", "Review", "Suggestions photo by photo"),
    Entry("pages.by_keyword", "By keyword", "Review", "All photos suggested for one keyword"),
    Entry("pages.teach", "Teach", "Review", "The photos whose answer teaches most"),
    Entry("pages.audit", "Audit", "Review", "Keywords that are probably missing or wrong"),
    Entry("pages.apply", "Apply", "Review", "Write what was accepted, and take it back"),
    Entry("pages.search", "Search", "Library", "Find photos by words or by example"),
    Entry("pages.keywords", "Keywords", "Library", "The keyword tree and its models"),
    Entry("pages.models", "Models", "Library", "Model versions side by side"),
    Entry("pages.catalogs", "Catalogs", "Library", "Catalogs and jobs"),
)
"""In the order of the keys 1 to 9 after ``g``. An entry is shown once its page is there."""


def bridge() -> Bridge:
    found = current_app.extensions["keywright"]
    assert isinstance(found, Bridge)
    return found


def page(template: str, title: str, **values: object) -> Response:
    """A page for the session at hand. ``template`` extends ``base.html``; ``title`` stands in the window's title."""
    session = bridge().guard.sessions.find(request.cookies.get(COOKIE, ""))
    text = render_template(
        template,
        title=title,
        csrf=session.csrf if session is not None else "",
        csrf_field=CSRF_FIELD,
        navigation=[entry for entry in NAVIGATION if entry.endpoint in current_app.view_functions],
        here=request.endpoint,
        version=__version__,
        **values,
    )
    return Response(text, content_type="text/html; charset=utf-8")


@PAGES.after_app_request
def problems_as_pages(answer: Response) -> Response:
    """Who opened an address in a browser and is refused reads a page, not JSON."""
    wants = request.accept_mimetypes.best_match(["application/json", "text/html"], default="application/json")
    if answer.mimetype != MEDIA_TYPE or wants != "text/html" or request.method != "GET":
        return answer
    told = answer.get_json()
    text = render_template("problem.html", title=told["title"], detail=told["detail"], status=answer.status_code)
    answer.set_data(text)
    answer.content_type = "text/html; charset=utf-8"
    return answer
