"""Describing: which providers there are, what they may do, and having photos described by them.

A describer that fails never stops anything: its photos are counted with the reason, and suggestions go on without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from keywright.describing.base import Candidate, Describer, DescriberError, Picture, RefusedError
from keywright.describing.keys import forget_key, keep_key, key_of
from keywright.describing.patience import Pace, persistently
from keywright.describing.picture import picture_of
from keywright.describing.providers import Kind, Provider
from keywright.describing.vocabulary import Seen, Vocabulary
from keywright.errors import KeywrightError
from keywright.operations.embedding import MISSING, embed_photos
from keywright.operations.naming import sentences_of
from keywright.operations.progress import Cancel, CancelledError, Progress, never, silent
from keywright.operations.workspace import Workspace
from keywright.renditions.base import RenditionError
from keywright.renditions.renderer import Renderer
from keywright.store.lookups import photos_by_id
from keywright.store.photos import PhotoRow, list_keywords
from keywright.store.providers import (
    Configured,
    described_by,
    descriptions_of,
    forget_provider,
    keep_description,
    keep_provider,
    list_providers,
    spend,
)

GIVEN_UP = 3
"""After so many photos in a row for which a provider did not answer, it is left alone for this run."""


class NotAgreedError(KeywrightError):
    """The user has not agreed to what a provider would be sent."""


@dataclass(frozen=True, slots=True)
class NotDescribed:
    path: Path
    reason: str


@dataclass(slots=True)
class DescribeReport:
    """What became of the pictures that were to be described (virtual copies share theirs)."""

    described: int = 0
    known: int = 0  # were described before by the same describer
    failures: list[NotDescribed] = field(default_factory=list)
    stopped: str | None = None  # why the provider was not asked about the rest
    left: int = 0  # of them


def providers(workspace: Workspace) -> list[Configured]:
    with workspace.store.read() as connection:
        return list_providers(connection)


def provider(workspace: Workspace, name: str) -> Configured:
    """Raises ``KeywrightError`` where there is none of that name."""
    known = {one.provider.name: one for one in providers(workspace)}
    if name not in known:
        there = ", ".join(known) or "none"
        raise KeywrightError(f"There is no provider {name}; there are {there}. `keywright provider add` adds one.")
    return known[name]


def add(workspace: Workspace, new: Provider, *, agreed: str, key: str | None = None) -> None:
    """Configure a provider. ``agreed`` are the words of ``Provider.consent`` that the user was shown and agreed to.

    Raises ``NotAgreedError`` where those are other words, and ``KeyringError`` where the key cannot be kept; nothing is
    configured then.
    """
    if agreed != new.consent():
        raise NotAgreedError(f"What {new.name} would be sent was not agreed to; nothing was configured.")
    if key:
        keep_key(new.name, key)
    with workspace.store.write() as connection:
        keep_provider(connection, new, agreed)


def remove(workspace: Workspace, name: str) -> None:
    """Take out a provider, its key and its answers. Raises ``KeywrightError`` where there is none of that name."""
    provider(workspace, name)
    forget_key(name)
    with workspace.store.write() as connection:
        forget_provider(connection, name)


def open_describer(workspace: Workspace, one: Provider) -> Describer:
    """Raises ``RefusedError`` where it lacks something (a key, an endpoint, a package), ``KeyringError``."""
    try:
        return _open(workspace, one)
    except ImportError as error:
        raise RefusedError(
            f"{one.name} needs {error.name}; install it with: pip install 'keywright[describers]'"
        ) from error


def _open(workspace: Workspace, one: Provider) -> Describer:
    if one.kind is Kind.MOONDREAM:
        from keywright.describing.moondream import MoondreamDescriber

        return MoondreamDescriber(one)
    key = key_of(one.name)
    if one.kind is Kind.GOOGLE:
        from keywright.describing.google import GoogleDescriber

        return GoogleDescriber(one, key)
    if one.kind is Kind.LANDING:
        from keywright.describing.landing import LandingDescriber

        return LandingDescriber(one, key)
    from keywright.describing.openai import ChatDescriber

    return ChatDescriber(one, key, _names_to_send(workspace) if one.send_keywords else ())


def _names_to_send(workspace: Workspace) -> list[str]:
    """The names of keywords; never of private ones, which are not to leave the catalog."""
    with workspace.store.read() as connection:
        return list(dict.fromkeys(k.path.name for k in list_keywords(connection) if not k.private))


def vocabulary(workspace: Workspace) -> Vocabulary:
    """The user's own keywords: those of the catalogs learned from."""
    with workspace.store.read() as connection:
        known = list_keywords(connection)
    synonyms = {keyword.path.key: keyword.synonyms for keyword in known}
    return Vocabulary([keyword.path for keyword in known], synonyms, sentences_of(workspace))


