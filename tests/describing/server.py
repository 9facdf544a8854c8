"""A provider's server on this machine: speaks the real protocols over real sockets, and misbehaves as it is told.

Shapes of requests and answers are those of the public documentation: OpenAI's chat completions as Ollama, LM Studio,
llama.cpp and vLLM speak them; Google Cloud Vision's ``images:annotate``; LandingLens' inference endpoint. A request
that does not have the documented shape gets the documented error.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    status: int = 200
    body: object = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None  # bytes after which the connection is closed
    hang: bool = False  # say nothing until the server is closed
    drip: float = 0.0  # seconds between two bytes of the body
    drip_headers: bool = False  # and of a header before it


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def jpeg(self) -> bytes:
        """The picture that was sent, in whichever protocol."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
            (part,) = message.get_payload()  # type: ignore[misc]
            payload = part.get_payload(decode=True)  # type: ignore[union-attr]
            assert isinstance(payload, bytes)
            return payload
        told = self.json
        if "requests" in told:
            return base64.b64decode(told["requests"][0]["image"]["content"])
        url = told["messages"][0]["content"][1]["image_url"]["url"]
        return base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))


@dataclass
class Server:
    url: str
    answers: list[Answer]  # for the requests to come; when it is empty, ``usual``
    usual: Answer
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def says(self, *answers: Answer) -> None:
        self.answers += answers


def chat(content: object) -> Answer:
    """A completion as Ollama gives it."""
    return Answer(
        body={
            "id": "chatcmpl-713",
            "object": "chat.completion",
            "created": 1731000000,
            "model": "qwen2.5vl:7b",
            "system_fingerprint": "fp_ollama",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 1201, "completion_tokens": 40, "total_tokens": 1241},
        }
    )


def keywords(**scores: float) -> Answer:
    return chat(json.dumps({"keywords": [{"name": name, "score": score} for name, score in scores.items()]}))


@contextmanager
def serving(usual: Answer | None = None) -> Iterator[Server]:
    server = Server("", [], usual or keywords(dog=0.9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            """Asked to be a proxy to a provider: this one only takes note."""
            server.asked.append(
                Asked(self.path, {}, {name.lower(): value for name, value in self.headers.items()}, b"")
            )
            self.send_error(502)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(parts.path, parse_qs(parts.query), headers, body)
            server.asked.append(asked)
            fault = wrong_with(asked)
            answer = fault or (server.answers.pop(0) if server.answers else server.usual)
            if answer.hang:
                server.closing.wait(60)
                self.close_connection = True
                return
            content = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            if answer.drip_headers:
                self.flush_headers()
                self.drip(b"X-Slow: " + b"x" * 200 + b"\r\n", answer.drip)
            self.end_headers()
            if answer.drip:
                self.drip(content, answer.drip)
            else:
                self.wfile.write(content if answer.cut is None else content[: answer.cut])
            if answer.cut is not None:
                self.close_connection = True

        def drip(self, content: bytes, seconds: float) -> None:
            with contextlib.suppress(OSError):  # who asked need not wait for all of it
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if server.closing.wait(seconds):
                        break

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        server.closing.set()
        http.shutdown()
        thread.join()
        http.server_close()


def wrong_with(asked: Asked) -> Answer | None:
    """The documented error for a request that does not keep to the protocol of its path."""
    try:
        with Image.open(io.BytesIO(asked.jpeg)) as picture:
            assert picture.format == "JPEG"
        if asked.path.endswith("/chat/completions"):
            message = asked.json["messages"][0]
            assert message["role"] == "user"
            assert [part["type"] for part in message["content"]] == ["text", "image_url"]
            assert asked.json["stream"] is False
        elif asked.path.endswith("/images:annotate"):
            assert asked.json["requests"][0]["features"][0]["type"] == "LABEL_DETECTION"
            if not asked.headers.get("x-goog-api-key"):
                return google_error(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        elif asked.path.endswith("/predict"):
            assert asked.query["endpoint_id"]
            if not asked.headers.get("apikey"):
                return Answer(401, {"message": "No API key found in request"})
        else:
            return Answer(404, {"error": {"message": "404 page not found"}})
    except (AssertionError, KeyError, IndexError, ValueError, OSError) as error:
        return Answer(400, {"error": {"message": f"bad request: {type(error).__name__} {error}", "code": 400}})
    return None


def google_error(code: int, status: str, message: str) -> Answer:
    return Answer(code, {"error": {"code": code, "message": message, "status": status}})


GOOGLE_WRONG_KEY = Answer(
    400,
    {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": "vision.googleapis.com"},
                },
                {
                    "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                    "locale": "en-US",
                    "message": "API key not valid. Please pass a valid API key.",
                },
            ],
        }
    },
)
GOOGLE_LABELS = {
    "responses": [
        {
            "labelAnnotations": [
                {"mid": "/m/01c8br", "description": "Street", "score": 0.87294734, "topicality": 0.87294734},
                {"mid": "/m/06pg22", "description": "Snapshot", "score": 0.8523099, "topicality": 0.8523099},
                {"mid": "/m/0dx1j", "description": "Town", "score": 0.8481104, "topicality": 0.8481104},
            ]
        }
    ]
}

LANDING_CLASS = {
    "backbonetype": None,
    "backbonepredictions": None,
    "predictions": {"score": 0.9951885938644409, "labelIndex": 0, "labelName": "Fire"},
    "type": "ClassificationPrediction",
    "latency": {"preprocess_s": 0.0035, "infer_s": 0.1177},
    "model_id": "8a7cbf5d-a869-4c85-b4c8-b4f9bd937117",
}

LANDING_OBJECTS = {
    "backbonetype": "ObjectDetectionPrediction",
    "backbonepredictions": {
        "196f6705": {
            "score": 0.95,
            "defect_id": 72558,
            "coordinates": {"xmin": 1523, "ymin": 1417, "xmax": 1982, "ymax": 1801},
            "labelIndex": 1,
            "labelName": "Screw",
        },
        "ca576098": {
            "score": 0.98,
            "defect_id": 72558,
            "coordinates": {"xmin": 429, "ymin": 1035, "xmax": 651, "ymax": 1207},
            "labelIndex": 1,
            "labelName": "Screw",
        },
        "cdb4941b": {
            "score": 0.4,
            "defect_id": 72559,
            "coordinates": {"xmin": 948, "ymin": 1595, "xmax": 1123, "ymax": 1804},
            "labelIndex": 2,
            "labelName": "Nail",
        },
    },
    "predictions": {"score": 0.9939298629760742, "labelIndex": 1, "labelName": "NG"},
    "type": "ClassificationPrediction",
    "model_id": "1df69515-2218-4fdb-b1be-13694cb8e162",
}
