"""What the pages list: suggestions that are kept in step with models, photos, keywords and decisions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keywright.config import Profile
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations.deciding import Decided, decide
from keywright.operations.refreshing import refresh
from keywright.operations.registering import NotFoundError
from keywright.operations.reviewing import Filter, Order, Reviewer, State
from keywright.operations.staleness import LEAST_REST, is_stale
from keywright.operations.suggesting import suggest_photos
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.lookups import Names
from keywright.store.suggestions import KeptState, keep_state, kept_state
from service.conftest import Learned


@pytest.fixture
def workspace(learned_home: Learned, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(learned_home.home, tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as opened:
        refresh(opened)
        yield opened


@pytest.fixture
def reviewer(workspace: Workspace) -> Reviewer:
    return Reviewer(workspace, Names())


def suggested(reviewer: Reviewer, photo: int) -> dict[str, float]:
    (shown,) = reviewer.photos([photo])
    return {str(k.keyword): k.confidence or 0 for k in shown.keywords if k.state is State.SUGGESTED and k.sure}


def some_suggestion(reviewer: Reviewer) -> tuple[int, KeywordPath]:
    for photo in reviewer.list_photos(Filter(undecided=True)):
        return photo, KeywordPath.parse(next(iter(suggested(reviewer, photo))))
    raise AssertionError("nothing is suggested")


def test_the_lists_hold_what_suggesting_says(workspace: Workspace, reviewer: Reviewer, learned_home: Learned) -> None:
    live = {
        one.photo.id: {str(s.keyword): s.confidence for s in one.suggestions}
        for one in suggest_photos(workspace, [str(learned_home.library)], profile=Profile())
    }
    assert sum(len(some) for some in live.values()) > 20
    for photo, expected in live.items():
        assert suggested(reviewer, photo) == pytest.approx(expected, abs=2e-3)


def test_a_second_refreshing_scores_nothing_anew(workspace: Workspace) -> None:
    assert refresh(workspace).scored == 0
    with workspace.store.read() as connection:
        assert not is_stale(connection, workspace.encoder_id)


def test_learned_decisions_alone_make_the_lists_stale_only_after_a_while(workspace: Workspace) -> None:
    with workspace.store.write() as connection:
        kept = kept_state(connection)
        assert kept is not None
        told = json.loads(kept.seen)
        keep_state(connection, KeptState(kept.version_id, json.dumps(told | {"content": "of before"})))
    with workspace.store.read() as connection:
        soon, late = told["ended"] + 1, told["ended"] + LEAST_REST + 5 * told["took"] + 1
        assert not is_stale(connection, workspace.encoder_id, soon)
        assert is_stale(connection, workspace.encoder_id, late)


def test_what_is_decided_is_listed_no_more_and_what_is_taken_back_is_listed_again(
    workspace: Workspace, reviewer: Reviewer
) -> None:
    photo, keyword = some_suggestion(reviewer)
    before = suggested(reviewer, photo)
    groups = reviewer.of_keyword(keyword)
    for decision in (Decision.ACCEPTED, Decision.REJECTED):
        decide(workspace, [Decided(photo, keyword, decision)])
        assert str(keyword) not in suggested(reviewer, photo)
        assert photo not in [p for group in reviewer.of_keyword(keyword) for p in group.photos]
        decide(workspace, [Decided(photo, keyword, None)])
        assert suggested(reviewer, photo) == before
        assert reviewer.of_keyword(keyword) == groups


def test_a_keyword_given_by_hand_closes_the_suggestions_above_it(workspace: Workspace, reviewer: Reviewer) -> None:
    photo, keyword = some_suggestion(reviewer)
    decide(workspace, [Decided(photo, KeywordPath((*keyword.parts, "A special one")), Decision.ACCEPTED)])
    assert str(keyword) not in suggested(reviewer, photo)


def test_the_count_of_a_keyword_is_the_number_of_photos_listed_for_it(reviewer: Reviewer) -> None:
    assert reviewer.keywords()
    for one in reviewer.keywords():
        listed = sum(len(group.photos) for group in reviewer.of_keyword(one.keyword))
        assert listed == one.sure + one.unsure


def test_a_parent_is_not_listed_where_a_keyword_below_it_is(reviewer: Reviewer) -> None:
    for photo in reviewer.list_photos(Filter(undecided=True)):
        keywords = [KeywordPath.parse(text) for text in suggested(reviewer, photo)]
        assert not [(a, b) for a in keywords for b in keywords if a.is_under(b)]


def test_frames_of_one_scene_are_one_group_and_other_scenes_are_not(reviewer: Reviewer) -> None:
    photos = {one.photo.path: one for one in reviewer.photos(reviewer.list_photos(Filter()))}
    scenes: dict[int, set[str]] = {}
    for path, one in photos.items():
        scenes.setdefault(one.group, set()).add(path.name[:4])
    assert all(len(names) == 1 for names in scenes.values())


def test_filters_leave_out_what_they_say(reviewer: Reviewer, learned_home: Learned) -> None:
    everything = reviewer.list_photos(Filter())
    sky = str(learned_home.library / "2021" / "Sky")
    inside = reviewer.photos(reviewer.list_photos(Filter(folder=sky)))
    assert inside
    assert all(one.photo.path.parent == Path(sky) for one in inside)
    assert reviewer.list_photos(Filter(folder=sky[:-1])) == []
    by_folder = [one.photo.path for one in reviewer.photos(reviewer.list_photos(Filter(order=Order.FOLDER)))]
    assert by_folder == sorted(by_folder)
    waiting = reviewer.list_photos(Filter(undecided=True))
    assert 0 < len(waiting) < len(everything)
    assert all(suggested(reviewer, photo) for photo in waiting)
    sure = reviewer.list_photos(Filter(min_confidence=0.9))
    assert all(max(k.confidence or 0 for k in one.keywords) >= 0.9 for one in reviewer.photos(sure))
    cats = reviewer.photos(reviewer.list_photos(Filter(keyword=KeywordPath.of("Animals"))))
    assert {one.photo.path.name[:4] for one in cats} == {"CHEL"}
    with pytest.raises(NotFoundError):
        reviewer.list_photos(Filter(keyword=KeywordPath.of("Nobody has this")))


def test_a_selection_lists_exactly_its_photos_in_their_order(reviewer: Reviewer) -> None:
    chosen = reviewer.list_photos(Filter())[5:1:-1]
    number = reviewer.select(chosen)
    assert reviewer.list_photos(Filter(selection=number)) == chosen
    with pytest.raises(NotFoundError):
        reviewer.select([10**9])
    with pytest.raises(NotFoundError):
        reviewer.list_photos(Filter(selection=number + 1))


def test_the_photos_that_speak_for_a_suggestion_carry_it_and_the_most_alike_come_first(reviewer: Reviewer) -> None:
    photo, keyword = some_suggestion(reviewer)
    speaking = reviewer.reasons(photo, keyword)
    assert speaking
    assert [s.similarity for s in speaking] == sorted((s.similarity for s in speaking), reverse=True)
    for one in speaking:
        (shown,) = reviewer.photos([one.photo.id])
        assert keyword.key in {k.keyword.key for k in shown.keywords if k.state is State.ASSIGNED}
    assert photo not in [one.photo.id for one in speaking]
