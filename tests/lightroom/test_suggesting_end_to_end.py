"""A Lightroom user suggests, ticks and writes: the whole way, in the simulated Lightroom against the real bridge."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from lightroom.conftest import Library, lightroom_with_bridge
from lightroom.people import accepts, cancels, presses
from lightroom.simulation.dialogs import Dialog
from lightroom.simulation.lightroom import Lightroom
from service.described import describer_says


def bare(lightroom: Lightroom) -> list[int]:
    """The photos without a keyword."""
    return [p.id for p in lightroom.catalog.photos.values() if not p.keywords and p.master is None]


def links(lightroom: Lightroom) -> set[tuple[int, tuple[str, ...]]]:
    return {(p, path) for p in lightroom.catalog.photos for path in lightroom.catalog.paths_of(p)}


def ask(lightroom: Lightroom, path: str) -> dict[str, object]:
    home = Path(lightroom.environment["KEYWRIGHT_HOME"])
    told = json.loads((home / "bridge.json").read_text())
    request = urllib.request.Request(told["url"] + path, headers={"Authorization": f"Bearer {told['token']}"})
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def texts(lightroom: Lightroom) -> list[str]:
    return [m.text for m in lightroom.messages]


def test_200_photos_get_their_keywords_in_one_undo_step_and_one_undo_takes_them_all_out(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)
    before, had = lightroom.catalog.state(), links(lightroom)
    keywords = len(lightroom.catalog.keywords)
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")

    assert len(lightroom.selected) >= 200
    decided = ask(lightroom, "/v1/decisions?limit=1000&decision=accepted")["decisions"]
    assert isinstance(decided, list)
    assert len(decided) > 100
    uuids = {p.uuid: p.id for p in lightroom.catalog.photos.values()}
    plan = {
        (uuids[str(ask(lightroom, f"/v1/photos/{one['photo']}")["host_id"])], tuple(one["keyword"].split("|")))
        for one in decided
    }
    assert links(lightroom) - had == plan
    assert links(lightroom) >= had
    assert len(lightroom.catalog.keywords) == keywords  # every one of them was there: none was made again
    assert [step.name for step in lightroom.catalog.undo_steps] == ["Keywright: add keywords"]
    assert ask(lightroom, "/v1/write-backs/pending?catalog=1&limit=10")["photos"] == []

    lightroom.catalog.undo()
    assert lightroom.catalog.state() == before


def test_a_suggestion_unticked_is_rejected_and_not_written(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:40]
    seen: list[str] = []

    def unticks_the_first(dialog: Dialog):  # type: ignore[no-untyped-def]
        ticked = next(c for c in dialog.controls("checkbox") if c.shown("value") is True)
        seen.append(ticked.title)
        ticked.set(False)
        yield "ok"

    lightroom.people = [unticks_the_first]
    lightroom.choose("SuggestKeywords.lua")
    rejected = ask(lightroom, "/v1/decisions?limit=1000&decision=rejected")["decisions"]
    assert isinstance(rejected, list)
    names = {one["keyword"] for one in rejected}
    assert len(names) == 1
    (path,) = (tuple(n.split("|")) for n in names)
    assert path[-1] in seen[0]
    assert all(path not in lightroom.catalog.paths_of(p) for p in lightroom.selected)


def test_keywords_that_photos_already_have_are_shown_in_order_beside_the_suggestions(lightroom: Lightroom) -> None:
    busy = sorted(lightroom.catalog.photos.values(), key=lambda p: -len(p.keywords))[:5]
    lightroom.selected = [photo.id for photo in busy]
    lightroom.control.prefs["least"] = 0.01
    lightroom.people = [presses("One by one"), cancels]
    lightroom.choose("SuggestKeywords.lua")
    shown = lightroom.dialogs[1].words()
    some = next(p for p in busy if p.path.rsplit("/", 1)[-1] in shown)
    names = sorted(path[-1] for path in lightroom.catalog.paths_of(some.id))
    assert ", ".join(names) in shown


def test_cancel_in_the_dialog_changes_nothing_anywhere(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:20]
    before = lightroom.catalog.state()
    lightroom.people = [cancels]
    lightroom.choose("SuggestKeywords.lua")
    assert lightroom.catalog.state() == before
    assert lightroom.catalog.undo_steps == []
    assert ask(lightroom, "/v1/decisions")["decisions"] == []


def test_a_person_goes_through_the_photos_one_by_one_and_back(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:6]
    lightroom.people = [presses("One by one"), presses("Next"), presses("Back"), presses("together"), accepts]
    lightroom.choose("SuggestKeywords.lua")
    said = [d.words() for d in lightroom.dialogs]
    assert "photos together" in said[0]
    assert "Photo 1 of" in said[1]
    assert "Photo 2 of" in said[2]
    assert "Photo 1 of" in said[3]
    assert "photos together" in said[4]
    assert lightroom.catalog.undo_steps


def test_undo_of_the_last_batch_spares_what_the_person_gave(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:30]
    lightroom.people = [accepts]
    before = links(lightroom)
    lightroom.choose("SuggestKeywords.lua")
    written = links(lightroom) - before
    photo, _ = next(iter(written))
    by_hand = next(k for k in lightroom.catalog.keywords if (photo, lightroom.catalog.keyword_path(k)) not in written)
    lightroom.catalog.photos[photo].keywords.append(by_hand)

    lightroom.confirms = ["ok"]
    lightroom.choose("UndoBatch.lua")
    assert links(lightroom) - before == {(photo, lightroom.catalog.keyword_path(by_hand))}
    assert before <= links(lightroom)
    assert ask(lightroom, "/v1/write-backs/pending?catalog=1&limit=10")["photos"] == []  # not offered again
    lightroom.choose("UndoBatch.lua")
    assert "nothing" in texts(lightroom)[-1]


def test_what_was_accepted_in_the_browser_is_applied_by_the_menu(lightroom: Lightroom) -> None:
    photo = lightroom.catalog.photos[bare(lightroom)[0]]
    home = Path(lightroom.environment["KEYWRIGHT_HOME"])
    told = json.loads((home / "bridge.json").read_text())
    found = post(told, "/v1/photos", {"photos": [{"catalog": 1, "host_id": photo.uuid}]})
    number = found["photos"][0]["photo"]["id"]
    keyword = "|".join(lightroom.catalog.keyword_path(next(iter(lightroom.catalog.photos.values())).keywords[0]))
    post(told, "/v1/decisions", {"decisions": [{"photo": number, "keyword": keyword, "decision": "accepted"}]})
    lightroom.choose("ApplyAccepted.lua")
    assert lightroom.catalog.paths_of(photo.id) == {tuple(keyword.split("|"))}
    lightroom.choose("ApplyAccepted.lua")
    assert texts(lightroom)[-1] == "Nothing accepted is waiting for this catalog."


def post(told: dict[str, str], path: str, body: object) -> dict[str, list[dict[str, dict[str, int]]]]:
    headers = {
        "Authorization": f"Bearer {told['token']}",
        "Content-Type": "application/json",
        "Idempotency-Key": "a-test-of-lightroom",
    }
    request = urllib.request.Request(told["url"] + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def test_photos_alike_become_a_collection_that_is_shown(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:2]
    lightroom.choose("FindSimilar.lua")
    (name,) = lightroom.catalog.collections
    found = lightroom.catalog.collections[name]
    assert len(found) >= 10
    assert not set(found) & set(lightroom.selected)
    assert lightroom.opened == [f"collection:{name}"]


def test_nothing_selected_asks_before_the_whole_filmstrip_is_taken(lightroom: Lightroom) -> None:
    lightroom.confirms = ["cancel"]
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom) == ["No photo is selected."]
    assert lightroom.requests == []


def shown_in_the_browser(lightroom: Lightroom) -> list[str]:
    """The photos that the opened link shows, by Lightroom's own names, in their order."""
    link = parse_qs(urlsplit(lightroom.opened[-1]).query)
    found = ask(lightroom, f"/v1/review/photos?selection={link['selection'][0]}")["photos"]
    assert isinstance(found, list)
    return [str(ask(lightroom, f"/v1/photos/{number}")["host_id"]) for number in found]


