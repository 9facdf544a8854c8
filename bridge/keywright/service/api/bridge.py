"""The bridge itself: who it is, how it is, how the browser gets in, its own description, its end."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from flask import Response, json

from keywright import __version__
from keywright.service.access import LINK_SECONDS
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import bridge as m
from keywright_plugin.connection import PROTOCOL, proof

GROUP = Group("bridge")


@GROUP.endpoint("GET", "/ping", "Who listens here.", query=m.PingQuery, answer=m.Pinged, open=True, prefix="")
def ping(bridge: Bridge, query: m.PingQuery) -> m.Pinged:
    """Anyone may ask; a nonce is answered with a proof that this is the bridge of the connection file."""
    known = None if query.nonce is None else proof(bridge.token, query.nonce)
    return m.Pinged(version=__version__, protocol=PROTOCOL, proof=known)


@GROUP.endpoint("GET", "/state", "How the bridge is.", answer=m.State)
def state(bridge: Bridge) -> m.State:
    from keywright.operations.registering import catalogs
    from keywright.store.models import active_version

    with bridge.workspace.store.read() as connection:
        active = active_version(connection)
    return m.State(
        version=__version__,
        protocol=PROTOCOL,
        encoder=bridge.workspace.encoder_id,
        model_version=active.id if active else None,
        catalogs=len(catalogs(bridge.workspace)),
        jobs_waiting=len(bridge.queue.unfinished()),
        profiles=sorted(bridge.config.profiles),
    )


@GROUP.endpoint("POST", "/login-links", "A link that opens one session in the browser.", answer=m.LoginLink, status=201)
def make_login_link(bridge: Bridge) -> m.LoginLink:
    code = bridge.guard.sessions.new_link()
    return m.LoginLink(url=f"{bridge.url}/login?code={code}", seconds=LINK_SECONDS)


@GROUP.endpoint("POST", "/shutdown", "End the bridge; running jobs go on at the next start.", answer=m.Done, status=202)
def shut_down(bridge: Bridge) -> m.Done:
    threading.Timer(0.2, bridge.stop).start()  # after this answer has gone out
    return m.Done()


@GROUP.endpoint("GET", "/openapi.json", "This description.")
def describe(bridge: Bridge) -> Response:
    del bridge
    return Response(json.dumps(_document()), content_type="application/json")


@cache
def _document() -> dict[str, Any]:
    from keywright.service.app import endpoints
    from keywright.service.openapi import document

    return document(endpoints())
