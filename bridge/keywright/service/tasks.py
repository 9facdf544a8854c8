"""What each kind of job does: its parameters to an operation, the operation's report to the job's result.

Every one may be killed at any moment and begun anew: an operation goes on from what the store holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keywright.config import EVERYTHING, Profile
from keywright.errors import KeywrightError
from keywright.operations.progress import Cancel, Progress
from keywright.operations.workspace import Workspace
from keywright.text import printable

if TYPE_CHECKING:  # late: a job imports what it needs
    from keywright.operations.embedding import EmbedReport, Failure
    from keywright.operations.picking import Chosen
    from keywright.writeback import BatchReport, Refusal

Result = dict[str, object]
Task = Callable[[Workspace, Mapping[str, Any], Progress, Cancel], Result]
_MOST_NAMED = 1000  # failures, refusals or writes that a result names one by one


def learn(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``catalogs``: the numbers of those to learn; ``only_read``: learn nothing of them, and embed their photos unless
    ``embed`` is false."""
    from keywright.operations import learning, registering
    from keywright.operations.embedding import embed_photos
    from keywright.store.photos import list_photos

    if params.get("only_read"):
        number = int(params["catalogs"][0])
        read = registering.read_catalog(workspace, number, learn=False, progress=progress)
        if not params.get("embed", True):
            return {"photos": read.sync.photos}
        with workspace.store.read() as connection:
            rows = list_photos(connection, [number])
        embedded = embed_photos(workspace, rows, progress, cancel)
        _refresh_after(workspace)
        return _embedded(embedded)
    sources, mappings = [], []
    for number in params["catalogs"]:
        sources.append(registering.catalog(workspace, number).source)
        mappings += registering.mappings_of(workspace, number)
    report = learning.learn(workspace, sources, mappings, progress=progress, cancel=cancel)
    _refresh_after(workspace)
    return {
        "photos": report.photos,
        "models": report.models,
        "trained": report.trained,
        "model_version": report.version,
        **_embedded(report.embedding),
    }


