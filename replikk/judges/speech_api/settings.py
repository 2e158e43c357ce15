"""Settings of the judge: ``judges: {speech-api: {...}}`` of config.yaml.

    url: http://127.0.0.1:8000      # of the server; /v1/audio/transcriptions is added where it is missing
    model: NbAiLab/nb-whisper-large-verbatim
    api_key_env: MY_SPEECH_KEY      # the NAME of the environment variable that holds the key; leave out where none is
    timeout_s: 120
    workers: 4                      # requests at a time

The clips of a game leave this machine when the address is another one's: that is the user's choice, never a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replikk.errors import JudgeError
from replikk.server_settings import ServerSettings, read_server_settings

NAME = "speech-api"
PATH = "/v1/audio/transcriptions"


def read_settings(settings: Mapping[str, Any]) -> ServerSettings:
    """Raises JudgeError with everything wrong with them, naming each setting."""
    found, problems = read_server_settings(settings, PATH, "recogniser")
    if problems:
        raise JudgeError("\n".join(f"config.yaml: judges.{NAME}: {problem}" for problem in problems))
    return found
