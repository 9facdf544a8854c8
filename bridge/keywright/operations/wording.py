"""The keywords of all catalogs learned from: list, tree, search as one types, and new ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert

from keywright.catalogs.base import CatalogKind
from keywright.keywords import KeywordPath, KeywordTree, fold_search
from keywright.operations.registering import OWN, NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, KnownKeyword, catalog_keywords, list_keywords, register_catalog


class Order(StrEnum):
    TREE = "tree"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class Node:
    """A keyword in the tree, and how many are right below it."""

    keyword: KeywordPath
    children: int


def listed(workspace: Workspace, order: Order, after: int, limit: int) -> tuple[list[KnownKeyword], bool]:
    """A page of the keywords (``after`` so many), and whether there are more."""
    known = _known(workspace)
    if order is Order.POPULAR:
        known.sort(key=lambda k: (-k.photos, k.path.key))
    return known[after : after + limit], len(known) > after + limit


def search(workspace: Workspace, text: str, limit: int) -> list[KnownKeyword]:
    """Keywords whose name, or a synonym, begins with a text, then those with a later word that does.

    Case and accents do not count; the more used come first.
    """
    wanted = fold_search(text.strip())
    if not wanted:
        return []
    ranked = []
    for keyword in _known(workspace):
        places = [_place(fold_search(name), wanted) for name in (keyword.path.name, *keyword.synonyms)]
        best = min((place for place in places if place is not None), default=None)
        if best is not None:
            ranked.append((best, -keyword.photos, keyword.path.key, keyword))
    return [keyword for *_, keyword in sorted(ranked, key=lambda r: r[:3])[:limit]]


def _place(name: str, wanted: str) -> int | None:
    if name.startswith(wanted):
        return 0
    return 1 if any(name[at:].startswith(wanted) for at in _word_starts(name)) else None


def _word_starts(name: str) -> list[int]:
    return [at for at in range(1, len(name)) if name[at].isalnum() and not name[at - 1].isalnum()]


def below(workspace: Workspace, under: KeywordPath | None) -> list[Node]:
    """The keywords right below one (at the top, for ``None``). Raises ``NotFoundError`` where there is none such."""
    tree = KeywordTree(k.path for k in _known(workspace))
    if under is not None and under not in tree:
        raise NotFoundError(f"There is no keyword {under}.")
    top = None if under is None else tree.find(under)
    return [Node(path, len(tree.children(path))) for path in tree.children(top)]


def create(workspace: Workspace, path: KeywordPath, synonyms: Sequence[str], *, private: bool) -> KnownKeyword:
    """Make a keyword that a person can give photos, or change the synonyms of one made before."""
    with workspace.store.write() as connection:
        own = register_catalog(connection, CatalogKind.FOLDER, OWN, OWN, learn=True)
        number = KeywordIds(connection).id(path)
        there = (catalog_keywords.c.catalog_id == own) & (catalog_keywords.c.keyword_id == number)
        connection.execute(delete(catalog_keywords).where(there))
        connection.execute(
            insert(catalog_keywords).values(
                catalog_id=own,
                keyword_id=number,
                host_id="",
                private=private,
                synonyms=json.dumps(list(dict.fromkeys(synonyms)), ensure_ascii=False),
            )
        )
        return next(k for k in list_keywords(connection) if k.id == number)


def _known(workspace: Workspace) -> list[KnownKeyword]:
    with workspace.store.read() as connection:
        return list_keywords(connection)
