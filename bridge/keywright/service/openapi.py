"""The OpenAPI 3.1 document, made from the endpoints and the models that validate them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from keywright import __version__
from keywright.service.endpoint import FILE, IDEMPOTENCY_HEADER, Endpoint
from keywright.service.limits import MOST_ID
from keywright.service.messages.base import Problem
from keywright.service.problems import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
_EXPLAINED = {
    400: "The request is malformed.",
    401: "No token or session, or a wrong one.",
    403: "From another host or page, or without the CSRF token.",
    404: "What the address names is not there.",
    405: "The address does not take this method.",
    409: "What was asked does not go with the state things are in.",
    413: "The request is too large.",
    415: "The body is of another media type.",
    422: "The request is not as described here, or cannot be done.",
    429: "Too many failed attempts.",
    431: "The address or the headers are too long.",
    503: "Not now: too many streams, or the store cannot be written.",
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document for these endpoints."""
    models = _models(endpoints)
    references, definitions = models_json_schema([(model, mode) for model, mode in models], ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        path = _VARIABLE.sub(r"{\2}", one.rule)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keywright",
            "version": __version__,
            "summary": "The bridge between a photographer's catalog and what a computer can see.",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions.get("$defs", {}),
        },
    }


Models = dict[Any, dict[str, Any]]


def _models(endpoints: Sequence[Endpoint]) -> list[tuple[type[BaseModel], Any]]:
    found: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for one in endpoints:
        if one.body is not None:
            found[(one.body, "validation")] = None
        if one.answer is not None:
            found[(one.answer, "serialization")] = None
    return list(found)


def _operation(one: Endpoint, references: Models) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.group],
        "parameters": _parameters(one),
        "responses": _responses(one, references),
    }
    if one.body is not None:
        content = {"application/json": {"schema": references[(one.body, "validation")]}}
        operation["requestBody"] = {"required": True, "content": content}
    if one.picture:
        content = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    if one.file:
        content = {FILE: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    if one.open:
        operation["security"] = []
    return operation


def _parameters(one: Endpoint) -> list[dict[str, Any]]:
    found = []
    for converter, name in _VARIABLE.findall(one.rule):
        whole = {"type": "integer", "minimum": 1, "maximum": MOST_ID}
        schema = whole if converter == "id" else {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if one.query is not None:
        described = one.query.model_json_schema(mode="validation")
        for name, schema in described.get("properties", {}).items():
            required = name in described.get("required", ())
            found.append({"name": name, "in": "query", "required": required, "schema": _plain(schema)})
    if one.idempotent:
        schema = {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[!-~]{8,200}$"}
        found.append({"name": IDEMPOTENCY_HEADER, "in": "header", "required": True, "schema": schema})
    return found


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A query value is there or is not; it is never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
        return {**rest, **kinds[0]}
    return schema


def _responses(one: Endpoint, references: Models) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if one.answer is not None:
        content["application/json"] = {"schema": references[(one.answer, "serialization")]}
    if one.streams is not None:
        binary = {"format": "binary"} if one.streams == FILE else {}
        content[one.streams] = {"schema": {"type": "string", **binary}}
    responses: dict[str, Any] = {str(one.status): {"description": one.summary, "content": content}}
    for status in _possible(one):
        described = {MEDIA_TYPE: {"schema": references[(Problem, "serialization")]}}
        responses[str(status)] = {"description": _EXPLAINED[status], "content": described}
    return responses


def _possible(one: Endpoint) -> list[int]:
    """The problems an endpoint can answer with: none that it cannot."""
    found = {403, 405, 422, 431}
    if not one.open:
        found |= {401, 429}
    if "<" in one.rule or one.body is not None or one.query is not None:
        found.add(404)
    if one.body is not None or one.picture or one.file:
        found |= {400, 413, 415}
    if one.idempotent:
        found |= {400, 409}
    if one.method != "GET":
        found |= {409, 503}
    if one.streams is not None or one.group == "search":
        found.add(503)
    return sorted(found)
