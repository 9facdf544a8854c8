"""Model versions: their figures, what persons accepted of them, and forgetting them."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from keywright.cli.app import keywright
from keywright.errors import KeywrightError
from keywright.learning.counting import Counts, count, figures
from keywright.learning.evaluation import evaluate
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations import versions
from keywright.operations.deciding import Decided, decide
from keywright.operations.figures import answered
from keywright.operations.learning import train_known
from keywright.operations.modelfile import read_model_file, write_model_file
from keywright.operations.pruning import prune, remove
from keywright.operations.registering import NotFoundError
from keywright.operations.teaching import learn_waiting
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.models import model_parts, version_parts
from learning.synthetic import catalog
from teaching.kit import CAT, DOG, SEA, bare_photo

YES, NO = Decision.ACCEPTED, Decision.REJECTED


def told(workspace: Workspace, *arguments: str) -> object:
    result = CliRunner().invoke(keywright, [*arguments, "--json"], env={"KEYWRIGHT_HOME": str(workspace.home.folder)})
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def trainings(workspace: Workspace, more: int) -> None:
    """So many more trainings, each on one decision more."""
    for turn in range(more):
        decide(workspace, [Decided(bare_photo(CAT, turn=turn), CAT, YES)])
        train_known(workspace)


@pytest.mark.parametrize("exact_photos", [4096, 20], ids=["exact", "sampled"])
def test_the_figures_kept_are_those_of_the_leave_one_out_confidences(exact_photos: int) -> None:
    data, _ = catalog(spread=1.6)
    result = train(data, LearnerSettings(exact_photos=exact_photos, landmarks=30))
    assert result.honest is not None
    kept = Counts.from_bytes(count(result.honest, data.keywords, result.models, 1.5).to_bytes())
    found = figures(kept)
    models = result.models
    truth = np.zeros((len(data.vectors), len(models.keywords)), dtype=bool)
    for keyword in data.keywords:
        truth[keyword.positives, models.columns[keyword.path.key]] = True
    asked = evaluate(models.paths, result.honest.confidences(), truth, models.thresholds, models.photos)
    assert found.calibration_error == pytest.approx(asked.calibration_error, abs=1e-5)
    assert (found.precision, found.recall) == pytest.approx((asked.precision, asked.recall))
    for mine, theirs in zip(found.reliability, asked.reliability, strict=True):
        if theirs.suggestions:
            assert mine.suggestions == theirs.suggestions
            assert mine.share_right == pytest.approx(theirs.share_right)
    halfway = next(point for point in found.curve if point.confidence == 0.5)
    theirs_at = next(point for point in asked.curve if point.confidence == pytest.approx(0.5))
    assert (halfway.precision, halfway.recall) == pytest.approx((theirs_at.precision, theirs_at.recall), nan_ok=True)
    assert [group.training_photos for group in found.groups] == [group.training_photos for group in asked.groups]
    assert found.seconds == 1.5


def test_a_version_is_listed_and_compared_with_its_figures_and_what_was_accepted_of_it(workspace: Workspace) -> None:
    made = [(CAT, YES), (DOG, YES), (SEA, NO)]
    decide(workspace, [Decided(bare_photo(CAT), path, what, 0.7, 1) for path, what in made])
    decide(workspace, [Decided(bare_photo(DOG), DOG, YES)])  # without a suggestion: nothing to count
    learn_waiting(workspace)
    listed = told(workspace, "models", "list")
    assert isinstance(listed, list)
    trained, reviewed = listed
    assert (trained["accepted"], trained["rejected"], reviewed["accepted"]) == (2, 1, 0)
    assert (trained["reviewed_since"], reviewed["reviewed_since"]) == (None, 1)
    assert trained["figures"] == reviewed["figures"]
    assert 0 < trained["figures"]["mean_average_precision"] <= 1
    assert [one["training_photos"] for one in trained["figures"]["groups"]] == ["10-24", "25+"]
    assert len(trained["figures"]["reliability"]) == 10
    assert [(one.version, one.accepted, one.rejected) for one in answered(workspace)] == [(1, 2, 1)]
    compared = told(workspace, "models", "compare", "1", "2")
    assert isinstance(compared, dict)
    assert compared["old_figures"] == trained["figures"]
    assert compared["old_accepted"] == {"accepted": 2, "rejected": 1}
    assert (
        "suggestions accepted"
        in CliRunner()
        .invoke(keywright, ["models", "compare", "1", "2"], env={"KEYWRIGHT_HOME": str(workspace.home.folder)})
        .stdout
    )


def test_removing_versions_leaves_the_active_one_and_what_others_share_and_says_what_it_freed(
    workspace: Workspace,
) -> None:
    trainings(workspace, 2)
    learn = versions.load(workspace, 3).weights
    with pytest.raises(KeywrightError, match="3 is the active one"):
        remove(workspace, [1, 3])
    with pytest.raises(NotFoundError):
        remove(workspace, [1, 9])
    assert [v.id for v in versions.versions(workspace)] == [1, 2, 3]
    found = remove(workspace, [2])
    assert found.removed == (2,)
    assert found.freed > 10_000
    assert np.array_equal(versions.load(workspace, 3).weights, learn)
    versions.activate(workspace, 1)
    with workspace.store.read() as connection:
        digests = set(connection.execute(model_parts.select()).scalars())
        assert digests == set(
            connection.execute(version_parts.select().with_only_columns(version_parts.c.digest)).scalars()
        )


def test_pruning_keeps_the_newest_the_active_one_and_the_one_that_rolling_back_goes_to(workspace: Workspace) -> None:
    trainings(workspace, 3)
    assert prune(workspace, 0).removed == ()
    assert prune(workspace, 1).removed == (1, 2)
    assert versions.roll_back(workspace).id == 3
    trainings(workspace, 4)
    decide(workspace, [Decided(bare_photo(SEA), SEA, YES)])
    learn_waiting(workspace)
    reviewed = versions.versions(workspace)[-1]
    prune(workspace, 1)
    assert {reviewed.id, reviewed.trained} <= {v.id for v in versions.versions(workspace)}


def test_learning_forgets_versions_beyond_those_the_configuration_keeps(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYWRIGHT_LEARNING_KEEP_VERSIONS", "2")
    trainings(workspace, 3)
    assert [v.id for v in versions.versions(workspace)] == [3, 4]


def test_learn_without_a_source_reads_all_known_catalogs_and_says_which_it_could_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(keywright, ["learn"], env={"KEYWRIGHT_HOME": str(workspace.home.folder)})
    assert ran.exit_code == 0, ran.output
    assert "Not read, what it held before still teaches: /made/up" in ran.stderr
    empty = CliRunner().invoke(keywright, ["learn"], env={"KEYWRIGHT_HOME": str(tmp_path / "new")})
    assert empty.exit_code == 1
    assert "name one: `keywright learn SOURCE`" in empty.stderr


def test_a_threshold_is_shown_tried_set_and_taken_back_on_the_command_line(workspace: Workspace) -> None:
    shown = told(workspace, "keywords", "threshold", "cat")
    tried = told(workspace, "keywords", "threshold", "cat", "0.3", "--preview", "--limit", "2")
    assert isinstance(shown, dict)
    assert isinstance(tried, dict)
    assert len(tried["shown"]) == 2
    assert tried["photos"] >= 2
    assert shown["own"] is None
    done = told(workspace, "keywords", "threshold", "cat", "0.3")
    assert isinstance(done, dict)
    assert done["own"] == 0.3
    assert told(workspace, "keywords", "threshold", "cat", "--default") == shown
    words = CliRunner().invoke(
        keywright, ["keywords", "threshold", "cat"], env={"KEYWRIGHT_HOME": str(workspace.home.folder)}
    )
    assert "Animals|Cat is suggested from" in words.stdout


def test_a_version_takes_its_figures_along_in_the_file(workspace: Workspace, tmp_path: Path) -> None:
    (own,) = versions.listed(workspace)
    assert own.figures is not None
    assert not isnan(own.figures.mean_average_precision)
    versions.export_version(workspace, 1, tmp_path / "models")
    with Workspace.open(type(workspace.home)(tmp_path / "other")) as other:
        versions.import_version(other, tmp_path / "models")
        (found,) = versions.listed(other)
    assert repr(found.figures) == repr(own.figures)  # nan is not equal to itself


def test_a_file_without_figures_is_imported_and_one_with_figures_of_other_keywords_is_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    versions.export_version(workspace, 1, tmp_path / "models")
    whole = read_model_file(tmp_path / "models")
    write_model_file(tmp_path / "without", replace(whole, figures=None))
    assert whole.figures is not None
    counts = Counts.from_bytes(whole.figures)
    for number, wrong in enumerate((b"", b"x", replace(counts, paths=counts.paths[::-1]).to_bytes())):
        write_model_file(tmp_path / f"wrong {number}", replace(whole, figures=wrong))
    with Workspace.open(type(workspace.home)(tmp_path / "other")) as other:
        for number in range(3):
            with pytest.raises(KeywrightError, match="its figures are not of its keywords"):
                versions.import_version(other, tmp_path / f"wrong {number}")
        assert versions.listed(other) == []
        versions.import_version(other, tmp_path / "without")
        (found,) = versions.listed(other)
    assert found.figures is None
