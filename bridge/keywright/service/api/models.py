"""Model versions: list, train, activate, roll back, compare, remove, export, import."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from flask import Response

from keywright.service.bridge import Bridge
from keywright.service.endpoint import FILE, Group
from keywright.service.limits import MOST_MODEL_BYTES
from keywright.service.messages import models as m
from keywright.service.messages.jobs import Job
from keywright.store.models import VersionRow

GROUP = Group("models")


def as_message(row: VersionRow) -> m.ModelVersion:
    return m.ModelVersion(
        id=row.id,
        encoder=row.encoder_id,
        created_at=row.created_at,
        active=row.active,
        metrics={name: value if math.isfinite(value) else None for name, value in row.metrics.items()},
    )


@GROUP.endpoint("GET", "/models/versions", "The model versions, oldest first.", answer=m.ModelVersions)
def list_versions(bridge: Bridge) -> m.ModelVersions:
    from keywright.operations.versions import versions

    return m.ModelVersions(versions=[as_message(row) for row in versions(bridge.workspace)])


@GROUP.endpoint("POST", "/models/versions/<id:version>/activate", "Let this version suggest.", answer=m.ModelVersion)
def activate_version(bridge: Bridge, version: int) -> m.ModelVersion:
    from keywright.operations.versions import activate

    return as_message(activate(bridge.workspace, version))


@GROUP.endpoint(
    "POST",
    "/models/versions/<id:version>/remove",
    "Forget a version that does not suggest.",
    answer=m.RemovedVersion,
)
def remove_version(bridge: Bridge, version: int) -> m.RemovedVersion:
    from keywright.operations.pruning import remove

    return m.RemovedVersion(removed=version, freed=remove(bridge.workspace, [version]).freed)


@GROUP.endpoint("POST", "/models/rollback", "Let the version before the active one suggest.", answer=m.ModelVersion)
def roll_back(bridge: Bridge) -> m.ModelVersion:
    from keywright.operations import versions

    return as_message(versions.roll_back(bridge.workspace))


@GROUP.endpoint(
    "POST", "/models/train", "Train on what is known, reading no catalog, in a job.", answer=Job, status=202
)
def train_models(bridge: Bridge) -> Job:
    from keywright.service.api.jobs import as_message

    return as_message(bridge.queue.add("train", {}))


@GROUP.endpoint(
    "GET", "/models/compare", "What differs between two versions.", query=m.CompareQuery, answer=m.Comparison
)
def compare_versions(bridge: Bridge, query: m.CompareQuery) -> m.Comparison:
    from keywright.operations.versions import compare

    found = compare(bridge.workspace, query.old, query.new)
    return m.Comparison(
        old=as_message(found.old),
        new=as_message(found.new),
        added=[str(path) for path in found.added],
        removed=[str(path) for path in found.removed],
        changed=[
            m.KeywordChange(
                keyword=str(one.keyword),
                old_photos=one.old_photos,
                new_photos=one.new_photos,
                old_quality=one.old_quality,
                new_quality=one.new_quality,
            )
            for one in found.changed
        ],
        compared=found.compared,
        old_mean=found.old_mean,
        new_mean=found.new_mean,
    )


@GROUP.endpoint("GET", "/models/versions/<id:version>/file", "A model version as one file.", streams=FILE)
def export_version(bridge: Bridge, version: int) -> Response:
    """It holds keyword names and the vectors of photos that stand as examples; no pictures."""
    from keywright.operations import versions

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "models"
        versions.export_version(bridge.workspace, version, file)
        answer = Response(file.read_bytes(), content_type=FILE)
    answer.headers["Content-Disposition"] = f'attachment; filename="keywright-{version}.models"'
    return answer


@GROUP.endpoint(
    "POST",
    "/models/versions",
    "Keep an exported version beside the others; which one suggests stays.",
    file=MOST_MODEL_BYTES,
    answer=m.ImportedVersion,
    status=201,
)
def import_version(bridge: Bridge, data: bytes) -> m.ImportedVersion:
    from keywright.operations import versions

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sent models"
        file.write_bytes(data)
        row, new = versions.import_version(bridge.workspace, file)
    return m.ImportedVersion(version=as_message(row), new=new)
