"""The review pages: what a person sees in the browser, one file for each.

``docs/review-development.md`` says how to add one.
"""

from keywright.service.pages import (
    apply,
    audit,
    by_keyword,
    catalogs,
    files,
    keywords,
    models,
    photos,
    search,
    session,
    teach,
    thumbnails,
    welcome,
)
from keywright.service.pages.frame import OPEN, PAGES

__all__ = [
    "OPEN",
    "PAGES",
    "apply",
    "audit",
    "by_keyword",
    "catalogs",
    "files",
    "keywords",
    "models",
    "photos",
    "search",
    "session",
    "teach",
    "thumbnails",
    "welcome",
]
