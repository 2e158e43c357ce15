"""A small Hugging Face hub on this machine: real HTTP, two servers, as the real one has a hub and a content network.

Small files are answered by the hub itself, with the hash that git gives them. Large files are redirected to the other
server, which knows byte ranges; size and SHA-256 stand in the headers of the redirect. What goes wrong on real lines
can be ordered: see ``Faults``.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

LARGE_BYTES = 1000  # files from here on go over the content network

PARQUET_BRANCH = "refs/convert/parquet"
RESOLVE = re.compile(rf"/((?:datasets/)?[^/]+/[^/]+)/resolve/({PARQUET_BRANCH}|[^/]+)/(.+)")


@dataclass
class Repository:
    commit: str
    files: dict[str, bytes]


@dataclass
class Faults:
    """What goes wrong. Paths are paths in a repository."""

    gated: set[str] = field(default_factory=set)
    """Repositories whose owner wants an agreement."""
    status: dict[str, int] = field(default_factory=dict)
    """Answers of the hub instead of the file."""
    cut_after: dict[str, int] = field(default_factory=dict)
    """Bytes of one answer after which the connection is closed; once."""
    then_status: int = 0
    """What the content network answers after a cut, instead of going on."""
    stall_after: dict[str, int] = field(default_factory=dict)
    """Bytes of one answer after which nothing comes any more, until the server stops."""
    other_content: dict[str, bytes] = field(default_factory=dict)
    """What the content network has instead of the file: same headers, other bytes."""
    ignore_range: bool = False


@dataclass
class SmallHub:
    repositories: dict[str, Repository] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Range header of everything that was asked for."""
    sent_bytes: dict[str, int] = field(default_factory=dict)
    url: str = ""
    content_url: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    def ranges(self, path: str) -> list[str]:
        """The Range headers of the answers with the content of a file."""
        return [
            asked for method, place, asked in self.requests if method == "GET" and place.endswith("/content/" + path)
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is what some tests are about."""


@contextmanager
def serve(hub: SmallHub) -> Iterator[SmallHub]:
    """Run both servers; ``hub.url`` is the endpoint."""
    servers = [_Server(("127.0.0.1", 0), _handler(hub, role)) for role in ("hub", "content")]
    hub.url, hub.content_url = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.stopping.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(hub: SmallHub, role: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # small answers at once

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self) -> None:
            path = unquote(self.path)
            hub.requests.append((self.command, path, self.headers.get("Range", "")))
            if role == "content":
                name, _, file = path[1:].partition("/content/")
                if self.headers.get("Range") and hub.faults.then_status:
                    return self._refuse(hub.faults.then_status, "")
                return self._content(file, hub.repositories[name].files[file], {})
            found = RESOLVE.fullmatch(path)
            if found is None:
                return self._refuse(404, "RepoNotFound")
            name, revision, file = found.groups()
            repository = hub.repositories.get(name)
            if repository is None:
                return self._refuse(401, "RepoNotFound")
            if name in hub.faults.gated:
                return self._refuse(403, "GatedRepo")
            if revision not in ("main", PARQUET_BRANCH, repository.commit):
                return self._refuse(404, "RevisionNotFound")
            if file not in repository.files:
                return self._refuse(404, "EntryNotFound")
            if file in hub.faults.status:
                return self._refuse(hub.faults.status[file], "")
            content = repository.files[file]
            headers = {"X-Repo-Commit": repository.commit}
            if len(content) < LARGE_BYTES:
                blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                return self._content(file, content, {**headers, "ETag": f'"{blob}"'})
            self.send_response(302)
            headers["X-Linked-ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers["X-Linked-Size"] = str(len(content))
            headers["Location"] = f"{hub.content_url}/{name}/content/{file}"
            self._headers({**headers, "Content-Length": "0"})

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self._headers({"X-Error-Code": code, "Content-Length": "0"})

        def _headers(self, headers: dict[str, str]) -> None:
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _content(self, file: str, content: bytes, headers: dict[str, str]) -> None:
            content = hub.faults.other_content.get(file, content)
            start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            first = int(start.group(1)) if start and not hub.faults.ignore_range else 0
            self.send_response(206 if first else 200)
            if first:
                headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self._headers({**headers, "Content-Length": str(len(content) - first)})
            if self.command == "HEAD":
                return
            limit = hub.faults.cut_after.pop(file, None)
            stall = hub.faults.stall_after.pop(file, None)
            end = first + min(len(content) - first, limit if limit is not None else stall or len(content))
            for at in range(first, end, 65536):
                self.wfile.write(content[at : min(at + 65536, end)])
                hub.sent_bytes[file] = hub.sent_bytes.get(file, 0) + min(65536, end - at)
            self.wfile.flush()
            while stall is not None and not hub.stopping.is_set():
                time.sleep(0.01)
            if end < len(content):
                self.close_connection = True

    return Handler
