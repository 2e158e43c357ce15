"""``replikk judge``: what the judge hears in any clip: evidence and verdict as JSON, and the verdict in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.audio.ogg import read_tags
from replikk.audio.recordings import read_recording
from replikk.config import Config
from replikk.dialogue.drills import is_drill
from replikk.dialogue.lines_of_rows import speak_text
from replikk.dialogue.voices import read_voices
from replikk.errors import AudioError, DialogueError, JudgeError
from replikk.files import sha256_file
from replikk.judges import judge_of
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.records import Clip
from replikk.judges.signal import measure_signal
from replikk.judges.thresholds import thresholds_from_mapping
from replikk.judges.verdict import badness, decide
from replikk.stages.bench import verdict_record


def judge_clip(config: Config, clip: Path, text: str, *, locale: str = "nb", engine: str = "") -> dict[str, Any]:
    """Listen to ``clip``, which should say ``text``. ``engine`` made it; empty: as the clip's tags say.

    Raises JudgeError when the judge does not accept that engine, AudioError when the clip cannot be read.
    """
    thresholds = thresholds_from_mapping(config.thresholds)
    judge = judge_of(config)
    recording = read_recording(clip)
    made_by = engine or _engine_of(clip)
    if not judge.accepts(made_by):
        said = f"was made by '{made_by}'" if made_by else "does not say in its tags which engine made it"
        raise JudgeError(
            f"{clip}: {said}, which the judge '{judge.name}' must not judge; "
            "name the engine with --engine if you know it, or use another judge"
        )
    samples, sample_rate_hz = recording.samples, recording.sample_rate_hz
    segments, respelt = speak_text(config, text, locale, "")
    spoken = " ".join(segment.text for segment in segments)
    heard = next(iter(judge.transcribe([Clip(sha256_file(clip), samples, sample_rate_hz, spoken, made_by, locale)])))
    facts = LineFacts(
        script=spoken,
        pauses_ms=tuple(segment.pause_after_ms for segment in segments),
        locale=locale,
        respelt=respelt,
        cast_names=_cast_names(config),
        drill=is_drill(text),
        max_seconds=None,
    )
    evidence = gather(facts, heard, measure_signal(samples, sample_rate_hz))
    verdict = decide(evidence, thresholds)
    return {
        "clip": str(clip),
        "expected": spoken,
        "heard": heard.text,
        "verdict": verdict_record(verdict, badness(evidence, verdict)),
        "evidence": evidence.to_json(),
    }


def explain(found: dict[str, Any]) -> str:
    """The verdict in words, for a person: what was heard, and what is wrong with it."""
    outcome = found["verdict"]["outcome"]
    heard = f"heard «{found['heard']}»" if found["heard"] else "nothing heard"
    return "\n".join([f"{outcome}: {heard}", *(f"  {reason['text']}" for reason in found["verdict"]["reasons"])])


def _cast_names(config: Config) -> tuple[str, ...]:
    """The game's names, whose spelling no judge knows; none where there is no game."""
    path = config.dialogue_dir / "voices.yaml"
    if not path.is_file():
        return ()
    voices, problems = read_voices(path, config.engine)
    if problems:
        raise DialogueError(problems)
    return tuple(voices.cast_names)


def _engine_of(clip: Path) -> str:
    """What a clip's tags say of who made it; empty when they say nothing, or it is no Ogg file."""
    try:
        return read_tags(clip.read_bytes()).get("ENGINE", "")
    except AudioError:
        return ""
    except OSError as error:
        raise AudioError(f"{clip}: cannot be read ({error.strerror}); check the name") from error
