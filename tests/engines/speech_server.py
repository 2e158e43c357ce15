"""A real speech server on this machine: ``/v1/audio/speech``, answered with the embedded voice."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import soundfile

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest

Answer = tuple[int, dict[str, str], bytes]


def spoken_wavs(texts: Iterable[str], variant: str = "f2") -> dict[str, bytes]:
    """The texts as the embedded voice says them. Spoken before a server starts: it forks, and a server has threads."""
    wanted = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}
    voice = Voice("server", "server", {"variant": variant, "word_gap": 2})
    requests = (TakeRequest(key, (Segment(text, 0),), "nb", "", voice, 0) for key, text in wanted.items())
    return {wanted[take.key]: wav(take) for take in EspeakEngine({}).synthesize(requests) if isinstance(take, Take)}


def wav(take: Take) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, take.samples, take.sample_rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


class SpeechServer:
    """Says the texts it has sounds for, and keeps what it was asked; ``answers`` may say otherwise, by the number of
    the question, from 1."""

    def __init__(self, sounds: dict[str, bytes], port: int = 0) -> None:
        self.asked: list[tuple[str, Message, dict[str, Any]]] = []
        self.answers: Callable[[int], Answer | None] = lambda _: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.path, self.headers, question))
                said = sounds.get(question["input"])
                good: Answer = (
                    (404, {}, b"no such text") if said is None else (200, {"Content-Type": "audio/wav"}, said)
                )
                status, headers, content = server.answers(len(server.asked)) or good
                self.send_response(status)
                for key, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
