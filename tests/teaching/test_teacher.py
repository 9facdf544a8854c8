"""Decisions on a running bridge: learned at once, kept whatever happens, one version for a whole review."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.learning.settings import LearnerSettings
from keywright.operations import versions
from keywright.operations.active import load_models
from keywright.operations.catching_up import Judges
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import train_known
from keywright.operations.primes import mark_prime
from keywright.operations.teaching import Teacher, learn_waiting
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, list_decisions, list_waiting
from keywright.store.models import version_sizes
from keywright.store.standing import said_now, wait_from
from teaching.kit import CAT, DOG, SEA, bare_photo, keyworded_photo, made_up

YES, NO = Decision.ACCEPTED, Decision.REJECTED


@pytest.fixture
def taught(workspace: Workspace) -> Iterator[Workspace]:
    """A workspace with a teacher whose factor is at hand, as on a bridge in the middle of a review."""
    workspace.teacher = teacher = Teacher(workspace, 1)
    decide(workspace, [Decided(bare_photo(SEA, turn=4), SEA, YES)])
    teacher.learn_now()
    yield workspace
    teacher.close()


def teacher(workspace: Workspace) -> Teacher:
    assert isinstance(workspace.teacher, Teacher)
    return workspace.teacher


def settled(workspace: Workspace) -> None:
    """Wait for what the teacher is doing, however slow this machine is."""
    teacher(workspace).learn_now()


def confidence(workspace: Workspace, photo: int, keyword: KeywordPath) -> float:
    models, _ = load_models(workspace)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
    vector = matrix.matrix[matrix.rows[f"content {photo}"]].astype(np.float32)
    return float(models.confidences(vector[None])[0, models.columns[keyword.key]])


def waiting(workspace: Workspace) -> int:
    with workspace.store.read() as connection:
        return len(list_waiting(connection))


def test_a_decision_moves_the_models_that_suggest_and_taking_it_back_moves_them_back(taught: Workspace) -> None:
    photo, alike = bare_photo(CAT), bare_photo(CAT, turn=1)
    before = confidence(taught, photo, SEA), confidence(taught, alike, CAT)
    decide(taught, [Decided(photo, SEA, YES)])
    settled(taught)
    assert confidence(taught, photo, SEA) > before[0] + 0.05
    decide(taught, [Decided(photo, SEA, None), Decided(photo, CAT, NO)])
    settled(taught)
    assert confidence(taught, photo, SEA) == pytest.approx(before[0], abs=0.01)
    assert confidence(taught, alike, CAT) < before[1]
    decide(taught, [Decided(photo, CAT, None)])
    settled(taught)
    assert confidence(taught, alike, CAT) == pytest.approx(before[1], abs=0.01)


def test_what_was_learned_at_once_is_there_after_a_restart(taught: Workspace) -> None:
    photo = bare_photo(DOG)
    decide(taught, [Decided(photo, CAT, YES)])
    settled(taught)
    known = confidence(taught, photo, CAT)
    with Workspace.open(Home(taught.home.folder)) as again:
        assert confidence(again, photo, CAT) == known
        again.teacher = Teacher(again, 1)
        decide(again, [Decided(photo, CAT, None)])
        settled(again)
        assert confidence(again, photo, CAT) < known


def test_a_whole_review_is_one_version_that_shares_its_parts_and_rolls_back_to_the_training(taught: Workspace) -> None:
    for turn in range(4):
        decide(taught, [Decided(bare_photo(CAT, turn=turn), CAT, YES), Decided(bare_photo(DOG, turn=turn), SEA, NO)])
    settled(taught)
    trained, reviewed = versions.versions(taught)
    assert (trained.active, reviewed.active) == (False, True)
    assert reviewed.metrics["reviewed_since"] == trained.id
    assert reviewed.metrics["decisions"] == 9
    with taught.store.read() as connection:
        sizes = version_sizes(connection)
    assert sizes[reviewed.id].own < sizes[reviewed.id].total / 3
    assert versions.roll_back(taught).id == trained.id
    versions.activate(taught, reviewed.id)
    assert versions.compare(taught, trained.id, reviewed.id).added == []


def test_with_a_setting_of_three_the_models_move_when_three_wait(workspace: Workspace) -> None:
    workspace.teacher = Teacher(workspace, 3)
    for turn in range(2):
        decide(workspace, [Decided(bare_photo(CAT, turn=turn), CAT, YES)])
    teacher(workspace).finish()
    assert (waiting(workspace), load_models(workspace)[1]) == (2, 1)
    decide(workspace, [Decided(bare_photo(CAT, turn=2), CAT, YES)])
    teacher(workspace).finish()
    assert (waiting(workspace), load_models(workspace)[1]) == (0, 2)


def test_on_demand_alone_nothing_moves_until_a_person_asks(workspace: Workspace) -> None:
    workspace.teacher = Teacher(workspace, 0)
    decide(workspace, [Decided(bare_photo(CAT), CAT, YES)])
    teacher(workspace).finish()
    assert load_models(workspace)[1] == 1
    workspace.teacher = None
    assert learn_waiting(workspace).waiting == 0
    assert load_models(workspace)[1] == 2


def test_a_prime_example_is_learned_at_once(taught: Workspace) -> None:
    photo = keyworded_photo(CAT)
    before = confidence(taught, photo, CAT)
    mark_prime(taught, photo, CAT, on=True)
    settled(taught)
    assert confidence(taught, photo, CAT) > before
    assert waiting(taught) == 0
    mark_prime(taught, photo, CAT, on=False)
    settled(taught)
    assert confidence(taught, photo, CAT) == pytest.approx(before, abs=1e-3)


def test_a_decision_is_kept_where_learning_it_fails_and_the_models_stay_with_the_reason_told(
    taught: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, photo = load_models(taught)[0], bare_photo(CAT)

    def fails(*_: object) -> str:
        return "A decision is kept, but it would rank known photos worse."

    monkeypatch.setattr(Judges, "worse", fails)
    assert decide(taught, [Decided(photo, CAT, YES)]) == 1
    settled(taught)
    with taught.store.read() as connection:
        assert (photo, YES) in {(d.photo_id, d.decision) for d in list_decisions(connection)}
    assert np.array_equal(load_models(taught)[0].weights, before.weights)
    assert teacher(taught).state().problems == ("A decision is kept, but it would rank known photos worse.",)


def test_a_keyword_that_would_rank_known_photos_much_worse_is_not_moved(taught: Workspace) -> None:
    opened = teacher(taught)._opened
    assert opened is not None
    models = opened.models
    column = models.columns[CAT.key]
    upside_down = replace(models.keywords[column], weights=-models.keywords[column].weights)
    after = models.moved(models.features, {column: upside_down})
    found = opened.judges.worse(models, after, np.array([column]), "another photo")
    assert found is not None
    assert "Animals|Cat would rank known photos worse" in found
    assert opened.judges.worse(models, models, np.array([column]), "another photo") is None


def test_a_training_learns_what_waits_and_what_is_said_meanwhile_waits_for_the_teacher(workspace: Workspace) -> None:
    decide(workspace, [Decided(bare_photo(CAT), CAT, YES), Decided(bare_photo(DOG), DOG, YES)])
    with workspace.store.read() as connection:
        said = said_now(connection)
    decide(workspace, [Decided(bare_photo(DOG), DOG, NO), Decided(bare_photo(SEA), SEA, YES)])
    with workspace.store.write() as connection:
        assert wait_from(connection, said) == 2
        found = {one.photo_id: one.decided for one in list_waiting(connection)}
    assert found == {bare_photo(DOG): YES, bare_photo(SEA): None}
    train_known(workspace)
    assert waiting(workspace) == 0


KILLED = """
import os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from keywright.home import Home
from keywright.operations import catching_up
from keywright.operations.deciding import Decided, decide
from keywright.operations.teaching import Teacher
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from teaching.kit import CAT, bare_photo
catching_up.move_version = lambda *_: os._exit(9)
workspace = Workspace.open(Home(Path(sys.argv[1])))
workspace.teacher = Teacher(workspace, 1)
decide(workspace, [Decided(bare_photo(CAT), CAT, Decision.ACCEPTED)])
workspace.teacher.learn_now()
"""


def test_killed_in_the_middle_of_learning_the_decision_waits_and_is_learned_by_the_next(workspace: Workspace) -> None:
    tests = str(Path(__file__).resolve().parent.parent)
    program = KILLED.format(paths=[tests])
    ran = subprocess.run([sys.executable, "-c", program, str(workspace.home.folder)], check=False)
    assert ran.returncode == 9
    with workspace.store.read() as connection:
        assert [d.photo_id for d in list_decisions(connection)] == [bare_photo(CAT)]
    assert (waiting(workspace), load_models(workspace)[1]) == (1, 1)
    learn_waiting(workspace)
    assert (waiting(workspace), load_models(workspace)[1]) == (0, 2)


def test_a_large_collection_learns_at_once_as_well(tmp_path: Path) -> None:
    workspace = made_up(tmp_path / "home", spread=2.4)
    train_known(workspace, settings=LearnerSettings(exact_photos=20, landmarks=30))
    assert load_models(workspace)[0].features.linear
    workspace.teacher = Teacher(workspace, 1)
    photo = bare_photo(CAT)
    before = confidence(workspace, photo, SEA)
    decide(workspace, [Decided(photo, SEA, YES)])
    settled(workspace)
    middle = confidence(workspace, photo, SEA)
    decide(workspace, [Decided(photo, SEA, NO)])
    settled(workspace)
    low = confidence(workspace, photo, SEA)
    decide(workspace, [Decided(photo, SEA, None)])
    settled(workspace)
    assert low <= before < middle
    assert confidence(workspace, photo, SEA) == pytest.approx(before, abs=0.01)
    teacher(workspace).close()
