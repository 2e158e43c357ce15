"""``replikk review``: the report page of a build, its clips, and the decisions that are made on it, over HTTP.

    GET  /report/index.html …   the page, clips and takes as they lie in the build folder; audio in ranges, for seeking
    GET  /api/state             the decisions in the file, what is wrong with it, and versions of file and report
    POST /api/decisions         {"request": name, "decisions": [{"line_id", "take_key", "decision", …}]}
    POST /api/undo              {"request": name, "rows": [name]}

``/api/state`` has an ETag, and pages ask with ``If-None-Match`` every few seconds: a page sees within a moment what
another page or a text editor did, and no connection is held open (browsers have six of them for all pages together).
``request`` is a name that the page makes up for each thing it asks; asked again, because the answer got lost, nothing
is written twice. Errors are JSON with ``error``, a sentence for the person, and ``refused`` per decision.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from replikk.config import Config
from replikk.dialogue.decisions import Decision
from replikk.errors import ReplikkError
from replikk.files import digest
from replikk.report.decision_rows import decision_form
from replikk.review.decision_file import DecisionFile, Decisions
from replikk.review.gate import LOOPBACK, Gate
from replikk.review.proposals import check_batch
from replikk.review.reviewed_build import NoReportError, ReviewedBuild
from replikk.review.rows import FIELDS
from replikk.review.site_files import find_file, media_type

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 8_000_000
"""Of what a page sends: 20,000 decisions are about 5 MB."""
REMEMBERED_REQUESTS = 1000
GRACE_S = 2  # at the end, for answers that are under way


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        super().__init__(sentence)
        self.status, self.content = status, {"error": sentence, **more}


class ReviewSite:
    """What the addresses do; all of it may be called from any thread."""

    def __init__(self, config: Config, who: str) -> None:
        self.config, self.who = config, who
        self.build = ReviewedBuild(config)
        self.file = DecisionFile(config.dialogue_dir / "decisions.csv")
        self._answered: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._writing = threading.Lock()
        self._stale: tuple[tuple[str, str], dict[int, str]] | None = None

    def state(self) -> dict[str, Any]:
        """Everything that a page shows of the file."""
        found = self.file.decisions()
        stale = self._stale_in(found)
        form = decision_form(self.file.path)
        return {
            "server": "replikk review",
            "version": found.version,
            "report": self.build.report().version,
            "who": self.who,
            "file": {
                "path": self.file.path.as_posix(),
                "separator": form.separator,
                "columns": list(form.columns),
            },
            "decisions": [
                {
                    "row": row.name,
                    **_fields(row.decision),
                    "number": row.decision.row,
                    "holds": row.holds,
                    "stale": stale.get(row.decision.row, ""),
                }
                for row in found.rows
            ],
            "problems": [str(problem) for problem in found.problems],
            "lost": [_fields(decision) for decision in self.file.lost()],
        }

    def _stale_in(self, found: Decisions) -> dict[int, str]:
        """``ReviewedBuild.stale``, worked out anew only when file or build have changed: pages ask all the time."""
        versions = found.version, self.build.version()
        if self._stale is None or self._stale[0] != versions:
            self._stale = versions, self.build.stale([row.decision for row in found.rows])
        return self._stale[1]

    def decide(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write decisions. Raises RefusedError."""
        proposals = body.get("decisions")
        if not isinstance(proposals, list) or not proposals:
            raise RefusedError(400, "decisions: is no list of decisions")

        def write() -> dict[str, Any]:
            known = [row.decision for row in self.file.decisions().rows]
            checked = check_batch(proposals, self.build.report(), known, self.config, self.who)
            if checked.refused:
                listed = [vars(refusal) for refusal in checked.refused]
                first = checked.refused[0]
                more = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
                raise RefusedError(422, f"[{first.line_id}] {first.what}{more}; nothing was written", refused=listed)
            return {"rows": self.file.append(checked.decisions), "remarks": list(checked.remarks)}

        return self._once(body, write)

    def undo(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take rows out of the file again. Raises RefusedError."""
        names = body.get("rows")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RefusedError(400, "rows: is no list of names of rows")
        return self._once(body, lambda: {"removed": self.file.remove(names)})

    def _once(self, body: Mapping[str, Any], write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``write`` did, now or when the same thing was asked before; and the state after it."""
        request = body.get("request")
        if not isinstance(request, str) or not 8 <= len(request) <= 100:
            raise RefusedError(400, "request: is no name of 8 to 100 characters")
        with self._writing:
            if request not in self._answered:
                self._answered[request] = write()
                while len(self._answered) > REMEMBERED_REQUESTS:
                    self._answered.popitem(last=False)
            return {**self._answered[request], "state": self.state()}


def _fields(decision: Decision) -> dict[str, str]:
    return {name: getattr(decision, name) for name in FIELDS.values()}


# HTTP ----------------------------------------------------------------------------------------------------------------


def make_app(config: Config, port: int, who: str) -> Gate:
    """The whole site behind its gate."""
    site = ReviewSite(config, who)

    async def state(request: Request) -> Response:
        return await _answer(request, site.state)

    async def decide(request: Request) -> Response:
        return await _write(request, site.decide)

    async def undo(request: Request) -> Response:
        return await _write(request, site.undo)

    async def file(request: Request) -> Response:
        return await run_in_threadpool(_file, site, request.scope["path"])  # percent signs decoded, once

    routes = [
        Route("/api/state", state, methods=["GET"]),
        Route("/api/decisions", decide, methods=["POST"]),
        Route("/api/undo", undo, methods=["POST"]),
        Route("/{path:path}", file, methods=["GET"]),
    ]
    return Gate(Starlette(routes=routes), port)


def _file(site: ReviewSite, path: str) -> Response:
    references: Mapping[str, Path] = {}
    with contextlib.suppress(ReplikkError):
        references = site.build.report().references
    found = find_file(path, site.config.build_dir, references)
    if found is None:
        return PlainTextResponse("replikk review: there is no such file\n", 404)
    return FileResponse(found, media_type=media_type(found))


async def _answer(request: Request, make: Callable[[], dict[str, Any]]) -> Response:
    try:
        content = await run_in_threadpool(make)
    except RefusedError as refused:
        return _json(refused.content, refused.status)
    except NoReportError as error:
        return _json({"error": str(error)}, 503)
    except ReplikkError as error:  # the file is not as it should be, or the disk is full
        return _json({"error": str(error)}, 409)
    etag = f'"{digest(content)[:32]}"'
    if request.method == "GET" and request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return _json(content, 200, {"ETag": etag})


async def _write(request: Request, act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Response:
    try:
        body = await _body(request)
    except RefusedError as refused:
        return _json(refused.content, refused.status, {"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)
    return await _answer(request, lambda: act(body))


async def _body(request: Request) -> Mapping[str, Any]:
    """The JSON object that was sent. Raises RefusedError."""
    kind, _, parameter = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or parameter.strip() not in ("", "charset=utf-8"):
        raise RefusedError(415, "send application/json")
    too_large = RefusedError(413, f"is larger than {MAX_BODY_BYTES:,} bytes; send it in parts")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise too_large
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise too_large
    try:
        body = orjson.loads(bytes(data))
    except ValueError:
        raise RefusedError(400, "is not JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "is no JSON object")
    return body


def _json(content: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


# Running -------------------------------------------------------------------------------------------------------------


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback address; ``port`` 0 is any free one. Raises ReplikkError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last run's connections may linger
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ReplikkError(f"port {port}: cannot be used ({reason}); leave --port out, or name another") from error
    return listener


def make_server(app: Gate) -> uvicorn.Server:
    """The HTTP server; ``run(sockets=[…])`` answers until a signal, or until ``should_exit`` is set."""
    settings = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    return uvicorn.Server(settings)


def serve(app: Gate, listener: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has ended well
        make_server(app).run(sockets=[listener])
