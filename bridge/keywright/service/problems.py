"""Errors as problem details (RFC 9457): ``detail`` is one sentence for a person, ``type`` tells programs what it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus

from flask import Flask, Response, json
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from keywright.errors import KeywrightError
from keywright.operations.registering import NotFoundError, OutsideError
from keywright.service.searcher import SearchError
from keywright.store.answers import KeyUsedError
from keywright.store.database import StoreError
from keywright.store.jobs import JobStateError, NoJobError
from keywright.text import printable
from keywright.writeback import BusyError

MEDIA_TYPE = "application/problem+json"
_SHOWN = 20  # faults of one request that are listed

log = logging.getLogger(__name__)


class ProblemError(KeywrightError):
    """A request that is refused, with HTTP's status and a short name for programs."""

    def __init__(
        self, status: int, kind: str, detail: str, errors: Sequence[str] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.errors = tuple(errors)
        self.headers = headers or {}


def not_found(detail: str) -> ProblemError:
    return ProblemError(404, "not-found", detail)


def problem(status: int, kind: str, detail: str, errors: Sequence[str] = ()) -> Response:
    body = {
        "type": f"urn:keywright:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": printable(detail),
    }
    if errors:
        body["errors"] = list(errors)
    return Response(json.dumps(body), status=status, content_type=MEDIA_TYPE)


def install(app: Flask) -> None:
    """Let every error that leaves a request be a problem."""
    app.register_error_handler(ProblemError, _refused)
    app.register_error_handler(KeywrightError, _failed)
    app.register_error_handler(ValidationError, _invalid)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _refused(error: ProblemError) -> Response:
    answer = problem(error.status, error.kind, str(error), error.errors)
    answer.headers.update(error.headers)
    return answer


_STATUS: tuple[tuple[type[KeywrightError], int, str], ...] = (
    (NotFoundError, 404, "not-found"),
    (OutsideError, 403, "outside"),
    (NoJobError, 404, "not-found"),
    (JobStateError, 409, "job-state"),
    (KeyUsedError, 409, "idempotency-key-used"),
    (BusyError, 409, "busy"),
    (StoreError, 503, "store"),
    (SearchError, 503, "search"),
)


def _failed(error: KeywrightError) -> Response:
    for family, status, kind in _STATUS:
        if isinstance(error, family):
            return problem(status, kind, str(error))
    return problem(422, "cannot-be-done", str(error))


def _invalid(error: ValidationError) -> Response:
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'the request'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    broken = any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False, include_context=False))
    status, kind = (400, "malformed") if broken else (422, "invalid")
    return problem(status, kind, f"The request is not as the API describes it: {faults[0]}{more}.", faults[:_SHOWN])


_SENTENCES = {
    404: "There is nothing at this address; GET /v1/openapi.json describes what there is.",
    405: "This address does not take this method; GET /v1/openapi.json describes what it takes.",
    413: "The request is larger than the bridge takes.",
}


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    detail = _SENTENCES.get(status, error.description or HTTPStatus(status).phrase)
    answer = problem(status, HTTPStatus(status).phrase.lower().replace(" ", "-"), detail)
    if status == 405:
        answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer


def _bug(error: Exception) -> Response:
    # Anything that is no KeywrightError is a bug: the log has where, the user an honest sentence.
    log.error("A request failed in a way nobody thought of", exc_info=error)
    return problem(500, "bug", "Something went wrong inside Keywright; its log says where, please report it.")
