"""Model versions, audit, uncertain photos and the report page, as a user asks for them: through the real commands."""

from __future__ import annotations

import csv
import random
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from demo.library import make_library

from cli.kit import Keywright
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change, read_keywords

TEMPLE = "2022/Beijing/CHIN_0008.jpg"


@dataclass(frozen=True)
class Learned:
    """A user's Keywright that has learned a library."""

    keywright: Keywright
    library: Path

    def learn(self) -> dict[str, object]:
        found: dict[str, object] = self.keywright("learn", self.library, "--json").json
        return found

    def active(self) -> int:
        (number,) = (v["version"] for v in self.keywright("models", "list", "--json").json if v["active"])
        return int(number)

    def of_temple(self) -> set[str]:
        (line,) = self.keywright("suggest", self.library / TEMPLE, "--json").lines
        return {s["keyword"] for s in line["suggestions"]}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("learned")
    make_library(folder / "library")
    shutil.copytree(folder / "library", folder / "pristine")
    learned = Learned(Keywright(folder / "home"), folder / "library")
    assert learned.learn()["version"] == 1
    return learned


@pytest.fixture
def learned(once: Learned, tmp_path: Path) -> Iterator[Learned]:
    """What was learned, to do with as the test likes: the home is a copy, the photos are put back afterwards."""
    shutil.copytree(once.keywright.home, tmp_path / "home")
    yield Learned(Keywright(tmp_path / "home"), once.library)
    shutil.rmtree(once.library)
    shutil.copytree(once.library.parent / "pristine", once.library)


def change(photo: Path, add: set[str], remove: set[str]) -> None:
    added, removed = (frozenset(KeywordPath.parse(text) for text in texts) for texts in (add, remove))
    photo.write_bytes(plan_file_change(photo, added, removed, SidecarProfile.PLAIN).after)


def keywords(photo: Path) -> set[str]:
    return {str(path) for path in read_keywords(photo).keywords}


def one_keyword_more(learned: Learned) -> None:
    for photo in sorted((learned.library / "2021/Launch").glob("*.jpg"))[:7]:
        change(photo, {"Trips|Florida"}, set())


def keywords_dealt_out_at_random(library: Path) -> None:
    photos = [photo for photo in sorted(library.rglob("*.jpg")) if keywords(photo)]
    dealt = [keywords(photo) for photo in photos]
    random.Random(1).shuffle(dealt)
    for photo, new in zip(photos, dealt, strict=True):
        old = keywords(photo)
        if old != new:
            change(photo, new - old, old - new)


def test_each_training_is_a_version_and_rolling_back_lets_the_one_before_suggest_again(learned: Learned) -> None:
    one_keyword_more(learned)
    assert learned.learn()["version"] == 2
    listed = learned.keywright("models", "list", "--json").json
    assert [(v["version"], v["active"]) for v in listed] == [(1, False), (2, True)]
    assert [v["metrics"]["keywords"] for v in listed] == [29, 31]
    rocket = learned.library / "2021/Launch/ROCK_0008.jpg"

    def suggested() -> set[str]:
        return {s["keyword"] for s in learned.keywright("suggest", rocket, "--json").lines[0]["suggestions"]}

    assert "Trips|Florida" in suggested()
    assert "Version 1 is active again" in learned.keywright("models", "rollback").out
    assert suggested() == {"Transport|Rocket"}
    assert "none to go back to" in learned.keywright.fails("models", "rollback")


def test_a_version_that_was_rolled_back_is_not_brought_back_by_learning_the_same_again(learned: Learned) -> None:
    one_keyword_more(learned)
    learned.learn()
    learned.keywright("models", "rollback")
    ran = learned.keywright("learn", learned.library)
    assert "Version 1 stays the active one" in ran.err
    assert learned.active() == 1
    assert len(learned.keywright("models", "list", "--json").json) == 2
    learned.keywright("models", "activate", "2")
    assert "Nothing changed" in learned.keywright("learn", learned.library).out
    assert learned.active() == 2


def test_a_worse_training_is_kept_but_does_not_suggest_until_it_is_activated(learned: Learned) -> None:
    keywords_dealt_out_at_random(learned.library)
    ran = learned.keywright("learn", learned.library)
    assert ran.status == 0
    assert "Version 1 stays the active one" in ran.err
    assert "mean average precision" in ran.err
    assert "`keywright models activate 2`" in ran.err
    assert learned.active() == 1
    assert learned.of_temple() == {"Travel|China", "Architecture|Temple"}
    again = learned.learn()
    assert (again["version"], again["trained_version"]) == (1, 2)
    assert learned.keywright("models", "activate", "2").status == 0
    assert learned.active() == 2


