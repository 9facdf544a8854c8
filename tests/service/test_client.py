"""The typed client reaches every endpoint, and what it gives is what the bridge has."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from keywright.config import Config, Profile
from keywright.metadata import read_keywords
from keywright.service.app import endpoints
from keywright_plugin import Client, ProblemError
from keywright_plugin.values import DecisionMade, Photo, PhotoRef
from service.kit import Raw, running

BARE = "2023/At home/CHEL_0009.jpg"
PLUGIN = Path(__file__).resolve().parents[2] / "plugin" / "keywright_plugin"
FOR_PAGES = {"review_state", "order_photos", "show_photos", "list_waiting_keywords", "list_waiting_photos"}
FOR_PAGES |= {"list_reasons", "list_folders", "list_places", "describe"}


def photo(bridge: Raw, library: Path, name: str = BARE) -> int:
    found = bridge.client.find_photos([PhotoRef(path=str(library / name))])[0]
    assert isinstance(found, Photo), found
    return found.id


def test_the_client_reaches_every_endpoint() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PLUGIN.glob("*.py"))
    called = {re.sub(r"\{[^}]*\}", "*", one) for one in re.findall(r'f?"(/(?:v1/|ping)[^"?]*)', text)}
    missing = [
        f"{one.method} {one.rule}"
        for one in endpoints()
        if one.name not in FOR_PAGES and re.sub(r"<[^>]*>", "*", one.rule) not in called
    ]
    assert missing == []


def test_a_version_goes_out_and_comes_in_on_another_machine_and_suggests_there(
    learned: Raw, library: Path, tmp_path: Path
) -> None:
    version = learned.client.versions()[0]
    file = learned.client.export_version(version.id)
    with running(tmp_path / "other home") as other:
        client = other.client
        came = client.import_version(file)
        assert (came.active, came.metrics) == (False, version.metrics)
        assert client.import_version(file) == came  # once however often it is sent
        assert client.activate(came.id).active
        client.wait(client.add_catalog(str(library), learn=False).job or 0)
        (found,) = client.suggest([photo(other, library)]).photos
        assert "Animals|Cat" in {s.keyword for s in found.suggestions}


def test_a_damaged_model_file_is_refused_in_one_sentence(learned: Raw) -> None:
    file = learned.client.export_version(learned.client.versions()[0].id)
    for damaged in (b"", b"PK\x03\x04 nonsense", file[:-100], file[:5000] + b"x" * 64 + file[5064:]):
        with pytest.raises(ProblemError) as caught:
            learned.client.import_version(damaged)
        assert caught.value.status == 422
    assert len(learned.client.versions()) == 1


def test_a_catalog_is_registered_without_embedding_or_learning_anything(bridge: Raw, library: Path) -> None:
    catalog = bridge.client.add_catalog(str(library), learn=False, embed=False)
    job = bridge.client.wait(catalog.job or 0)
    assert (job.state, job.result) == ("completed", {"photos": 126})
    known = bridge.client.catalog(catalog.id)
    assert (known.photos, known.changed) == (126, False)
    found = bridge.client.find_photos([PhotoRef(catalog=catalog.id, host_id=BARE)])[0]
    assert isinstance(found, Photo)
    assert not found.has_vector
    with pytest.raises(ProblemError, match="Nothing has been learned"):
        bridge.client.suggest([found.id])


def test_words_find_photos_and_a_photo_finds_those_like_it(learned: Raw, library: Path) -> None:
    client, cat = learned.client, photo(learned, library)
    assert all("CHEL" in one.path for one in client.search("cat", limit=5))
    like = client.search(like=[cat], limit=4)
    assert all("CHEL" in one.path for one in like)
    assert cat not in {one.photo for one in like}
    beijing = str(library / "2022" / "Beijing")
    assert all(one.path.startswith(beijing) for one in client.search("temple", under=beijing))
    assert {one.photo for one in client.similar(cat, 4)} == {one.photo for one in like}
    for asked in ({}, {"text": "cat", "under": "relative"}, {"text": "cat", "keyword": "No|Such"}):
        with pytest.raises(ProblemError):
            client.search(**asked)  # type: ignore[arg-type]


def test_keywords_decisions_and_prime_examples_go_there_and_back(learned: Raw, library: Path) -> None:
    client, cat = learned.client, photo(learned, library)
    assert client.keywords("popular")[0].keyword == "Style|Black and white"
    assert client.keywords_below("Animals") == {"Animals|Cat": 0}
    assert client.create_keyword("Places|Zürich", ["Turicum"]).synonyms == ["Turicum"]
    assert [k.keyword for k in client.search_keywords("turi")] == ["Places|Zürich"]
    assert {k.state for k in client.give_keywords(cat, ["Holiday"]) if k.keyword == "Holiday"} == {"accepted"}
    client.mark_prime(cat, "Holiday")
    assert client.primes("Holiday") == [cat]
    assert [k.keyword for k in client.photo_keywords(cat) if k.prime] == ["Holiday"]
    assert {k.state for k in client.remove_keywords(cat, ["Holiday"]) if k.keyword == "Holiday"} == {"rejected"}
    assert [(d.photo, d.keyword, d.decision) for d in client.decisions()] == [(cat, "Holiday", "rejected")]


def test_thresholds_questions_and_an_audit_through_the_client(learned: Raw) -> None:
    client = learned.client
    assert client.set_threshold("Animals|Cat", 0.9).own == 0.9
    assert client.threshold("Cat").own == 0.9
    assert client.preview_threshold("Cat", 0.9).looked_at > 0
    assert {m.keyword for m in client.keyword_models() if m.own} == {"Animals|Cat"}
    assert all(0 <= one.value <= 1 for one in client.uncertain(limit=3))
    number = client.catalogs()[0].id
    assert client.findings(number).state == "none"
    client.wait(client.audit(number).id)
    assert client.findings(number).judged > 50
    assert client.compare(1, 1).added == []
    with pytest.raises(ProblemError, match="is the active one and stays"):
        client.remove_version(1)


def test_what_is_written_keeps_to_a_profile(learned: Raw, library: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copy(library / BARE, inbox / "cat.jpg")
    chosen = Profile(under=("Animals",), template="Suggested|{keyword}", automatic=("Folder|{year}",))
    learned.bridge.bridge.config = Config(profiles={"pets": chosen})
    client = learned.client
    catalog = client.add_catalog(str(inbox), learn=False)
    client.wait(catalog.job or 0)
    number = photo(learned, inbox, "cat.jpg")
    client.decide([DecisionMade(number, k, "accepted") for k in ("Animals|Cat", "Style|Dark")])
    planned = client.wait(client.plan([catalog.id], profile="pets").id)
    assert planned.result is not None
    assert [one["add"] for one in planned.result["writes"]] == [["Suggested|Animals|Cat"]]
    assert sum(planned.result["left_out"].values()) == 1
    job = client.wait(client.apply([catalog.id], profile="pets").id)
    assert {str(k) for k in read_keywords(inbox / "cat.jpg").keywords} == {"Suggested|Animals|Cat"}
    assert job.result is not None
    batch = client.batch(job.result["batch"])
    assert (batch.written, [one.id for one in client.batches()]) == (1, [batch.id])
    with pytest.raises(ProblemError, match="no profile 'birds'"):
        client.apply(profile="birds")


def test_a_job_is_followed_to_its_end(learned: Raw) -> None:
    client: Client = learned.client
    job = client.train()
    seen = list(client.follow(job.id))
    assert seen[-1].state == "completed"
    assert [one.id for one in client.jobs("completed") if one.kind == "train"] == [job.id]
    assert client.state().profiles == []
