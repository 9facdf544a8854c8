"""Changing the encoder: the photos are embedded again, models are learned anew, and the better ones suggest.

The vectors of the encoder before are kept, and so are its models: what was changed can be taken back at once. Embedding
may be stopped and goes on where it was, as all embedding does; until the new models are there and at least as good by
leave-one-out, the old ones suggest.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from keywright.encoders import EncoderInfo, available_encoders, resolve_encoder
from keywright.errors import KeywrightError
from keywright.operations.embedding import EmbedReport, embed_photos
from keywright.operations.learning import train_known
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.versions import activate, compare, go_back, version, versions
from keywright.operations.workspace import Workspace
from keywright.store.models import VersionRow, activate_version, active_version, previously_active
from keywright.store.photos import PhotoRow, list_catalogs, list_photos
from keywright.store.vectors import count_vectors, known_contents


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of a change. Means are over the keywords that both have, by leave-one-out; ``None``: none to tell."""

    before: str  # ids of encoders
    after: str  # the encoder in use now
    asked: str
    embedding: EmbedReport
    version: int  # the model version that is active now
    trained_version: int | None  # the version that was learned with the encoder asked for
    compared: int  # keywords
    mean_before: float | None
    mean_asked: float | None
    held_back: str | None  # why the encoder asked for is not in use

    @property
    def switched(self) -> bool:
        return self.after == self.asked != self.before


@dataclass(frozen=True, slots=True)
class ListedEncoder:
    """An encoder, whether it is in use, and how many pictures have its vectors."""

    info: EncoderInfo
    in_use: bool
    vectors: int


def listed_encoders(workspace: Workspace) -> list[ListedEncoder]:
    """Those a person may choose: the levels, what was pulled or fine-tuned, and any other that has vectors."""
    used = workspace.encoder_id
    with workspace.store.read() as connection:
        found = [
            ListedEncoder(info, info.id == used, count_vectors(connection, info.id))
            for info in available_encoders(workspace.home.encoders)
        ]
    return [one for one in found if one.info.level is not None or one.in_use or one.vectors]


def switch(
    workspace: Workspace,
    name: str,
    *,
    anyway: bool = False,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Switched:
    """Change to the encoder ``name``: a level, a name or an id. ``anyway``: also where its models are worse.

    Raises ``EncoderError`` where there is none, ``CancelledError`` when told to stop (the next call goes on), and
    ``KeywrightError`` where nothing was learned yet that could be compared.
    """
    before = workspace.encoder_id
    asked = resolve_encoder(name, workspace.home.encoders)
    with workspace.store.read() as connection:
        active = active_version(connection)
        rows = _to_embed(connection, before)
    if active is None:
        raise KeywrightError(
            f"Nothing has been learned yet, so there is nothing to change; `keywright learn --encoder {name} SOURCE` "
            "begins with this encoder."
        )
    if asked == before:
        return Switched(before, before, asked, EmbedReport(), active.id, active.id, 0, None, None, None)
    target = workspace.with_encoder(asked)
    embedding = embed_photos(target, rows, progress, cancel)
    if not embedding.embedded + embedding.known:
        raise KeywrightError(
            f"None of the {len(rows):,} photos could be looked at with {asked}, so {before} stays; "
            "is the drive attached?"
        )
    report = train_known(target, progress=progress)
    told = compare(workspace, active.id, report.trained_version)
    good = told.old_mean is None or told.new_mean is None or told.new_mean >= told.old_mean
    now = report.version
    if now != report.trained_version and (good or anyway):
        # Held back, or rolled back once; the person who asks for it now has the last word.
        now = activate(workspace, report.trained_version).id
    held = None if now == report.trained_version else report.held_back
    return Switched(
        before,
        version(workspace, now).encoder_id,
        asked,
        embedding,
        now,
        report.trained_version,
        told.compared,
        told.old_mean,
        told.new_mean,
        held,
    )


def _to_embed(connection: Connection, before: str) -> list[PhotoRow]:
    """The photos of catalogs learned from, and all that were embedded before: also where nothing is learned from them
    they have suggestions, which would be gone without a vector of the encoder in use."""
    learned = {row.id for row in list_catalogs(connection) if row.learned}
    known = known_contents(connection, before)
    return [row for row in list_photos(connection) if row.catalog_id in learned or row.content_id in known]


def switch_back(workspace: Workspace) -> VersionRow:
    """Let the last version suggest again that was learned with another encoder.

    One that cannot suggest any more, because its encoder is gone or it is damaged, is passed over and announced.
    Raises ``KeywrightError`` where there is none.
    """
    used = workspace.encoder_id
    others = {row.id for row in versions(workspace) if row.encoder_id != used}
    with workspace.store.read() as connection:
        before = previously_active(connection)
    return go_back(
        workspace,
        [number for number in before if number in others],
        activate_version,
        nowhere=f"No encoder was in use before {used}, so there is none to go back to.",
        unusable=f"No version of an encoder before {used} can be gone back to.",
    )
