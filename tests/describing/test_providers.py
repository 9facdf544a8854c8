"""What the user agrees to, what is refused beforehand, when another attempt is made, and where keys are."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backends.fail import Keyring as NoKeyring

from describing.keyrings import Grudging, Locked, Memory, using
from keywright.describing.base import BusyError, RefusedError
from keywright.describing.keys import BadKeyError, KeyringError, forget_key, keep_key, key_of, variable_of
from keywright.describing.patience import LONGEST_ASKED, TRIES, pause_before, persistently, until_allowed
from keywright.describing.providers import PRESETS, Kind, Provider
from keywright.errors import KeywrightError

FAR = Provider("far", Kind.OPENAI, "https://api.example.com/v1", "vision-1", price=0.01, most_calls=100)
NEAR = Provider("near", Kind.OPENAI, "http://127.0.0.1:11434/v1", "llava:7b")


def test_the_user_is_told_what_goes_where_and_what_it_costs() -> None:
    told = FAR.consent()
    for part in ("https://api.example.com/v1", "768 pixels", "without its name, place, time", "0.01", "100 calls"):
        assert part in told
    assert "on this machine" in NEAR.consent()
    assert "names of your keywords" not in told
    assert "names of your keywords" in dataclasses.replace(FAR, send_keywords=True).consent()
    assert "no budget" in NEAR.consent()


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://other.example.com/v1"}, {"longest_side": 2048}, {"send_keywords": True}, {"most_calls": None}],
)
def test_whatever_changes_what_is_sent_where_needs_another_agreement(changes: dict[str, object]) -> None:
    assert dataclasses.replace(FAR, **changes).consent() != FAR.consent()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": "api.example.com"}, "is no address"),
        ({"url": "ftp://example.com"}, "is no address"),
        ({"url": "http://api.example.com/v1"}, "is not encrypted"),
        ({"url": "https://key@api.example.com"}, "must hold nothing but host and path"),
        ({"url": "https://api.example.com/?key=secret"}, "must hold nothing but host and path"),
        ({"url": "http://[::1"}, "is no address"),
        ({"url": "https://api.example.com:99999/v1"}, "is no address"),
        ({"url": "https://" + "a" * 64 + ".example.com/v1"}, "is no address"),
        ({"url": "https://" + "a." * 130 + "com"}, "is no address"),
        ({"url": "https://api..example.com"}, "is no address"),
        ({"url": "https://api.example.com\n/v1"}, "is no address"),
        ({"url": "https://api.example.com\\.evil.example/v1"}, "is no address"),
        ({"name": "../x"}, "is no name"),
        ({"seconds": float("inf")}, "cannot take inf seconds"),
        ({"seconds": float("nan")}, "cannot take nan seconds"),
        ({"seconds": 1e12}, "up to a day"),
        ({"price": float("nan")}, "above zero"),
        ({"price": float("inf")}, "above zero"),
        ({"most_money": float("nan")}, "not below zero"),
        ({"most_money": float("inf")}, "not below zero"),
        ({"most_money": -1.0}, "not below zero"),
        ({"most_calls": -1}, "not below zero"),
        ({"per_minute": 10**400}, "above zero"),
        ({"longest_side": 9000}, "cannot be sent"),
        ({"per_minute": 0}, "above zero"),
        ({"most_money": 5.0, "price": 0.0}, "needs the price of a call"),
    ],
)
def test_a_provider_that_cannot_be_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(KeywrightError, match=sentence):
        dataclasses.replace(FAR, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["http://192.168.1.20:8000/v1", "http://nas.local/v1", "http://[::1]:8080/v1"])
def test_a_machine_of_ones_own_network_needs_no_encryption(url: str) -> None:
    assert Provider("nas", Kind.OPENAI, url).is_local == ("::1" in url)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_a_provider(name: str) -> None:
    made = PRESETS[name].provider(name)
    assert made.is_local or made.url.startswith("https://")
    assert made.consent()


@given(st.integers(1, 30), st.none() | st.floats(0, 300), st.floats(0, 1))
def test_pauses_grow_are_bounded_and_never_shorter_than_asked(attempt: int, asked: float | None, chance: float) -> None:
    pause = pause_before(attempt, asked, chance)
    assert 0.5 <= pause <= max(60, asked or 0)
    assert pause >= (asked or 0)


def test_a_provider_that_stays_busy_is_given_up() -> None:
    asked, waited = [], list[float]()

    def busy() -> None:
        asked.append(1)
        raise BusyError("busy")

    with pytest.raises(BusyError):
        persistently(busy, waited.append, lambda: 1.0)
    assert len(asked) == TRIES
    assert waited == [1, 2, 4]


def test_a_refusal_and_too_long_a_wait_are_not_tried_again() -> None:
    for error in (RefusedError("no"), BusyError("tomorrow", LONGEST_ASKED + 1)):
        asked = []

        def fail(error: Exception = error, asked: list[int] = asked) -> None:
            asked.append(1)
            raise error

        with pytest.raises(type(error)):
            persistently(fail, lambda _: pytest.fail("waited"))
        assert asked == [1]


@given(st.integers(1, 5), st.lists(st.floats(0, 30), max_size=60))
def test_no_minute_has_more_calls_than_allowed(most: int, gaps: list[float]) -> None:
    now, calls = 0.0, list[float]()
    for gap in gaps:
        now += gap
        now += until_allowed(calls, most, now)
        calls.append(now)
    for start in calls:
        assert sum(start <= call < start + 60 - 1e-6 for call in calls) <= most


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    assert until_allowed([1000.0, 2000.0], 1, 999.0) == 0


@pytest.mark.usefixtures("own_keyring")
def test_a_key_is_kept_in_the_keyring_and_forgotten_with_its_provider() -> None:
    keep_key("far", "sk-1")
    assert key_of("far", {}) == "sk-1"
    assert key_of("far", {"KEYWRIGHT_KEY_FAR": "sk-2"}) == "sk-2"
    forget_key("far")
    forget_key("far")
    assert key_of("far", {}) is None


@pytest.mark.parametrize("copied", ["sk-1\r", "sk-1\r\n", " sk-1", "\tsk-1 \n"])
def test_blanks_and_line_ends_that_came_along_are_no_part_of_a_key(own_keyring: Memory, copied: str) -> None:
    assert key_of("far", {"KEYWRIGHT_KEY_FAR": copied}) == "sk-1"
    keep_key("far", copied)
    assert key_of("far", {"KEYWRIGHT_KEY_FAR": " "}) == "sk-1"
    own_keyring.set_password("keywright-provider", "far", copied)  # as an earlier version kept it
    assert key_of("far", {}) == "sk-1"


@pytest.mark.parametrize("copied", ["sk-secret\u2026", "sk-\u200bsecret", "sk-secret\nsk-secret", "clé-secret"])
def test_what_can_be_no_key_is_refused_and_not_shown(own_keyring: Memory, copied: str) -> None:
    for attempt in (lambda: keep_key("far", copied), lambda: key_of("far", {"KEYWRIGHT_KEY_FAR": copied})):
        with pytest.raises(BadKeyError, match="key of far is none") as caught:
            attempt()
        assert "secret" not in str(caught.value)
    with pytest.raises(BadKeyError):
        keep_key("far", " \n")
    assert own_keyring.kept == {}


@pytest.mark.parametrize("backend", [Locked, Grudging])
def test_a_key_that_stays_in_the_keyring_is_not_called_forgotten(backend: type[Memory]) -> None:
    held = backend()
    held.set_password("keywright-provider", "far", "sk-1")
    with using(held), pytest.raises(KeyringError, match="cannot be taken out of the keyring"):
        forget_key("far")


def test_where_there_is_no_keyring_it_is_said_what_to_do() -> None:
    words = r"no keyring .* set KEYWRIGHT_KEY_MY_VISION_1 in the environment instead"
    with using(NoKeyring()):  # type: ignore[no-untyped-call]
        assert key_of("far", {}) is None
        with pytest.raises(KeyringError, match=words):
            keep_key("my-vision.1", "sk-1")
        forget_key("far")
    assert variable_of("my-vision.1") == "KEYWRIGHT_KEY_MY_VISION_1"
