"""Where a speech server is and how it is asked: the settings that a judge and an engine behind HTTP have in common.

    url: http://127.0.0.1:8000      # of the server; the path of the question is added where it is missing
    model: …                        # the name by which the server knows its model
    api_key_env: MY_SPEECH_KEY      # the NAME of the environment variable that holds the key; leave out where none is
    timeout_s: 120
    workers: 4                      # requests at a time

What is sent leaves this machine when the address is another one's: that is the user's choice, never a default.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from replikk.dialogue.nearest import nearest
from replikk.errors import printable

MOST_WORKERS = 32
KEYS = ("url", "model", "api_key_env", "timeout_s", "workers")


@dataclass(frozen=True)
class ServerSettings:
    """Where and how to ask."""

    url: str
    """Of the question, path included."""
    model: str
    api_key_env: str
    timeout_s: float
    workers: int


def read_server_settings(
    settings: Mapping[str, Any], path: str, what: str, more_keys: Collection[str] = ()
) -> tuple[ServerSettings, list[str]]:
    """The settings, and everything wrong with them as 'key: what; what instead'; ``more_keys`` are read by others.

    ``path`` is that of the question, such as ``/v1/audio/speech``; ``what`` the model is, in a word.
    """
    known = (*KEYS, *more_keys)
    problems = []
    for key in settings:
        if key not in known:
            near = nearest(str(key), known)
            hint = f"did you mean '{near}'?" if near else f"known settings: {', '.join(known)}"
            problems.append(f"{printable(str(key), 60)}: is not a setting; {hint}")
    url = settings.get("url")
    problems += _url_problems(url)
    model = settings.get("model")
    if not isinstance(model, str) or not model.strip():
        problems.append(f"model: is {model!r:.60}; write the name by which the server knows its {what}")
    key_name = settings.get("api_key_env", "")
    if not isinstance(key_name, str) or (key_name and not re.fullmatch(r"[A-Za-z_]\w*", key_name, re.ASCII)):
        problems.append("api_key_env: is no name of an environment variable; write its name, never the key itself")
        key_name = ""
    timeout_s = settings.get("timeout_s", 120)
    number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool) and math.isfinite(timeout_s)
    if not number or not 1 <= timeout_s <= 3600:
        problems.append(f"timeout_s: is {timeout_s!r:.60}; write seconds from 1 to 3600")
        timeout_s = 120
    workers = settings.get("workers", 4)
    if not isinstance(workers, int) or isinstance(workers, bool) or not 1 <= workers <= MOST_WORKERS:
        problems.append(f"workers: is {workers!r:.60}; write a whole number from 1 to {MOST_WORKERS}")
        workers = 4
    if not problems and key_name and urlsplit(str(url)).scheme == "http" and not is_loopback(str(url)):
        problems.append("url: would send the key unencrypted to another machine; write https://")
    address = "" if problems else _completed(str(url), path)
    return ServerSettings(address, str(model).strip(), key_name, float(timeout_s), int(workers)), problems


def _completed(url: str, path: str) -> str:
    address = url.strip().rstrip("/")
    if urlsplit(address).path.endswith(path.removeprefix("/v1")):
        return address
    return address + (path.removeprefix("/v1") if urlsplit(address).path.endswith("/v1") else path)


def _url_problems(url: Any) -> list[str]:
    if isinstance(url, str):
        try:
            parts = urlsplit(url.strip())
            _ = parts.port  # raises for one that is no number
        except ValueError:
            parts = urlsplit("")
        if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment:
            if parts.username or parts.password:
                return ["url: holds a password; write api_key_env: and the name of an environment variable"]
            return []
    return [f"url: is {url!r:.80}; write the address of the server, for example http://127.0.0.1:8000"]


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_of(settings: ServerSettings) -> str | None:
    """The key, from the environment; empty where none is needed, None where it is missing or is no key."""
    if not settings.api_key_env:
        return ""
    key = os.environ.get(settings.api_key_env, "").strip()
    return key if key and all("!" <= character <= "~" for character in key) else None
