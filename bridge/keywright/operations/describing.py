"""Describing: which providers there are, what they may do, and having photos described by them.

A describer that fails never stops anything: its photos are counted with the reason, and suggestions go on without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from keywright.describing.base import Candidate, Describer, DescriberError, Picture, RefusedError
from keywright.describing.keys import forget_key, keep_key, key_of
from keywright.describing.patience import persistently
from keywright.describing.picture import picture_of
from keywright.describing.providers import Kind, Provider
from keywright.describing.vocabulary import Seen, Vocabulary
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.operations.embedding import MISSING, Failure, embed_photos
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
    keep_asked,
    keep_description,
    keep_provider,
    list_providers,
    new_keywords_allowed,
    spend,
    unanswered_by,
)

GIVEN_UP = 3
"""After so many photos in a row for which a provider did not answer, it is left alone for this run."""


class NotAgreedError(KeywrightError):
    """The user has not agreed to what a provider would be sent."""


@dataclass(slots=True)
class DescribeReport:
    """What became of the pictures that were to be described (virtual copies share theirs)."""

    described: int = 0
    known: int = 0  # were described before by the same describer
    failures: list[Failure] = field(default_factory=list)
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


def add(workspace: Workspace, new: Provider, *, agreed: str, key: str | None = None) -> bool:
    """Configure a provider. ``agreed`` are the words of ``Provider.consent`` that the user was shown and agreed to.

    A key was given for one address: where scheme, host or port is another now, it is taken out of the keyring, and the
    answer is true. Raises ``NotAgreedError`` where those are other words, and ``KeyringError`` or ``BadKeyError`` where
    the key cannot be kept or taken out; nothing is configured then.
    """
    if agreed != new.consent():
        raise NotAgreedError(f"What {new.name} would be sent was not agreed to; nothing was configured.")
    if new.kind is Kind.MOONDREAM and not Path(new.url).is_absolute():
        raise KeywrightError(f"{new.url} lies nowhere in particular; give the whole path of the model's folder.")
    before = {one.provider.name: one.provider for one in providers(workspace)}.get(new.name)
    forgotten = key is None and before is not None and before.origin != new.origin
    if key is not None:
        keep_key(new.name, key)
    elif forgotten:
        forget_key(new.name)
    with workspace.store.write() as connection:
        keep_provider(connection, new, agreed)
    return forgotten


def remove(workspace: Workspace, name: str) -> None:
    """Take out a provider, its key and its answers. Raises ``KeywrightError`` where there is none of that name, and
    ``KeyringError`` where the key stays in the keyring; nothing is taken out then."""
    with workspace.store.read() as connection:
        known = name in new_keywords_allowed(connection)
    if not known:
        provider(workspace, name)  # says which there are
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
    """The names of keywords, the most used first; never of private ones, which are not to leave the catalog."""
    with workspace.store.read() as connection:
        known = [keyword for keyword in list_keywords(connection) if not keyword.private]
    return list(dict.fromkeys(k.path.name for k in sorted(known, key=lambda k: -k.photos)))


Named = Sequence[tuple[KeywordPath, tuple[str, ...]]]
"""Keywords with their synonyms."""


def named_keywords(workspace: Workspace) -> Named:
    """The user's own keywords: those of the catalogs learned from."""
    with workspace.store.read() as connection:
        return [(keyword.path, keyword.synonyms) for keyword in list_keywords(connection)]


def vocabulary(workspace: Workspace, named: Named | None = None) -> Vocabulary:
    """The user's own keywords, made ready for what describers say; of that nothing is kept with the names' vectors."""
    known = named_keywords(workspace) if named is None else named
    sentences = sentences_of(workspace)
    heard = None if sentences is None else sentences.without_keeping()
    return Vocabulary([path for path, _ in known], {path.key: own for path, own in known}, sentences, heard)


