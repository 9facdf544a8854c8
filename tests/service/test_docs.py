"""docs/api.md describes every endpoint and no other, and the OpenAPI document is valid."""

from __future__ import annotations

import re
from pathlib import Path

import schemathesis

from keywright.service.app import endpoints
from keywright.service.openapi import document
from service.kit import Raw

API = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_every_endpoint_is_in_the_docs_with_its_summary() -> None:
    described = re.findall(r"^\| `([A-Z]+) (\S+)` \| (.+?) \|", API.read_text(encoding="utf-8"), re.MULTILINE)
    known = [(one.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.rule), one.summary) for one in endpoints()]
    assert sorted(described) == sorted(known)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one.name for one in endpoints()]
    assert len(names) == len(set(names))


def test_every_reference_in_the_openapi_document_leads_somewhere() -> None:
    made = document(endpoints())
    named = set(re.findall(r"#/components/schemas/([\w-]+)", str(made)))
    assert named <= set(made["components"]["schemas"])
    assert named


def test_the_bridge_serves_its_description(bridge: Raw) -> None:
    served = bridge.send("GET", "/v1/openapi.json")
    assert served.json == document(endpoints())
    schemathesis.openapi.from_dict(served.json)
