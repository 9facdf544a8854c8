"""An endpoint is declared once: its address, what it takes, what it gives. Validation, answers and the OpenAPI
document are made from that one declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, request
from pydantic import BaseModel
from werkzeug.routing import BaseConverter, ValidationError

from keywright.service import limits
from keywright.service.problems import ProblemError

IDEMPOTENCY_HEADER = "Idempotency-Key"
_KEY_LENGTH = range(8, 201)
PREFIX = "/v1"
FILE = "application/octet-stream"


class IdConverter(BaseConverter):
    """``<id:photo>``: a whole number from 1 to what JSON keeps exactly."""

    regex = r"[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > limits.MOST_ID:
            raise ValidationError
        return number


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address."""

    method: str
    rule: str  # Flask's, with the prefix
    name: str
    summary: str
    group: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    idempotent: bool  # takes an Idempotency-Key
    picture: bool  # takes a JPEG
    file: int  # takes a file of at most so many bytes; 0: none
    streams: str | None  # media type of the answer where it is a stream
    open: bool  # needs no token


class Group:
    """Endpoints that belong together, as a list until the application takes them up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.endpoints: list[tuple[Endpoint, Callable[..., Any]]] = []

    def endpoint(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        status: int = 200,
        idempotent: bool = False,
        picture: bool = False,
        file: int = 0,
        streams: str | None = None,
        open: bool = False,
        prefix: str = PREFIX,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the decorated function as an endpoint.

        It is called with the ``Bridge`` and by keyword what it declares: ``body``, ``query``, ``key`` (idempotent),
        ``jpeg`` (picture), ``data`` (file) and what stands in the path; it gives an ``answer`` (or a ``Response``).
        """

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            one = Endpoint(
                method,
                prefix + path,
                function.__name__,
                summary,
                self.name,
                body,
                query,
                answer,
                status,
                idempotent,
                picture,
                file,
                streams,
                open,
            )
            self.endpoints.append((one, function))
            return function

        return declare

    def install(self, app: Flask) -> None:
        for one, function in self.endpoints:
            app.add_url_rule(
                one.rule,
                f"{self.name}.{one.name}",
                _view(one, function),
                methods=[one.method],
                provide_automatic_options=False,
            )


def _view(one: Endpoint, function: Callable[..., Any]) -> Callable[..., Response]:
    def view(**path: Any) -> Response:
        given = dict(path)
        if one.query is not None:
            given["query"] = one.query.model_validate(_query())
        elif request.args:
            raise ProblemError(422, "invalid", f"This address takes no {next(iter(request.args))} behind its ?.")
        if one.body is not None:
            given["body"] = one.body.model_validate_json(_json())
        if one.picture:
            given["jpeg"] = _jpeg()
        if one.file:
            given["data"] = _file(one.file)
        if one.idempotent:
            given["key"] = _key()
        answer = function(current_app.extensions["keywright"], **given)
        if isinstance(answer, Response):
            return answer
        return Response(answer.model_dump_json(), status=one.status, content_type="application/json")

    return view


def _query() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise ProblemError(422, "invalid", f"{name} is given {len(values)} times; give it once.")
        found[name] = values[0]
    return found


def _json() -> bytes:
    if request.mimetype != "application/json":
        raise ProblemError(415, "unsupported-media-type", "Send the request as application/json.")
    return limits.body_of(request, limits.MOST_JSON_BYTES)


def _jpeg() -> bytes:
    if request.mimetype != "image/jpeg":
        raise ProblemError(415, "unsupported-media-type", "Send the rendition as image/jpeg.")
    data = limits.body_of(request, limits.MOST_PICTURE_BYTES)
    limits.check_jpeg(data)
    return data


def _file(most: int) -> bytes:
    if request.mimetype != FILE:
        raise ProblemError(415, "unsupported-media-type", f"Send the file as {FILE}.")
    return limits.body_of(request, most)


def _key() -> str:
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if len(key) not in _KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise ProblemError(
            400,
            "idempotency-key",
            f"Send an {IDEMPOTENCY_HEADER} of 8 to 200 letters and digits, new for every request.",
        )
    return key
