"""Searching photos as a user does, on real photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.library import SERIES, source
from PIL import Image

from cli.kit import Keywright
from keywright.encoders.sentences import is_installed
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.operations.learning import learn
from keywright.operations.searching import search
from keywright.operations.workspace import Workspace

needs_text = pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photograph of each kind; a file's name says nothing, every second carries its keywords."""
    folder = tmp_path_factory.mktemp("searched") / "photos"
    for number, series in enumerate(SERIES):
        file = folder / ("Zürich 2019" if number % 3 == 0 else "Kept") / f"IMG_{number:04}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source(series)) as opened:
            opened.convert("RGB").save(file, quality=92)
        if number % 2 == 0:
            paths = [KeywordPath.parse(text) for text in series.keywords]
            file.write_bytes(bytes(plan_file_change(file, frozenset(paths), frozenset(), SidecarProfile.PLAIN).after))
    return folder


@pytest.fixture(scope="module")
def workspace(library: Path) -> Iterator[Workspace]:
    with Workspace.open(Home(library.parent / "home")) as opened:
        learn(opened, [str(library)])
        yield opened


def photo(library: Path, name: str) -> Path:
    number = next(n for n, series in enumerate(SERIES) if series.file.endswith(name))
    return next(library.rglob(f"IMG_{number:04}.jpg"))


@needs_text
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a cat", "chelsea.png"),
        ("Kitten", "chelsea.png"),
        ("cup of espresso", "coffee.png"),
        ("motorbike", "motorcycle_left.png"),
        ("pagoda", "china.jpg"),
    ],
)
def test_words_find_the_photo_that_shows_it(workspace: Workspace, library: Path, text: str, name: str) -> None:
    best = search(workspace, text, limit=1)[0]
    assert best.photo.path == photo(library, name)
    assert 0 < best.score <= 1
    assert best.because


def test_a_keyword_finds_its_photos_and_says_so(workspace: Workspace, library: Path) -> None:
    best = search(workspace, "astronaut", limit=1)[0]
    assert best.photo.path == photo(library, "astronaut.png")
    assert "keyword Work|Astronaut" in best.because[0]


def test_a_folders_name_finds_its_photos_whatever_the_accents(workspace: Workspace, library: Path) -> None:
    found = search(workspace, "zurich", limit=0, min_score=0.9)
    assert {one.photo.path for one in found} == set((library / "Zürich 2019").iterdir())
    assert search(workspace, library.name, limit=0, min_score=0.9) == []  # all lie there: it tells nothing


def test_a_photo_like_another_is_found_and_the_example_is_not(workspace: Workspace, library: Path) -> None:
    asked = photo(library, "chelsea.png")
    found = search(workspace, like=[str(asked)], limit=0)
    assert asked not in {one.photo.path for one in found}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_of_several_examples_the_most_alike_counts(workspace: Workspace, library: Path, tmp_path: Path) -> None:
    files = []
    for name in ("moon.png", "coffee.png"):
        with Image.open(photo(library, name)) as opened:
            width, height = opened.size
            part = opened.crop((width // 20, height // 20, width, height))
            part.save(tmp_path / f"{name}.jpg", quality=80)
        files.append(str(tmp_path / f"{name}.jpg"))
    best = search(workspace, like=files, limit=2)
    assert {one.photo.path for one in best} == {photo(library, "moon.png"), photo(library, "coffee.png")}


@needs_text
@pytest.mark.parametrize("text", ["asdfghjkl", "Tuesday", "今日はいい天気ですね", "qwertz", "blorptik"])
def test_words_that_no_photo_shows_find_nothing_that_is_likely(workspace: Workspace, text: str) -> None:
    found = search(workspace, text, limit=0)
    assert max((one.score for one in found), default=0.0) < 0.25


@needs_text
def test_a_filter_changes_no_photos_score(workspace: Workspace, library: Path) -> None:
    everything = {one.photo.path: one.score for one in search(workspace, "a cat on a sofa", limit=0)}
    for narrowed in (
        search(workspace, "a cat on a sofa", limit=0, under=[str(library / "Kept")]),
        search(workspace, "a cat on a sofa", limit=0, keywords=["Animals"]),
    ):
        assert 0 < len(narrowed) < len(everything)
        scores = [everything[one.photo.path] for one in narrowed]
        assert [one.score for one in narrowed] == pytest.approx(scores, abs=1e-5)


def test_an_example_from_elsewhere_is_not_kept(workspace: Workspace, library: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "cat.jpg"
    with Image.open(photo(library, "chelsea.png")) as opened:
        opened.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(elsewhere)
    before = workspace.store.generation()
    for _ in range(2):
        assert search(workspace, like=[str(elsewhere)], limit=1)[0].photo.path == photo(library, "chelsea.png")
    assert workspace.store.generation() == before
    assert elsewhere not in {one.photo.path for one in search(workspace, "cat", limit=0)}


@pytest.mark.parametrize("name", ["notes.txt", "holiday.lrcat", "IMG_1.xmp", "folder"])
def test_a_file_that_is_no_photo_is_no_example(workspace: Workspace, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name == "folder":
        file.mkdir()
    else:
        file.write_text("Buy milk.")
    before = workspace.store.generation()
    with pytest.raises(KeywrightError, match=rf"{name} is no photo; name the file of a photo"):
        search(workspace, like=[str(file)])
    assert workspace.store.generation() == before


def test_a_damaged_photo_is_no_example(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(KeywrightError, match=r"broken\.jpg cannot be an example: "):
        search(workspace, like=[str(tmp_path / "broken.jpg")])


def test_folders_keywords_scores_and_numbers_narrow_the_search(workspace: Workspace, library: Path) -> None:
    everything = search(workspace, like=[str(photo(library, "moon.png"))], limit=0)
    kept = library / "Kept"
    under = search(workspace, like=[str(photo(library, "moon.png"))], limit=0, under=[str(kept)])
    assert under
    assert all(kept in one.photo.path.parents for one in under)
    people = search(workspace, like=[str(photo(library, "moon.png"))], limit=0, keywords=["People"])
    assert {one.photo.path for one in people} == {photo(library, "astronaut.png")}
    half = search(workspace, like=[str(photo(library, "moon.png"))], limit=0, min_score=everything[3].score)
    assert half == everything[:4]
    assert search(workspace, like=[str(photo(library, "moon.png"))], limit=2) == everything[:2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "nothing to search for"),
        ({"text": "x", "under": ["/nowhere/at/all"]}, "No photo that Keywright knows lies under"),
        ({"text": "x", "keywords": ["Nonesuch"]}, "There is no keyword Nonesuch"),
        ({"like": ["/no/such/photo.jpg"]}, "There is no photo /no/such/photo.jpg"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(
    workspace: Workspace, arguments: dict[str, str], sentence: str
) -> None:
    with pytest.raises(KeywrightError, match=sentence):
        search(workspace, **arguments)  # type: ignore[arg-type]


def test_the_command_gives_json_and_a_table(workspace: Workspace, library: Path) -> None:
    keywright = Keywright(workspace.home.folder)
    found = keywright("search", "astronaut", "--limit", 1, "--json").json
    assert found[0]["path"] == str(photo(library, "astronaut.png"))
    assert set(found[0]) == {"path", "score", "because"}
    assert "1 photo" in keywright("search", "astronaut", "--limit", 1).out
    assert keywright("search").status == 2
