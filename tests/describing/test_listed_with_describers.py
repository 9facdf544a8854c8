"""What the review pages list hears describers as suggesting does: the same confidence, its sources, new ones marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from describing.kit import added, never_wait, opened_copy, photo
from describing.server import Answer, Server, keywords
from keywright.config import Profile
from keywright.keywords import KeywordPath
from keywright.operations import describing
from keywright.operations.deciding import Decided, decide
from keywright.operations.refreshing import refresh
from keywright.operations.reviewing import Reviewer, ReviewKeyword, State
from keywright.operations.staleness import is_stale
from keywright.operations.suggesting import suggest_photos
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.lookups import Names
from service.conftest import Learned, learn_library

CHINA, CAT = "CHIN_0008.jpg", "CHEL_0009.jpg"  # photos without keywords
PAGODA = "pagoda_roof"


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return learn_library(tmp_path_factory.mktemp("listed"), lists=True)


@pytest.fixture
def workspace(listed: Learned, tmp_path: Path) -> Iterator[Workspace]:
    with opened_copy(listed.home, tmp_path) as opened:
        yield opened


def described(workspace: Workspace, server: Server, answer: Answer, name: str = CHINA, *, new: bool = True) -> None:
    added(workspace, server, new_keywords=new)
    server.usual = answer
    report = describing.describe_photos(workspace, "vision", [photo(workspace, name)], wait=never_wait)
    assert report.described + report.known == 1


def stale(workspace: Workspace) -> bool:
    with workspace.store.read() as connection:
        return is_stale(connection, workspace.encoder_id)


def listed_on(workspace: Workspace, name: str = CHINA) -> dict[str, ReviewKeyword]:
    (shown,) = Reviewer(workspace, Names()).photos([photo(workspace, name).id])
    return {str(one.keyword): one for one in shown.keywords if one.state is State.SUGGESTED}


def test_what_a_describer_says_is_listed_as_it_is_suggested(workspace: Workspace, server: Server) -> None:
    before = listed_on(workspace)
    assert not stale(workspace)
    described(workspace, server, keywords(temple=0.9, pagoda_roof=1.0))
    assert stale(workspace)
    assert refresh(workspace).scored == 1
    assert not stale(workspace)
    after = listed_on(workspace)
    assert after["Architecture|Temple"].confidence != before["Architecture|Temple"].confidence
    assert "vision" in after["Architecture|Temple"].sources
    assert (after[PAGODA].sources, after[PAGODA].new) == (("vision",), True)
    (live,) = suggest_photos(workspace, [str(photo(workspace, CHINA).path)], profile=Profile(limit=0))
    sure = {keyword: one for keyword, one in after.items() if one.sure}
    assert {k: (v.sources, v.new) for k, v in sure.items()} == {
        str(s.keyword): (s.sources, s.new) for s in live.suggestions
    }
    assert [sure[str(s.keyword)].confidence for s in live.suggestions] == pytest.approx(
        [s.confidence for s in live.suggestions], abs=2e-3
    )


def test_only_photos_of_which_something_else_was_said_are_scored_anew(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(temple=0.9, pagoda_roof=1.0))
    refresh(workspace)
    described(workspace, server, keywords(windmill=1.0), CAT)
    assert stale(workspace)
    assert refresh(workspace).scored == 1
    assert refresh(workspace).scored == 0
    described(workspace, server, keywords(), new=False)  # the answers are known; what they may suggest is less
    assert refresh(workspace).scored == 2
    assert not any(one.new for name in (CHINA, CAT) for one in listed_on(workspace, name).values())
    describing.remove(workspace, "vision")
    assert stale(workspace)
    assert refresh(workspace).scored == 2
    assert not any("vision" in one.sources for one in listed_on(workspace).values())


def test_a_new_keyword_waits_on_its_own_page_marked_and_is_decided_like_any_other(
    workspace: Workspace, server: Server
) -> None:
    described(workspace, server, keywords(pagoda_roof=1.0))
    refresh(workspace)
    reviewer, number = Reviewer(workspace, Names()), photo(workspace, CHINA).id
    waiting = {str(one.keyword): one for one in reviewer.keywords()}
    assert [keyword for keyword, one in waiting.items() if one.new] == [PAGODA]
    pagoda = KeywordPath.of(PAGODA)
    assert [group.photos for group in reviewer.of_keyword(pagoda)] == [(number,)]
    decide(workspace, [Decided(number, pagoda, Decision.REJECTED)])
    assert PAGODA not in listed_on(workspace)
    assert PAGODA not in {str(one.keyword) for one in reviewer.keywords()}
    refresh(workspace)
    assert PAGODA not in listed_on(workspace)
    assert describing.vocabulary(workspace).seen([], new=True) == ()


def test_a_keyword_that_is_merely_suggested_stays_a_new_one(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(pagoda_roof=1.0))
    refresh(workspace)
    described(workspace, server, keywords(pagoda_roof=1.0), CAT)
    refresh(workspace)
    assert listed_on(workspace, CAT)[PAGODA].new
    described(workspace, server, keywords(), new=False)
    refresh(workspace)
    assert PAGODA not in listed_on(workspace, CAT)
