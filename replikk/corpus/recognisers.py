"""Where the recognisers of the corpus lie, and what is missing before they can listen. Loads nothing."""

from __future__ import annotations

from pathlib import Path

from replikk.config import Config
from replikk.corpus.settings import CorpusSettings
from replikk.errors import JudgeError
from replikk.judges.nb_whisper.model_folder import open_ctc_folder, open_whisper_folder
from replikk.models.catalogue import PublishedModel
from replikk.models.judge_catalogue import CTC_EARS, WHISPERS
from replikk.models.present import folder_of


def transcriber_folder(config: Config, settings: CorpusSettings) -> Path:
    return _folder(WHISPERS.get(settings.transcriber_model), settings.transcriber_model, config)


def second_reader_folder(config: Config, settings: CorpusSettings) -> Path:
    return _folder(CTC_EARS.get(settings.second_reader_model), settings.second_reader_model, config)


def recogniser_problems(config: Config, settings: CorpusSettings) -> list[str]:
    """One sentence for each recogniser that is not here."""
    problems = []
    if settings.transcriber == "nb-whisper":
        try:
            open_whisper_folder(transcriber_folder(config, settings))
        except JudgeError as error:
            problems.append(f"transcriber: {error}{_fetch(settings)}")
    if settings.second_reader == "wav2vec2":
        try:
            open_ctc_folder(second_reader_folder(config, settings))
        except JudgeError as error:
            problems.append(f"second_reader: {error}{_fetch(settings)}")
    return problems


def _folder(published: PublishedModel | None, name: str, config: Config) -> Path:
    return Path(name) if published is None else folder_of(published, config.models.models_dir)


def _fetch(settings: CorpusSettings) -> str:
    """The command that fetches what is published of both."""
    wanted = {"model": (settings.transcriber_model, WHISPERS), "second_ear": (settings.second_reader_model, CTC_EARS)}
    named = ", ".join(f"{key}: {name}" for key, (name, catalogue) in wanted.items() if name in catalogue)
    if not named:
        return ""
    return f" (snakemake --cores 1 models --config judge=nb-whisper 'judges={{nb-whisper: {{{named}}}}}')"
