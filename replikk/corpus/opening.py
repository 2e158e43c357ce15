"""The start of ``snakemake corpus``: settings checked, sources and models looked for, all problems told at once.

No torch is loaded, and no recording is opened.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from replikk.config import Config, read_config
from replikk.corpus.folder import CorpusFolder, remove_done_downloads
from replikk.corpus.folder_source import METADATA, audio_files
from replikk.corpus.recognisers import recogniser_problems
from replikk.corpus.separation import separator_problem
from replikk.corpus.settings import CorpusSettings, Source, read_corpus_settings
from replikk.corpus.speakers import speaker_check_problem
from replikk.dialogue.licences import non_commercial
from replikk.errors import ReplikkError
from replikk.files import canonical_json, digest, unusable, write_if_changed
from replikk.models.present import model_paths, require_models


@dataclass(frozen=True)
class CorpusTarget:
    """What the rules need."""

    config_path: str
    logs: str
    folder: CorpusFolder
    sources: tuple[str, ...]
    shards: tuple[str, ...]
    model: str
    """Folder of the base model, whose tokenizers are used."""
    source_contents: Mapping[str, str]
    """By source, a hash of what is there: another one lists and fetches it anew."""
    fetch_fingerprints: Mapping[str, str]
    """By source, a hash of the other settings that its fetching depends on."""
    fingerprints: Mapping[str, str]
    """By stage, a hash of the settings that it depends on."""
    small_model: bool
    """The base model is the small one of ``config/mini.yaml``, which a rule makes."""
    gpus: Mapping[str, int]
    """By stage, how many its jobs take: one where a network of the outside computes, else none."""
    separator_python: str
    """Of the stage whose model has an environment of its own: the one named, Snakemake's, or this one."""
    speaker_python: str

    # For Snakemake, which calls them with the wildcards of a job.

    def content_of_source(self, wildcards: Any) -> str:
        return self.source_contents[str(wildcards.source)]

    def listing_of_shard(self, wildcards: Any) -> Path:
        return self.folder.listing(_source_name(wildcards.shard))

    def fetch_fingerprint_of_shard(self, wildcards: Any) -> str:
        return self.fetch_fingerprints[_source_name(wildcards.shard)]


def open_corpus(settings: Mapping[str, Any], environments: bool = False) -> CorpusTarget:
    """Check the settings and write them for the jobs. ``environments``: Snakemake makes those of ``envs/`` itself.

    Raises ReplikkError with all problems.
    """
    config = read_config(settings)
    corpus = read_corpus_settings(config.corpus)
    problems = _problems(config, corpus, environments)
    contents: dict[str, str] = {}
    for source in corpus.sources:
        try:
            contents[source.name] = _content(source)
        except ReplikkError as error:
            problems.append(str(error))
    if problems:
        raise ReplikkError("\n".join(problems))
    python = "python" if environments else sys.executable
    config_path = config.build_dir / "plan" / "config.json"
    write_if_changed(config_path, canonical_json(settings))
    shards = tuple(shard for source in corpus.sources for shard in source.shard_names())
    try:
        remove_done_downloads(corpus_folder(config), shards)
    except OSError as error:
        raise unusable(error) from error
    return CorpusTarget(
        config_path=str(config_path),
        logs=str(config.build_dir / "logs"),
        folder=corpus_folder(config),
        sources=tuple(source.name for source in corpus.sources),
        shards=shards,
        model=str(model_paths(config.models).base),
        source_contents=contents,
        fetch_fingerprints={
            # Long recordings of a folder are cut; what the hub has is not, and must not be fetched again for a limit.
            source.name: digest(corpus.of_stage("salt", "max_duration_s" if source.path else ""))
            for source in corpus.sources
        },
        fingerprints={
            **{stage: digest(corpus.of_stage(*keys)) for stage, keys in DEPENDS_ON.items()},
            "tokenise": digest(str(model_paths(config.models).base)),
        },
        gpus={
            "separate": int(corpus.separator == "demucs"),
            "speakers": int(corpus.speaker_check == "pyannote"),
            "transcribe": int(corpus.transcriber == "nb-whisper"),
            "read_again": int(corpus.second_reader == "wav2vec2"),
        },
        small_model=_is_small(config),
        separator_python=corpus.separator_python or python,
        speaker_python=corpus.speaker_python or python,
    )


