"""A person changes the encoder through the bridge: in a job that stops and goes on, and back at once."""

from __future__ import annotations

import pytest

from keywright.encoders import LEVELS
from keywright_plugin import ProblemError
from keywright_plugin.values import Job
from service.kit import Raw

FAST, STANDARD = LEVELS["fast"], LEVELS["standard"]


def vectors(bridge: Raw) -> dict[str | None, int]:
    return {one.name: one.vectors for one in bridge.client.encoders()}


def in_use(bridge: Raw) -> list[str]:
    return [one.id for one in bridge.client.encoders() if one.in_use]


def test_the_encoder_is_changed_stopped_gone_on_with_and_taken_back(learned: Raw) -> None:
    client = learned.client
    before = client.versions()[-1]
    pictures = vectors(learned)["fast"]
    assert (in_use(learned), client.encoder_change()) == ([FAST], None)

    job = client.change_encoder("standard", anyway=True)
    assert client.change_encoder("standard", anyway=True).id == job.id  # asked for twice, it is one
    stopped: list[Job] = []

    def stop(seen: Job) -> None:
        if seen.stage == "Embedding photos" and not stopped:
            stopped.append(client.cancel(seen.id))

    ended = client.wait(job.id, stop, every=0.01)
    newest = client.encoder_change()
    assert newest is not None
    assert newest.id == job.id
    assert ended.state == "cancelled"
    if ended.result is None:  # else the machine was so fast that all was done before it was told to stop
        assert in_use(learned) == [FAST]
        assert vectors(learned)["standard"] < pictures
    ended = client.wait(client.change_encoder("standard", anyway=True).id)
    assert (ended.state, ended.result["encoder"] if ended.result else None) == ("completed", STANDARD)
    assert in_use(learned) == [STANDARD]
    assert client.state().encoder == STANDARD
    assert vectors(learned) == {"fast": pictures, "standard": pictures, "best": 0}
    assert client.search("cat", limit=1)

    back = client.take_encoder_back()
    assert (back.id, back.encoder, back.active) == (before.id, FAST, True)
    assert in_use(learned) == [FAST]
    assert all("CHEL" in one.path for one in client.search("cat", limit=5))


def test_what_cannot_be_changed_is_said_at_once(bridge: Raw) -> None:
    with pytest.raises(ProblemError, match="There is no encoder called 'x'; choose one of fast, standard, best"):
        bridge.client.change_encoder("x")
    with pytest.raises(ProblemError, match="No encoder was in use before"):
        bridge.client.take_encoder_back()
    ended = bridge.client.wait(bridge.client.change_encoder("best").id)
    assert (ended.state, "Nothing has been learned yet" in str(ended.error)) == ("failed", True)


def test_fine_tuning_is_a_job_and_what_cannot_be_done_is_said(learned: Raw) -> None:
    client = learned.client
    assert client.fine_tuning() is None
    with pytest.raises(ProblemError, match="'fast' cannot be an encoder's name"):
        client.fine_tune("fast")
    job = client.fine_tune(epochs=1)
    ended = client.wait(job.id)
    assert (job.kind, ended.state) == ("finetune", "failed")
    assert "Fine-tuning needs at least 100 photos" in str(ended.error)
    newest = client.fine_tuning()
    assert newest is not None
    assert newest.id == job.id
    assert in_use(learned) == [FAST]
