"""Requests made up from the OpenAPI document: none breaks the bridge, each is answered as the document says."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from keywright.service.app import endpoints
from keywright.service.openapi import document
from service.conftest import Learned
from service.kit import Raw, running

EXAMPLES = int(os.environ.get("KEYWRIGHT_SCHEMATHESIS", "16"))
"""Requests of each of schemathesis's phases for each endpoint: 16 make some 3,400 in all."""
MADE = 200 * EXAMPLES
LEFT_OUT = {"shut_down", "follow_job"}  # one ends the bridge, the other lasts as long as a job does

schema = schemathesis.openapi.from_dict(document([one for one in endpoints() if one.name not in LEFT_OUT]))
_counted: Counter[int] = Counter()


@pytest.fixture(scope="module")
def living(learned_home: Learned, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    home = tmp_path_factory.mktemp("openapi") / "home"
    shutil.copytree(learned_home.home, home)
    with running(home) as found:
        found.bridge.queue.close()  # jobs are kept and not done: requests are what is tested
        yield found
    # Requests that all ended at the door would have shown nothing. Each of several workers makes a part of them.
    made = sum(_counted.values())
    assert made < MADE / 3 or sum(_counted[status] for status in (200, 201, 202)) > 0.05 * made, _counted


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_made_up_request_is_answered_as_described(case: Any, living: Raw) -> None:
    answer = case.call(base_url=living.connection.url, headers={"Authorization": f"Bearer {living.connection.token}"})
    _counted[answer.status_code] += 1
    case.validate_response(
        answer,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


def test_an_address_that_is_too_long_is_answered_as_described(living: Raw) -> None:
    answer = living.send("GET", f"/v1/search?text={'a' * 300_000}")
    assert (answer.status, answer.kind) == (431, "headers-too-large")
    described = document(list(endpoints()))["paths"]
    assert all("431" in operation["responses"] for path in described.values() for operation in path.values())