def try_out(
    workspace: Workspace,
    name: str,
    photo: Path,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> tuple[Seen, ...]:
    """Describe one photo now, and give what it means in the user's vocabulary; the answer is not kept. Raises
    ``DescriberError``, ``NotAgreedError``, ``RenditionError``."""
    configured = _allowed(workspace, name)
    one = configured.provider
    describer = open_describer(workspace, one)
    with Renderer() as renderer:
        picture = picture_of(renderer.thumbnail(photo, one.longest_side).pixels)
    asking = _Asking(workspace, one, describer, never, wait, clock)
    found = asking.ask(picture, None)
    return vocabulary(workspace).seen(found, new=one.new_keywords)


def describe_photos(
    workspace: Workspace,
    name: str,
    rows: Sequence[PhotoRow],
    *,
    again: datetime | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> DescribeReport:
    """Have photos described that this describer has not described yet (``again``: not since that moment); every answer
    is kept as it comes. Photos it did not answer for before are asked about last.

    Raises ``NotAgreedError``, and ``KeywrightError`` where the provider is unknown or cannot be opened at all; what
    fails later is in the report. Raises ``CancelledError`` when told to stop; what was described is kept.
    """
    one = _allowed(workspace, name).provider
    describer = open_describer(workspace, one)
    files, away = _by_content(workspace, rows, progress, cancel)
    with workspace.store.read() as connection:
        known = described_by(connection, describer.id, again)
        before = unanswered_by(connection, describer.id)
    wanted = sorted((content for content in files if content not in known), key=lambda content: before.get(content, ""))
    report = DescribeReport(known=len(files) - len(wanted))
    report.failures += [photo for content, photo in away if content not in known and content not in files]
    asking, in_a_row = _Asking(workspace, one, describer, cancel, wait, clock), 0
    with Renderer() as renderer:
        for done, content in enumerate(wanted):
            progress(f"Asking {one.name}", done, len(wanted))
            if cancel():
                raise CancelledError(f"Stopped after {done} of {len(wanted)} photos; the next run goes on from here.")
            left = len(wanted) - done - 1
            try:
                picture = picture_of(renderer.thumbnail(files[content], one.longest_side).pixels)
                said = asking.ask(picture, content)
            except RenditionError as error:
                report.failures.append(Failure(files[content], str(error)))
                continue
            except DescriberError as error:
                report.failures.append(Failure(files[content], str(error)))
                in_a_row += 1
                if isinstance(error, RefusedError) or (in_a_row >= GIVEN_UP and left):
                    report.stopped, report.left = str(error), left
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
        allowed = new_keywords_allowed(connection)
    if not said:
        return {}
    words = words or vocabulary(workspace)
    words.compare(found for each in said.values() for found in each.values())
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


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asking one describer within its budget and at its pace, which all runs share."""

    workspace: Workspace
    one: Provider
    describer: Describer
    cancel: Cancel
    wait: Callable[[float], None]
    clock: Callable[[], float]

    def ask(self, picture: Picture, content: str | None) -> tuple[Candidate, ...]:
        return persistently(partial(self._once, picture, content), lambda s: _rest(s, self.wait, self.cancel))

    def _once(self, picture: Picture, content: str | None) -> tuple[Candidate, ...]:
        while (seconds := self._count(content)) > 0:
            _rest(seconds, self.wait, self.cancel)
        return self.describer.describe(picture)

    def _count(self, content: str | None) -> float:
        with self.workspace.store.write() as connection:
            seconds = spend(connection, self.one, self.clock())
            if seconds is None:
                raise RefusedError(
                    f"The budget of {self.one.name} is used up; give it a larger one with `keywright provider add`"
                )
            if seconds == 0 and content is not None:
                keep_asked(connection, self.one.name, self.describer.id, content)
        return seconds


def _rest(seconds: float, wait: Callable[[float], None], cancel: Cancel) -> None:
    """Wait in small steps, so that a person who cancels need not."""
    left = seconds
    while left > 0:
        if cancel():
            raise CancelledError("Stopped while waiting for a provider; the next run goes on from here.")
        step = min(left, 0.5)
        wait(step)
        left -= step


def _by_content(
    workspace: Workspace, rows: Sequence[PhotoRow], progress: Progress, cancel: Cancel
) -> tuple[dict[str, Path], list[tuple[str | None, Failure]]]:
    """One file for each picture; and the photos that are not there or show nothing, with the content once known."""
    report = embed_photos(workspace, rows, progress, cancel)
    away = dict.fromkeys(report.missing, MISSING) | {failure.path: failure.reason for failure in report.failures}
    with workspace.store.read() as connection:
        fresh = photos_by_id(connection, [row.id for row in rows])
    found: dict[str, Path] = {}
    failed: dict[Path, tuple[str | None, Failure]] = {}
    for row in fresh.values():
        if row.path in away:
            failed[row.path] = row.content_id, Failure(row.path, away[row.path])
        elif row.content_id is not None:
            found.setdefault(row.content_id, row.path)
    return found, list(failed.values())
