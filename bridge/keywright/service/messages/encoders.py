"""Encoders: what photos are looked at with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.service.messages.base import Answer, Body, Name
from keywright.service.messages.jobs import Job


class Encoder(Answer):
    id: str
    name: str | None = Field(description="What a person calls it; null: it is not offered any more.")
    about: str
    dimension: int
    installed: bool
    in_use: bool
    vectors: int = Field(description="Pictures that have been looked at with it.")


class Encoders(Answer):
    encoders: list[Encoder]
    job: Job | None = Field(description="The newest change, whether it ended or not; its result says what came of it.")
    finetuning: Job | None = Field(description="The newest fine-tuning, likewise.")


class ChangeIn(Body):
    name: Name = Field(description="A level, a name it was pulled under, or an id.")
    anyway: bool = Field(default=False, description="Also where its models are worse.")


class FineTuneIn(Body):
    name: Name | None = Field(default=None, description="What the new encoder is called; null: tuned, or tuned-2, ...")
    epochs: Annotated[int, Field(ge=1, le=200)] | None = Field(
        default=None, description="At most so many in each of the three turns; null: what is usual."
    )
