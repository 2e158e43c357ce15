"""What can be fetched: repositories on the Hugging Face hub at one revision, their files, sizes, hashes and licences.

A file's SHA-256 that stands here is checked against the download. Where none stands here, the first fetch takes the
one that the hub states for the revision, and ``models.lock.json`` pins it from then on (``lock.py``).

Only what the engine reads is fetched. Of the base model these are left out: ``CosyVoice-BlankEN/model.safetensors``
(988 MB that the published toolkit loads and then overwrites with llm.pt), ``llm.rl.pt``, ``*.batch.onnx`` and
``flow.decoder.estimator.fp32.onnx`` (another training, online training, TensorRT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HUB_PAGE = "https://huggingface.co/"
"""Where people read about a model. Fetching asks HF_ENDPOINT, where that is set."""
CARD = "README.md"
"""The model card: names the licence; kept as its evidence, but nothing fails where it is missing."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a repository."""

    path: str
    """Inside the repository, and inside the model's folder here."""
    bytes: int | None = None
    """None: not known yet; the hub says it."""
    sha256: str = ""
    """Empty: not known yet; the first fetch pins it."""
    about_bytes: int = 0
    """Said to people, where ``bytes`` is not known yet."""


@dataclass(frozen=True)
class PublishedModel:
    """A model that can be fetched."""

    name: str
    """What config.yaml calls it."""
    what: str
    repository: str
    revision: str
    """A commit, 40 hex digits. Empty: the newest one at the first fetch, which the lock then pins."""
    licence: str
    """Its SPDX name."""
    files: tuple[ModelFile, ...]
    folders: tuple[str, ...]
    """Where it may lie in the models folder; the first is where it is fetched to. The others are what people's own
    copies are called; '.' is the models folder itself."""
    main_file: str = ""
    """The one file that is loaded, of a model that is a file and not a folder."""

    @property
    def url(self) -> str:
        """The page of the model, for people."""
        return HUB_PAGE + self.repository


BASE = PublishedModel(
    name="Fun-CosyVoice3-0.5B-2512",
    what="the base model of engine cosyvoice3",
    repository="FunAudioLLM/Fun-CosyVoice3-0.5B-2512",
    revision="29e01c4e8d000f4bcd70751be16fa94bf3d85a18",
    licence="Apache-2.0",
    files=(
        ModelFile("cosyvoice3.yaml", 6_934, "f5a6b2c6f05139d0f18861a1fe506f751e787026b77c05f7e8fef9f8a4405965"),
        ModelFile("llm.pt", 2_024_669_519, "69f43bd545131c30e98947fb360ea8b4dc9916d8e83dded7757c7ea4f5a24970"),
        ModelFile("flow.pt", 1_329_116_148, "a6fab32a7825e5b0bc855ddd948f8db9370b0a786fbc249caa4595e95b608e4b"),
        ModelFile("hift.pt", 83_202_622, "b279d7641eb97ae55b3b540cfba4f953c26492a2df758328a89a4d007ab87a65"),
        ModelFile("campplus.onnx", 28_303_423, "a6ac6a63997761ae2997373e2ee1c47040854b4b759ea41ec48e4e42df0f4d73"),
        ModelFile(
            "speech_tokenizer_v3.onnx",
            969_451_503,
            "23236a74175dbdda47afc66dbadd5bcb41303c467a57c261cb8539ad9db9208d",
        ),
        ModelFile(
            "CosyVoice-BlankEN/config.json", 659, "168aa1bd401abc3bc262ba15ba4e499627a8b4e006e9d050b47c22de20660185"
        ),
        ModelFile(
            "CosyVoice-BlankEN/generation_config.json",
            242,
            "e558847a8b4402616f1273797b015104dc266fe4b520056fca88823ba8f8ebe6",
        ),
        ModelFile(
            "CosyVoice-BlankEN/tokenizer_config.json",
            1_287,
            "482bd979881423375ca5414e4e0d94cd7c5349dbb17fffd46b4d36d71e62a1bc",
        ),
        ModelFile(
            "CosyVoice-BlankEN/vocab.json",
            2_776_833,
            "ca10d7e9fb3ed18575dd1e277a2579c16d108e32f27439684afa0e10b1440910",
        ),
        ModelFile(
            "CosyVoice-BlankEN/merges.txt",
            1_402_109,
            "ac8ff86a72bee70828fbc1119bc4398c6f3a9a6e490d7b0dbe917be025478bd0",
        ),
        ModelFile(CARD, 11_982, "d4ec0fe1342b60a424ce1cd8971c670d26be38068a96148bcb6a1b8a334c3088"),
    ),
    folders=("Fun-CosyVoice3-0.5B-2512", "Fun-CosyVoice3-0.5B", "FunAudioLLM/Fun-CosyVoice3-0.5B-2512", "."),
)

NORWEGIAN_LORA = PublishedModel(
    name="cosyvoice3-norwegian-lora",
    what="the Norwegian LoRA, merged into the weights of the base model's llm.pt",
    repository="AlexKjes/cosyvoice3-norwegian-lora",
    revision="",
    licence="CC-BY-NC-4.0",
    files=(ModelFile("model_20880_ema.pt", about_bytes=2_025_000_000), ModelFile(CARD)),
    folders=("cosyvoice3-norwegian-lora", "AlexKjes/cosyvoice3-norwegian-lora", "."),
    main_file="model_20880_ema.pt",
)

BASES: Mapping[str, PublishedModel] = {BASE.name: BASE}
ADAPTERS: Mapping[str, PublishedModel] = {NORWEGIAN_LORA.name: NORWEGIAN_LORA}


def spell_bytes(count: int) -> str:
    """``2024669519`` as ``2.02 GB``; decimal units, as disks and the hub count."""
    for limit, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= limit:
            value = count / limit
            return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} bytes"
