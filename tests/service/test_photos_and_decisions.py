"""A front-end names photos, gets suggestions, and sends what the person decided."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from keywright.config import Config, Profile
from keywright_plugin import ProblemError
from keywright_plugin.values import DecisionMade, Photo, PhotoRef
from service.kit import Answer, Raw

BARE = "2023/At home/CHEL_0009.jpg"


def photo(bridge: Raw, library: Path, name: str = BARE) -> Photo:
    found = bridge.client.find_photos([PhotoRef(path=str(library / name))])[0]
    assert isinstance(found, Photo), found
    return found


def decide(bridge: Raw, key: str, *made: dict[str, object]) -> Answer:
    return bridge.send("POST", "/v1/decisions", {"decisions": list(made)}, headers={"Idempotency-Key": key})


def accepted(number: int, keyword: str) -> dict[str, object]:
    return {"photo": number, "keyword": keyword, "decision": "accepted"}


def test_a_photo_is_found_by_its_path_and_by_its_catalogs_name_for_it(learned: Raw, library: Path) -> None:
    by_path = photo(learned, library)
    assert by_path.host_id == BARE
    assert learned.client.find_photos([PhotoRef(catalog=by_path.catalog, host_id=BARE)]) == [by_path]


def test_a_photo_that_is_not_there_does_not_keep_the_others_from_being_found(learned: Raw, library: Path) -> None:
    catalog = photo(learned, library).catalog
    named = [PhotoRef(catalog=catalog, host_id="nothing.jpg"), PhotoRef(path=str(library / BARE)), PhotoRef()]
    missing, found, unnamed = learned.client.find_photos(named)
    assert isinstance(found, Photo)
    assert "read it again" in str(missing)
    assert "host_id" in str(unnamed)


def test_a_bare_photo_of_the_cat_is_suggested_the_cat_and_told_why(learned: Raw, library: Path) -> None:
    answer = learned.client.suggest([photo(learned, library).id])
    best = answer.photos[0].suggestions[0]
    assert best.keyword == "Animals|Cat"
    assert best.because
    assert all("CHEL" in path for path, _ in best.because)
    assert answer.job is None


def test_a_stream_has_one_line_for_each_photo_in_order(learned: Raw, library: Path) -> None:
    ids = [photo(learned, library, name).id for name in (BARE, "2022/Garden/FLOW_0009.jpg")] + [10**6]
    told = {"Accept": "application/x-ndjson"}
    answer = learned.send("POST", "/v1/suggestions", {"photos": ids}, headers=told)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["photo"] for line in lines] == ids
    assert [line["state"] for line in lines] == ["ready", "ready", "unknown"]


def test_what_was_decided_is_not_suggested_again_nor_its_parent_in_its_stead(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    learned.client.decide([DecisionMade(number, "Animals|Cat", "rejected", 0.9)])
    keywords = {s.keyword for s in learned.client.suggest([number]).photos[0].suggestions}
    assert not {"Animals", "Animals|Cat"} & keywords


def test_a_decision_taken_back_is_open_again(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    for decision in ("rejected", "undecided"):
        learned.client.decide([DecisionMade(number, "Animals|Cat", decision)])
    assert learned.client.suggest([number]).photos[0].suggestions[0].keyword == "Animals|Cat"


def test_a_request_sent_again_under_its_key_is_not_done_again(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    first = decide(learned, "key-of-a-click", accepted(number, "Animals|Cat"))
    decide(learned, "key-of-another", {"photo": number, "keyword": "Animals|Cat", "decision": "rejected"})
    again = decide(learned, "key-of-a-click", accepted(number, "Animals|Cat"))
    assert (first.status, first.body) == (again.status, again.body)
    kept = learned.send("GET", "/v1/decisions").json["decisions"]
    assert [(d["keyword"], d["decision"]) for d in kept] == [("Animals|Cat", "rejected")]


def test_a_key_used_for_another_request_is_refused(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    decide(learned, "key-of-a-click", accepted(number, "Animals|Cat"))
    answer = decide(learned, "key-of-a-click", accepted(number, "Animals|Dog"))
    assert (answer.status, answer.kind) == (409, "idempotency-key-used")


def test_decisions_need_a_key(learned: Raw) -> None:
    answer = learned.send("POST", "/v1/decisions", {"decisions": [accepted(1, "Cat")]})
    assert (answer.status, answer.kind) == (400, "idempotency-key")


def test_decisions_with_one_unknown_photo_are_all_refused(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    answer = decide(learned, uuid.uuid4().hex, accepted(number, "Animals|Cat"), accepted(10**6, "Animals|Cat"))
    assert answer.status == 404
    assert learned.send("GET", "/v1/decisions").json["decisions"] == []


def test_pages_of_decisions_hold_each_once(learned: Raw, library: Path) -> None:
    numbers = [photo(learned, library, f"2023/At home/CHEL_000{n}.jpg").id for n in (1, 2, 3)]
    learned.client.decide([DecisionMade(n, k, "accepted") for n in numbers for k in ("A", "B")])
    seen, after = [], 0
    while after is not None:
        page = learned.send("GET", f"/v1/decisions?limit=1&after={after}").json
        seen += [(d["photo"], d["keyword"]) for d in page["decisions"]]
        after = page["next"]
    assert sorted(seen) == sorted((n, k) for n in numbers for k in ("A", "B"))


def test_the_keywords_of_a_photo_tell_whose_they_are(learned: Raw, library: Path) -> None:
    tagged, bare = photo(learned, library, "2023/At home/CHEL_0001.jpg"), photo(learned, library)
    learned.client.decide([DecisionMade(bare.id, "Food|Coffee", "rejected", 0.4)])
    learned.send("POST", f"/v1/photos/{bare.id}/keywords", {"keywords": ["Holiday"]})
    assert [
        (k["keyword"], k["source"], k["state"])
        for k in learned.send("GET", f"/v1/photos/{tagged.id}/keywords").json["keywords"]
    ] == [("Animals|Cat", "person", "assigned")]
    found = {
        (k["keyword"], k["source"], k["state"])
        for k in learned.send("GET", f"/v1/photos/{bare.id}/keywords").json["keywords"]
    }
    assert found >= {
        ("Animals|Cat", "suggestion", "suggested"),
        ("Food|Coffee", "suggestion", "rejected"),
        ("Holiday", "person", "accepted"),
    }


def test_a_keyword_taken_off_a_photo_is_rejected(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    path = f"/v1/photos/{number}/keywords"
    learned.send("POST", path, {"keywords": ["Holiday"]})
    left = learned.send("POST", f"{path}/remove", {"keywords": ["Holiday"]}).json["keywords"]
    assert ("Holiday", "rejected") in {(k["keyword"], k["state"]) for k in left}


def test_the_most_similar_photos_of_the_cat_are_of_the_cat(learned: Raw, library: Path) -> None:
    answer = learned.send("GET", f"/v1/photos/{photo(learned, library).id}/similar?limit=3").json
    assert len(answer["photos"]) == 3
    assert all("CHEL" in one["path"] for one in answer["photos"])


def test_a_profile_chooses_keywords_and_puts_them_under_its_template(learned: Raw, library: Path) -> None:
    number = photo(learned, library).id
    chosen = Profile(under=("animals",), template="Suggested|{keyword}")
    learned.bridge.bridge.config = Config(profiles={"pets": chosen, "food": Profile(under=("Food",))})
    pets, food = (learned.client.suggest([number], profile=name, min_confidence=0.0) for name in ("pets", "food"))
    assert {s.keyword for s in pets.photos[0].suggestions} == {"Suggested|Animals", "Suggested|Animals|Cat"}
    assert all(s.keyword.startswith("Food") for s in food.photos[0].suggestions)
    learned.client.decide([DecisionMade(number, s.keyword, "accepted") for s in pets.photos[0].suggestions])
    assert learned.client.suggest([number], profile="pets", min_confidence=0.0).photos[0].suggestions == ()
    with pytest.raises(ProblemError, match="food, pets"):
        learned.client.suggest([number], profile="birds")


def test_before_anything_was_learned_a_sentence_says_so(bridge: Raw) -> None:
    with pytest.raises(ProblemError, match="Nothing has been learned yet"):
        bridge.client.suggest([1])


def test_typing_finds_keywords_whatever_their_case_and_accents(learned: Raw) -> None:
    body = {"keyword": "Places|Zürich", "synonyms": ["Turicum"]}
    assert learned.send("POST", "/v1/keywords", body).status == 201

    def typed(text: str) -> list[str]:
        return [k["keyword"] for k in learned.send("GET", f"/v1/keywords/search?text={text}").json["keywords"]]

    assert typed("zur") == ["Places|Zürich"]
    assert typed("TURI") == ["Places|Zürich"]
    assert typed("ca") == ["Animals|Cat"]
    assert typed("white") == ["Style|Black%20and%20white".replace("%20", " ")]


def test_the_tree_is_walked_level_by_level(learned: Raw) -> None:
    top = {k["name"]: k["children"] for k in learned.send("GET", "/v1/keywords/tree").json["keywords"]}
    assert top["Animals"] == 1
    below = learned.send("GET", "/v1/keywords/tree?under=animals").json["keywords"]
    assert [k["keyword"] for k in below] == ["Animals|Cat"]
    assert learned.send("GET", "/v1/keywords/tree?under=Minerals").status == 404


def test_the_most_used_keywords_come_first_when_asked_so(learned: Raw) -> None:
    found = learned.send("GET", "/v1/keywords?order=popular&limit=2").json
    assert found["keywords"][0]["keyword"] == "Style|Black and white"
    assert found["next"] == 2


def test_versions_are_activated_rolled_back_and_compared(learned: Raw) -> None:
    only = learned.send("GET", "/v1/models/versions").json["versions"]
    assert [v["active"] for v in only] == [True]
    number = only[0]["id"]
    assert learned.send("POST", "/v1/models/rollback").status == 422
    assert learned.send("POST", f"/v1/models/versions/{number}/activate").json["active"] is True
    assert learned.send("POST", "/v1/models/versions/99/activate").status == 404
    same = learned.send("GET", f"/v1/models/compare?old={number}&new={number}").json
    assert (same["added"], same["removed"], same["changed"]) == ([], [], [])
