"""Keywords: list, tree, popular ones, search as one types, new ones."""

from __future__ import annotations

from keywright.keywords import KeywordPath
from keywright.service.bridge import Bridge
from keywright.service.endpoint import Group
from keywright.service.messages import keywords as m
from keywright.store.photos import KnownKeyword

GROUP = Group("keywords")


def _keyword(known: KnownKeyword) -> m.KnownKeyword:
    return m.KnownKeyword(
        keyword=str(known.path),
        name=known.path.name,
        photos=known.photos,
        synonyms=list(known.synonyms),
        private=known.private,
    )


@GROUP.endpoint(
    "GET",
    "/keywords",
    "The keywords, in the order of the tree or the most used first.",
    query=m.KeywordsQuery,
    answer=m.KnownKeywords,
)
def list_keywords(bridge: Bridge, query: m.KeywordsQuery) -> m.KnownKeywords:
    from keywright.operations import wording

    found, more = wording.listed(bridge.workspace, wording.Order(query.order), query.after, query.limit)
    return m.KnownKeywords(keywords=[_keyword(k) for k in found], next=query.after + len(found) if more else None)


@GROUP.endpoint(
    "GET",
    "/keywords/search",
    "Keywords that begin with what is typed.",
    query=m.KeywordSearchQuery,
    answer=m.KnownKeywords,
)
def search_keywords(bridge: Bridge, query: m.KeywordSearchQuery) -> m.KnownKeywords:
    from keywright.operations import wording

    return m.KnownKeywords(keywords=[_keyword(k) for k in wording.search(bridge.workspace, query.text, query.limit)])


@GROUP.endpoint(
    "GET", "/keywords/tree", "The keywords right below one.", query=m.KeywordTreeQuery, answer=m.KeywordNodes
)
def browse_keywords(bridge: Bridge, query: m.KeywordTreeQuery) -> m.KeywordNodes:
    from keywright.operations import wording

    under = None if query.under is None else KeywordPath.parse(query.under)
    return m.KeywordNodes(
        keywords=[
            m.KeywordNode(keyword=str(node.keyword), name=node.keyword.name, children=node.children)
            for node in wording.below(bridge.workspace, under)
        ]
    )


@GROUP.endpoint(
    "POST", "/keywords", "Make a keyword, or set its synonyms.", body=m.NewKeyword, answer=m.KnownKeyword, status=201
)
def create_keyword(bridge: Bridge, body: m.NewKeyword) -> m.KnownKeyword:
    from keywright.operations import wording

    path = KeywordPath.parse(body.keyword)
    return _keyword(wording.create(bridge.workspace, path, body.synonyms, private=body.private))


@GROUP.endpoint(
    "GET", "/keywords/primes", "The prime examples of a keyword.", query=m.PrimesQuery, answer=m.PrimePhotos
)
def list_primes(bridge: Bridge, query: m.PrimesQuery) -> m.PrimePhotos:
    from keywright.operations.primes import prime_photos

    found = prime_photos(bridge.workspace, KeywordPath.parse(query.keyword))
    return m.PrimePhotos(photos=[row.id for row in found])
