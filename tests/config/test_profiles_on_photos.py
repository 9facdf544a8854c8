"""A profile of the configuration holds for the commands: which keywords, where they go, and what the camera wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from demo.library import make_library
from PIL import Image

from cli.kit import Keywright
from keywright.config import Profile
from keywright.keywords import KeywordPath
from keywright.metadata import read_keywords
from keywright.metadata.shot import FIELDS, Shot
from keywright.operations.profiles import Ranked, apply_profile

BARE = "2023/At home/CHEL_0009.jpg"
PROFILES = """
[profiles.pets]
under = ["Animals"]
template = "Suggested|{keyword}"
automatic = ["Date|{year}", "Camera|{camera}"]
min_confidence = 0.2

[profiles.nothing]
without = ["Animals"]
limit = 0
min_confidence = 0.2
"""


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keywright, Path]:
    folder = tmp_path_factory.mktemp("profiles")
    make_library(folder / "library")
    photo = folder / "library" / BARE
    with Image.open(photo) as opened:
        exif = Image.Exif()
        exif[0x0110] = "NIKON D70"
        exif.get_ifd(0x8769)[0x9003] = "2004:06:09 11:12:13"
        opened.save(photo, quality="keep", exif=exif)
    keywright = Keywright(folder / "home")
    assert keywright("learn", folder / "library").status == 0
    (folder / "home" / "config.toml").write_text(PROFILES, encoding="utf-8")
    return keywright, folder / "library"


def keywords(photo: Path) -> set[str]:
    return {str(path) for path in read_keywords(photo).keywords}


def test_suggest_keeps_to_a_profile(learned: tuple[Keywright, Path]) -> None:
    keywright, library = learned
    (told,) = keywright("suggest", library / BARE, "--profile", "pets", "--json").lines
    found = {s["keyword"]: s["automatic"] for s in told["suggestions"]}
    assert found == {"Suggested|Animals|Cat": False, "Date|2004": True, "Camera|NIKON D70": True}
    (other,) = keywright("suggest", library / BARE, "--profile", "nothing", "--json").lines
    assert not any(s["keyword"].startswith("Animals") for s in other["suggestions"])
    assert "there is no profile 'birds'" in keywright.fails("suggest", library / BARE, "--profile", "birds").lower()


def test_apply_writes_where_the_profile_says_and_undo_takes_all_of_it_out(
    learned: tuple[Keywright, Path], tmp_path: Path
) -> None:
    keywright, library = Keywright(tmp_path / "home"), tmp_path / "library"
    shutil.copytree(learned[0].home, keywright.home)
    shutil.copytree(learned[1], library)
    before = (library / BARE).read_bytes()
    ran = keywright("apply", library / BARE, "--min-confidence", "0.2", "--profile", "pets")
    assert ran.status == 0, ran.err
    assert keywords(library / BARE) == {"Suggested|Animals|Cat", "Date|2004", "Camera|NIKON D70"}
    again = keywright("suggest", library / BARE, "--profile", "pets", "--json").lines
    assert again[0]["suggestions"] == []  # it has them all
    assert keywright("undo").status == 0
    assert (library / BARE).read_bytes() == before


def test_a_keyword_and_the_place_it_is_put_are_suggested_once() -> None:
    profile = Profile(template="Suggested|{keyword}", limit=2)
    dog, cat, owl = (KeywordPath.of("Animals", name) for name in ("Dog", "Cat", "Owl"))
    ranked = [Ranked(profile.placed(dog), 0.9, (), dog), *(Ranked(k, 0.8, (), k) for k in (dog, cat, owl))]
    assert [str(r.keyword) for r in apply_profile(profile, ranked, set())] == [
        "Suggested|Animals|Dog",
        "Suggested|Animals|Cat",
    ]
    assert [str(r.keyword) for r in apply_profile(profile, ranked, {profile.placed(dog).key, cat.key})] == [
        "Suggested|Animals|Owl"
    ]


def test_no_model_suggests_what_the_file_alone_tells() -> None:
    profile = Profile(automatic=("Date|{year}",))
    other_year = KeywordPath.of("Date", "1999")
    ranked = [Ranked(other_year, 0.9, (), other_year)]
    found = apply_profile(profile, ranked, set(), [KeywordPath.of("Date", "2004")])
    assert [(str(r.keyword), r.learned) for r in found] == [("Date|2004", None)]


def test_a_field_the_photo_does_not_tell_leaves_its_keyword_out() -> None:
    profile = Profile(automatic=("Date|{year}|{month}", "Camera|{camera}"))
    assert profile.automatic_keywords(Shot(camera="D70 | black").fields()) == [KeywordPath.of("Camera", "D70 | black")]


@pytest.mark.parametrize("text", ["Date", "Date|{yeer}", "{}", "Date||{year}"])
def test_an_automatic_keyword_without_a_known_field_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"automatic"):
        Profile(automatic=(text,))


def test_the_docs_name_every_field() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert all(f"`{{{name}}}`" in text for name in FIELDS)
