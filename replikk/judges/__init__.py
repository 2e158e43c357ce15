"""Judges: speech recognisers behind one small interface, and the verdict on what they heard.

A judge is built from its part of the configuration and names, without loading anything heavy, what can change its
transcripts (``fingerprint``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from replikk.errors import JudgeError, printable
from replikk.judges.records import Clip, Transcript

if TYPE_CHECKING:
    from replikk.config import Config


class Judge(Protocol):
    """What every judge offers."""

    name: str

    def fingerprint(self) -> str:
        """Names judge, version and model: part of every transcript's key."""
        ...

    def accepts(self, engine: str) -> bool:
        """Whether this judge may listen to audio of that engine ('external' is a human recording)."""
        ...

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """Listen; one transcript per clip. Raises JudgeError for audio of an engine it does not accept."""
        ...


def judge_of(config: Config) -> Judge:
    """The judge of a build. Raises JudgeError for an unknown one, or for settings it does not know."""
    if config.judge == "nb-whisper":
        from replikk.judges.nb_whisper.judge import NbWhisperJudge

        return NbWhisperJudge(dict(config.judge_settings), config.models.models_dir, judge_cache_dir(config))
    return make_judge(config.judge, dict(config.judge_settings))


def require_ear(config: Config) -> None:
    """For the start of a build through a server: raises JudgeError when the judge may not listen to its voice.

    Every clip would be made elsewhere, perhaps for money, and then wait for a person. With cosyvoice3 that is allowed:
    a first build there should not need more downloads than its voice.
    """
    if not judge_of(config).accepts(config.engine):
        raise JudgeError(
            f"config.yaml: judge: is {config.judge}, which knows the embedded voice only and may not listen to engine "
            f"{config.engine}; write nb-whisper or speech-api (docs/judge.md)"
        )


def judge_cache_dir(config: Config) -> Path:
    """Where a judge remembers what it computes once, such as content hashes of its models."""
    return config.build_dir / "store" / config.judge


def make_judge(name: str, settings: dict[str, Any]) -> Judge:
    """A judge that needs nothing but its settings. Raises as ``judge_of``."""
    # Imported here: each judge brings its own imports, and a build uses one of them.
    if name == "mini":
        from replikk.judges.mini.judge import MiniJudge

        return MiniJudge(settings)
    if name == "speech-api":
        from replikk.judges.speech_api.judge import SpeechApiJudge

        return SpeechApiJudge(settings)
    raise JudgeError(
        f"config.yaml: judge: there is no judge '{printable(name, 40)}'; use mini, nb-whisper or speech-api"
    )
