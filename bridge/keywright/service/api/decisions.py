"""Decisions: kept once for each Idempotency-Key, and on the disk before they are acknowledged."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel

from keywright.keywords import KeywordPath
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import decisions as m
from keywright.store.decisions import Decision
from keywright.store.lookups import page_of_decisions

GROUP = Group("decisions")


def digest(body: BaseModel) -> str:
    """Names what a request asks, however it was spelled."""
    return hashlib.sha256(type(body).__name__.encode() + body.model_dump_json().encode()).hexdigest()


@GROUP.endpoint(
    "POST", "/decisions", "Accept or reject keywords.", body=m.DecisionsIn, answer=m.DecisionsKept, idempotent=True
)
def decide(bridge: Bridge, body: m.DecisionsIn, key: str) -> m.DecisionsKept:
    from keywright.operations import deciding

    made = [
        deciding.Decided(
            one.photo,
            KeywordPath.parse(one.keyword),
            None if one.decision == "undecided" else Decision(one.decision),
            one.confidence,
            one.model_version,
        )
        for one in body.decisions
    ]
    kept = deciding.decide(bridge.workspace, made, deciding.Once(key, digest(body)))
    return m.DecisionsKept(kept=kept)


@GROUP.endpoint("GET", "/decisions", "What was decided, photo by photo.", query=m.DecisionsQuery, answer=m.Decisions)
def list_decisions(bridge: Bridge, query: m.DecisionsQuery) -> m.Decisions:
    names = bridge.names
    with bridge.workspace.store.read() as connection:
        names.refresh(connection)
        wanted = Decision(query.decision) if query.decision else None
        page = page_of_decisions(connection, wanted, query.after, query.limit)
    return m.Decisions(
        decisions=[
            m.Decision(
                photo=d.photo_id,
                keyword=str(names[d.keyword_id]),
                decision=d.decision.value,
                confidence=d.confidence,
                model_version=d.version_id,
            )
            for d in page.decisions
        ],
        next=page.next,
    )
