"""Catalogs: register, state, learn."""

from __future__ import annotations

from keywright.platform import expanded
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import catalogs as m
from keywright.service.messages.jobs import Job
from keywright.store.photos import CatalogRow

GROUP = Group("catalogs")


def _catalog(row: CatalogRow, *, changed: bool | None = None, job: int | None = None) -> m.Catalog:
    return m.Catalog(
        id=row.id,
        kind=row.kind.value,
        source=row.source,
        learned=row.learned,
        photos=row.photos,
        read_at=row.read_at,
        changed=changed,
        job=job,
    )


@GROUP.endpoint("GET", "/catalogs", "The catalogs Keywright was told of.", answer=m.Catalogs)
def list_catalogs(bridge: Bridge) -> m.Catalogs:
    from keywright.operations.registering import catalogs

    return m.Catalogs(catalogs=[_catalog(row) for row in catalogs(bridge.workspace)])


@GROUP.endpoint(
    "POST",
    "/catalogs",
    "Register a catalog, and read or learn it in a job.",
    body=m.CatalogIn,
    answer=m.Catalog,
    status=201,
)
def add_catalog(bridge: Bridge, body: m.CatalogIn) -> m.Catalog:
    from keywright.operations import registering

    if not body.learn and registering.is_empty_folder(body.source):
        # Photos are still to arrive there; there is nothing to read.
        return _catalog(registering.add_empty_folder(bridge.workspace, expanded(body.source).absolute()))
    row = registering.add_catalog(bridge.workspace, body.source, body.mappings)
    params = {"catalogs": [row.id], "only_read": not body.learn}
    job = bridge.queue.add("learn", params if body.learn or body.embed else {**params, "embed": False})
    return _catalog(row, job=job.id)


@GROUP.endpoint("GET", "/catalogs/<id:catalog>", "A catalog, and whether it has changed.", answer=m.Catalog)
def get_catalog(bridge: Bridge, catalog: int) -> m.Catalog:
    from keywright.operations import registering

    row = registering.catalog(bridge.workspace, catalog)
    return _catalog(row, changed=registering.has_changed(bridge.workspace, row))


@GROUP.endpoint("POST", "/catalogs/<id:catalog>/learn", "Learn from a catalog anew.", answer=Job, status=202)
def learn_catalog(bridge: Bridge, catalog: int) -> Job:
    from keywright.operations import registering
    from keywright.service.api.jobs import as_message

    row = registering.catalog(bridge.workspace, catalog)
    return as_message(bridge.queue.add("learn", {"catalogs": [row.id], "only_read": False}))