def test_a_big_selection_goes_to_the_browser_and_the_browser_shows_exactly_it(lightroom: Lightroom) -> None:
    lightroom.control.prefs["browser_above"] = 10
    copies = [p.id for p in lightroom.catalog.photos.values() if p.master is not None][:1]
    lightroom.selected = [*reversed(bare(lightroom)[5:16]), *copies]
    lightroom.confirms = ["ok"]
    lightroom.choose("SuggestKeywords.lua")
    assert "/login?code=" in lightroom.opened[0]
    assert shown_in_the_browser(lightroom) == [lightroom.catalog.photos[p].uuid for p in lightroom.selected]
    assert [m.kind for m in lightroom.messages] == ["confirm"]
    jobs = ask(lightroom, "/v1/jobs")["jobs"]
    assert isinstance(jobs, list)
    assert jobs[0]["kind"] == "embed"  # what was edited since is looked at again meanwhile


def test_a_photo_that_cannot_be_shown_in_the_browser_is_told_of(lightroom: Lightroom) -> None:
    lightroom.control.prefs["browser_above"] = 2
    lightroom.selected = bare(lightroom)[:3]
    unknown = lightroom.catalog.photos[lightroom.selected[1]]
    unknown.uuid = "NEW-0"  # imported after the catalog's file was last written
    lightroom.confirms = ["ok"]
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom)[1:] == ["1 photos could not be looked at."]
    assert Path(unknown.path).name in lightroom.messages[-1].info
    assert unknown.uuid not in shown_in_the_browser(lightroom)
    assert len(shown_in_the_browser(lightroom)) == 2


