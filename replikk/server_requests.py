"""One question to a speech server over HTTP. Only the standard library.

An answer is untrusted: it is read up to a limit. Redirects are not followed, because they would carry the key and the
sound elsewhere. 'Not now' is asked again, a little later each time; everything else is the caller's to tell.
"""

from __future__ import annotations

import http.client
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from replikk.errors import printable

TRIES = 4
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Answers that mean: not now."""


class RefusedError(Exception):
    """The server answered, and not with what was asked for."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the server answers {status} ({said})")
        self.status = status


class UnreachableError(Exception):
    """There was no answer; the text says why."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def post(
    url: str, make_body: Callable[[], tuple[bytes, str]], accept: str, key: str, timeout_s: float, limit_bytes: int
) -> bytes:
    """The answer's bytes, at most ``limit_bytes`` and one more. ``make_body`` gives (body, content type).

    Raises RefusedError and UnreachableError after the last try; neither holds the request, or the key in it.
    """
    wait_s = FIRST_WAIT_S
    for attempt in range(1, TRIES + 1):
        body, kind = make_body()
        request = urllib.request.Request(url, body, {"Content-Type": kind, "Accept": accept})
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        try:
            with _OPENER.open(request, timeout=timeout_s) as answer:
                content: bytes = answer.read(limit_bytes + 1)
                return content
        except urllib.error.HTTPError as error:
            if error.code not in _LATER or attempt == TRIES:
                said = printable(_said(error), 200)
                raise RefusedError(error.code, said or str(error.reason)) from None
            wait_s = max(wait_s, _asked_wait_s(error.headers.get("Retry-After")))
        except (OSError, http.client.HTTPException) as error:  # also of TLS, and in the middle of an answer
            if attempt == TRIES:
                reason = getattr(error, "reason", error)
                raise UnreachableError(printable(str(reason) or type(reason).__name__, 120)) from None
        time.sleep(min(wait_s, LONGEST_WAIT_S))
        wait_s *= 2
    raise AssertionError("the last try returns or raises")


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return error.read(2000).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        return ""


def _asked_wait_s(header: str | None) -> float:
    try:
        wait_s = float(header or 0)
    except ValueError:  # a date; our own patience will do
        return 0.0
    return wait_s if math.isfinite(wait_s) else 0.0