def _source_name(shard: str) -> str:
    return str(shard).rpartition("-")[0]


def corpus_folder(config: Config) -> CorpusFolder:
    return CorpusFolder(config.build_dir / "corpus")


DEPENDS_ON = {
    "separate": ("separator", "separator_model", "min_snr_db", "max_pause_level_db"),
    "speakers": ("speaker_check", "speaker_model", "max_pitch_spread_semitones", "max_pitch_jumps"),
    "transcribe": ("transcriber", "transcriber_model", "precision", "locale"),
    "read_again": ("second_reader", "second_reader_model", "precision"),
    "filter": ("limits", "naturalness", "locale"),
    "deduplicate": ("max_duplicate_distance",),
    "split": ("held_out_share", "salt"),
}


def _is_small(config: Config) -> bool:
    return model_paths(config.models).base == small_model_folder(config)


def small_model_folder(config: Config) -> Path:
    """Where the rule ``make_small_model`` puts its model; name it as ``models.base`` to use it."""
    return config.build_dir / "small_model"


def _problems(config: Config, corpus: CorpusSettings, environments: bool) -> list[str]:
    problems = []
    if not environments:
        problems += [problem for problem in (separator_problem(corpus), speaker_check_problem(corpus)) if problem]
    if corpus.naturalness == "dnsmos":
        from replikk.judges.naturalness import weights_path

        if weights_path() is None:
            problems.append("naturalness: DNSMOS is not installed; run: pip install --no-deps speechmos, or write none")
    if any(source.kind == "npsc" for source in corpus.sources) and find_spec("pyarrow") is None:
        problems.append("sources: npsc is published as Parquet; run: pip install 'replikk[corpus]'")
    if any(source.kind in ("nst", "npsc") for source in corpus.sources) and find_spec("huggingface_hub") is None:
        problems.append("sources: nst and npsc come from the hub; run: pip install 'huggingface_hub>=2.4,<3'")
    problems += [
        f"sources: {source.name}: its licence, {source.licence}, forbids commercial use, also of the voice; leave it "
        "out, or write commercial: false"
        for source in corpus.sources
        if config.commercial and non_commercial(source.licence)
    ]
    problems += recogniser_problems(config, corpus)
    problems = [f"config.yaml: corpus.{problem}" for problem in problems]
    if _is_small(config):
        if find_spec("onnx") is None:
            problems.append("config/mini.yaml: the small model is written with the package onnx; run: pip install onnx")
    else:
        try:
            require_models(dataclasses.replace(config.models, adapter=None), config.commercial)
        except ReplikkError as error:
            problems.append(str(error))
    return problems


def _content(source: Source) -> str:
    """Names, sizes and times of a folder's files; of other sources their settings. Raises ReplikkError: none."""
    about: list[Any] = [dataclasses.asdict(source)]
    if source.kind in ("folder", "librivox"):
        root = Path(source.path)
        audio = audio_files(root)
        if not audio:
            raise ReplikkError(
                f"{source.path}: has no recordings; put WAV, FLAC, Ogg or MP3 files there, or name another folder "
                f"(config.yaml: corpus.sources: {source.name})"
            )
        texts = [*root.rglob(METADATA), *(path.with_suffix(".txt") for path in audio)]
        for path in [*audio, *texts]:
            if path.is_file():
                state = path.stat()
                about.append([path.relative_to(root).as_posix(), state.st_size, state.st_mtime_ns])
    return digest(about)