def test_of_more_photos_than_one_selection_holds_the_first_are_shown_and_the_person_is_told(
    lightroom: Lightroom,
) -> None:
    lightroom.control.prefs["browser_above"] = 2
    lightroom.run("require('Request').MOST_PHOTOS = 4")
    lightroom.selected = bare(lightroom)[:6]
    lightroom.confirms = ["ok"]
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom)[1:] == ["The browser shows the first 4 of these 6 photos."]
    assert shown_in_the_browser(lightroom) == [lightroom.catalog.photos[p].uuid for p in lightroom.selected[:4]]


def test_a_busy_catalog_is_tried_again_and_written_once(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:20]
    lightroom.people, lightroom.gates, lightroom.real_time = [accepts], ["aborted", "queued"], False
    lightroom.choose("SuggestKeywords.lua")
    assert len(lightroom.catalog.undo_steps) == 1


def test_a_catalog_that_stays_busy_loses_nothing_that_was_decided(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:20]
    before = lightroom.catalog.state()
    lightroom.people, lightroom.gates, lightroom.real_time = [accepts], ["aborted"] * 3, False
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom)[-1] == "The catalog is busy."
    assert lightroom.catalog.state() == before
    lightroom.choose("ApplyAccepted.lua")
    assert lightroom.catalog.state() != before


def test_an_offline_original_and_a_virtual_copy_are_seen_by_their_thumbnails(lightroom: Lightroom) -> None:
    photo = bare(lightroom)[0]
    copies = [p.id for p in lightroom.catalog.photos.values() if p.master is not None][:1]
    lightroom.selected = [photo, *copies]
    lightroom.thumbnails = lambda _photo: "0.3 0.4"
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    assert copies
    sent = [(method, status) for method, url, status in lightroom.requests if "/rendition" in url]
    assert sent == [("PUT", 202)] * len(copies)


def test_cancel_while_suggesting_shows_no_dialog_and_changes_nothing(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)
    before = lightroom.catalog.state()
    lightroom.cancel = lambda: any("/v1/suggestions" in url for _, url, _ in lightroom.requests)
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom) == ["Keywright: stopped, nothing was written."]
    assert lightroom.dialogs == []
    assert lightroom.catalog.state() == before


def test_the_dialog_marks_new_keywords_and_says_who_speaks_for_a_suggestion(library: Library, tmp_path: Path) -> None:
    shutil.copytree(library.home, tmp_path / "home")
    with lightroom_with_bridge(library.catalog, tmp_path / "home") as lightroom:
        chosen = lightroom.catalog.photos[bare(lightroom)[0]]
        name = chosen.path.replace("\\", "/").rsplit("/", 1)[-1]
        describer_says(tmp_path / "home", name, {"windmill sails": 1.0})
        lightroom.selected = [chosen.id]
        lightroom.people = [accepts]
        lightroom.choose("SuggestKeywords.lua")
        row = lightroom.dialogs[0].find("checkbox", "windmill sails (new)   73 %")
        assert row.shown("tooltip") == "A new keyword: you do not have it yet. Seen by vision."
        # ticked and accepted like any other; by default no keyword is made at the top of the person's list
        assert "windmill sails" in lightroom.messages[-1].info
        assert not any("windmill sails" in path for path in lightroom.catalog.paths_of(chosen.id))
        assert lightroom.faults == []
        assert lightroom.failed_tasks == []