def test_a_training_that_fails_leaves_the_active_version_in_place(learned: Learned) -> None:
    for photo in learned.library.rglob("*.jpg"):
        change(photo, set(), keywords(photo))
    assert "nothing to learn" in learned.keywright.fails("learn", learned.library)
    assert learned.active() == 1
    assert learned.of_temple() == {"Travel|China", "Architecture|Temple"}


def test_comparing_two_versions_names_the_keywords_that_differ(learned: Learned) -> None:
    one_keyword_more(learned)
    for photo in sorted((learned.library / "2023/At home").glob("CHEL_*.jpg"))[:3]:
        change(photo, {"Animals|Tiger"}, {"Animals|Cat"})
    learned.learn()
    found = learned.keywright("models", "compare", "1", "2", "--json").json
    assert set(found["added"]) == {"Trips", "Trips|Florida", "Animals|Tiger"}
    assert found["removed"] == []
    photos = {one["keyword"]: (one["old_photos"], one["new_photos"]) for one in found["changed"]}
    assert photos["Animals|Cat"] == (7, 4)
    assert found["old_mean"] > 0.9
    shown = learned.keywright("models", "compare", "1", "2").out
    assert "Trips|Florida" in shown
    assert "Animals|Cat" in shown


def test_an_exported_version_suggests_the_same_on_another_machine(learned: Learned, tmp_path: Path) -> None:
    file = tmp_path / "mine.keywright"
    assert learned.keywright("models", "export", "1", file).status == 0
    other = Learned(Keywright(tmp_path / "other"), learned.library)
    imported = other.keywright("models", "import", file, "--json").json
    assert (imported["version"]["id"], imported["version"]["active"], imported["new"]) == (1, False, True)
    assert other.keywright("models", "activate", "1").status == 0
    assert other.of_temple() == learned.of_temple() == {"Travel|China", "Architecture|Temple"}
    assert not other.keywright("models", "import", file, "--json").json["new"]


