"""What is configured: what was agreed to, with its key in the keyring alone, until it is taken out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from keyring.backends.fail import Keyring as NoKeyring
from sqlalchemy import func, update

from cli.kit import Keywright
from describing.keyrings import Locked, Memory, using
from describing.kit import added, never_wait, rows, seen
from describing.server import Server, serving
from keywright.describing.providers import Kind, Provider
from keywright.errors import KeywrightError
from keywright.operations import describing
from keywright.operations.describing import NotAgreedError, describe_photos, what_was_seen
from keywright.operations.workspace import Workspace
from keywright.store.providers import providers as provider_table


def test_nothing_is_configured_that_was_not_agreed_to_word_by_word(workspace: Workspace, server: Server) -> None:
    one = Provider("vision", Kind.OPENAI, server.url + "/v1")
    with pytest.raises(NotAgreedError):
        describing.add(workspace, replace(one, send_keywords=True), agreed=one.consent())
    assert describing.providers(workspace) == []


def test_a_key_is_not_sent_to_another_address_than_it_was_given_for(
    workspace: Workspace, server: Server, own_keyring: Memory
) -> None:
    one = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b", seconds=60)
    describing.add(workspace, one, agreed=one.consent(), key="sk-secret\r\n")
    deeper = replace(one, url=server.url + "/api/v1")
    assert not describing.add(workspace, deeper, agreed=deeper.consent())
    describe_photos(workspace, "vision", rows(workspace)[:1], wait=never_wait)
    assert server.asked[0].headers["authorization"] == "Bearer sk-secret"
    with serving() as other:
        elsewhere = replace(one, url=other.url + "/v1")
        assert describing.add(workspace, elsewhere, agreed=elsewhere.consent())
        describe_photos(workspace, "vision", rows(workspace)[:1], wait=never_wait)
        assert "authorization" not in other.asked[0].headers
    assert own_keyring.kept == {}


def test_a_provider_whose_key_stays_in_a_locked_keyring_is_not_called_taken_out(
    workspace: Workspace, server: Server, own_keyring: Memory
) -> None:
    one = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b", seconds=60)
    describing.add(workspace, one, agreed=one.consent(), key="sk-secret")
    moved = replace(one, url="http://127.0.0.1:9/v1")
    with using(Locked()):
        with pytest.raises(KeywrightError, match="cannot be taken out of the keyring"):
            describing.remove(workspace, "vision")
        with pytest.raises(KeywrightError, match="cannot be taken out of the keyring"):
            describing.add(workspace, moved, agreed=moved.consent())
    assert list(own_keyring.kept.values()) == ["sk-secret"]
    assert [configured.provider for configured in describing.providers(workspace)] == [one]


def test_a_provider_that_is_not_taken_any_more_can_be_taken_out(workspace: Workspace, server: Server) -> None:
    added(workspace, server)
    describe_photos(workspace, "vision", rows(workspace), wait=never_wait)
    with workspace.store.write() as connection:
        endless = func.json_set(provider_table.c.settings, "$.seconds", 1e12)
        connection.execute(update(provider_table).values(settings=endless))
    assert seen(workspace)["IMG_0.jpg"] == []
    with pytest.raises(KeywrightError, match="keywright provider remove vision"):
        describing.providers(workspace)
    describing.remove(workspace, "vision")
    assert describing.providers(workspace) == []


def test_a_provider_that_is_taken_out_takes_its_answers_along(workspace: Workspace, server: Server) -> None:
    added(workspace, server)
    describe_photos(workspace, "vision", rows(workspace), wait=never_wait)
    describing.remove(workspace, "vision")
    assert describing.providers(workspace) == []
    assert what_was_seen(workspace, [row.content_id or "" for row in rows(workspace)]) == {}
    with pytest.raises(KeywrightError, match="There is no provider vision"):
        describing.remove(workspace, "vision")


def test_a_model_of_a_folder_is_the_same_wherever_it_is_asked_from(workspace: Workspace, tmp_path: Path) -> None:
    keywright = Keywright(workspace.home.folder)
    relative = os.path.relpath(tmp_path / "model")
    told = keywright("provider", "add", "moon", "--kind", "moondream", "--url", relative, "--agree", "--json").json
    assert told["provider"]["url"] == str((tmp_path / "model").resolve())
    told = keywright("provider", "add", "moon", "--url", f"{relative}2", "--agree", "--json").json
    assert told["provider"]["url"] == str((tmp_path / "model2").resolve())
    one = Provider("moon", Kind.MOONDREAM, "model")
    with pytest.raises(KeywrightError, match="give the whole path"):
        describing.add(workspace, one, agreed=one.consent())


@pytest.mark.parametrize(
    "values", [("--url", "http://[::1"), ("--seconds", "inf"), ("--seconds", "1e12"), ("--price", "nan")]
)
def test_what_cannot_be_configured_is_one_sentence(workspace: Workspace, values: tuple[str, str]) -> None:
    keywright = Keywright(workspace.home.folder)
    assert keywright.fails("provider", "add", "mine", "--preset", "llava", "--agree", *values)
    assert describing.providers(workspace) == []


def test_where_there_is_no_keyring_no_key_is_written_anywhere(workspace: Workspace) -> None:
    one = Provider("far", Kind.OPENAI, "https://api.example.com/v1", "vision-1")
    with using(NoKeyring()), pytest.raises(KeywrightError, match="KEYWRIGHT_KEY_FAR"):  # type: ignore[no-untyped-call]
        describing.add(workspace, one, agreed=one.consent(), key="sk-very-secret")
    assert describing.providers(workspace) == []
    assert all(b"sk-very-secret" not in f.read_bytes() for f in workspace.home.folder.rglob("*") if f.is_file())