def train(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """Train on what is known, reading no catalog."""
    from keywright.operations.learning import train_known

    del params, cancel
    report = train_known(workspace, progress=progress)
    _refresh_after(workspace)
    return {
        "photos": report.photos,
        "models": report.models,
        "trained": report.trained,
        "model_version": report.version,
        "trained_version": report.trained_version,
        "held_back": report.held_back,
    }


def encoder(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``name``: of the encoder to change to; ``anyway``: also where its models are worse."""
    from keywright.operations.switching import switch

    done = switch(workspace, str(params["name"]), anyway=bool(params.get("anyway")), progress=progress, cancel=cancel)
    _refresh_after(workspace)
    return {
        "encoder": done.after,
        "model_version": done.version,
        "trained_version": done.trained_version,
        "mean_before": done.mean_before,
        "mean_after": done.mean_asked,
        "held_back": done.held_back,
        **_embedded(done.embedding),
    }


def finetune(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``base``: the encoder that was in use when it was asked for; ``name`` of the new one and ``epochs``, or null."""
    from keywright.encoders.tuning import TuneSettings
    from keywright.operations.finetuning import finetune_and_change, made_of

    if workspace.encoder_id != params["base"]:
        if made_of(workspace) == params["base"]:  # killed after the last step, and begun anew
            return {"encoder": workspace.encoder_id, "better": True}
        raise KeywrightError(f"The encoder {params['base']} is not in use any more; ask for the new one.")
    settings = TuneSettings() if params["epochs"] is None else TuneSettings(epochs=params["epochs"])
    done, changed = finetune_and_change(workspace, params["name"], settings=settings, progress=progress, cancel=cancel)
    if changed is not None:
        _refresh_after(workspace)
    return {
        "encoder": workspace.encoder_id,
        "better": done.better,
        "photos": done.photos,
        "keywords": done.keywords,
        "epochs": done.epochs,
        "mean_before": done.mean_before,
        "mean_after": done.mean_after,
        "standard_error": done.standard_error if math.isfinite(done.standard_error) else None,
        "left_out": done.left_out,
        "failed": _failures(done.failures),
    }


def embed(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``photos``: the numbers of those to embed."""
    from keywright.operations.embedding import embed_photos
    from keywright.store.lookups import photos_by_id

    with workspace.store.read() as connection:
        rows = list(photos_by_id(connection, params["photos"]).values())
    report = embed_photos(workspace, rows, progress, cancel)
    _refresh_after(workspace)
    return _embedded(report)


def rendition(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``photo``: the number of the photo whose host sent a JPEG."""
    from keywright.operations.uploading import embed_rendition

    progress("Embedding photos", 0, 1)
    embed_rendition(workspace, int(params["photo"]), cancel)
    return {"photo": int(params["photo"])}


def suggestions(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """Bring what the review pages list up to date."""
    from keywright.operations.refreshing import refresh

    del params
    report = refresh(workspace, progress, cancel)
    return {
        "photos": report.photos,
        "scored": report.scored,
        "suggestions": report.suggestions,
        "model_version": report.version,
    }


def audit(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``catalog``: the number of the one to audit."""
    from keywright.operations.doubting import audit_catalog

    return audit_catalog(workspace, int(params["catalog"]), progress, cancel)


def describe(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    """``describer``: the name of one the user has agreed to; ``photos``: the numbers of those to describe."""
    from keywright.operations.describing import describe_photos
    from keywright.store.lookups import photos_by_id

    with workspace.store.read() as connection:
        rows = list(photos_by_id(connection, params["photos"]).values())
    report = describe_photos(workspace, str(params["describer"]), rows, progress=progress, cancel=cancel)
    _refresh_after(workspace)
    return {
        "described": report.described,
        "known": report.known,
        "left": report.left,
        "stopped": None if report.stopped is None else printable(report.stopped),
        "failed": _failures(report.failures),
    }


def plan(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    from keywright.metadata import SidecarProfile
    from keywright.operations import applying

    chosen = _chosen(workspace, params, progress, cancel)
    found = applying.dry_run(chosen, SidecarProfile(params["sidecars"]), progress)
    return {
        "writes": [
            {
                "where": printable(one.where),
                "photos": [printable(p) for p in one.photos],
                "creates": one.creates,
                "add": [str(a.path) for a in one.add],
                "remove": [str(p) for p in one.remove],
                "notes": list(one.notes),
            }
            for one in found.writes[:_MOST_NAMED]
        ],
        "photos": found.count_photos(),
        "files": found.count_files(),
        "unchanged": found.count_unchanged(),
        "refused": _refusals(found.refused),
        "left_out": dict(chosen.left_out),
    }


def apply(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    from keywright.metadata import SidecarProfile
    from keywright.operations import applying

    applying.recover(workspace)
    chosen = _chosen(workspace, params, progress, cancel)
    report = applying.apply(
        workspace,
        chosen,
        SidecarProfile(params["sidecars"]),
        label=str(params.get("label", "accepted suggestions")),
        progress=progress,
        cancel=cancel,
    )
    return _batch(report) | {"left_out": dict(chosen.left_out)}


def undo(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Result:
    from keywright.operations import applying
    from keywright.store.lookups import photos_by_id

    applying.recover(workspace)
    photos: list[Path] | None = None
    if params["photos"]:
        with workspace.store.read() as connection:
            photos = [row.path for row in photos_by_id(connection, params["photos"]).values()]
    return _batch(applying.undo(workspace, params["batch"], photos, progress=progress, cancel=cancel))


TASKS: Mapping[str, Task] = {
    "learn": learn,
    "train": train,
    "encoder": encoder,
    "finetune": finetune,
    "embed": embed,
    "rendition": rendition,
    "describe": describe,
    "suggestions": suggestions,
    "audit": audit,
    "plan": plan,
    "apply": apply,
    "undo": undo,
}


def _chosen(workspace: Workspace, params: Mapping[str, Any], progress: Progress, cancel: Cancel) -> Chosen:
    from keywright.operations import picking, registering

    known = registering.catalogs(workspace)
    wanted = set(params["catalogs"])
    least = params["min_confidence"]
    rows = [row for row in known if row.id in wanted] if wanted else (known if least is not None else [])
    mappings = [m for row in rows for m in registering.mappings_of(workspace, row.id)]
    return picking.choose(
        workspace,
        [row.source for row in rows],
        mappings,
        min_confidence=least,
        profile=Profile.model_validate(params["profile"]) if params.get("profile") else EVERYTHING,
        to_files=bool(params["to_files"]),
        progress=progress,
        cancel=cancel,
    )


def _refresh_after(workspace: Workspace) -> None:
    """The review pages are to list what has just become known."""
    from keywright.store.jobs import add_job

    with workspace.store.write() as connection:
        add_job(connection, "suggestions", {})


def _embedded(report: EmbedReport) -> Result:
    return {
        "embedded": report.embedded,
        "known": report.known,
        "missing": len(report.missing),
        "failed": _failures(report.failures),
    }


def _batch(report: BatchReport) -> Result:
    return {
        "batch": report.batch_id,
        "photos": report.count_photos(),
        "files": report.count_files(),
        "unchanged": report.count_unchanged(),
        "refused": _refusals(report.refused),
        "warnings": [printable(w) for w in report.warnings[:_MOST_NAMED]],
        "stopped": printable(report.stopped),
    }


def _failures(failures: Sequence[Failure]) -> list[dict[str, str]]:
    return [{"path": printable(f.path), "reason": printable(f.reason)} for f in failures[:_MOST_NAMED]]


def _refusals(refused: Sequence[Refusal]) -> list[dict[str, object]]:
    return [
        {"photos": [printable(p) for p in r.photos], "where": printable(r.where), "reason": printable(r.reason)}
        for r in refused[:_MOST_NAMED]
    ]
