"""What a user is told when the bridge is missing, old, false, slow or broken; and that the token goes only to it."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from lightroom.simulation.catalog import Catalog
from lightroom.simulation.dialogs import Dialog
from lightroom.simulation.lightroom import Lightroom
from service.kit import running

TOKEN = "t0ken"


class Impostor(ThreadingHTTPServer):
    """A program on the bridge's port that answers as the test says."""

    protocol, proves, answer = 1, True, "500"
    seen: list[str | None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        self.before_answering: Callable[[], None] = lambda: None


class Handler(BaseHTTPRequestHandler):
    server: Impostor

    def do_GET(self) -> None:
        if self.path.startswith("/ping"):
            nonce = parse_qs(urlsplit(self.path).query)["nonce"][0]
            proof = hmac.new(TOKEN.encode(), b"keywright ping " + nonce.encode(), hashlib.sha256).hexdigest()
            told = {"name": "keywright", "version": "9.9", "protocol": self.server.protocol}
            self.say(200, json.dumps(told | {"proof": proof if self.server.proves else "no"}).encode())
            return
        self.server.before_answering()
        self.server.seen.append(self.headers.get("Authorization"))
        if self.server.answer == "cut off":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"catalogs": [')
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.server.answer == "garbage":
            self.say(200, b"<html>")
        else:
            self.say(int(self.server.answer), json.dumps({"detail": "The reason, in a sentence."}).encode())

    do_POST = do_GET  # noqa: N815

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        del args


@pytest.fixture
def lightroom(shared: Path, tmp_path: Path) -> Iterator[Lightroom]:
    made = Lightroom(
        Catalog(shared / "catalogs/lightroom/real/thadd-fe5d348.lrcat"),
        tmp_path / "user",
        environment={"KEYWRIGHT_HOME": str(tmp_path / "home")},
    )
    made.selected = list(made.catalog.photos)[:1]
    yield made
    assert made.faults == []


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    server = Impostor()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (tmp_path / "home").mkdir()
    told = {"host": "127.0.0.1", "port": server.server_port, "token": TOKEN}
    (tmp_path / "home" / "bridge.json").write_text(json.dumps(told))
    yield server
    server.shutdown()
    server.server_close()


def said(lightroom: Lightroom) -> str:
    return f"{lightroom.messages[-1].text} {lightroom.messages[-1].info}"


ITEMS = ["SuggestKeywords.lua", "ApplyAccepted.lua", "LearnCatalog.lua", "ReviewInBrowser.lua", "FindSimilar.lua"]


@pytest.mark.parametrize("item", ITEMS)
def test_a_bridge_that_cannot_be_started_is_said_with_what_to_do(lightroom: Lightroom, item: str) -> None:
    lightroom.choose(item)
    assert "could not be started. Lightroom ran “keywright serve”" in said(lightroom)
    assert len(lightroom.commands) == 1
    assert lightroom.failed_tasks == []


def test_a_bridge_that_does_not_run_is_started_and_used(lightroom: Lightroom, tmp_path: Path) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(_command: str) -> int:
            stack.enter_context(running(tmp_path / "home"))
            return 0

        lightroom.on_command = start
        lightroom.choose("ReviewInBrowser.lua")
    assert lightroom.opened
    assert "/login?code=" in lightroom.opened[0]


def test_the_program_is_quoted_on_macos_and_put_into_a_batch_file_on_windows(
    lightroom: Lightroom, tmp_path: Path
) -> None:
    lightroom.control.prefs["command"] = "/Applications/It's mine/keywright"
    lightroom.choose("ReviewInBrowser.lua")
    assert "nohup '/Applications/It'\\''s mine/keywright' serve >/dev/null 2>&1 &" in lightroom.commands[0]

    (tmp_path / "user" / "temp").mkdir(parents=True)
    windows = Lightroom(lightroom.catalog, tmp_path / "user", windows=True, environment=lightroom.environment)
    windows.control.prefs["command"] = "C:\\Program Files\\Keywright\\keywright.exe"
    windows.choose("ReviewInBrowser.lua")
    batch = tmp_path / "user" / "temp" / "keywright-start.bat"
    assert windows.commands == [f'"{batch}"']
    assert '@start "" /b "C:\\Program Files\\Keywright\\keywright.exe" serve' in batch.read_text()


def test_the_token_goes_to_nobody_who_has_not_proved_to_know_it(lightroom: Lightroom, impostor: Impostor) -> None:
    impostor.proves = False
    lightroom.choose("ReviewInBrowser.lua")
    assert impostor.seen == []
    assert "could not be started" in said(lightroom)


@pytest.mark.parametrize(("protocol", "words"), [(2, "newer than this plug-in"), (0, "older than this plug-in")])
def test_protocols_are_compared(lightroom: Lightroom, impostor: Impostor, protocol: int, words: str) -> None:
    impostor.protocol = protocol
    lightroom.choose("SuggestKeywords.lua")
    assert words in said(lightroom)
    assert impostor.seen == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("500", "could not do that. The reason, in a sentence."),
        ("401", "did not let the plug-in in. Stop Keywright"),
        ("422", "could not do that. The reason, in a sentence."),
        ("cut off", "has stopped answering."),
        ("garbage", "has stopped answering."),
    ],
)
def test_each_failure_is_one_message_with_the_next_step(
    lightroom: Lightroom, impostor: Impostor, answer: str, words: str
) -> None:
    impostor.answer = answer
    before = lightroom.catalog.state()
    lightroom.choose("SuggestKeywords.lua")
    assert words in said(lightroom)
    assert len(lightroom.messages) == 1
    assert lightroom.catalog.state() == before
    assert lightroom.failed_tasks == []


