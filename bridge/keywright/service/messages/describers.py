"""Describers: outside opinions on photos, from a model on this machine or a service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.service.limits import MOST_PHOTOS
from keywright.service.messages.base import Answer, Body, Id, Name


class Describer(Answer):
    name: str
    agreed: bool = Field(description="The user has agreed to what it is sent; without that it is sent nothing.")
    calls: int = Field(description="Photos it was asked about so far.")
    money: float = Field(description="What that cost, as far as it is known, in its currency.")


class Describers(Answer):
    describers: list[Describer]


class DescribeIn(Body):
    describer: Name
    photos: Annotated[list[Id], Field(min_length=1, max_length=MOST_PHOTOS)]
