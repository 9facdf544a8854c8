"""A front-end finds the bridge, starts it where none runs, and is not taken in by what is left of a dead one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import platformdirs
import pytest

from keywright.platform import lower_priority, write_private
from keywright_plugin import Client, Connection, UnreachableError, ensure_bridge, find_bridge, read_connection
from keywright_plugin.connection import PROTOCOL, connection_file, proof
from keywright_plugin.errors import ProblemError, TooOldError
from keywright_plugin.platform import belongs_to_me_alone, data_folder, detached, is_alive


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose bridge, if a test starts one, ends with the test."""
    yield tmp_path / "home"
    found = find_bridge(tmp_path / "home")
    if found is not None:
        Client(found[0]).shut_down()
        wait_until_gone(found[0].pid)


def wait_until_gone(pid: int) -> None:
    gone = threading.Event()
    for _ in range(400):
        with_child(pid)
        if not is_alive(pid):
            return
        gone.wait(0.05)
    raise AssertionError(f"process {pid} still runs")


def with_child(pid: int) -> None:
    """Take the exit status of a child, so that it is not taken for alive."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def test_a_bridge_is_started_where_none_runs_and_found_where_one_does(home: Path) -> None:
    assert find_bridge(home) is None
    first = ensure_bridge(home)
    assert ensure_bridge(home) == first
    assert Client(first).catalogs() == []


def test_front_ends_that_start_it_all_at_once_get_one_bridge(home: Path) -> None:
    found: list[Connection] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_bridge(home))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({(one.pid, one.port, one.token) for one in found}) == 1


def test_a_second_start_says_where_the_first_listens(home: Path) -> None:
    first = ensure_bridge(home)
    told = subprocess.run(
        [sys.executable, "-m", "keywright", "serve", "--json"],
        env=os.environ | {"KEYWRIGHT_HOME": str(home)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(told.stdout) == {"url": first.url, "pid": first.pid, "running_already": True}


def test_a_bridge_that_is_asked_to_end_takes_its_connection_file_along(home: Path) -> None:
    first = ensure_bridge(home)
    Client(first).shut_down()
    wait_until_gone(first.pid)
    assert not connection_file(home).exists()


def test_what_a_killed_bridge_left_behind_is_recognised_and_replaced(home: Path) -> None:
    first = ensure_bridge(home)
    os.kill(first.pid, 9)
    wait_until_gone(first.pid)
    assert read_connection(home) == first
    assert find_bridge(home) is None
    second = ensure_bridge(home)
    assert (second.pid, second.token) != (first.pid, first.token)


class Impostor(BaseHTTPRequestHandler):
    """Took the port of a dead bridge: speaks like one, but does not know the token."""

    heard: list[str] = []  # noqa: RUF012 - each test's server has a class of its own

    def do_GET(self) -> None:
        self.heard.append(f"{self.path} {self.headers.get('Authorization', '')}")
        body = json.dumps({"name": "keywright", "version": "9", "protocol": PROTOCOL, "proof": proof("guess", "x")})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_the_token_is_not_sent_to_whoever_took_the_port(home: Path) -> None:
    home.mkdir()
    server = HTTPServer(("127.0.0.1", 0), Impostor)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    secret = "the-users-own-token"
    left = Connection("127.0.0.1", server.server_port, secret, os.getpid(), "0.1.0", PROTOCOL)
    write_private(connection_file(home), left.to_text())
    assert find_bridge(home) is None
    assert Impostor.heard
    assert not [line for line in Impostor.heard if secret in line]
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists instead")
def test_a_connection_file_that_others_can_read_is_not_believed(home: Path) -> None:
    home.mkdir()
    write_private(connection_file(home), Connection("127.0.0.1", 1, "t", os.getpid(), "0", PROTOCOL).to_text())
    assert read_connection(home) is not None
    connection_file(home).chmod(0o644)
    assert not belongs_to_me_alone(connection_file(home))
    assert read_connection(home) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"host": "127.0.0.1", "port": "x"}', "\x00"])
def test_a_damaged_connection_file_is_none(home: Path, text: str) -> None:
    home.mkdir()
    write_private(connection_file(home), text)
    assert read_connection(home) is None


def test_a_bridge_that_does_not_come_up_is_a_sentence(home: Path) -> None:
    with pytest.raises(UnreachableError, match="run that in a terminal"):
        ensure_bridge(home, wait=5, run=[sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(UnreachableError, match="cannot be started"):
        ensure_bridge(home, wait=5, run=[str(home / "no such program")])


class Newer(BaseHTTPRequestHandler):
    """A bridge of a protocol to come."""

    def do_GET(self) -> None:
        nonce = self.path.partition("nonce=")[2]
        told = {"name": "keywright", "version": "99", "protocol": PROTOCOL + 1, "proof": proof("t", nonce)}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_a_newer_bridge_is_not_replaced_but_named(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Newer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    newer = Connection("127.0.0.1", server.server_port, "t", os.getpid(), "99", PROTOCOL + 1)
    write_private(connection_file(tmp_path), newer.to_text())
    with pytest.raises(TooOldError, match="Keywright 99"):
        ensure_bridge(tmp_path)
    server.shutdown()
    server.server_close()


class Dropping(BaseHTTPRequestHandler):
    """Ends the first two connections without an answer."""

    heard: list[str] = []  # noqa: RUF012

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.heard.append(f"{self.command} {self.path}")
        if len(self.heard) < 3:
            self.close_connection = True
            return
        body = b'{"catalogs": [], "kept": 1}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.mark.parametrize(("what", "tries"), [("read", 3), ("keyed", 3), ("plain", 1)])
def test_only_what_may_be_sent_twice_is_sent_again(what: str, tries: int) -> None:
    handler = type("Handler", (Dropping,), {"heard": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client(Connection("127.0.0.1", server.server_port, "t", 1, "0", PROTOCOL), pause=lambda _: None)
    if what == "read":
        client.catalogs()
    elif what == "keyed":
        client.request("POST", "/v1/decisions", {}, key="a-key-of-mine")
    else:
        with pytest.raises(UnreachableError):
            client.request("POST", "/v1/shutdown")
    assert len(handler.heard) == tries
    server.shutdown()
    server.server_close()


def test_a_refusal_is_the_bridges_own_sentence(home: Path) -> None:
    client = Client(ensure_bridge(home))
    with pytest.raises(ProblemError, match="There is no job 7") as caught:
        client.job(7)
    assert (caught.value.status, caught.value.kind) == (404, "not-found")


def test_the_plug_ins_rule_for_the_folder_is_the_bridges() -> None:
    assert data_folder({}) == platformdirs.user_data_path("keywright", appauthor=False)


def test_the_folder_is_the_systems_own_on_each_system() -> None:
    user = Path("/home/ann")
    assert data_folder({"LOCALAPPDATA": "/l"}, windows=True, macos=False) == Path("/l/keywright")
    mac = data_folder({}, windows=False, macos=True, user=user)
    assert mac == user / "Library" / "Application Support" / "keywright"
    assert data_folder({}, windows=False, macos=False, user=user) == user / ".local/share/keywright"
    assert data_folder({"KEYWRIGHT_HOME": "/k"}, windows=True) == Path("/k")


def test_a_started_bridge_is_detached_on_each_system() -> None:
    assert detached(windows=False)["start_new_session"]
    assert detached(windows=True)["creationflags"] == 0x208  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
    assert lower_priority(windows=True)["creationflags"] == 0x08004000
    assert lower_priority(windows=False) == {}


def test_the_plug_in_imports_nothing_of_the_bridge() -> None:
    seen = "import sys, keywright_plugin; print([m for m in sys.modules if m.split('.')[0] in ('keywright', 'flask')])"
    told = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip() == "[]"
