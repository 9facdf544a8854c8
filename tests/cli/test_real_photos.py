"""On 4,000 real photos: the accuracy a user gets, the same from a Lightroom catalog and from a folder."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import average_precision_score

from cli.kit import Keywright

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    photos, key = shared / "photos", shared / "photos" / "keywords.csv"
    make = [sys.executable, str(shared / "tools" / "make_lrcat.py"), str(folder / "p.lrcat"), str(photos), str(key)]
    subprocess.run(make, check=True, capture_output=True)
    copy = [sys.executable, str(shared / "tools" / "keyworded_folder.py"), str(photos), str(folder / "photos")]
    subprocess.run(copy, check=True, capture_output=True)
    return folder


def test_a_catalog_and_a_folder_of_the_same_photos_are_learned_equally_well(shared: Path, work: Path) -> None:
    keywright, key = Keywright(work / "home"), shared / "photos" / "keywords.csv"
    reports = {}
    for source in ("p.lrcat", "photos"):
        ran = keywright("evaluate", work / source, "--split-file", key, "--json")
        assert ran.status == 0, ran.err
        reports[source] = ran.json
    for report in reports.values():
        assert report["judged_keywords"] == 99
        assert report["mean_average_precision"] >= 0.65
        assert report["precision"] >= 0.8
    apart = reports["p.lrcat"]["mean_average_precision"] - reports["photos"]["mean_average_precision"]
    assert abs(apart) <= 0.005


def test_suggesting_over_the_test_photos_gives_the_accuracy_that_evaluate_reports(shared: Path, work: Path) -> None:
    """scikit-learn is the witness: it scores what `suggest` prints, without any of Keywright's own arithmetic."""
    keywright = Keywright(work / "home")
    assert keywright("learn", work / "p.lrcat").status == 0
    with (shared / "photos" / "keywords.csv").open(newline="", encoding="utf-8") as opened:
        rows = {row["path"]: row for row in csv.DictReader(opened)}
    ran = keywright("suggest", work / "p.lrcat", "--json", "--limit", "0", "--min-confidence", "0")
    scores = {}
    for line in ran.lines:
        path = Path(line["path"]).relative_to((shared / "photos").resolve()).as_posix()
        if rows[path]["split"] == "test" and line["copy_of"] is None:
            scores[path] = {s["keyword"]: s["confidence"] for s in line["suggestions"]}
    assert len(scores) == 1296
    carried = {path: set(row["keywords"].split(";")) for path, row in rows.items()}
    found = []
    for keyword in sorted(set().union(*carried.values())):
        trained = sum(keyword in carried[p] for p, row in rows.items() if row["split"] == "train")
        truth = [keyword in carried[p] for p in scores]
        if trained >= 5 and sum(truth) >= 3:
            found.append(average_precision_score(truth, [s.get(keyword, 0.0) for s in scores.values()]))
    assert len(found) == 99
    assert sum(found) / len(found) >= 0.65
