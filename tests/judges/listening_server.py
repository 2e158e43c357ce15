"""A real listening server on this machine: ``/v1/audio/transcriptions``."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER: dict[str, Any] = {
    "text": " hei på\ndeg ",
    "words": [
        {"word": " hei", "start": 0.1, "end": 0.3, "probability": 0.9},
        {"word": "på", "start": 0.3, "end": 0.5},
        {"word": "deg", "start": 0.5, "end": 99.0},
    ],
    "segments": [
        {"avg_logprob": -0.2, "no_speech_prob": 0.01},
        {"avg_logprob": -0.4, "no_speech_prob": 0.3},
    ],
}


class Server:
    """Answers what a test tells it to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Message, dict[str, list[bytes]]]] = []
        self.answers: Callable[[int], tuple[int, dict[str, str], bytes]] = lambda _: (
            200,
            {},
            json.dumps(ANSWER).encode(),
        )
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                form: dict[str, list[bytes]] = {}
                for part in BytesParser().parsebytes(head + body).get_payload():
                    assert isinstance(part, Message)
                    name = str(part.get_param("name", header="content-disposition"))
                    form.setdefault(name, []).append(part.get_payload(decode=True))  # type: ignore[arg-type]
                server.asked.append((self.path, self.headers, form))
                status, headers, content = server.answers(len(server.asked))
                self.send_response(status)
                for key, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
