"""Keyword lists of other programs in and out of what Keywright knows: names, synonyms, and what is private."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from keywright.catalogs.base import CatalogKeyword, CatalogKind
from keywright.keywords import fold_name
from keywright.operations.registering import OWN
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, catalog_keywords, list_keywords, register_catalog


@dataclass(frozen=True, slots=True)
class Imported:
    """What a keyword list brought; nothing that was known is ever taken away."""

    keywords: int  # in the list, each once
    new: int  # that were not known
    synonyms: int  # that were not known, of new and of known keywords


def export_keywords(workspace: Workspace) -> list[CatalogKeyword]:
    """All keywords of the catalogs learned from and of imported lists."""
    with workspace.store.read() as connection:
        return [CatalogKeyword(k.path, "", k.synonyms, k.private) for k in list_keywords(connection)]


def import_keywords(workspace: Workspace, listed: Iterable[CatalogKeyword]) -> Imported:
    """Add what a list names to what is known: new keywords, and further synonyms of known ones.

    A known keyword keeps its spelling. It stays private where the catalogs say so, whatever the list says, and is not
    made private by a list where a catalog exports it.
    """
    given: dict[tuple[str, ...], CatalogKeyword] = {}
    for keyword in listed:
        earlier = given.setdefault(keyword.path.key, keyword)
        if earlier is not keyword:
            synonyms = (*earlier.synonyms, *keyword.synonyms)
            given[keyword.path.key] = CatalogKeyword(earlier.path, "", synonyms, earlier.private and keyword.private)
    new = more = 0
    with workspace.store.write() as connection:
        own = register_catalog(connection, CatalogKind.FOLDER, OWN, OWN, learn=True)
        known = {k.path.key: k for k in list_keywords(connection)}
        ids = KeywordIds(connection)
        mine = {
            row.keyword_id: row
            for row in connection.execute(select(catalog_keywords).where(catalog_keywords.c.catalog_id == own))
        }
        rows = []
        for key, keyword in given.items():
            there = known.get(key)
            names = {fold_name(keyword.path.name), *(fold_name(s) for s in (there.synonyms if there else ()))}
            added = [s for s in dict.fromkeys(keyword.synonyms) if fold_name(s) not in names]
            new += there is None
            more += len(added)
            if there is not None and not added:
                continue
            number = ids.id(there.path if there else keyword.path)
            before = mine.get(number)
            rows.append(
                {
                    "catalog_id": own,
                    "keyword_id": number,
                    "host_id": before.host_id if before else "",
                    "private": there.private if there else keyword.private,
                    "synonyms": json.dumps(
                        [*(json.loads(before.synonyms) if before else ()), *added], ensure_ascii=False
                    ),
                }
            )
        for row in rows:
            same = (catalog_keywords.c.catalog_id == own) & (catalog_keywords.c.keyword_id == row["keyword_id"])
            connection.execute(delete(catalog_keywords).where(same))
        if rows:
            connection.execute(insert(catalog_keywords), rows)
    return Imported(len(given), new, more)
