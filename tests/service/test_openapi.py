"""Requests made up from the OpenAPI document: none breaks the bridge, each is answered as the document says."""

from __future__ import annotations

import os
import shutil
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
"""Requests of each of schemathesis's phases for each endpoint: 16 make some 2,000 in all."""
LEFT_OUT = {"shut_down", "follow_job"}  # one ends the bridge, the other lasts as long as a job does

schema = schemathesis.openapi.from_dict(document([one for one in endpoints() if one.name not in LEFT_OUT]))
_counted: dict[int, int] = {}


@pytest.fixture(scope="module")
def living(learned_home: Learned, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    home = tmp_path_factory.mktemp("openapi") / "home"
    shutil.copytree(learned_home.home, home)
    with running(home) as found:
        found.bridge.queue.close()  # jobs are kept and not done: requests are what is tested
        yield found


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_made_up_request_is_answered_as_described(case: Any, living: Raw) -> None:
    answer = case.call(base_url=living.connection.url, headers={"Authorization": f"Bearer {living.connection.token}"})
    _counted[answer.status_code] = _counted.get(answer.status_code, 0) + 1
    case.validate_response(
        answer,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


def test_the_requests_reached_the_operations_and_not_the_door_alone() -> None:
    assert sum(_counted.values()) >= len(endpoints())
    assert _counted.get(200, 0) + _counted.get(202, 0) + _counted.get(201, 0) > 0.1 * sum(_counted.values())
    print(dict(sorted(_counted.items())), sum(_counted.values()))
