"""Settings of the engine; read without asking anybody, because settings are checked before anything starts.

    url: http://127.0.0.1:8091      # of the server; /v1/audio/speech is added where it is missing
    model: FunAudioLLM/CosyVoice2-0.5B
    api_key_env, timeout_s, workers # as replikk/server_settings.py has them
    extra: {language: Norwegian}    # more fields of each question, as the server wants them; null leaves one out

Of a voice, ``speech-api: {voice: …}`` in voices.yaml names one that the server has. Without it the voice's reference
recording and transcript are sent, to be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replikk.dialogue.nearest import nearest
from replikk.errors import printable
from replikk.server_settings import ServerSettings, read_server_settings

NAME = "speech-api"
PATH = "/v1/audio/speech"
FIELDS = ("model", "input", "voice", "response_format", "seed", "instructions", "ref_audio", "ref_text")
"""What a question has by itself. The last two are vLLM-Omni's, which serves the models that copy a voice."""
_OWN = ("model", "input")
"""Of these, what is never the user's to change."""


@dataclass(frozen=True)
class SpeechApiSettings:
    """Where and how to ask."""

    server: ServerSettings
    extra: Mapping[str, Any]


def read_settings(settings: Mapping[str, Any]) -> tuple[SpeechApiSettings, list[str]]:
    """The settings, and everything wrong with them as 'key: what; what instead'."""
    server, problems = read_server_settings(settings, PATH, "voice model", ("extra",))
    extra = settings.get("extra") or {}
    if not isinstance(extra, Mapping) or not all(isinstance(key, str) for key in extra):
        problems.append(f"extra: is {extra!r:.60}; write a section of fields, such as {{language: Norwegian}}")
        extra = {}
    problems += [f"extra.{key}: is not yours to change; leave it out" for key in _OWN if key in extra]
    return SpeechApiSettings(server, dict(extra)), problems


def voice_problems(settings: Mapping[str, Any], has_reference: bool) -> list[str]:
    """What is wrong with a voice's settings for this engine."""
    problems = []
    for key in settings:
        if key != "voice":
            hint = "did you mean 'voice'?" if nearest(str(key), ("voice",)) else "voice is the only one"
            problems.append(f"{printable(str(key), 60)}: is not a setting; {hint}")
    voice = settings.get("voice")
    if voice is not None and (not isinstance(voice, str) or not voice.strip()):
        problems.append(f"voice: is {voice!r:.60}; write the name by which the server knows it")
    if voice is None and not has_reference:
        problems.append("voice: is missing, and there is no reference recording to copy; write one of the two")
    return problems
