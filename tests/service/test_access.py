"""Who is not let in: one test for each attack."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import sys
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from PIL import Image

from keywright.errors import KeywrightError
from keywright.service import limits
from keywright.service.access import COOKIE, FAILURE_SECONDS, FAILURES, LINK_SECONDS, Failures, Sessions
from keywright.service.app import endpoints
from keywright.service.problems import ProblemError
from keywright.service.server import check_address
from keywright_plugin.connection import connection_file
from service.kit import Answer, Raw

PHOTOS = {"photos": [{"path": "/etc/passwd"}]}


def address(rule: str) -> str:
    return re.sub(r"<[^>]*>", "1", rule)


def log_in(bridge: Raw) -> tuple[str, str]:
    """The cookie of a new session, and the CSRF token of its page."""
    link = bridge.client.login_link()
    answer = bridge.send("GET", link.removeprefix(bridge.connection.url), token=None)
    assert answer.status == 303
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["keywright_session"].value
    page = bridge.send("GET", "/welcome", token=None, headers={"Cookie": f"keywright_session={cookie}"})
    found = re.search(rb'value="([^"]+)"', page.body)
    assert found is not None
    return cookie, found[1].decode()


def test_no_endpoint_but_ping_answers_without_a_token(bridge: Raw) -> None:
    let_in = {one.rule for one in endpoints() if bridge.send(one.method, address(one.rule), token=None).status != 401}
    assert let_in == {"/ping"}


def test_an_unknown_address_says_nothing_without_a_token(bridge: Raw) -> None:
    assert bridge.send("GET", "/v1/nothing", token=None).status == 401
    assert bridge.send("GET", "/v1/nothing").status == 404


@pytest.mark.parametrize("token", ["wrong", "é", "", " ", "Bearer"])
def test_a_wrong_token_is_refused(bridge: Raw, token: str) -> None:
    answer = bridge.send("GET", "/v1/state", token=None, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_token_in_the_query_is_no_token(bridge: Raw) -> None:
    told = bridge.connection.token
    for name in ("token", "access_token", "authorization"):
        assert bridge.send("GET", f"/v1/state?{name}={told}", token=None).status == 401


def test_the_token_in_another_scheme_is_no_token(bridge: Raw) -> None:
    told = {"Authorization": f"Basic {bridge.connection.token}"}
    assert bridge.send("GET", "/v1/state", token=None, headers=told).status == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "evil.example:{port}", "127.0.0.1.evil:{port}", ""]
)
def test_a_request_for_another_host_is_refused(bridge: Raw, host: str) -> None:
    told = {"Host": host.format(port=bridge.connection.port)}
    for path in ("/v1/state", "/ping", "/login?code=x"):
        answer = bridge.send("GET", path, headers=told)
        assert (answer.status, answer.kind) == (403, "foreign-host")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "file://", "http://["]
)
def test_a_request_from_a_page_of_others_is_refused(bridge: Raw, origin: str) -> None:
    told = {"Origin": origin.format(port=bridge.connection.port)}
    answer = bridge.send("GET", "/v1/state", headers=told)
    assert (answer.status, answer.kind) == (403, "foreign-origin")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_calls_foreign_is_refused(bridge: Raw, site: str) -> None:
    assert bridge.send("GET", "/v1/state", headers={"Sec-Fetch-Site": site}).status == 403


def test_no_page_of_others_is_allowed_to_read_an_answer(bridge: Raw) -> None:
    told = {"Origin": bridge.connection.url}
    answer = bridge.send("GET", "/v1/state", headers=told)
    assert answer.status == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert bridge.send("OPTIONS", "/v1/decisions", token=None, headers=preflight).status == 403


def test_a_session_reads_and_a_form_without_its_token_changes_nothing(bridge: Raw) -> None:
    cookie, csrf = log_in(bridge)
    session = {"Cookie": f"keywright_session={cookie}"}
    assert bridge.send("GET", "/v1/state", token=None, headers=session).status == 200
    body = {"keyword": "Animals|Dog"}
    for told in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""}):
        answer = bridge.send("POST", "/v1/keywords", body, token=None, headers=session | told)
        assert (answer.status, answer.kind) == (403, "csrf")
    answer = bridge.send("POST", "/v1/keywords", body, token=None, headers=session | {"X-CSRF-Token": csrf})
    assert answer.status == 201


def test_a_form_sent_from_another_site_does_not_log_the_user_out(bridge: Raw) -> None:
    cookie, csrf = log_in(bridge)
    session = {"Cookie": f"keywright_session={cookie}"}
    form = "application/x-www-form-urlencoded"
    told = session | {"Origin": "http://evil.example"}
    for sent in (b"", b"csrf_token=guess"):
        assert bridge.send("POST", "/logout", sent, token=None, headers=session, media=form).status == 403
        assert bridge.send("POST", "/logout", sent, token=None, headers=told, media=form).status == 403
    assert bridge.send("GET", "/welcome", token=None, headers=session).status == 200
    sent = f"csrf_token={csrf}".encode()
    assert bridge.send("POST", "/logout", sent, token=None, headers=session, media=form).status == 200
    assert bridge.send("GET", "/welcome", token=None, headers=session).status == 401


def test_the_csrf_token_of_one_session_is_none_for_another(bridge: Raw) -> None:
    (first, _), (_, other) = log_in(bridge), log_in(bridge)
    told = {"Cookie": f"keywright_session={first}", "X-CSRF-Token": other}
    assert bridge.send("POST", "/v1/login-links", token=None, headers=told).status == 403


def test_a_login_link_works_once(bridge: Raw) -> None:
    path = bridge.client.login_link().removeprefix(bridge.connection.url)
    first, second = (bridge.send("GET", path, token=None) for _ in range(2))
    assert (first.status, first.headers["Location"]) == (303, "/")
    assert (second.status, second.kind) == (403, "login-link")
    assert "Set-Cookie" not in second.headers


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(bridge: Raw) -> None:
    path = bridge.client.login_link().removeprefix(bridge.connection.url)
    cookie = bridge.send("GET", path, token=None).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_who_guesses_login_links_waits(bridge: Raw) -> None:
    answers = [bridge.send("GET", f"/login?code=guess{n}", token=None) for n in range(FAILURES + 2)]
    assert [a.status for a in answers] == [403] * FAILURES + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    link = bridge.client.login_link().removeprefix(bridge.connection.url)
    assert bridge.send("GET", link, token=None).status == 303


def test_who_guesses_tokens_waits_and_the_user_does_not(bridge: Raw) -> None:
    statuses = [bridge.send("GET", "/v1/state", token=f"guess{n}").status for n in range(FAILURES + 2)]
    assert statuses == [401] * FAILURES + [429] * 2
    assert bridge.send("GET", "/v1/state").status == 200


def test_a_page_whose_session_ended_keeps_nobody_from_logging_in(bridge: Raw) -> None:
    old = {"Cookie": f"{COOKIE}=of-a-session-that-ended"}
    statuses = {bridge.send("GET", "/v1/state", token=None, headers=old).status for _ in range(3 * FAILURES)}
    assert statuses == {401}


def test_failures_are_forgotten_after_a_while() -> None:
    now = [0.0]
    failures = Failures(clock=lambda: now[0])
    for number in range(FAILURES):
        assert failures.wait() == 0
        failures.add(f"guess{number}")
    assert failures.wait() == FAILURE_SECONDS
    now[0] = FAILURE_SECONDS
    assert failures.wait() == 0


def test_a_login_link_is_good_for_a_short_while_only() -> None:
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    code = sessions.new_link()
    now[0] = LINK_SECONDS
    assert sessions.open(code) is None


ESCAPES = [
    "/etc/passwd",
    "{library}/../secret.jpg",
    "{library}/2019/../../secret.jpg",
    "{library}/%2e%2e/secret.jpg",
    "{library}/%252e%252e/secret.jpg",
    "{library}/..%2fsecret.jpg",
    "{library}/link.jpg",
    "{library}/way out/secret.jpg",
    "{library}-beside/secret.jpg",
    "//server/share/secret.jpg",
    "\\\\server\\share\\secret.jpg",
    "\\\\?\\C:\\secret.jpg",
    "file:///etc/passwd",
    "secret.jpg",
    "",
    "{library}/a\x00.jpg",
]


@pytest.fixture
def fenced(bridge: Raw, tmp_path: Path) -> Path:
    """A registered folder with a photo, and a secret outside that links inside lead to."""
    library = tmp_path / "library"
    (tmp_path / "library-beside").mkdir()
    library.mkdir()
    for path in (library / "open.jpg", tmp_path / "secret.jpg", tmp_path / "library-beside" / "secret.jpg"):
        Image.new("RGB", (64, 64), "teal").save(path)
    bridge.client.add_catalog(str(library), learn=False)
    (library / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (library / "way out").symlink_to(tmp_path)
    return library


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leads_out_of_the_catalogs(bridge: Raw, fenced: Path, path: str) -> None:
    answer = bridge.send("POST", "/v1/photos", {"photos": [{"path": path.format(library=fenced)}]})
    if answer.status == 200:
        assert [(one["photo"], bool(one["error"])) for one in answer.json["photos"]] == [(None, True)]
    else:
        assert answer.status == 422


def test_a_new_photo_inside_a_registered_folder_is_entered(bridge: Raw, fenced: Path) -> None:
    Image.new("RGB", (64, 64), "navy").save(fenced / "new.jpg")
    answer = bridge.send("POST", "/v1/photos", {"photos": [{"path": str(fenced / "new.jpg")}]})
    assert answer.json["photos"][0]["photo"]["host_id"] == "new.jpg"


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/%252e%252e/etc/passwd",
        "//etc/passwd",
        "/v1/..%2f..%2fetc/passwd",
        "/v1/photos/..%5c..%5cx",
    ],
)
def test_no_address_leads_to_a_file(bridge: Raw, path: str) -> None:
    assert bridge.send("GET", path).status == 404


def test_a_body_of_a_gigabyte_is_refused_before_it_is_sent(bridge: Raw) -> None:
    head = (
        f"POST /v1/photos HTTP/1.1\r\nHost: {bridge.connection.authority}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {bridge.connection.token}\r\nContent-Length: {1 << 30}\r\n\r\n"
    )
    with bridge.socket() as line:
        line.sendall(head.encode() + b"{")
        assert line.recv(200).startswith(b"HTTP/1.1 413 ")


def test_json_larger_than_its_limit_is_refused(bridge: Raw) -> None:
    answer = bridge.send("POST", "/v1/photos", b" " * (limits.MOST_JSON_BYTES + 1))
    assert (answer.status, answer.kind) == (413, "too-large")


@pytest.mark.parametrize("opening", [b"[", b'{"photos":', b'{"photos":[{"path":['])
def test_json_nested_like_a_bomb_is_refused(bridge: Raw, opening: bytes) -> None:
    answer = bridge.send("POST", "/v1/photos", opening * 200_000)
    assert answer.status in (400, 422)


def test_more_photos_than_one_request_takes_are_refused(bridge: Raw) -> None:
    answer = bridge.send("POST", "/v1/suggestions", {"photos": [1] * (limits.MOST_PHOTOS + 1)})
    assert (answer.status, answer.kind) == (422, "invalid")


def jpeg(width: int, height: int) -> bytes:
    """A JPEG that says it has so many pixels, whatever it holds."""
    made = io.BytesIO()
    Image.new("RGB", (16, 16)).save(made, "JPEG")
    data = bytearray(made.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (50_000, 10), (10_000, 10_000)])
def test_a_picture_of_too_many_pixels_is_refused_unread(bridge: Raw, width: int, height: int) -> None:
    answer = bridge.send("PUT", "/v1/photos/1/rendition", jpeg(width, height), media="image/jpeg")
    assert (answer.status, answer.kind) == (422, "too-many-pixels")


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", b"<svg/>"])
def test_what_is_no_jpeg_is_refused(bridge: Raw, data: bytes) -> None:
    answer = bridge.send("PUT", "/v1/photos/1/rendition", data, media="image/jpeg")
    assert (answer.status, answer.kind) == (422, "not-a-jpeg")


def test_five_hundred_slow_connections_keep_nobody_waiting(bridge: Raw) -> None:
    head = f"POST /v1/photos HTTP/1.1\r\nHost: {bridge.connection.authority}\r\nContent-Length: 100\r\n"
    slow = [bridge.socket() for _ in range(500)]
    try:
        for number, line in enumerate(slow):
            line.sendall((head + ("" if number % 2 else "\r\n{")).encode())
        for _ in range(20):
            assert bridge.send("GET", "/v1/state", timeout=5).status == 200
    finally:
        for line in slow:
            line.close()


def test_a_header_cannot_be_put_into_an_answer(bridge: Raw) -> None:
    for path in (
        "/login?code=%0d%0aSet-Cookie:%20a=b",
        "/v1/keywords/search?text=%0d%0aX-Evil:%201",
        "/v1/%0d%0aX-Evil:1",
    ):
        answer = bridge.send("GET", path)
        assert not {"x-evil", "set-cookie"} & {name.lower() for name in answer.headers}
    with bridge.socket() as line:
        told = f"GET /ping HTTP/1.1\r\nHost: {bridge.connection.authority}\r\nX-A: b\x00\r\n Folded: c\r\n\r\n"
        line.sendall(told.encode())
        assert b" 400 " in line.recv(4096).splitlines()[0]


def test_a_request_smuggled_behind_another_is_refused(bridge: Raw) -> None:
    told = (
        f"POST /ping HTTP/1.1\r\nHost: {bridge.connection.authority}\r\nContent-Length: 4\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/state HTTP/1.1\r\n\r\n"
    )
    with bridge.socket() as line:
        line.sendall(told.encode())
        answers = line.recv(65536)
    assert b" 200 " not in answers


@pytest.mark.parametrize("path", ["/", "/ping", "/v1/state", "/v1/nothing", "/login?code=x"])
def test_every_answer_forbids_to_be_framed_run_or_kept(bridge: Raw, path: str) -> None:
    answer = bridge.send("GET", path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_answer_tells_the_token_or_a_traceback(bridge: Raw) -> None:
    answers: list[Answer] = [
        bridge.send(one.method, address(one.rule), {} if one.body else None)
        for one in endpoints()
        if one.name != "shut_down"
    ]
    for answer in answers:
        assert bridge.connection.token.encode() not in answer.body
        assert b"Traceback" not in answer.body


def test_every_refusal_is_a_problem_with_one_sentence(bridge: Raw) -> None:
    for path in (
        "/v1/nothing",
        "/v1/photos/77",
        "/v1/jobs/77",
        "/v1/keywords/search",
        "/v1/models/compare?old=1&new=2",
    ):
        answer = bridge.send("GET", path)
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = json.loads(answer.body)
        assert told["status"] == answer.status
        assert re.fullmatch(r"[A-Z].*[.]", told["detail"], re.DOTALL)


@pytest.mark.usefixtures("bridge")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists instead")
def test_only_the_user_can_read_the_connection_file(tmp_path: Path) -> None:
    found = connection_file(tmp_path / "home").stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_an_address_beyond_loopback_must_be_asked_for_twice(host: str) -> None:
    with pytest.raises(KeywrightError, match="--beyond-this-machine"):
        check_address(host, beyond=False)
    check_address(host, beyond=True)


def test_streams_are_limited_and_given_back() -> None:
    streams = limits.Streams(1)
    slot = streams.take()
    with pytest.raises(ProblemError):
        streams.take()
    slot.give_back()
    slot.give_back()
    streams.take()