def try_out(
    workspace: Workspace, name: str, photo: Path, wait: Callable[[float], None] = time.sleep
) -> tuple[Seen, ...]:
    """Describe one photo now, kept or not, and give what it means in the user's vocabulary. Raises ``DescriberError``,
    ``NotAgreedError``, ``RenditionError``."""
    configured = _allowed(workspace, name)
    one = configured.provider
    describer = open_describer(workspace, one)
    with Renderer() as renderer:
        picture = picture_of(renderer.thumbnail(photo, one.longest_side).pixels)
    found = persistently(lambda: _ask(workspace, one, describer, picture), wait)
    return vocabulary(workspace).seen(found, new=one.new_keywords)


def describe_photos(
    workspace: Workspace,
    name: str,
    rows: Sequence[PhotoRow],
    *,
    progress: Progress = silent,
    cancel: Cancel = never,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> DescribeReport:
    """Have photos described that this describer has not described yet; every answer is kept as it comes.

    Raises ``NotAgreedError``, and ``KeywrightError`` where the provider is unknown or cannot be opened at all; what
    fails later is in the report. Raises ``CancelledError`` when told to stop; what was described is kept.
    """
    one = _allowed(workspace, name).provider
    describer = open_describer(workspace, one)
    report, files = DescribeReport(), _by_content(workspace, rows, progress, cancel)
    with workspace.store.read() as connection:
        known = described_by(connection, describer.id)
    wanted = {content: path for content, path in files.items() if content not in known}
    report.known = len(files) - len(wanted)
    pace, in_a_row = Pace(one.per_minute), 0

    def ask(picture: Picture) -> tuple[Candidate, ...]:
        _rest(pace.delay(clock()), wait, cancel)
        pace.called(clock())
        return _ask(workspace, one, describer, picture)

    with Renderer() as renderer:
        for done, (content, path) in enumerate(wanted.items()):
            progress(f"Asking {one.name}", done, len(wanted))
            if cancel():
                raise CancelledError(f"Stopped after {done} of {len(wanted)} photos; the next run goes on from here.")
            try:
                picture = picture_of(renderer.thumbnail(path, one.longest_side).pixels)
                said = persistently(partial(ask, picture), lambda seconds: _rest(seconds, wait, cancel))
            except RenditionError as error:
                report.failures.append(NotDescribed(path, str(error)))
                continue
            except DescriberError as error:
                report.failures.append(NotDescribed(path, str(error)))
                in_a_row += 1
                if isinstance(error, RefusedError) or in_a_row >= GIVEN_UP:
                    report.stopped, report.left = str(error), len(wanted) - done - 1
                    break
                continue
            in_a_row = 0
            with workspace.store.write() as connection:
                keep_description(connection, one.name, describer.id, content, said)
            report.described += 1
    progress(f"Asking {one.name}", len(wanted), len(wanted))
    return report


def what_was_seen(
    workspace: Workspace, content_ids: Sequence[str], words: Vocabulary | None = None
) -> Mapping[str, Mapping[str, tuple[Seen, ...]]]:
    """What providers said of these pictures, in the user's vocabulary: by content id, then by provider.

    A provider that answered and saw no keyword is there with none; one that was taken out is not.
    """
    with workspace.store.read() as connection:
        said = descriptions_of(connection, content_ids)
        allowed = {one.provider.name: one.provider.new_keywords for one in list_providers(connection)}
    if not said:
        return {}
    words = words or vocabulary(workspace)
    return {
        content: {name: words.seen(found, new=allowed[name]) for name, found in each.items() if name in allowed}
        for content, each in said.items()
    }


def _allowed(workspace: Workspace, name: str) -> Configured:
    configured = provider(workspace, name)
    if not configured.may_send:
        raise NotAgreedError(
            f"What {name} would be sent has changed since you agreed; run `keywright provider add {name}` again."
        )
    return configured


def _ask(workspace: Workspace, one: Provider, describer: Describer, picture: Picture) -> tuple[Candidate, ...]:
    with workspace.store.write() as connection:
        if not spend(connection, one):
            raise RefusedError(
                f"The budget of {one.name} is used up; give it a larger one with `keywright provider add`"
            )
    return describer.describe(picture)


def _rest(seconds: float, wait: Callable[[float], None], cancel: Cancel) -> None:
    """Wait in small steps, so that a person who cancels need not."""
    left = seconds
    while left > 0:
        if cancel():
            raise CancelledError("Stopped while waiting for a provider; the next run goes on from here.")
        step = min(left, 0.5)
        wait(step)
        left -= step


def _by_content(workspace: Workspace, rows: Sequence[PhotoRow], progress: Progress, cancel: Cancel) -> dict[str, Path]:
    """One file for each picture; photos that are not there or show nothing are left to the embedding's own report."""
    report = embed_photos(workspace, rows, progress, cancel)
    away = set(report.missing) | {failure.path for failure in report.failures if failure.reason != MISSING}
    with workspace.store.read() as connection:
        fresh = photos_by_id(connection, [row.id for row in rows])
    found: dict[str, Path] = {}
    for row in fresh.values():
        if row.content_id is not None and row.path not in away:
            found.setdefault(row.content_id, row.path)
    return found
