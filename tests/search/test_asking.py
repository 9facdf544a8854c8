"""What a search makes of words, folders and examples, and what it tells besides its photos."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from cli.kit import Keywright
from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.encoders import sentences
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.operations import naming, narrowing, searching
from keywright.operations.embedding import embed_photos
from keywright.operations.reading import read_source
from keywright.operations.searching import search
from keywright.operations.workspace import Workspace
from keywright.store.captions import sync_captions
from keywright.store.photos import KeywordIds, list_photos, register_catalog
from keywright.store.syncing import sync_photos


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(Home(tmp_path / "home")) as opened:
        yield opened


def enter(workspace: Workspace, photos: Mapping[str, str], captions: Mapping[str, str] | None = None) -> None:
    """Photos by their path, with a keyword each ("" for none); captions by path. None of them has a vector."""
    found = [
        CatalogPhoto(path, Path(path), frozenset({KeywordPath.parse(keyword)} if keyword else ()))
        for path, keyword in photos.items()
    ]
    with workspace.store.write() as connection:
        number = register_catalog(connection, CatalogKind.LIGHTROOM, "x.lrcat", "lightroom:x", learn=True)
        sync_photos(connection, number, found, KeywordIds(connection))
        sync_captions(connection, number, captions or {})


def found(workspace: Workspace, text: str, **narrowed: object) -> list[str]:
    """The names of the photos a text finds, best first."""
    return [one.photo.path.stem for one in search(workspace, text, limit=0, **narrowed)]  # type: ignore[arg-type]


def test_a_keyword_comes_before_longer_ones_that_begin_with_it(workspace: Workspace) -> None:
    enter(workspace, {"/p/1.jpg": "Places|Cathedral", "/p/2.jpg": "Animals|Cat", "/p/3.jpg": "Animals|Cats"})
    cat, cats, cathedral = search(workspace, "cat", limit=0)
    assert [one.photo.path.stem for one in (cat, cats, cathedral)] == ["2", "3", "1"]
    assert cat.score == cats.score == pytest.approx(searching.WRITTEN)
    assert cathedral.score < 0.2


def test_of_a_photos_keywords_the_one_that_was_typed_is_named_first(workspace: Workspace) -> None:
    enter(workspace, {"/p/1.jpg": "Catering|Category|Cat"})
    (one,) = search(workspace, "category", limit=0)
    assert one.because[0].startswith("keyword Catering|Category")


@pytest.mark.parametrize(
    ("text", "names"),
    [("犬", ["1"]), ("หาด", ["2"]), ("สน", []), ("हिन्दी", ["3"]), ("कुत्ता", ["4"]), ("강아지", ["5"])],
)
def test_words_are_found_in_any_script(workspace: Workspace, text: str, names: list[str]) -> None:
    captions = {"1": "海辺の黒い犬", "2": "ชายหาดสวย สุนัข", "3": "हिन्दी", "4": "काला कुत्ता", "5": "강아지를"}
    photos = {f"/p/{name}.jpg": "" for name in captions}
    enter(workspace, photos, {f"/p/{name}.jpg": caption for name, caption in captions.items()})
    assert found(workspace, text) == names


def test_photos_with_a_keyword_that_is_not_to_be_seen_are_left_out(workspace: Workspace) -> None:
    enter(
        workspace,
        {"/p/beach 1.jpg": "", "/p/beach 2.jpg": "People|Family", "/p/beach 3.jpg": "Dogs", "/p/people.jpg": "People"},
    )
    told: list[str] = []
    assert found(workspace, "beach without people", note=told.append) == ["beach 1", "beach 3"]
    assert told[0] == "Photos with the keyword People are left out."
    assert found(workspace, "beach without people or a dog") == ["beach 1"]
    assert found(workspace, "beach, no unicorns", note=told.append) == ["beach 1", "beach 2", "beach 3"]
    assert 'No photo is left out for "unicorns", because no keyword is named so.' in told
    with pytest.raises(KeywrightError, match="Without people alone nothing is found"):
        search(workspace, "without people")


def test_a_folder_may_be_named_in_any_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(workspace, {str(tmp_path / "2024" / "cat.jpg"): "", str(tmp_path / "2023" / "cat 2.jpg"): ""})
    (tmp_path / "2023").mkdir()
    monkeypatch.chdir(tmp_path / "2023")
    for folder in (tmp_path / "2024", tmp_path / "2023" / ".." / "2024", Path("..", "2024"), f"{tmp_path}/./2024/"):
        assert found(workspace, "cat", under=[str(folder)]) == ["cat"]
    assert found(workspace, "cat", under=["."]) == ["cat 2"]


def test_a_folder_is_found_as_the_system_compares_paths(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(workspace, {"/p/Zürich/cat.jpg": ""})
    with pytest.raises(KeywrightError, match="No photo that Keywright knows lies under"):
        search(workspace, "cat", under=["/p/zu\u0308rich"])
    mac = narrowing.path_key
    monkeypatch.setattr(narrowing, "path_key", lambda text: mac(text, windows=False, macos=True))
    assert found(workspace, "cat", under=["/P/zu\u0308rich"]) == ["cat"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"text": "dog", "under": ["~nosuchuser/x"]}, "No photo that Keywright knows lies under .*~nosuchuser.x;"),
        ({"like": ["~nosuchuser/x.jpg"]}, "There is no photo .*~nosuchuser"),
        ({"like": ["x" * 5000 + ".jpg"]}, "There is no photo .*xxx"),
        ({"like": ["x" * 5000]}, "is no photo; name the file"),
        ({"text": "caf\udcff"}, "bytes that are no text"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(workspace: Workspace, arguments: dict[str, str], sentence: str) -> None:
    enter(workspace, {"/p/1.jpg": ""})
    with pytest.raises(KeywrightError, match=sentence):
        search(workspace, **arguments)  # type: ignore[arg-type]


def test_bytes_that_are_no_text_are_one_sentence_on_the_command_line(workspace: Workspace) -> None:
    assert "bytes that are no text" in Keywright(workspace.home.folder).fails("search", os.fsdecode(b"caf\xff"))


@pytest.fixture
def seen(workspace: Workspace, tmp_path: Path) -> Path:
    """Two photos of a folder; the first has a vector."""
    for name in ("a", "b"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (64, 64), (ord(name), 90, 30)).save(tmp_path / "photos" / f"{name}.jpg")
    read_source(workspace, str(tmp_path / "photos"), learn=False)
    with workspace.store.read() as connection:
        rows = list_photos(connection)
    embed_photos(workspace, [row for row in rows if row.path.stem == "a"])
    return tmp_path / "photos"


def test_photos_without_a_vector_are_told_of_until_they_have_one(workspace: Workspace, seen: Path) -> None:
    told: list[str] = []
    search(workspace, "cat", note=told.append)
    search(workspace, like=[str(seen / "a.jpg")], note=told.append)
    assert [one.split(",")[0] for one in told] == ["1 photo has no vector of the encoder in use yet"] * 2
    search(workspace, "a", under=[str(seen)], note=told.append)
    with workspace.store.read() as connection:
        rows = list_photos(connection)
    embed_photos(workspace, rows)
    told.clear()
    search(workspace, "cat", note=told.append)
    assert told == []


def test_without_the_extra_for_meaning_a_search_by_words_says_so(
    workspace: Workspace, seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "_NEEDED", ("keywright_has_no_such_package",))
    assert naming.open_sentences() is None
    told: list[str] = []
    search(workspace, "cat", note=told.append)
    assert 'pip install "keywright[text]"' in told[1]
    told.clear()
    search(workspace, like=[str(seen / "a.jpg")], note=told.append)
    assert len(told) == 1  # of the vector alone: no words were compared


def test_the_command_tells_notes_apart_from_its_result(workspace: Workspace) -> None:
    enter(workspace, {"/p/cat.jpg": ""})
    said = Keywright(workspace.home.folder)("search", "cat", "--json")
    assert [one["path"] for one in said.json] == ["/p/cat.jpg"]
    assert "no vector of the encoder in use yet" in said.err
