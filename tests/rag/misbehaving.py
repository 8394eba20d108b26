"""A server that should speak the protocol of OpenAI and does something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

Respond = Callable[[BaseHTTPRequestHandler], None]


class Misbehaving:
    """Answers POST by each function in turn, the last one again and again, and GET by `get` or with 404.

    `asked` counts the POSTs. Responders that wait do so on `stopping`, which the end of the test sets.
    """

    stopping: ClassVar[threading.Event] = threading.Event()
    _running: ClassVar[list[Misbehaving]] = []

    def __init__(self, *responds: Respond, get: Respond | None = None) -> None:
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                if get is None or get(self) is None:
                    return

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.close_connection = True
                if "/chat/completions" not in self.path:
                    return
                outer.asked += 1
                with suppress(OSError):  # the client left, as it should
                    responds[min(outer.asked, len(responds)) - 1](self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._running.append(self)

    @classmethod
    def close_all(cls) -> None:
        """Wake whoever waits, and stop the servers."""
        cls.stopping.set()
        for server in cls._running:
            server._server.shutdown()
            server._server.server_close()
            server._thread.join()
        cls._running.clear()
        cls.stopping.clear()


def wait(seconds: float = 60.0) -> bool:
    """Do nothing for a while; True when the test is over."""
    return Misbehaving.stopping.wait(seconds)


def event(text: str) -> bytes:
    """A piece of an answer."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def begin(handler: BaseHTTPRequestHandler, headers: Mapping[str, str] | None = None) -> None:
    """The head of an answer that streams."""
    handler.send_response(200)
    for name, value in ({"Content-Type": "text/event-stream"} | dict(headers or {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.flush()


def reply_json(handler: BaseHTTPRequestHandler, body: str, code: int = 200, **headers: str) -> None:
    """A whole answer at once."""
    data = body.encode()
    handler.send_response(code)
    for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(data))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def status(
    code: int, body: str = '{"error": {"message": "told so"}}', headers: Mapping[str, str] | None = None
) -> Respond:
    """Answers with a status."""
    return lambda handler: reply_json(handler, body, code, **dict(headers or {}))


def stream(*texts: str) -> Respond:
    """Behaves."""
    return raw(b"".join(map(event, texts)) + b"data: [DONE]\n\n")


def raw(data: bytes, headers: Mapping[str, str] | None = None) -> Respond:
    """Streams these bytes."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, {"Content-Length": str(len(data))} | dict(headers or {}))
        handler.wfile.write(data)

    return respond


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Closes the connection without a word."""


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promises a long stream, sends one piece of it, hangs up."""
    begin(handler, {"Content-Length": "100000"})
    handler.wfile.write(event("The sky"))


def silent(handler: BaseHTTPRequestHandler) -> None:
    """Takes the request, and that was it."""
    wait()


def slow_headers(handler: BaseHTTPRequestHandler) -> None:
    """Always on the point of answering."""
    for sign in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        handler.wfile.write(bytes([sign]))
        handler.wfile.flush()
        if wait(0.05):
            return


def falls_silent(handler: BaseHTTPRequestHandler) -> None:
    """Says two words and no more."""
    begin(handler)
    handler.wfile.write(event("The sky") + event(" is"))
    handler.wfile.flush()
    wait()


def never_closes(handler: BaseHTTPRequestHandler) -> None:
    """Says everything, but not that it was everything."""
    begin(handler)
    for word in ("The sky ", "is ", "blue."):
        handler.wfile.write(event(word))
        handler.wfile.flush()
    wait()


def keeps_alive(handler: BaseHTTPRequestHandler) -> None:
    """Sends comments, which are no pieces."""
    begin(handler)
    while not wait(0.05):
        handler.wfile.write(b": still here\n\n")
        handler.wfile.flush()


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Says a number now and then, for ever."""
    begin(handler)
    count = 0
    while not wait(0.2):
        count += 1
        handler.wfile.write(event(f"{count} "))
        handler.wfile.flush()


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A gigabyte of an answer."""
    begin(handler)
    for number in range(1_000_000):
        handler.wfile.write(event(f"Item {number} of the endless list is number {number * 7919}. " * 20))


def endless_line(handler: BaseHTTPRequestHandler) -> None:
    """A gigabyte that is one line."""
    begin(handler)
    handler.wfile.write(b'data: {"choices": "')
    for _ in range(1_000):
        handler.wfile.write(b"x" * 1_000_000)


def endless_error(handler: BaseHTTPRequestHandler) -> None:
    """A gigabyte of regret."""
    handler.send_response(400)
    handler.send_header("Content-Type", "text/plain")
    handler.end_headers()
    for _ in range(1_000):
        handler.wfile.write(b"sorry " * 100_000)
