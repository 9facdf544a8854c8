"""Suggestions take what describers said into account, name them, and do without them where they fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.library import make_library

from describing.kit import added, never_wait, opened_copy, photo, rows
from describing.server import Answer, Server, keywords
from keywright.config import Profile
from keywright.encoders.sentences import is_installed
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.operations import describing
from keywright.operations.advising import Advisor
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import learn
from keywright.operations.opinions import Listener
from keywright.operations.profiles import Ranked
from keywright.operations.reading import read_source
from keywright.operations.suggesting import suggest_photos
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.suggesting.base import ITS_NAME

ZEPPELIN = KeywordPath.of("Aircraft", "Zeppelin")
CHINA = "CHIN_0008.jpg"  # one of the photos that carry no keywords


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heard")
    make_library(folder / "photos")
    with Workspace.open(Home(folder / "home")) as workspace:
        learn(workspace, [str(folder / "photos")])
    return folder


@pytest.fixture
def workspace(library: Path, tmp_path: Path) -> Iterator[Workspace]:
    with opened_copy(library / "home", tmp_path) as opened:
        yield opened


def suggested(workspace: Workspace, least: float | None = None) -> dict[str, Ranked]:
    profile = Profile(min_confidence=least, limit=0)
    (found,) = suggest_photos(workspace, [str(photo(workspace, CHINA).path)], profile=profile)
    return {str(one.keyword): one for one in found.suggestions}


def described(workspace: Workspace, server: Server, answer: Answer, **values: object) -> describing.DescribeReport:
    added(workspace, server, **{"per_minute": 1000, **values})
    server.usual = answer
    return describing.describe_photos(workspace, "vision", [photo(workspace, CHINA)], wait=never_wait)


def test_a_describer_that_agrees_makes_a_suggestion_surer_and_is_named(workspace: Workspace, server: Server) -> None:
    before = suggested(workspace, 0.0)
    described(workspace, server, keywords(temple=0.9))
    after = suggested(workspace, 0.0)
    assert after["Architecture|Temple"].confidence > before["Architecture|Temple"].confidence
    assert after["Architecture|Temple"].sources == ("vision", ITS_NAME)
    assert after["Architecture|Temple"].because
    assert before["Architecture|Temple"].sources == (ITS_NAME,)
    assert after["Food|Coffee"].confidence <= before["Food|Coffee"].confidence


def test_a_describer_that_fails_changes_no_suggestion(workspace: Workspace, server: Server) -> None:
    before = suggested(workspace)
    report = described(workspace, server, Answer(500, {}))
    assert report.failures
    assert suggested(workspace) == before


def test_an_order_in_an_answer_suggests_nothing_that_the_user_has_not(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(Fraud=1.0, Temple=0.5))
    assert not any("Fraud" in keyword for keyword in suggested(workspace, 0.0))


def test_a_new_keyword_is_suggested_only_where_allowed_and_is_marked(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(pagoda_roof=1.0), new_keywords=True)
    found = suggested(workspace)
    new = [one for one in found.values() if one.new]
    assert [(one.keyword, one.sources) for one in new] == [(KeywordPath.of("pagoda_roof"), ("vision",))]
    described(workspace, server, keywords(), new_keywords=False)
    assert not any(one.new for one in suggested(workspace).values())


def test_what_the_service_suggests_hears_a_describer_at_once(workspace: Workspace, server: Server) -> None:
    advisor = Advisor(workspace)
    number, profile = photo(workspace, CHINA).id, Profile(min_confidence=0.0, limit=0)

    def temple() -> Ranked:
        (advice,) = advisor.suggest([number], profile)
        return next(one for one in advice.suggestions if str(one.keyword) == "Architecture|Temple")

    before = temple()
    described(workspace, server, keywords(temple=0.9))
    after = temple()
    assert after.confidence > before.confidence
    assert "vision" in after.sources


def test_decisions_teach_how_much_a_describer_counts(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(temple=0.9, coffee=0.9))
    photos = rows(workspace)
    coffee = KeywordPath.of("Food", "Coffee")
    one = describing.provider(workspace, "vision").provider
    report = describing.describe_photos(workspace, one.name, photos[:60], wait=never_wait)
    assert report.described > 40
    listener = Listener(workspace)
    contents = [row.content_id or "" for row in photos[:60]]
    assert listener.hear(contents).weights == {}
    decide(workspace, [Decided(row.id, coffee, Decision.REJECTED, 0.7) for row in photos[:60]])
    weights = listener.hear(contents).weights["vision"]
    assert weights.said < 1.5
    server.usual = keywords(coffee=0.1)
    describing.describe_photos(workspace, one.name, photos[60:61], wait=never_wait)
    assert listener.hear(contents).weights["vision"] is weights  # one more description is no reason to weigh anew


@pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")
def test_what_describers_say_is_not_kept_with_the_names_of_keywords(workspace: Workspace, server: Server) -> None:
    described(workspace, server, keywords(temple=0.9, zeppelin=0.9))
    listener = Listener(workspace)
    contents = [photo(workspace, CHINA).content_id or ""]
    assert listener.hear(contents).said
    (file,) = workspace.home.cache.glob("sentences-*.npz")
    before = file.stat().st_mtime_ns, file.read_bytes()
    assert b"Temple" in before[1]
    assert b"zeppelin" not in before[1]
    others = [row for row in rows(workspace) if row.path.name != CHINA][:2]
    server.says(keywords(gramophone=0.9), keywords(sextant=0.9))
    describing.describe_photos(workspace, "vision", others, wait=never_wait)
    assert listener.hear([row.content_id or "" for row in others]).said
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def test_a_keyword_that_is_read_later_is_heard(workspace: Workspace, server: Server, tmp_path: Path) -> None:
    described(workspace, server, keywords(zeppelin=0.9))
    listener = Listener(workspace)
    contents = [photo(workspace, CHINA).content_id or ""]
    assert listener.hear(contents).said[contents[0]]["vision"] == ()
    named = plan_file_change(photo(workspace, CHINA).path, frozenset([ZEPPELIN]), frozenset(), SidecarProfile.PLAIN)
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "LZ_129.jpg").write_bytes(named.after)
    read_source(workspace, str(tmp_path / "later"), learn=True)
    assert [said.keyword for said in listener.hear(contents).said[contents[0]]["vision"]] == [ZEPPELIN]
