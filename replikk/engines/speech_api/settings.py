"""Settings of the engine; read without asking anybody, because settings are checked before anything starts.

    url: http://127.0.0.1:8091      # of the server; /v1/audio/speech is added where it is missing
    model: FunAudioLLM/CosyVoice2-0.5B
    licence: Apache-2.0             # of what the server speaks with; in builds only, and there always
    api_key_env, timeout_s, workers # as replikk/server_settings.py has them
    extra: {language: Norwegian}    # more fields of each question, as the server wants them; null leaves one out

Of a voice, ``speech-api: {voice: …}`` in voices.yaml names one that the server has. Without it the voice's reference
recording and transcript are sent, to be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replikk.dialogue.licences import licence_problem
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


@dataclass(frozen=True)
class BuildSettings:
    """As a build needs them: what is delivered has terms, and a line may be tried again."""

    asking: SpeechApiSettings
    licence: str
    """Of what the server speaks with. No part of a take's key: it changes no sound."""


def read_settings(settings: Mapping[str, Any], more_keys: tuple[str, ...] = ()) -> tuple[SpeechApiSettings, list[str]]:
    """The settings, and everything wrong with them as 'key: what; what instead'; ``more_keys`` are read by others."""
    server, problems = read_server_settings(settings, PATH, "voice model", ("extra", *more_keys))
    extra = settings.get("extra") or {}
    if not isinstance(extra, Mapping) or not all(isinstance(key, str) for key in extra):
        problems.append(f"extra: is {extra!r:.60}; write a section of fields, such as {{language: Norwegian}}")
        extra = {}
    problems += [f"extra.{key}: is not yours to change; leave it out" for key in _OWN if key in extra]
    return SpeechApiSettings(server, dict(extra)), problems


def read_build_settings(settings: Mapping[str, Any]) -> tuple[BuildSettings, list[str]]:
    """As ``read_settings``, for ``engines: {speech-api: {...}}``."""
    asking, problems = read_settings(settings, ("licence",))
    licence = settings.get("licence")
    if not isinstance(licence, str) or not licence.strip():
        problems.append(
            "licence: is missing; write the licence of what the server speaks with, for example Apache-2.0, own or "
            "LicenseRef-name"
        )
        licence = ""
    elif wrong := licence_problem(licence.strip()):
        problems.append(f"licence: {wrong[0]}; {wrong[1]}")
    if asking.extra.get("seed") is not None:
        problems.append(
            "extra.seed: would be the same for every take, and a line that is tried again come out as before; leave it "
            "out, or write null for a server that knows no seeds"
        )
    return BuildSettings(asking, licence.strip()), problems


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
