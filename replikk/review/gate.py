"""Who may ask this server for anything: the person who started it, from the page that it serves.

The address is on the loopback interface, which every program and every web page on this machine can reach. So:

* The address that is printed carries a random token. The first page exchanges it for a cookie that scripts cannot read
  and that no other site can make the browser send, and moves on to an address without it: nothing of the token is left
  in links, referrers or screenshots. The address that is handed to a browser as a command's argument, which other
  users of the machine can see, carries a token of its own that is good once.
* ``Host`` must be this server's own: a foreign name that was pointed at 127.0.0.1 (DNS rebinding) is refused.
* ``Origin`` must be this server's own where there is one, and writing needs one. Other ports of this machine are other
  origins, but the same *site*, so the cookie's ``SameSite`` alone would not keep their pages out.
* Answers may not be stored, framed, sniffed or used by other sites, and the page may talk to nobody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = "127.0.0.1"
PAGE = "/report/index.html"

POLICY = "; ".join(
    [
        "default-src 'none'",
        # The page names its own script and style by their hashes in a policy inside; both policies hold.
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# A page that moves on by itself, not a redirect: after a redirect that another site's link began, browsers leave a
# SameSite=Strict cookie out; a page of our own is the beginning of a new step, and is replaced in the history.
_MOVE_ON = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>replikk review</title>
<meta http-equiv="refresh" content="0;url={PAGE}"><p><a href="{PAGE}">To the report</a></p></html>
"""
_NO_TOKEN = "replikk review: this address needs its token; open the address that the command printed\n"


class Gate:
    """ASGI middleware: lets the requests of the review page through to ``app`` and answers all others itself."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.token = secrets.token_urlsafe(32)
        """Of the address that is printed."""
        self._once: set[str] = set()
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"replikk_review_{port}"  # cookies do not tell ports apart
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        self.site = f"http://{LOOPBACK}:{port}"

    def address(self) -> str:
        """The address to print."""
        return f"{self.site}/?token={self.token}"

    def address_for_once(self) -> str:
        """An address that opens the page one time."""
        token = secrets.token_urlsafe(32)
        self._once.add(token)
        return f"{self.site}/?token={token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: uvicorn answers with a refusal

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._answer(scope)
        await (answer or self.app)(scope, receive, send_guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """The gate's own answer; None when the request may pass."""
        headers = Headers(scope=scope)
        if [host.lower() for host in headers.getlist("host")] not in [[host] for host in self._hosts]:
            return _refuse("replikk review: this server answers to its own address only\n", 421)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("replikk review: only GET, HEAD and POST\n", 405, {"Allow": "GET, HEAD, POST"})
        origins = headers.getlist("origin")
        if origins != [f"http://{headers['host'].lower()}"] and (origins or scope["method"] == "POST"):
            return _refuse("replikk review: only its own page may ask this\n", 403)
        if scope["path"] == "/" and scope["method"] == "GET":
            return self._enter(scope, headers)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _refuse("replikk review: only its own page may ask this\n", 403)
        return None if self._knows(headers) else _refuse(_NO_TOKEN, 403)

    def _enter(self, scope: Scope, headers: Headers) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if self._admits(given):
            page = Response(_MOVE_ON, media_type="text/html")
            page.set_cookie(self._cookie, self._session, path="/", httponly=True, samesite="strict")
            return page
        if not given and self._knows(headers):
            return Response(_MOVE_ON, media_type="text/html")
        return _refuse(_NO_TOKEN, 403)

    def _admits(self, given: list[str]) -> bool:
        if len(given) != 1:
            return False
        if _same(given[0], self.token):
            return True
        used = next((token for token in self._once if _same(given[0], token)), None)
        self._once.discard(used or "")
        return used is not None

    def _knows(self, headers: Headers) -> bool:
        """Whether the request has the cookie of this server's run."""
        for header in headers.getlist("cookie"):
            cookies: SimpleCookie = SimpleCookie()
            try:
                cookies.load(header)
            except CookieError:
                continue
            if self._cookie in cookies and _same(cookies[self._cookie].value, self._session):
                return True
        return False


def _same(given: str, secret: str) -> bool:
    """Comparison that takes equally long wherever the first wrong character stands."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _refuse(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status)
