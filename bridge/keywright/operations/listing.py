"""The keywords that were learned, with what is known of each model."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from keywright.keywords import KeywordPath, fold_name
from keywright.learning.models import ModelSet
from keywright.operations.workspace import Workspace
from keywright.store.photos import list_keywords


@dataclass(frozen=True, slots=True)
class LearnedKeyword:
    """A keyword of the catalogs learned from; the last two are ``None`` while it has no model."""

    path: KeywordPath
    photos: int  # that carry it or a keyword below it, where it has a model; else that carry it
    synonyms: tuple[str, ...]
    private: bool
    threshold: float | None  # the confidence from which it is suggested
    quality: float | None  # average precision by leave-one-out


def list_models(workspace: Workspace, learned: ModelSet | None, prefix: str = "") -> list[LearnedKeyword]:
    """All keywords, or those of which a name or synonym begins with ``prefix``, case and accents aside; ``learned``
    are the active models, ``None`` while there are none."""
    with workspace.store.read() as connection:
        listed = {k.path.key: k for k in list_keywords(connection)}
    models = {m.path.key: m for m in learned.keywords} if learned is not None else {}
    found = []
    for key in sorted(listed.keys() | models.keys()):
        known, model = listed.get(key), models.get(key)
        path = model.path if model else known.path if known else KeywordPath(key)
        synonyms = known.synonyms if known else ()
        if prefix and not any(_plain(name).startswith(_plain(prefix)) for name in (path.name, *synonyms)):
            continue
        found.append(
            LearnedKeyword(
                path,
                model.photos if model else known.photos if known else 0,
                synonyms,
                known.private if known else False,
                float(model.threshold) if model else None,
                float(model.average_precision) if model else None,
            )
        )
    return found


def _plain(name: str) -> str:
    """A name without case and accents."""
    decomposed = unicodedata.normalize("NFD", fold_name(name))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
