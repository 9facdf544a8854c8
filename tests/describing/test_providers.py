"""What the user agrees to, what is refused beforehand, when another attempt is made, and where keys are."""

from __future__ import annotations

import dataclasses

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from keywright.describing.base import BusyError, RefusedError
from keywright.describing.keys import KeyringError, forget_key, keep_key, key_of, variable_of
from keywright.describing.patience import LONGEST_ASKED, TRIES, Pace, pause_before, persistently
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
        ({"name": "../x"}, "is no name"),
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
    pace, now, calls = Pace(most), 0.0, list[float]()
    for gap in gaps:
        now += gap
        now += pace.delay(now)
        pace.called(now)
        calls.append(now)
    for start in calls:
        assert sum(start <= call < start + 60 - 1e-6 for call in calls) <= most


class Memory(KeyringBackend):
    """A keyring of this test's own, through keyring's interface for such."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


@pytest.fixture
def usual_keyring() -> object:
    before = keyring.get_keyring()
    yield before
    keyring.set_keyring(before)


@pytest.mark.usefixtures("usual_keyring")
def test_a_key_is_kept_in_the_keyring_and_forgotten_with_its_provider() -> None:
    keyring.set_keyring(Memory())
    keep_key("far", "sk-1")
    assert key_of("far", {}) == "sk-1"
    assert key_of("far", {"KEYWRIGHT_KEY_FAR": "sk-2"}) == "sk-2"
    forget_key("far")
    forget_key("far")
    assert key_of("far", {}) is None


@pytest.mark.usefixtures("usual_keyring")
def test_where_there_is_no_keyring_it_is_said_what_to_do() -> None:
    keyring.set_keyring(NoKeyring())
    assert key_of("far", {}) is None
    with pytest.raises(KeyringError, match=r"no keyring .* set KEYWRIGHT_KEY_MY_VISION_1 in the environment instead"):
        keep_key("my-vision.1", "sk-1")
    forget_key("far")
    assert variable_of("my-vision.1") == "KEYWRIGHT_KEY_MY_VISION_1"
