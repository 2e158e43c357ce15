"""Who reads to the gate beside the candidates, and what else is measured: found out from the settings alone.

No model of the voice is needed here, so that what is wrong is told when ``snakemake promote`` starts, and not after
the training that comes before it.
"""

from __future__ import annotations

from replikk.config import Config
from replikk.dialogue.records import Voice
from replikk.dialogue.voices import read_voices
from replikk.engines.speech_api.engine import SpeechApiEngine
from replikk.engines.speech_api.settings import NAME
from replikk.errors import DialogueError, ReplikkError
from replikk.judges import judge_of
from replikk.judges.reference_likeness import ReferenceLikeness
from replikk.models.present import require_judge_models
from replikk.stages.voice_traits import tools_fingerprint
from replikk.training.harness import Outside
from replikk.training.settings import TrainingSettings


def check_gate(config: Config, settings: TrainingSettings) -> None:
    """Raises ReplikkError when the gate could not be held with these settings, whatever training brings."""
    if config.engine != "cosyvoice3":
        raise ReplikkError(
            f"config.yaml: engine: is {config.engine}; checkpoints are heard as builds speak them: write cosyvoice3"
        )
    judge_of(config)
    require_judge_models(config.models)
    gate_voices(config)
    outside_controls(config, settings)
    tools_fingerprint(config)


def gate_voices(config: Config) -> dict[str, Voice]:
    """The voices of voices.yaml that the engine can speak with. Raises ReplikkError where there is none."""
    found, problems = read_voices(config.dialogue_dir / "voices.yaml", "cosyvoice3")
    if problems:
        raise DialogueError(problems)
    voices = {name: voice for name, voice in found.voices.items() if voice.reference_audio}
    if not voices:
        raise ReplikkError(f"{found.file}: no voice has a reference recording, and the gate needs one; add one")
    return voices


def outside_controls(config: Config, settings: TrainingSettings) -> dict[str, Outside]:
    """The systems from outside, with the gate's voices as they speak them. Raises ReplikkError with everything wrong
    with their voices; asks no server."""
    if not settings.outside_controls:
        return {}
    found, problems = read_voices(config.dialogue_dir / "voices.yaml", NAME)
    if problems:
        raise DialogueError(problems)
    voices = {name: voice for name, voice in found.voices.items() if voice.reference_audio}
    outside = {
        name: Outside(SpeechApiEngine(of, f"training.outside_controls.{name}"), voices)
        for name, of in settings.outside_controls.items()
    }
    engine = next(iter(outside.values())).engine
    wrong = [
        f"{found.file}: {name}.{NAME}.{what}" for name, voice in voices.items() for what in engine.check_voice(voice)
    ]
    if wrong:
        raise ReplikkError("\n".join(wrong))
    return outside


def speaker_measure(config: Config) -> ReferenceLikeness | None:
    """The speaker model of ``evidence``, loaded, where it is wanted and at hand.

    Raises ReplikkError where it cannot be used.
    """
    if "speaker" not in tools_fingerprint(config):
        return None
    return ReferenceLikeness(str(config.evidence["speaker_model"]))
