"""Engine ``cosyvoice3``: Fun-CosyVoice3-0.5B with a LoRA, speaking all lines of a game side by side.

The class is the door of this room; the way of a line through it is told in ``speaking``. PyTorch and the weights are
loaded when the first take is spoken, so that builds with nothing to speak never wait for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.dialogue.records import Voice
from replikk.engines.cosyvoice3.engine_settings import read_engine_settings, voice_setting_problems
from replikk.engines.cosyvoice3.identity import engine_fingerprint
from replikk.engines.cosyvoice3.model_folder import ModelFolder, open_model_folder
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

if TYPE_CHECKING:
    from replikk.engines.cosyvoice3.records import ReferenceFeatures

HASHES_FILE = "model_hashes.json"


class CosyVoice3Engine:
    """The real voice. ``base`` is the folder of the model, ``adapter`` a LoRA (None for the base model's own accent),
    ``cache_dir`` a folder for what is computed once: reference features and content hashes."""

    name = "cosyvoice3"

    def __init__(
        self,
        settings: Mapping[str, Any],
        base: Path,
        adapter: Path | None,
        adapter_strength: float,
        cache_dir: Path,
    ) -> None:
        """Raises EngineError for settings it does not know. Looks at no file yet."""
        self._settings = read_engine_settings(settings)
        self._base, self._adapter, self._adapter_strength = base, adapter, adapter_strength
        self._cache_dir = cache_dir

    def _folder(self) -> ModelFolder:
        return open_model_folder(self._base, self._settings.language_model)

    def fingerprint(self) -> str:
        """Engine, versions, settings and contents of model and adapter. Raises EngineError for missing files."""
        return engine_fingerprint(
            self._folder(), self._adapter, self._adapter_strength, self._settings, self._cache_dir / HASHES_FILE
        )

    def check_voice(self, voice: Voice) -> list[str]:
        """What is wrong with a voice's settings, reference recording and transcript."""
        problems = voice_setting_problems(voice.engine_settings)
        if not voice.reference_audio:
            problems.append(
                "reference: is missing, and this engine copies a recording; write "
                'reference: {audio: kari.wav, transcript: "…"} and rights'
            )
            return problems
        # Imported here: it brings numpy and reads audio, and voices are checked only when a plan is made.
        from replikk.engines.cosyvoice3.reference_audio import examine_reference

        return [*problems, *examine_reference(Path(voice.reference_audio), voice.reference_transcript)[1]]

    def unfollowed_styles(self, style: str) -> list[str]:
        """None: every direction is given to the model in its own words."""
        return []

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """Speak on the GPU, or with ``workers`` threads on the CPU; each take as soon as it is done, in any order.

        Raises EngineError naming file or device for whatever keeps all takes from being made.
        """
        wanted = list(requests)
        if not wanted:
            return
        try:
            import torch
        except ImportError as error:
            raise EngineError(
                "cosyvoice3: PyTorch is not installed; run: pip install 'replikk[gpu]'  (from a checkout: '.[gpu]')"
            ) from error
        from replikk.engines.cosyvoice3.networks import load_networks
        from replikk.engines.cosyvoice3.speaking import speak

        torch.set_num_threads(max(1, workers))
        folder = self._folder()
        references = self._references(folder, wanted)
        networks = load_networks(folder, self._adapter, self._adapter_strength, self._settings)
        yield from speak(networks, wanted, references, self._settings)

    def _references(self, folder: ModelFolder, requests: list[TakeRequest]) -> dict[str, ReferenceFeatures]:
        """Features of every voice that speaks, before the networks are loaded: they need 1 GB of their own."""
        from replikk.engines.cosyvoice3.onnx_models import ReferenceModels, open_reference_models
        from replikk.engines.cosyvoice3.reference import ReferenceSource, ReferenceStore

        def open_models() -> ReferenceModels:
            return open_reference_models(folder.speech_tokenizer, folder.speaker_encoder)

        hashes = folder.content_sha256(self._cache_dir / HASHES_FILE)
        pair = (hashes["speech_tokenizer"], hashes["speaker_encoder"])
        store = ReferenceStore(self._cache_dir / "references", pair, open_models)
        voices = {request.voice.name: request.voice for request in requests}
        found, problems = {}, []
        for name, voice in voices.items():
            if not voice.reference_audio:
                raise EngineError(f"voice {name}: has no reference recording; write one in voices.yaml")
            try:
                found[name] = store.features_of(
                    ReferenceSource(Path(voice.reference_audio), voice.reference_transcript)
                )
            except EngineError as error:
                problems.append(f"voice {name}: {error}")
        store.close()
        if problems:
            raise EngineError("\n".join(problems))
        return found
