"""Describers: which there are, and having photos described in a job. They are added on the command line alone, where
the user is asked what may be sent."""

from __future__ import annotations

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import describers as m
from keywright.service.messages.jobs import Job
from keywright.text import printable

GROUP = Group("describers")


@GROUP.endpoint("GET", "/describers", "The describers the user has added.", answer=m.Describers)
def list_describers(bridge: Bridge) -> m.Describers:
    from keywright.operations.describing import providers

    return m.Describers(
        describers=[
            m.Describer(
                name=printable(one.provider.name), agreed=one.may_send, calls=one.calls, money=round(one.money, 6)
            )
            for one in providers(bridge.workspace)
        ]
    )


@GROUP.endpoint("POST", "/jobs/describe", "Have photos described, in a job.", body=m.DescribeIn, answer=Job, status=202)
def describe_photos(bridge: Bridge, body: m.DescribeIn) -> Job:
    """Only by a describer the user has agreed to; what was described is not sent again."""
    from keywright.operations.describing import NotAgreedError, provider
    from keywright.service.api.jobs import as_message

    if not provider(bridge.workspace, body.describer).may_send:
        raise NotAgreedError(
            f"You have not agreed to what {body.describer} would be sent; `keywright provider add` asks for that."
        )
    params = {"describer": body.describer, "photos": sorted(set(body.photos))}
    return as_message(bridge.queue.add("describe", params))
