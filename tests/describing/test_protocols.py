"""Each describer against a server that speaks its real protocol, and against everything that goes wrong there."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from PIL import Image

from describing.server import (
    GOOGLE_LABELS,
    GOOGLE_WRONG_KEY,
    LANDING_CLASS,
    LANDING_OBJECTS,
    Answer,
    Server,
    chat,
    google_error,
    keywords,
    serving,
)
from keywright.describing.base import (
    BusyError,
    Candidate,
    Describer,
    DescriberError,
    PhotoRefusedError,
    RefusedError,
    UnclearError,
)
from keywright.describing.google import GoogleDescriber
from keywright.describing.landing import LandingDescriber
from keywright.describing.openai import ChatDescriber
from keywright.describing.patience import persistently
from keywright.describing.picture import picture_of
from keywright.describing.providers import Kind, Provider

PICTURE = picture_of(np.full((48, 64, 3), (200, 120, 40), dtype=np.uint8))
Open = Callable[[Server], Describer]


def openai(server: Server, **values: object) -> ChatDescriber:
    one = Provider("vision", Kind.OPENAI, server.url + "/v1", "qwen2.5vl:7b", **{"seconds": 60, **values})  # type: ignore[arg-type]
    return ChatDescriber(one, "sk-secret", ("Dog", "Strand"))


def google(server: Server) -> GoogleDescriber:
    return GoogleDescriber(Provider("vision", Kind.GOOGLE, server.url + "/v1", seconds=60), "AIza-secret")


def landing(server: Server) -> LandingDescriber:
    address = server.url + "/inference/v1/predict"
    return LandingDescriber(Provider("vision", Kind.LANDING, address, "9f237028", seconds=60), "land_secret")


EVERY = pytest.mark.parametrize("opened", [openai, google, landing])


def test_a_vision_model_is_asked_as_openai_documents_it(server: Server) -> None:
    server.says(keywords(dog=0.9, beach=0.7))
    assert openai(server).describe(PICTURE) == (Candidate("dog", 0.9), Candidate("beach", 0.7))
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    assert asked.json["model"] == "qwen2.5vl:7b"
    assert asked.json["response_format"]["type"] == "json_schema"
    assert asked.jpeg == PICTURE.jpeg


def test_google_labels_keep_googles_scores(server: Server) -> None:
    server.says(Answer(body=GOOGLE_LABELS))
    found = google(server).describe(PICTURE)
    assert [c.name for c in found] == ["Street", "Snapshot", "Town"]
    assert found[0].score == pytest.approx(0.87294734)
    assert server.asked[0].path == "/v1/images:annotate"
    assert "AIza-secret" not in json.dumps(server.asked[0].query) + server.asked[0].path


def test_a_photo_without_labels_is_an_answer_too(server: Server) -> None:
    server.says(Answer(body={"responses": [{}]}))
    assert google(server).describe(PICTURE) == ()


def test_a_landinglens_classifier_gives_its_class_and_a_detector_each_thing_once(server: Server) -> None:
    server.says(Answer(body=LANDING_CLASS), Answer(body=LANDING_OBJECTS))
    assert [c.name for c in landing(server).describe(PICTURE)] == ["Fire"]
    assert landing(server).describe(PICTURE) == (Candidate("Screw", 0.98), Candidate("Nail", 0.4))
    assert server.asked[0].query == {"endpoint_id": ["9f237028"]}
    assert server.asked[0].jpeg == PICTURE.jpeg


def test_names_of_keywords_are_sent_only_where_the_user_wants_it(server: Server) -> None:
    openai(server).describe(PICTURE)
    openai(server, send_keywords=True).describe(PICTURE)
    without, with_names = (asked.json["messages"][0]["content"][0]["text"] for asked in server.asked)
    assert "Strand" not in without
    assert "Strand" in with_names
    assert openai(server).id != openai(server, send_keywords=True).id


@EVERY
def test_what_is_sent_carries_no_metadata(server: Server, opened: Open) -> None:
    server.usual = Answer(body=GOOGLE_LABELS | LANDING_CLASS | {"choices": [{"message": {"content": "dog"}}]})
    opened(server).describe(PICTURE)
    with Image.open(io.BytesIO(server.asked[0].jpeg)) as sent:
        assert sent.size == (64, 48)
        assert not sent.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(sent.info)


@EVERY
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_a_busy_provider_may_be_asked_again(server: Server, opened: Open, status: int) -> None:
    server.says(Answer(status, {"error": {"message": "Overloaded"}}, headers={"Retry-After": "7"}))
    with pytest.raises(BusyError, match=rf"vision is busy or has a fault \({status}: Overloaded\)") as caught:
        opened(server).describe(PICTURE)
    assert caught.value.after == 7


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("0", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(days=1)), 3600, 3600),
        (format_datetime(datetime.now(UTC) - timedelta(days=1)), 0, 0),
        ("999999999", 3600, 3600),
    ],
    ids=["at once", "a date to come", "a date gone by", "too long"],  # else names of tests hold the time they are run
)
def test_retry_after_is_read_in_both_forms_and_bounded(server: Server, header: str, low: float, high: float) -> None:
    server.says(Answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(BusyError) as caught:
        openai(server).describe(PICTURE)
    assert caught.value.after is not None
    assert low <= caught.value.after <= high


@pytest.mark.parametrize(
    "header", ["soon", "", "-3", "1e9", "\u00b2", "9" * 5000, "Mon, 01 Jan 99999999999 00:00:00 GMT"]
)
def test_a_retry_after_that_makes_no_sense_is_none(server: Server, header: str) -> None:
    server.says(Answer(429, {}, headers={"Retry-After": header}))
    with pytest.raises(BusyError) as caught:
        openai(server).describe(PICTURE)
    assert caught.value.after is None


def test_after_429_the_next_attempt_waits_as_long_as_was_asked_and_succeeds(server: Server) -> None:
    server.says(Answer(429, {}, headers={"Retry-After": "30"}), Answer(503, {}), keywords(cat=1.0))
    waited: list[float] = []
    describer = openai(server)
    assert persistently(lambda: describer.describe(PICTURE), waited.append, lambda: 0.0) == (Candidate("cat", 1.0),)
    assert waited == [30, 1.0]
    assert len(server.asked) == 3


@EVERY
@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_said_and_not_tried_again(server: Server, opened: Open, status: int) -> None:
    server.says(Answer(status, {"error": {"message": "Incorrect API key provided"}}))
    words = r"refuses the key .*Incorrect API key provided.*keywright provider add vision --key"
    with pytest.raises(RefusedError, match=words):
        opened(server).describe(PICTURE)


def test_googles_word_for_a_wrong_key_is_not_taken_for_a_bad_photo(server: Server) -> None:
    server.says(GOOGLE_WRONG_KEY)
    with pytest.raises(RefusedError, match=r"refuses the key .*API key not valid.*keywright provider add vision --key"):
        google(server).describe(PICTURE)


@EVERY
@pytest.mark.parametrize(
    ("status", "error"),
    [(404, RefusedError), (402, RefusedError), (407, RefusedError)]
    + [(status, PhotoRefusedError) for status in (400, 413, 415, 422)],
)
def test_what_may_be_the_photos_fault_is_told_from_what_is_not(
    server: Server, opened: Open, status: int, error: type[Exception]
) -> None:
    server.says(Answer(status, {"error": {"message": "image was rejected"}}))
    with pytest.raises(error, match="image was rejected"):
        opened(server).describe(PICTURE)


def test_a_model_that_is_not_there_is_said_in_the_servers_words(server: Server) -> None:
    told = {"error": {"message": 'model "qwen2.5vl:7b" not found, try pulling it first', "type": "api_error"}}
    server.says(Answer(404, told))
    with pytest.raises(RefusedError, match="not found, try pulling it first"):
        openai(server).describe(PICTURE)


def test_a_server_without_answer_formats_is_asked_without_them(server: Server) -> None:
    fault = Answer(400, {"error": "'response_format.type' must be 'text'"})
    server.says(fault, keywords(dog=0.8))
    describer = openai(server)
    assert persistently(lambda: describer.describe(PICTURE), lambda _: None) == (Candidate("dog", 0.8),)
    assert "response_format" not in server.asked[1].json


@EVERY
def test_photos_never_follow_a_redirect(server: Server, opened: Open) -> None:
    server.says(Answer(307, {}, headers={"Location": server.url + "/elsewhere/chat/completions"}))
    with pytest.raises(RefusedError, match="sends us elsewhere"):
        opened(server).describe(PICTURE)
    assert len(server.asked) == 1


@EVERY
def test_a_provider_that_says_nothing_is_given_up_after_its_time(server: Server, opened: Open) -> None:
    server.says(Answer(hang=True))
    describer = opened(server)
    object.__setattr__(describer._provider, "seconds", 0.3)  # type: ignore[attr-defined]
    with pytest.raises(BusyError, match=r"did not answer within 0\.3 seconds"):
        describer.describe(PICTURE)


@EVERY
@pytest.mark.parametrize("headers", [False, True], ids=["its body", "a header"])
def test_a_provider_that_lets_its_answer_drip_is_given_up_after_its_time(
    server: Server, opened: Open, headers: bool
) -> None:
    server.says(Answer(body=GOOGLE_LABELS, drip=0.05, drip_headers=headers))
    describer = opened(server)
    object.__setattr__(describer._provider, "seconds", 0.5)  # type: ignore[attr-defined]
    begun = time.monotonic()
    with pytest.raises(BusyError, match=r"did not answer within 0\.5 seconds"):
        describer.describe(PICTURE)
    assert time.monotonic() - begun < 15  # all of it takes 20


@EVERY
def test_no_proxy_reads_what_goes_to_this_machine(
    server: Server, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.usual = Answer(body=GOOGLE_LABELS | LANDING_CLASS | {"choices": [{"message": {"content": "dog"}}]})
    with serving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert opened(server).describe(PICTURE)
        assert (len(server.asked), proxy.asked) == (1, [])


def test_the_proxy_that_was_agreed_to_is_asked_for_a_way_and_told_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Provider("far", Kind.OPENAI, "https://provider.invalid/v1", seconds=60)
    assert "proxy" not in one.consent()
    with serving() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://me:pass@"))
        address = proxy.url.removeprefix("http://")
        assert f"through the proxy {address} " in one.consent()
        with pytest.raises(BusyError, match="cannot be reached"):
            ChatDescriber(one, "sk-secret").describe(PICTURE)
        (asked,) = proxy.asked
    assert asked.path == "provider.invalid:443"
    assert "sk-secret" not in str(asked.headers)
    monkeypatch.setenv("NO_PROXY", ".invalid")
    assert "proxy" not in one.consent()


@EVERY
@pytest.mark.parametrize("cut", [0, 10])
def test_an_answer_that_breaks_off_is_no_answer(server: Server, opened: Open, cut: int) -> None:
    server.says(Answer(body=GOOGLE_LABELS, cut=cut))
    with pytest.raises(BusyError, match="vision broke off its answer"):
        opened(server).describe(PICTURE)


@EVERY
def test_where_nobody_answers_it_is_one_sentence(opened: Open) -> None:
    with pytest.raises(BusyError, match=r"vision cannot be reached at http://127\.0\.0\.1:9/"):
        opened(Server("http://127.0.0.1:9", [], Answer())).describe(PICTURE)


@EVERY
@pytest.mark.parametrize("raw", [b"<html>It works!</html>", b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_one_sentence(server: Server, opened: Open, raw: bytes) -> None:
    server.says(Answer(raw=raw))
    with pytest.raises(UnclearError, match="vision answered with what is no JSON"):
        opened(server).describe(PICTURE)


@EVERY
@pytest.mark.parametrize(
    "body", [{}, [], None, "x", 3, {"choices": []}, {"responses": []}, {"responses": [7]}, {"predictions": 3}]
)
def test_json_of_another_shape_is_unclear_or_empty(server: Server, opened: Open, body: object) -> None:
    server.says(Answer(body=body))
    found: tuple[Candidate, ...] = ()
    with contextlib.suppress(UnclearError):
        found = opened(server).describe(PICTURE)
    assert found == ()


def test_an_answer_that_was_cut_off_gives_the_names_that_are_whole(server: Server) -> None:
    server.says(chat('{"keywords": [{"name": "dog", "score": 0.9}, {"name": "beach", "sc'))
    assert openai(server).describe(PICTURE) == (Candidate("dog", 0.9),)
    assert server.asked[0].json["response_format"]["json_schema"]["schema"]["properties"]["keywords"]["maxItems"] == 20


def test_of_a_large_vocabulary_the_first_300_names_are_sent(server: Server) -> None:
    one = Provider("vision", Kind.OPENAI, server.url, seconds=60, send_keywords=True)
    ChatDescriber(one, None, [f"name{number}" for number in range(400)]).describe(PICTURE)
    sent = server.asked[0].json["messages"][0]["content"][0]["text"]
    assert ("name299" in sent, "name300" in sent) == (True, False)
    assert "the 300 most used" in one.consent()


def test_another_vocabulary_is_no_other_describer(server: Server) -> None:
    one = Provider("vision", Kind.OPENAI, server.url, send_keywords=True)
    assert ChatDescriber(one, None, ["Dog"]).id == ChatDescriber(one, None, ["Dog", "Cat"]).id


def test_an_endless_answer_is_not_read_to_its_end(server: Server) -> None:
    server.says(Answer(raw=b" " * (5 << 20)))
    with pytest.raises(UnclearError, match="more than 4 MB"):
        openai(server).describe(PICTURE)


@pytest.mark.parametrize(
    ("code", "error"), [(3, UnclearError), (8, BusyError), (14, BusyError)], ids=["bad image", "quota", "unavailable"]
)
def test_googles_error_inside_an_answer_is_an_error(server: Server, code: int, error: type[Exception]) -> None:
    server.says(Answer(body={"responses": [{"error": {"code": code, "message": "Bad image data."}}]}))
    with pytest.raises(error, match="Bad image data"):
        google(server).describe(PICTURE)


def test_googles_quota_is_busy(server: Server) -> None:
    server.says(google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric"))
    with pytest.raises(BusyError, match="Quota exceeded"):
        google(server).describe(PICTURE)


def test_a_providers_words_cannot_paint_on_the_terminal(server: Server) -> None:
    server.says(Answer(400, {"error": {"message": "\x1b[2J\x07Send your key\r\n" + "x" * 5000}}))
    with pytest.raises(PhotoRefusedError) as caught:
        openai(server).describe(PICTURE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("code", [3, 14, "3", [], None])
def test_nor_can_googles_words_inside_an_answer(server: Server, code: object) -> None:
    told = {"code": code, "message": "\x1b]0;pwned\x07\x1b[31mBad\r\nimage " + "x" * 5000}
    server.says(Answer(body={"responses": [{"error": told}]}))
    with pytest.raises(DescriberError, match="Bad image") as caught:
        google(server).describe(PICTURE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_key_that_a_provider_repeats_is_not_shown(server: Server) -> None:
    server.says(Answer(403, {"error": {"message": "x" * 190 + "API key AIza-secret is not valid"}}))
    server.says(Answer(body={"responses": [{"error": {"code": 3, "message": "no: AIza-secret"}}]}))
    for _ in range(2):
        with pytest.raises(DescriberError) as caught:
            google(server).describe(PICTURE)
        assert "AIza" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["sk-secret\r", "sk-secret\nX-Evil: 1", " sk-secret\n", "sk-secret\u2026", "sk-\u200bsecret"]
)
@pytest.mark.parametrize("describer", [ChatDescriber, GoogleDescriber, LandingDescriber])
def test_a_key_that_no_request_can_carry_is_one_sentence_without_it(
    server: Server, describer: Callable[..., Describer], key: str
) -> None:
    kind = {ChatDescriber: Kind.OPENAI, GoogleDescriber: Kind.GOOGLE, LandingDescriber: Kind.LANDING}[describer]  # type: ignore[index]
    opened = describer(Provider("vision", kind, server.url, "x", seconds=60), key)
    with pytest.raises(RefusedError, match=r"what no request can carry.*keywright provider add vision --key") as caught:
        opened.describe(PICTURE)
    assert "secret" not in str(caught.value)
    assert server.asked == []


@pytest.mark.parametrize("describer", [GoogleDescriber, LandingDescriber])
def test_a_service_without_a_key_is_refused_before_anything_is_sent(describer: type, server: Server) -> None:
    kind = Kind.GOOGLE if describer is GoogleDescriber else Kind.LANDING
    with pytest.raises(RefusedError, match=r"needs a key; .* --key"):
        describer(Provider("vision", kind, server.url, "x"), None)
    assert server.asked == []


def test_content_in_parts_is_read_too(server: Server) -> None:
    server.says(chat([{"type": "text", "text": '["dog"]'}]))
    assert openai(server).describe(PICTURE) == (Candidate("dog", 0.5),)
