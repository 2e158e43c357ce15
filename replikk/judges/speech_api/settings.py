"""Settings of the judge: ``judges: {speech-api: {...}}`` of config.yaml.

    url: http://127.0.0.1:8000      # of the server; /v1/audio/transcriptions is added where it is missing
    model: NbAiLab/nb-whisper-large-verbatim
    api_key_env: MY_SPEECH_KEY      # the NAME of the environment variable that holds the key; leave out where none is
    timeout_s: 120
    workers: 4                      # requests at a time

The clips of a game leave this machine when the address is another one's: that is the user's choice, never a default.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from replikk.dialogue.nearest import nearest
from replikk.errors import JudgeError, printable

NAME = "speech-api"
PATH = "/v1/audio/transcriptions"
MOST_WORKERS = 32
_KEYS = ("url", "model", "api_key_env", "timeout_s", "workers")


@dataclass(frozen=True)
class SpeechApiSettings:
    """Where and how to ask."""

    url: str
    model: str
    api_key_env: str
    timeout_s: float
    workers: int


def read_settings(settings: Mapping[str, Any]) -> SpeechApiSettings:
    """Raises JudgeError with everything wrong with them, naming each setting."""
    problems = []
    for key in settings:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            hint = f"did you mean '{near}'?" if near else f"known settings: {', '.join(_KEYS)}"
            problems.append(f"{printable(str(key), 60)}: is not a setting; {hint}")
    url = settings.get("url")
    problems += _url_problems(url)
    model = settings.get("model")
    if not isinstance(model, str) or not model.strip():
        problems.append(f"model: is {model!r:.60}; write the name by which the server knows its recogniser")
    key_name = settings.get("api_key_env", "")
    if not isinstance(key_name, str) or (key_name and not re.fullmatch(r"[A-Za-z_]\w*", key_name, re.ASCII)):
        problems.append("api_key_env: is no name of an environment variable; write its name, never the key itself")
        key_name = ""
    timeout_s = settings.get("timeout_s", 120)
    number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool) and math.isfinite(timeout_s)
    if not number or not 1 <= timeout_s <= 3600:
        problems.append(f"timeout_s: is {timeout_s!r:.60}; write seconds from 1 to 3600")
    workers = settings.get("workers", 4)
    if not isinstance(workers, int) or isinstance(workers, bool) or not 1 <= workers <= MOST_WORKERS:
        problems.append(f"workers: is {workers!r:.60}; write a whole number from 1 to {MOST_WORKERS}")
    if not problems and key_name and urlsplit(str(url)).scheme == "http" and not is_loopback(str(url)):
        problems.append("url: would send the key unencrypted to another machine; write https://")
    if problems:
        raise JudgeError("\n".join(f"config.yaml: judges.{NAME}: {problem}" for problem in problems))
    address = str(url).strip().rstrip("/")
    if not urlsplit(address).path.endswith("/audio/transcriptions"):
        address += PATH.removeprefix("/v1") if urlsplit(address).path.endswith("/v1") else PATH
    return SpeechApiSettings(address, str(model).strip(), key_name, float(timeout_s), int(workers))


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
