"""Encoders: which there are, changing to another in a job, and taking the change back."""

from __future__ import annotations

from collections.abc import Mapping

from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import encoders as m
from keywright.service.messages.jobs import Job
from keywright.service.messages.models import ModelVersion
from keywright.text import printable

GROUP = Group("encoders")


@GROUP.endpoint("GET", "/encoders", "The encoders, which one is in use, and their newest jobs.", answer=m.Encoders)
def list_encoders(bridge: Bridge) -> m.Encoders:
    from keywright.operations.switching import listed_encoders
    from keywright.service.api.jobs import as_message
    from keywright.store.jobs import newest_of_kind

    with bridge.workspace.store.read() as connection:
        change, finetuning = (newest_of_kind(connection, kind) for kind in ("encoder", "finetune"))
    return m.Encoders(
        encoders=[
            m.Encoder(
                id=one.info.id,
                name=one.info.level,
                about=printable(one.info.about),
                dimension=one.info.dimension,
                installed=one.info.installed,
                in_use=one.in_use,
                vectors=one.vectors,
            )
            for one in listed_encoders(bridge.workspace)
        ],
        job=None if change is None else as_message(change),
        finetuning=None if finetuning is None else as_message(finetuning),
    )


@GROUP.endpoint("POST", "/encoders/change", "Change the encoder, in a job.", body=m.ChangeIn, answer=Job, status=202)
def change_encoder(bridge: Bridge, body: m.ChangeIn) -> Job:
    """Stopped, it goes on where it was when it is asked for again; asked for twice, it is one job."""
    from keywright.encoders import resolve_encoder

    resolve_encoder(body.name, bridge.workspace.home.encoders)
    return _one(bridge, "encoder", {"name": body.name, "anyway": body.anyway})


@GROUP.endpoint(
    "POST",
    "/encoders/finetune",
    "Let the encoder in use learn the keywords, in a job.",
    body=m.FineTuneIn,
    answer=Job,
    status=202,
)
def fine_tune(bridge: Bridge, body: m.FineTuneIn) -> Job:
    """What comes of it is in use where it is better. Stopped, it goes on from the last epoch when it is asked for
    again; asked for twice, it is one job."""
    from keywright.operations.finetuning import require_tunable

    require_tunable(bridge.workspace, body.name)
    params = {"name": body.name, "epochs": body.epochs, "base": bridge.workspace.encoder_id}
    return _one(bridge, "finetune", params)


def _one(bridge: Bridge, kind: str, params: Mapping[str, object]) -> Job:
    """The job that does just this already, or a new one."""
    from keywright.service.api.jobs import as_message
    from keywright.store.jobs import ENDED, newest_of

    with bridge.workspace.store.read() as connection:
        running = [job for job in newest_of(connection, kind, params) if job.state not in ENDED]
    return as_message(running[0] if running else bridge.queue.add(kind, params))


@GROUP.endpoint("POST", "/encoders/back", "Let the encoder before be in use again.", answer=ModelVersion)
def take_encoder_back(bridge: Bridge) -> ModelVersion:
    """The last model version suggests that was learned with another encoder. Nothing is embedded or trained."""
    from keywright.operations.switching import switch_back
    from keywright.service.api.models import as_message

    row = switch_back(bridge.workspace)
    bridge.queue.add("suggestions", {})
    return as_message(row)
