"""What can be fetched for the judge ``nb-whisper``: see ``catalogue`` for what a revision and a missing hash mean.

Of the repositories only what is read is fetched: no Flax, ONNX, CTranslate2 or ggml copies of the weights, no n-gram
language model (4 GB) of the CTC ears, which must hear without one. The revision of the large model is known and
pinned; the others are pinned by the first fetch.
"""

from __future__ import annotations

from collections.abc import Mapping

from replikk.models.catalogue import CARD, ModelFile, PublishedModel


def _whisper(
    size: str, about_bytes: int, revision: str = "", shards: tuple[int, ...] = (), licence: str = "Apache-2.0"
) -> PublishedModel:
    weights = [ModelFile("model.safetensors", about_bytes=about_bytes)]
    if shards:
        count = len(shards)
        weights = [
            ModelFile(f"model-{number:05}-of-{count:05}.safetensors", about_bytes=shard_bytes)
            for number, shard_bytes in enumerate(shards, start=1)
        ]
        weights.append(ModelFile("model.safetensors.index.json", about_bytes=112_000))
    name = f"nb-whisper-{size}-verbatim"
    return PublishedModel(
        name=name,
        what="the judge: the National Library of Norway's Whisper, writing word by word",
        repository=f"NbAiLab/{name}",
        revision=revision,
        licence=licence,
        files=(
            ModelFile("config.json"),
            ModelFile("generation_config.json"),
            ModelFile("tokenizer.json", about_bytes=2_480_000),
            *weights,
            ModelFile(CARD),
        ),
        folders=(name, f"NbAiLab/{name}"),
    )


WHISPERS: Mapping[str, PublishedModel] = {
    "tiny": _whisper("tiny", 151_000_000),
    "base": _whisper("base", 290_000_000),
    "small": _whisper("small", 967_000_000),
    "medium": _whisper("medium", 3_060_000_000),
    "large": _whisper(
        "large",
        6_170_000_000,
        revision="9e28cb1f991aa065040a25017c37ba25be47746a",
        shards=(4_990_000_000, 1_180_000_000),
    ),
}


def _ctc_ear(name: str, about_bytes: int) -> PublishedModel:
    return PublishedModel(
        name=name,
        what="the judge's second ear: wav2vec 2.0, which writes letters as it hears them",
        repository=f"NbAiLab/{name}",
        revision="",
        licence="Apache-2.0",
        # The published weights are a PyTorch file; it is read with weights_only, which runs no code.
        files=(
            ModelFile("config.json"),
            ModelFile("preprocessor_config.json"),
            ModelFile("vocab.json"),
            ModelFile("pytorch_model.bin", about_bytes=about_bytes),
            ModelFile(CARD),
        ),
        folders=(name, f"NbAiLab/{name}"),
    )


CTC_EARS: Mapping[str, PublishedModel] = {
    "bokmaal-1b": _ctc_ear("nb-wav2vec2-1b-bokmaal-v2", 3_850_000_000),
    "bokmaal-300m": _ctc_ear("nb-wav2vec2-300m-bokmaal-v2", 1_260_000_000),
}