def test_a_read_is_tried_again_after_a_broken_connection_and_a_refusal_is_not(
    lightroom: Lightroom, impostor: Impostor
) -> None:
    impostor.answer = "cut off"
    lightroom.choose("SuggestKeywords.lua")
    assert len(impostor.seen) == 3
    impostor.answer = "401"
    lightroom.choose("SuggestKeywords.lua")
    assert len(impostor.seen) == 4


def test_cancel_while_the_bridge_starts_stops_at_once(lightroom: Lightroom) -> None:
    lightroom.cancel = lambda: True
    lightroom.choose("SuggestKeywords.lua")
    assert said(lightroom).startswith("Keywright: stopped")
    assert float(lightroom.control.now()) < 1


def test_the_menu_has_an_item_for_each_thing_and_each_file_is_there(lightroom: Lightroom) -> None:
    info = lightroom.control.info()
    items = list(info["LrLibraryMenuItems"].values())
    assert [i["title"] for i in items] == [
        "Suggest keywords",
        "Apply accepted keywords",
        "Learn from this catalog",
        "Review in browser",
        "Find photos like these",
        "Undo Keywright's last batch",
    ]
    assert all((lightroom.plugin / i["file"]).exists() for i in items)
    assert info["LrSdkMinimumVersion"] == 6.0
    assert info["LrMetadataProvider"] is None  # custom fields can never be removed from a catalog again


def test_the_menu_is_german_in_a_german_lightroom(lightroom: Lightroom, tmp_path: Path) -> None:
    german = Lightroom(lightroom.catalog, tmp_path, language="de")
    titles = [i["title"].encode("latin-1").decode() for i in german.control.info()["LrLibraryMenuItems"].values()]
    assert titles[0] == "Stichwörter vorschlagen"


SETTINGS = """
local context = nil
import('LrFunctionContext').callWithContext('x', function(c) context = c end)
local properties = import('LrBinding').makePropertyTable(context)
local page = require('SettingsPage')
local sections = page.sectionsForTopOfDialog(import('LrView').osFactory(), properties)
import('LrTasks').sleep(1)
return sections[1]
"""


def test_the_settings_page_shows_the_bridge_and_keeps_what_is_chosen(lightroom: Lightroom, impostor: Impostor) -> None:
    section = lightroom.run(SETTINGS)
    dialog = Dialog(lightroom.lua.table_from({"title": "", "contents": section}), lightroom.control.resolved)
    assert "Keywright 9.9 is running." in dialog.words()
    dialog.tick("Write a log")
    dialog.tick("top level")
    assert lightroom.control.prefs["log"] is True
    assert lightroom.control.prefs["new_tops"] is True
    slider = next(c for c in dialog.controls("edit_field") if c.settings["min"] == 5)
    slider.set(85)
    assert lightroom.control.prefs["threshold"] == 0.85
    dialog.press("Stop")
    lightroom.settle()
    assert impostor.seen == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("item", ["SuggestKeywords.lua", "FindSimilar.lua"])
def test_cancel_is_heard_while_the_bridge_has_not_answered(lightroom: Lightroom, impostor: Impostor, item: str) -> None:
    def answer_waits_for_the_message() -> None:
        for _ in range(2000):
            if lightroom.messages:
                return
            time.sleep(0.01)

    impostor.before_answering = answer_waits_for_the_message
    lightroom.real_time = True
    lightroom.cancel = lambda: any("/v1/" in url for _, url, _ in lightroom.sent)
    lightroom.choose(item)
    assert [m.text for m in lightroom.messages] == ["Keywright: stopped, nothing was written."]
    assert len([url for _, url, _ in lightroom.sent if "/v1/" in url]) == 1
