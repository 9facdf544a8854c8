"""The bridge itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.messages.base import Answer, Query


class Pinged(Answer):
    name: Literal["keywright"] = "keywright"
    version: str
    protocol: int
    proof: str | None = Field(None, description="HMAC-SHA256 of the nonce under the token, for who wants to be sure.")


class PingQuery(Query):
    nonce: Annotated[str, Field(min_length=8, max_length=128)] | None = None


class State(Answer):
    version: str
    protocol: int
    encoder: str
    model_version: int | None
    catalogs: int
    jobs_waiting: int
    profiles: list[str]


class LoginLink(Answer):
    url: str
    seconds: int = Field(description="How long the link can be used, once.")


class Done(Answer):
    done: Literal[True] = True
