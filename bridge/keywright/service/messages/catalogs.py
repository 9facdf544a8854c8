"""Catalogs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from keywright.service.messages.base import Answer, Body, Name, Text


class CatalogIn(Body):
    source: Annotated[Text, Field(min_length=1, description="A .lrcat, a digikam4.db, mysql://…, or a folder.")]
    mappings: Annotated[dict[Name, Name], Field(max_length=100)] = Field(
        default={}, description="Old folders to the folders their photos lie in on this machine."
    )
    embed: bool = Field(default=True, description="Embed its photos; without, and without learn, they are read alone.")
    learn: bool = Field(default=True, description="Learn the keywords in it, in a job.")


class Catalog(Answer):
    id: int
    kind: Literal["lightroom", "digikam", "folder"]
    source: str
    learned: bool
    photos: int
    read_at: str | None
    changed: bool | None = Field(None, description="Changed since it was read; null: not looked at, or not read yet.")
    job: int | None = Field(None, description="The job that reads it now.")


class Catalogs(Answer):
    catalogs: list[Catalog]
