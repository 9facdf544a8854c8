"""What a profile makes of suggestions: which of them, where they are put, and what the camera wrote besides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from keywright.config import Profile
from keywright.keywords import KeywordPath
from keywright.metadata.shot import read_shot
from keywright.store.lookups import taken_of
from keywright.store.photos import PhotoRow
from keywright.suggesting import SuggestSettings

Keys = Collection[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Because:
    """A photo that speaks for a suggestion: it carries the keyword, and looks alike."""

    path: Path
    similarity: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A suggestion with the photos that speak for it.

    ``keyword`` is what would be written, ``learned`` the keyword whose model says so: another one where a profile's
    template puts it elsewhere, ``None`` for an automatic keyword.
    """

    keyword: KeywordPath
    confidence: float
    because: tuple[Because, ...]
    learned: KeywordPath | None
    sources: tuple[str, ...] = ()  # who speaks for it besides these photos, as ``suggesting.Suggestion`` has it
    new: bool = False  # no keyword of the user's yet


def settings_for(profile: Profile, taken_out: int = 0) -> SuggestSettings:
    """How to ask the models: for all suggestions where the profile is to choose among them, else for its limit.

    ``taken_out``: so many may be taken out of a photo's suggestions afterwards.
    """
    chooses = profile.under or profile.without or profile.template or profile.automatic
    limit = 0 if chooses or not profile.limit else profile.limit + taken_out
    return SuggestSettings(min_confidence=profile.min_confidence, limit=limit)


def apply_profile(
    profile: Profile, ranked: Iterable[Ranked], known: Keys, automatic: Sequence[KeywordPath] = ()
) -> tuple[Ranked, ...]:
    """The suggestions of one photo as the profile has them, surest first, then the automatic keywords.

    ``known`` are the keys of what the photo carries and of what was decided on it: neither a keyword nor what it would
    be written as is suggested again. Two keywords that the template puts in one place are one suggestion.
    """
    found: dict[tuple[str, ...], Ranked] = {}
    for one in ranked:
        place = profile.placed(one.keyword)
        if profile.admits(one.keyword) and one.keyword.key not in known and place.key not in known:
            found.setdefault(place.key, replace(one, keyword=place))
    chosen = {one.keyword.key: one for one in list(found.values())[: profile.limit or None]}
    for path in automatic:
        if path.key not in known:
            chosen.setdefault(path.key, Ranked(path, 1.0, (), None))
    return tuple(chosen.values())


def automatic_keywords(
    profile: Profile, connection: Connection, rows: Sequence[PhotoRow]
) -> Mapping[int, list[KeywordPath]]:
    """The automatic keywords of these photos, by photo id; the date is the catalog's where it knows one.

    Reads the head of each photo's file; a file that is away tells nothing.
    """
    if not profile.automatic:
        return {}
    taken = taken_of(connection, [row.id for row in rows])
    found = {}
    for row in rows:
        shot = read_shot(row.path)
        if row.id in taken:
            shot = replace(shot, taken=taken[row.id])
        found[row.id] = profile.automatic_keywords(shot.fields())
    return found
