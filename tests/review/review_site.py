"""A real review server on a free port of this machine, and a client that sends exactly what a test says."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.config import Config, read_config
from replikk.review.gate import Gate
from replikk.review.server import bind, make_app, make_server

_REQUESTS = itertools.count(10_000_000)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Page:
    """An open page: what a browser sends for it, unless a test says otherwise."""

    port: int
    cookie: str = ""
    host: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str | None] | None = None
    ) -> Answer:
        """``headers`` of value None are left out."""
        usual: dict[str, str | None] = {"Host": self.host or f"127.0.0.1:{self.port}", "Cookie": self.cookie or None}
        if method == "POST":
            usual |= {"Origin": self.site, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            sent = {**usual, **self.headers, **(headers or {})}
            if body is not None and "Content-Length" not in sent:
                sent["Content-Length"] = str(len(body))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            if body is not None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before it was all sent
                    connection.send(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, content: Any, **headers: str | None) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, json.dumps(content).encode(), named)

    def state(self) -> dict[str, Any]:
        answer = self.get("/api/state")
        assert answer.status == 200, answer.text
        return answer.json

    def decide(self, *decisions: dict[str, Any], request: str = "") -> Answer:
        return self.post("/api/decisions", {"request": request or f"test-{next(_REQUESTS)}", "decisions": decisions})

    def undo(self, *rows: str) -> Answer:
        return self.post("/api/undo", {"request": f"test-{next(_REQUESTS)}", "rows": rows})


@dataclass
class Site:
    """A running server and the folders that it serves."""

    app: Gate
    port: int
    config: Config

    @property
    def decisions(self) -> Path:
        return self.config.dialogue_dir / "decisions.csv"

    @property
    def build(self) -> Path:
        return self.config.build_dir

    def stranger(self) -> Page:
        """Somebody who does not know the token."""
        return Page(self.port)

    def page(self) -> Page:
        """A browser that opened the printed address."""
        entered = self.stranger().get(self.app.address().removeprefix(self.app.site))
        assert entered.status == 200
        return Page(self.port, entered.headers["Set-Cookie"].partition(";")[0])

    def report(self) -> dict[str, Any]:
        return json.loads((self.build / "report" / "report.json").read_bytes())

    def take_of(self, line_id: str) -> str:
        return next(line["take"] for line in self.report()["lines"] if line["id"] == line_id)


@contextlib.contextmanager
def running(root: Path, who: str = "vigdis") -> Iterator[Site]:
    """The server of the game in ``root``, for as long as the block lasts."""
    config = read_config({"dialogue_dir": str(root / "dialogue"), "build_dir": str(root / "build")})
    with bind(0) as listener:
        port = listener.getsockname()[1]
        app = make_app(config, port, who)
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Site(app, port, config)
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            assert not thread.is_alive()
