"""Speech engines behind one small interface.

An engine is built from its part of the configuration. It says what can change its sound (``fingerprint``) without
loading anything heavy, and yields each take as soon as it is finished, so that a kill loses only what was in flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from replikk.dialogue.records import Voice
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

if TYPE_CHECKING:
    from replikk.config import Config

EMBEDDED_LICENCE = "GPL-3.0-or-later (the program; the sound it makes is not covered)"
ENGINE_LICENCES = {
    "espeak": EMBEDDED_LICENCE,
    "faulty": EMBEDDED_LICENCE,
    "human": "as stated in the voice's rights",
}


class Engine(Protocol):
    """What every engine offers."""

    name: str

    def fingerprint(self) -> str:
        """Names engine, version, model and sampling settings: part of every take key."""
        ...

    def check_voice(self, voice: Voice) -> list[str]:
        """What is wrong with a voice's settings for this engine, as 'key: what; what instead' sentences."""
        ...

    def unfollowed_styles(self, style: str) -> list[str]:
        """The parts of a direction that this engine cannot follow; they are spoken neutrally and reported."""
        ...

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """Speak; one result per request, each as soon as it is there, in any order."""
        ...


def engine_of(config: Config) -> Engine:
    """The engine of a build. Raises EngineError for an unknown one, or for settings it does not know."""
    if config.engine == "cosyvoice3":
        from replikk.engines.cosyvoice3.engine import CosyVoice3Engine
        from replikk.models.present import model_paths

        paths = model_paths(config.models)
        return CosyVoice3Engine(
            config.engine_settings,
            paths.base,
            paths.adapter,
            paths.adapter_strength,
            config.build_dir / "store" / "cosyvoice3",
        )
    return make_engine(config.engine, dict(config.engine_settings))


def engine_licence(config: Config) -> str:
    """The licences of what an engine's speech is made with, as the manifest names them."""
    if config.engine == "speech-api":
        from replikk.engines.speech_api.building import licence_of

        return licence_of(config.engine_settings)
    if config.engine != "cosyvoice3":
        return ENGINE_LICENCES[config.engine]
    from replikk.models.licences import model_licences

    return "; ".join(f"{part.licence} ({part.name})" for part in model_licences(config.models))


def make_engine(name: str, settings: dict[str, Any]) -> Engine:
    """An engine that needs nothing but its settings. Raises as ``engine_of``."""
    # Imported here: each engine brings its own heavy imports, and a build uses one of them.
    if name == "espeak":
        from replikk.engines.espeak import EspeakEngine

        return EspeakEngine(settings)
    if name == "faulty":
        from replikk.engines.faulty import FaultyEngine

        return FaultyEngine(settings)
    if name == "speech-api":
        from replikk.engines.speech_api.building import SpeechApiBuildEngine

        return SpeechApiBuildEngine(settings)
    raise EngineError(f"config.yaml: engine: there is no engine '{name}'; use espeak, cosyvoice3 or speech-api")
