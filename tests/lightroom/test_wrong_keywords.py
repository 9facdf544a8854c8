"""What a person calls wrong in the browser goes off the photos in Lightroom: told before, in one step, and undoable."""

from __future__ import annotations

import json
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from lightroom.people import accepts
from lightroom.simulation.catalog import Photo
from lightroom.simulation.lightroom import Lightroom
from lightroom.test_suggesting_end_to_end import ask, bare, links, texts

APPLY, UNDO = "ApplyAccepted.lua", "UndoBatch.lua"


def post(lightroom: Lightroom, path: str, body: object) -> dict[str, list[dict[str, dict[str, int]]]]:
    told = json.loads((Path(lightroom.environment["KEYWRIGHT_HOME"]) / "bridge.json").read_text())
    headers = {
        "Authorization": f"Bearer {told['token']}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    request = urllib.request.Request(told["url"] + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def decide(lightroom: Lightroom, photo: Photo, path: tuple[str, ...], decision: str) -> None:
    found = post(lightroom, "/v1/photos", {"photos": [{"catalog": 1, "host_id": photo.uuid}]})
    number = found["photos"][0]["photo"]["id"]
    made = {"photo": number, "keyword": "|".join(path), "decision": decision}
    post(lightroom, "/v1/decisions", {"decisions": [made]})


def waiting(lightroom: Lightroom) -> list[tuple[list[str], list[str]]]:
    told = ask(lightroom, "/v1/write-backs/pending?catalog=1&limit=100")["photos"]
    assert isinstance(told, list)
    return [(one["add"], one["remove"]) for one in told]


@dataclass(frozen=True)
class Wrong:
    photo: Photo
    path: tuple[str, ...]

    @property
    def link(self) -> tuple[int, tuple[str, ...]]:
        return self.photo.id, self.path


@pytest.fixture
def wrong(lightroom: Lightroom) -> Wrong:
    """A photo that carries a keyword, given by hand, that the person has rejected there."""
    photo = next(p for p in lightroom.catalog.photos.values() if p.keywords and p.master is None)
    one = Wrong(photo, sorted(lightroom.catalog.paths_of(photo.id))[0])
    decide(lightroom, photo, one.path, "rejected")
    return one


def test_what_was_called_wrong_is_told_then_taken_off_in_one_step_and_stays_in_the_list(
    lightroom: Lightroom, wrong: Wrong
) -> None:
    before, had, keywords = lightroom.catalog.state(), links(lightroom), dict(lightroom.catalog.keywords)
    lightroom.confirms = ["ok"]
    lightroom.choose(APPLY)
    asked = lightroom.messages[0]
    assert asked.text == "Keywright takes off 1 keywords you called wrong."
    assert f"“{'|'.join(wrong.path)}” off 1 photos" in asked.info
    assert texts(lightroom)[-1] == "1 keywords were taken off."
    assert had - links(lightroom) == {wrong.link}
    assert links(lightroom) <= had
    assert lightroom.catalog.keywords == keywords
    assert len(lightroom.catalog.undo_steps) == 1
    assert waiting(lightroom) == []
    lightroom.choose(APPLY)
    assert texts(lightroom)[-1] == "Nothing accepted is waiting for this catalog."
    lightroom.catalog.undo()
    assert lightroom.catalog.state() == before


def test_nothing_goes_off_where_the_person_says_no(lightroom: Lightroom, wrong: Wrong) -> None:
    before = lightroom.catalog.state()
    lightroom.confirms = ["cancel"]
    lightroom.choose(APPLY)
    assert lightroom.catalog.state() == before
    assert waiting(lightroom) == [([], ["|".join(wrong.path)])]


def test_undo_of_the_last_batch_puts_back_what_it_took_off_and_it_is_not_taken_off_again(
    lightroom: Lightroom, wrong: Wrong
) -> None:
    before = links(lightroom)
    lightroom.confirms = ["ok", "ok"]
    lightroom.choose(APPLY)
    assert wrong.link not in links(lightroom)
    lightroom.choose(UNDO)
    assert lightroom.messages[-2].text == "Put 1 keywords back that were taken off?"
    assert texts(lightroom)[-1] == "1 keywords were put back."
    assert links(lightroom) == before
    assert waiting(lightroom) == []
    assert ask(lightroom, "/v1/decisions")["decisions"] == []


@pytest.mark.parametrize("answer", ["ok", "other", "cancel"])
def test_adding_and_taking_off_is_one_question_and_one_step(lightroom: Lightroom, wrong: Wrong, answer: str) -> None:
    before, had = lightroom.catalog.state(), links(lightroom)
    new = lightroom.catalog.photos[bare(lightroom)[0]]
    decide(lightroom, new, wrong.path, "accepted")
    lightroom.confirms = [answer, "ok"]
    lightroom.choose(APPLY)
    assert lightroom.messages[0].text == "Keywright adds 1 keywords and takes off 1 you called wrong."
    added = {(new.id, wrong.path)} if answer != "cancel" else set()
    off = {wrong.link} if answer == "ok" else set()
    assert (links(lightroom) - had, had - links(lightroom)) == (added, off)
    assert len(lightroom.catalog.undo_steps) == (answer != "cancel")
    if answer != "cancel":
        lightroom.choose(UNDO)
        assert lightroom.catalog.state()[0] == before[0]
        assert links(lightroom) == had


def test_a_virtual_copy_keeps_what_was_wrong_on_its_master_and_loses_what_was_wrong_on_itself(
    lightroom: Lightroom,
) -> None:
    copy = next(p for p in lightroom.catalog.photos.values() if p.master is not None and p.keywords)
    master = lightroom.catalog.photos[copy.master or 0]
    shared = sorted(lightroom.catalog.paths_of(copy.id) & lightroom.catalog.paths_of(master.id))
    assert shared
    had = links(lightroom)
    decide(lightroom, copy, shared[0], "rejected")
    lightroom.confirms = ["ok"]
    lightroom.choose(APPLY)
    assert had - links(lightroom) == {(copy.id, shared[0])}
    lightroom.confirms = ["ok"]
    lightroom.choose(UNDO)
    assert links(lightroom) == had


def test_an_acceptance_taken_back_takes_nothing_off(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:20]
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    written = links(lightroom)
    made = ask(lightroom, "/v1/decisions?limit=100&decision=accepted")["decisions"]
    assert isinstance(made, list)
    again = [{"photo": one["photo"], "keyword": one["keyword"], "decision": "undecided"} for one in made]
    post(lightroom, "/v1/decisions", {"decisions": again})
    lightroom.choose(APPLY)
    assert texts(lightroom)[-1] == "Nothing accepted is waiting for this catalog."
    assert links(lightroom) == written


def test_what_keywright_wrote_and_a_person_then_rejects_goes_off_again(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:20]
    before = links(lightroom)
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    number, path = sorted(links(lightroom) - before)[0]
    decide(lightroom, lightroom.catalog.photos[number], path, "rejected")
    written, lightroom.confirms = links(lightroom), ["ok"]
    lightroom.choose(APPLY)
    assert written - links(lightroom) == {(number, path)}


def test_what_the_person_has_taken_off_meanwhile_is_not_missed(lightroom: Lightroom, wrong: Wrong) -> None:
    gone = next(k for k in wrong.photo.keywords if lightroom.catalog.keyword_path(k) == wrong.path)
    wrong.photo.keywords.remove(gone)
    lightroom.confirms = ["ok"]
    lightroom.choose(APPLY)
    assert texts(lightroom)[-1] == "0 keywords were taken off."
    assert lightroom.catalog.undo_steps == []
    assert waiting(lightroom) == []
    lightroom.choose(UNDO)
    assert "nothing" in texts(lightroom)[-1]


def test_a_keyword_renamed_since_is_another_and_stays(lightroom: Lightroom, wrong: Wrong) -> None:
    number = next(k for k in wrong.photo.keywords if lightroom.catalog.keyword_path(k) == wrong.path)
    lightroom.catalog.rename(number, "Something else")
    lightroom.confirms = ["ok"]
    lightroom.choose(APPLY)
    assert number in wrong.photo.keywords


def test_a_busy_catalog_keeps_what_was_wrong_waiting(lightroom: Lightroom, wrong: Wrong) -> None:
    before = lightroom.catalog.state()
    lightroom.confirms, lightroom.gates, lightroom.real_time = ["ok"], ["aborted"] * 3, False
    lightroom.choose(APPLY)
    assert texts(lightroom)[-1] == "The catalog is busy."
    assert lightroom.catalog.state() == before
    assert waiting(lightroom) == [([], ["|".join(wrong.path)])]


def test_a_photo_that_carries_it_again_is_offered_again_once_the_catalog_was_read(
    lightroom: Lightroom, wrong: Wrong
) -> None:
    lightroom.confirms = ["ok"]
    lightroom.choose(APPLY)
    lightroom.catalog.undo()  # with Lightroom's own undo: the file of the catalog holds the keyword, as ever here
    lightroom.choose("LearnCatalog.lua")
    assert waiting(lightroom) == [([], ["|".join(wrong.path)])]
