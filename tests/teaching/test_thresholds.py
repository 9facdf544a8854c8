"""Thresholds that a person sets for a keyword, and what they would bring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keywright.errors import KeywrightError
from keywright.learning.models import ModelSet
from keywright.operations.active import ModelsInUse, load_models
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import train_known
from keywright.operations.registering import NotFoundError
from keywright.operations.thresholds import Previews, keyword_threshold, preview_threshold, set_threshold
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.suggesting import SuggestSettings
from keywright.suggesting.suggest import suggest
from teaching.kit import CAT, SEA, bare_photo, made_up


def suggested(workspace: Workspace, photo: int, settings: SuggestSettings | None = None) -> set[str]:
    models, _ = load_models(workspace)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
    vector = matrix.matrix[matrix.rows[f"content {photo}"]].astype(np.float32)
    return {str(s.keyword) for s in next(suggest(models, vector[None], [set()], settings or SuggestSettings()))}


def models_of(workspace: Workspace) -> ModelSet:
    return load_models(workspace)[0]


def confidences(workspace: Workspace) -> dict[int, float]:
    """Of Animals|Cat on every photo, by the photo's number."""
    models, _ = load_models(workspace)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
    found = models.confidences(matrix.matrix.astype(np.float32))[:, models.columns[CAT.key]]
    return {int(content.split()[1]): float(found[row]) for content, row in matrix.rows.items()}


def test_a_threshold_set_by_a_person_decides_until_it_is_cleared(workspace: Workspace) -> None:
    photo = bare_photo(CAT)
    sure = confidences(workspace)[photo]
    learned = keyword_threshold(workspace, models_of(workspace), "cat")
    assert set_threshold(workspace, models_of(workspace), "Cat", min(sure + 0.01, 1)).own == min(sure + 0.01, 1)
    assert "Animals|Cat" not in suggested(workspace, photo)
    set_threshold(workspace, models_of(workspace), "Animals|Cat", sure - 0.01)
    assert "Animals|Cat" in suggested(workspace, photo)
    assert set_threshold(workspace, models_of(workspace), "cat", None) == learned
    assert load_models(workspace)[0].thresholds[load_models(workspace)[0].columns[CAT.key]] == learned.learned


def test_a_threshold_outlives_a_new_training(workspace: Workspace) -> None:
    set_threshold(workspace, models_of(workspace), "sea", 0.37)
    decide(workspace, [Decided(bare_photo(SEA), SEA, Decision.ACCEPTED)])
    train_known(workspace)
    assert keyword_threshold(workspace, models_of(workspace), "sea").own == 0.37
    models, version = load_models(workspace)
    assert version == 2
    assert models.thresholds[models.columns[SEA.key]] == pytest.approx(0.37)


def test_a_keyword_on_few_photos_is_suggested_once_a_person_set_its_threshold(tmp_path: Path) -> None:
    with made_up(tmp_path / "few", keyworded=15, bare=10) as workspace:
        train_known(workspace)
        photo = bare_photo(CAT, keyworded=15)
        assert suggested(workspace, photo) == {"Animals"}
        set_threshold(workspace, models_of(workspace), "cat", 0.01)
        assert "Animals|Cat" in suggested(workspace, photo)


def test_the_preview_counts_what_would_be_suggested_and_leaves_out_what_was_decided(workspace: Workspace) -> None:
    before = preview_threshold(workspace, models_of(workspace), "cat", 0.02, limit=100)
    sure = confidences(workspace)
    lacking = [row for row in range(1, 126) if row > 100 or (row - 1) % 5 != 0]
    wanted = {row for row in lacking if sure[row] >= 0.02}
    assert {shown.photo.id for shown in before.shown} == wanted
    assert (before.photos, before.looked_at) == (len(wanted), 105)
    assert [s.confidence for s in before.shown] == sorted(s.confidence for s in before.shown)
    decide(workspace, [Decided(bare_photo(CAT), CAT, Decision.REJECTED)])
    after = preview_threshold(workspace, models_of(workspace), "cat", 0.02, limit=100)
    assert {shown.photo.id for shown in after.shown} == wanted - {bare_photo(CAT)}
    assert after.looked_at == 104


def test_the_preview_expects_more_to_be_right_and_less_to_be_found_at_a_higher_threshold(workspace: Workspace) -> None:
    low, high = (preview_threshold(workspace, models_of(workspace), "cat", level) for level in (0.05, 0.6))
    assert low.precision is not None
    assert high.precision is not None
    assert low.recall is not None
    assert high.recall is not None
    assert low.precision < high.precision
    assert low.recall > high.recall
    assert low.photos >= high.photos


def test_trying_many_thresholds_shows_what_each_would_show_alone_whatever_is_said_meanwhile(
    workspace: Workspace,
) -> None:
    previews, in_use = Previews(workspace), ModelsInUse(workspace)

    def same(keyword: str, level: float) -> int:
        found = previews.preview(in_use.current(), keyword, level, limit=200)
        alone = preview_threshold(workspace, models_of(workspace), keyword, level, limit=200)
        assert replace(found, shown=()) == replace(alone, shown=())
        # The last bits of a product depend on how many photos are in it.
        sure, sure_alone = ({one.photo: one.confidence for one in told.shown} for told in (found, alone))
        assert sure == pytest.approx(sure_alone, abs=1e-4)
        return found.looked_at

    assert [same("cat", level) for level in (0.05, 0.5, 0.02)] == [105, 105, 105]
    decide(workspace, [Decided(bare_photo(CAT), CAT, Decision.REJECTED)])
    assert same("cat", 0.02) == 104
    decide(workspace, [Decided(bare_photo(CAT), CAT, None)])
    assert same("cat", 0.02) == 105
    set_threshold(workspace, models_of(workspace), "cat", 0.6)
    assert same("sea", 0.02) == same("cat", 0.02) == 105
    decide(workspace, [Decided(bare_photo(SEA), SEA, Decision.ACCEPTED)])
    train_known(workspace)
    assert (same("cat", 0.02), same("sea", 0.02)) == (105, 104)


def test_models_in_use_are_one_and_the_same_until_they_are_others(workspace: Workspace) -> None:
    in_use = ModelsInUse(workspace)
    first = in_use.current()
    decide(workspace, [Decided(bare_photo(SEA), SEA, Decision.ACCEPTED)])
    assert in_use.current() is first
    set_threshold(workspace, first.models, "cat", 0.6)
    moved = in_use.current()
    assert moved.models.thresholds[moved.models.columns[CAT.key]] == pytest.approx(0.6)
    assert (
        keyword_threshold(workspace, moved.models, "cat").learned
        == keyword_threshold(workspace, first.models, "cat").learned
    )
    train_known(workspace)
    assert in_use.current().version == 2


def test_what_is_no_threshold_is_one_sentence(workspace: Workspace) -> None:
    for wrong in (0.0, 1.5, float("nan")):
        with pytest.raises(KeywrightError, match="A threshold is a confidence"):
            set_threshold(workspace, models_of(workspace), "cat", wrong)
    with pytest.raises(NotFoundError, match="no keyword Dragon"):
        set_threshold(workspace, models_of(workspace), "Dragon", 0.5)
