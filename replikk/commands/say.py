"""``replikk say``: hear a line without a sheet. The way of a line, from text to clip, leaving nothing in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from replikk.audio.delivery import Delivered, deliver
from replikk.config import Config
from replikk.dialogue.lines_of_rows import speak_text
from replikk.dialogue.styles import loudness_offset_lu
from replikk.dialogue.take_keys import ingredients, line_key, take_key
from replikk.dialogue.voices import read_voices
from replikk.engines import engine_of
from replikk.engines.records import TakeFailure, TakeRequest
from replikk.errors import DialogueError, EngineError, ReplikkError
from replikk.files import write_atomic
from replikk.stages.clips import SYNTHETIC
from replikk.stages.package_assets import delivery_settings


@dataclass(frozen=True)
class Said:
    """What was spoken and where it is."""

    path: Path
    spoken: str
    delivered: Delivered


def say(
    config: Config, text: str, voice_name: str, out: Path, *, style: str = "", locale: str = "nb", reading: int = 0
) -> Said:
    """Speak ``text`` into ``out``. Raises ReplikkError for an unknown voice or a text that cannot be spoken."""
    settings = delivery_settings(config)
    if out.suffix != settings.suffix:
        raise ReplikkError(f"{out}: the build delivers {settings.format}; name a file that ends in {settings.suffix}")
    voices, problems = read_voices(config.dialogue_dir / "voices.yaml", config.engine)
    if problems:
        raise DialogueError(problems)
    voice = voices.voice_for(voice_name, "")
    if isinstance(voice, tuple):
        as_character = voices.voice_for("", voice_name)
        if isinstance(as_character, tuple):
            raise ReplikkError(f"--voice {voice_name}: {voice[0]}; {voice[1]}")
        voice = as_character
    segments, _ = speak_text(config, text, locale, voice.name)

    engine = engine_of(config)
    parts = ingredients(segments, locale, style, voice, engine.fingerprint(), config.seed)
    key = take_key(line_key(parts), reading, 0)
    results = list(engine.synthesize([TakeRequest(key, segments, locale, style, voice, reading)]))
    take = results[0] if results else TakeFailure(key, "it returned nothing")
    if isinstance(take, TakeFailure):
        raise EngineError(f"{engine.name}: {take.reason}; try another text")
    spoken = " ".join(segment.text for segment in segments)
    delivered = deliver(
        take.samples,
        take.sample_rate_hz,
        settings=settings,
        offset_lu=voice.loudness_offset_lu + loudness_offset_lu(style),
        tags={
            "TITLE": out.stem,
            "ARTIST": voice.label,
            "VOICE": voice.name,
            "TEXT": text,
            "LANGUAGE": locale,
            "ENGINE": config.engine,
            "SYNTHETIC_SPEECH": SYNTHETIC,
        },
        serial_from=key,
    )
    write_atomic(out, delivered.data)
    return Said(out, spoken, delivered)