def test_an_export_never_overwrites_a_file(learned: Learned, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert "is there already" in learned.keywright.fails("models", "export", "1", tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "dear"
    assert "cannot be written" in learned.keywright.fails("models", "export", "1", tmp_path / "nowhere" / "m.keywright")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "letter.txt"]


@pytest.fixture(scope="module")
def exported(once: Learned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("exported") / "models.keywright"
    assert once.keywright("models", "export", "1", file).status == 0
    return file


def rewritten(
    source: Path, target: Path, names: dict[str, bytes | None], compression: int = zipfile.ZIP_STORED
) -> None:
    """The export with some entries replaced, or (``None``) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            content = names.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


def test_a_damaged_or_foreign_file_is_refused_in_one_sentence_and_changes_nothing(
    once: Learned, exported: Path, tmp_path: Path
) -> None:
    whole = exported.read_bytes()
    with zipfile.ZipFile(exported) as archive:
        part = next(name for name in archive.namelist() if name.startswith("parts/") and "manifest" not in name)
        content = archive.read(part)
    bad = {name: tmp_path / name for name in ("text", "empty", "cut", "zip", "missing", "changed", "newer", "packed")}
    bad["text"].write_text("no models at all")
    bad["empty"].write_bytes(b"")
    bad["cut"].write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(bad["zip"], "w") as archive:
        archive.writestr("holiday.txt", "photos")
    rewritten(exported, bad["missing"], {part: None})
    rewritten(exported, bad["changed"], {part: content[:-4] + b"\x00\x00\x80\x7f"})
    rewritten(exported, bad["newer"], {"keywright-models.json": b'{"format": 99}'})
    rewritten(exported, bad["packed"], {}, zipfile.ZIP_DEFLATED)
    bad["flipped"] = tmp_path / "flipped"
    bad["flipped"].write_bytes(whole[:100_000] + bytes([whole[100_000] ^ 1]) + whole[100_001:])
    bad["nowhere"] = tmp_path / "nowhere"
    for name, file in bad.items():
        sentence = once.keywright.fails("models", "import", file)
        assert str(file) in sentence, name
        assert ("update Keywright" in sentence) == (name == "newer")
    assert len(once.keywright("models", "list", "--json").json) == 1


def test_a_version_that_is_not_there_is_named_with_those_that_are(once: Learned, tmp_path: Path) -> None:
    for command in (("activate", 7), ("compare", 1, 7), ("export", 7, tmp_path / "m.keywright")):
        assert "no model version 7; those there are: 1" in once.keywright.fails("models", *command)
    nobody = Keywright(tmp_path / "new")
    assert "nothing has been learned yet" in nobody.fails("models", "activate", 1)
    assert "none to go back to" in nobody.fails("models", "rollback")
    assert nobody("models", "list", "--json").json == []


def test_a_damaged_version_is_not_activated(learned: Learned) -> None:
    one_keyword_more(learned)
    learned.learn()
    with sqlite3.connect(learned.keywright.home / "keywright.db") as store:
        store.execute(
            "UPDATE model_parts SET content = zeroblob(9) WHERE digest IN (SELECT digest FROM version_parts WHERE "
            "version_id = 1 AND digest NOT IN (SELECT digest FROM version_parts WHERE version_id = 2))"
        )
    assert "version 1 is damaged" in learned.keywright.fails("models", "rollback")
    assert "version 1 is damaged" in learned.keywright.fails("models", "activate", "1")
    assert learned.active() == 2


@pytest.fixture(scope="module")
def doubtful(once: Learned, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A library with a keyword left out on one photo, and a wrong one instead of another's."""
    folder = tmp_path_factory.mktemp("doubtful")
    shutil.copytree(once.library, folder / "R & B")
    change(folder / "R & B/2022/Beijing/CHIN_0003.jpg", set(), {"Architecture|Temple"})
    change(folder / "R & B/2023/At home/COFF_0004.jpg", {"Animals|Cat"}, {"Food|Coffee"})
    return Learned(Keywright(folder / "home"), folder / "R & B")


def test_an_audit_finds_the_missing_and_the_wrong_keyword_and_shows_why(doubtful: Learned) -> None:
    # So few photos leave a keyword's own threshold near what its confidence can be at most.
    found = doubtful.keywright("audit", doubtful.library, "--min-confidence", "0.5", "--json").json
    missing = {(Path(one["path"]).name, one["keyword"]) for one in found["missing"]}
    assert missing == {("CHIN_0003.jpg", "Architecture|Temple"), ("COFF_0004.jpg", "Food|Coffee")}
    assert [(Path(one["path"]).name, one["keyword"]) for one in found["wrong"]] == [("COFF_0004.jpg", "Animals|Cat")]
    for one in (*found["missing"], *found["wrong"]):
        # What speaks for it: photos of the same series with the keyword, or without the wrong one.
        series = Path(one["path"]).name[:4]
        assert len(one["because"]) == 3
        for because in map(Path, (b["path"] for b in one["because"])):
            assert because.name.startswith(series)
            assert (one["keyword"] in keywords(because)) == (one["doubt"] == "missing")
    assert (found["photos"], found["without_keywords"]) == (98, 28)


def test_an_audit_changes_nothing_and_shows_a_table(doubtful: Learned) -> None:
    before = {p: p.read_bytes() for p in doubtful.library.rglob("*.jpg")}
    ran = doubtful.keywright("audit", doubtful.library)
    assert ran.status == 0
    assert ran.out.index("Probably missing") < ran.out.index("Probably wrong")
    assert {p: p.read_bytes() for p in doubtful.library.rglob("*") if p.is_file()} == before
    assert doubtful.keywright("models", "list", "--json").json == []


def test_an_audit_as_csv_opens_in_a_spreadsheet_and_keeps_to_the_limit(doubtful: Learned, tmp_path: Path) -> None:
    assert doubtful.keywright("audit", doubtful.library, "--limit", "1", "--csv", tmp_path / "a.csv").status == 0
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["doubt"] for row in rows] == ["missing", "wrong"]
    assert all(Path(path).exists() for row in rows for path in (row["path"], *row["because"].split(";")))
    refused = doubtful.keywright.fails("audit", doubtful.library, "--csv", tmp_path / "nowhere" / "a.csv")
    assert "cannot be written" in refused


def test_what_a_person_rejected_on_a_photo_is_not_brought_up_again(doubtful: Learned) -> None:
    with sqlite3.connect(doubtful.keywright.home / "keywright.db") as store:
        store.execute(
            "INSERT INTO decisions (photo_id, keyword_id, decision, decided_at) SELECT p.id, k.id, 'rejected', '2026' "
            "FROM photos p, keywords k WHERE p.path LIKE '%CHIN_0003.jpg' AND k.path = 'Architecture|Temple'"
        )
    try:
        found = doubtful.keywright("audit", doubtful.library, "--min-confidence", "0.5", "--json").json
        assert {one["keyword"] for one in found["missing"]} == {"Food|Coffee"}
    finally:
        with sqlite3.connect(doubtful.keywright.home / "keywright.db") as store:
            store.execute("DELETE FROM decisions")


def test_a_clean_library_gives_nothing_to_doubt(once: Learned) -> None:
    assert "Nothing doubtful in 98 photos" in once.keywright("audit", once.library).out


def test_a_source_without_keywords_has_nothing_to_audit(once: Learned, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    shutil.copy(once.library / TEMPLE, tmp_path / "bare")
    assert "nothing to audit" in Keywright(tmp_path / "home").fails("audit", tmp_path / "bare")


SERIES = ("2020/Textures/BRIC", "2022/Garage/MOTO", "2023/Portraits/ASTR", "2021/Sky/MOON")


@pytest.fixture(scope="module")
def unsure(once: Learned, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A library where some frames of four series carry a keyword that nobody could tell from the picture."""
    folder = tmp_path_factory.mktemp("unsure")
    shutil.copytree(once.library, folder / "library")
    for series in SERIES:
        for number in (2, 4, 6):
            change(folder / f"library/{series}_{number:04d}.jpg", {"Best"}, set())
    learned = Learned(Keywright(folder / "home"), folder / "library")
    learned.learn()
    return learned


def test_the_photos_asked_about_are_undecided_and_not_frames_of_one_burst(unsure: Learned) -> None:
    asked = unsure.keywright("uncertain", "best", "--limit", "4", "--json").json
    assert {one["keyword"] for one in asked} == {"Best"}
    assert all("Best" not in keywords(Path(one["path"])) for one in asked)
    assert {Path(one["path"]).name[:4] for one in asked} == {series[-4:] for series in SERIES}
    assert "does it carry" in unsure.keywright("uncertain").out


def test_what_a_person_decided_is_not_asked_again(unsure: Learned) -> None:
    (first,) = unsure.keywright("uncertain", "Best", "--limit", "1", "--json").json
    with sqlite3.connect(unsure.keywright.home / "keywright.db") as store:
        store.execute(
            "INSERT INTO decisions (photo_id, keyword_id, decision, decided_at) "
            "SELECT ?, id, 'rejected', '2026' FROM keywords WHERE path = 'Best'",
            (first["photo_id"],),
        )
    again = unsure.keywright("uncertain", "Best", "--limit", "20", "--json").json
    assert again
    assert first["path"] not in {one["path"] for one in again}


def test_a_keyword_that_is_not_there_is_answered_with_those_spelled_alike(once: Learned, tmp_path: Path) -> None:
    assert "did you mean Animals|Cat?" in once.keywright.fails("uncertain", "Kat")
    assert "Transport|Motorcycle" in once.keywright.fails("uncertain", "transport|motorcicle")
    assert "`keywright keywords list`" in once.keywright.fails("uncertain", "Xylophone")
    assert "Nothing has been learned yet" in Keywright(tmp_path / "new").fails("uncertain")


def test_the_accuracy_report_is_one_page_with_its_pictures_inside(doubtful: Learned, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ran = doubtful.keywright("evaluate", doubtful.library, "--html", page, "--json")
    assert ran.json["photos"] > 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 1
    assert "Reliability" in text
    assert "Precision and recall" in text
    assert all(one["keyword"] in text for one in ran.json["per_keyword"])
    assert "R &amp; B" in text
    # Nothing is fetched from anywhere: what links there are name kinds of XML.
    assert "<script" not in text
    assert not re.findall(r"(?:src|url\(|href)\s*=?\s*[\"'(]?\s*(?:https?:|//)", text)


def test_without_matplotlib_the_report_page_says_what_to_install(
    once: Learned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib/__init__.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sentence = once.keywright.fails("evaluate", once.library, "--html", tmp_path / "report.html")
    assert "pip install keywright[report]" in sentence
    assert not (tmp_path / "report.html").exists()
