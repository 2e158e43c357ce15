"""Stages ``transcribe`` and ``read_again``: what two recognisers of different kinds read in each clip.

The first writes sentences (nb-whisper), and may make some up; the second writes letters as it hears them (wav2vec 2.0
with CTC, greedy, no language model), and says of each word how sure it is. Where both agree, that was said.

A reader takes clips and yields (id, reading), in any order. The embedded readers are two readings of the embedded
judge's network, one through its beam search and one letter by letter: they really listen, to the embedded voice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.config import Config
from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Reading, Utterance, read_kept, resumable_rows, write_manifest
from replikk.corpus.settings import CorpusSettings
from replikk.errors import JudgeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from replikk.judges.nb_whisper.second_ear import CtcNetwork


@dataclass(frozen=True)
class ReadingClip:
    """A clip to be read."""

    id: str
    samples: NDArray[np.int16]  # [samples]
    sample_rate_hz: int
    text: str
    """As given with the recording; only to say how well it fits, never to help reading."""


Reader = Callable[[Iterable[ReadingClip]], Iterator[tuple[str, Reading]]]


def transcribe_clips(
    config: Config, settings: CorpusSettings, folder: CorpusFolder, manifest: Path, target: Path
) -> None:
    def work(rows: Iterable[Utterance]) -> Iterator[Utterance]:
        known = list(rows)
        reader = embedded_transcriber if settings.transcriber == "embedded" else nb_whisper_reader(config, settings)
        for row, reading in _read(reader, known, folder):
            yield replace(row, first=reading)

    rows = resumable_rows(
        list(read_kept(manifest)),
        work,
        result=target,
        depends_on=settings.of_stage("transcriber", "transcriber_model", "precision", "locale"),
    )
    write_manifest(target, rows)


def read_again(config: Config, settings: CorpusSettings, folder: CorpusFolder, manifest: Path, target: Path) -> None:
    def work(rows: Iterable[Utterance]) -> Iterator[Utterance]:
        known = list(rows)
        reader = embedded_second_reader if settings.second_reader == "embedded" else wav2vec2_reader(config, settings)
        for row, reading in _read(reader, known, folder):
            yield replace(row, second=reading)

    rows = list(read_kept(manifest))
    read = resumable_rows(
        [replace(row, first=None) for row in rows],  # another first reading is no reason to read again
        work,
        result=target,
        depends_on=settings.of_stage("second_reader", "second_reader_model", "precision"),
    )
    write_manifest(target, [replace(row, second=other.second) for row, other in zip(rows, read, strict=True)])


def _read(reader: Reader, rows: list[Utterance], folder: CorpusFolder) -> Iterator[tuple[Utterance, Reading]]:
    by_id = {row.id: row for row in rows}
    with ShardReader(folder.path) as shards:
        clips = (ReadingClip(row.id, *shards.read(row), row.text) for row in rows)
        for name, reading in reader(clips):
            yield by_id[name], reading


def embedded_transcriber(clips: Iterable[ReadingClip]) -> Iterator[tuple[str, Reading]]:
    """The embedded judge, not told what it should hear."""
    from replikk.judges.mini.beam_settings import BeamSettings
    from replikk.judges.mini.listening import listen
    from replikk.judges.records import Clip

    for clip in clips:
        heard = listen(Clip(clip.id, clip.samples, clip.sample_rate_hz, "", "espeak", "nb"), BeamSettings())
        yield clip.id, Reading(heard.text, tuple(word.confidence for word in heard.words))


def embedded_second_reader(clips: Iterable[ReadingClip]) -> Iterator[tuple[str, Reading]]:
    """The embedded judge's network letter by letter: no words, no search."""
    from replikk.judges.mini.features import log_mel, resample
    from replikk.judges.mini.listening import margin
    from replikk.judges.mini.network import load_network
    from replikk.judges.mini.score import floored
    from replikk.judges.mini.text import BLANK, SYMBOLS, normalise

    network = load_network()
    for clip in clips:
        scores = floored(network.log_probabilities(log_mel(resample(clip.samples, clip.sample_rate_hz))))
        text, confidences = ctc_words(scores, dict(enumerate(SYMBOLS)), BLANK)
        wanted = normalise(clip.text)
        yield clip.id, Reading(text, confidences, margin(scores, wanted) if wanted else None)


def ctc_words(
    log_probabilities: NDArray[np.float64], letters: dict[int, str], blank: int
) -> tuple[str, tuple[float, ...]]:
    """The likeliest letters of CTC outputs [frames, symbols], and how sure each word is: the mean, over its letters,
    of the probability of each in its best frame."""
    import numpy as np

    best = log_probabilities.argmax(axis=1)
    likely = np.exp(log_probabilities.max(axis=1))
    words: list[tuple[str, list[float]]] = [("", [])]
    before = blank
    for label, probability in zip(best.tolist(), likely.tolist(), strict=True):
        text, sure = words[-1]
        if label == before:
            if label != blank and sure and letters.get(label) != " ":
                sure[-1] = max(sure[-1], probability)
        elif letters.get(label) == " ":
            words.append(("", []))
        elif label != blank and label in letters:
            words[-1] = (text + letters[label], [*sure, probability])
        before = label
    kept = [(text, sure) for text, sure in words if text]
    return " ".join(text for text, _ in kept), tuple(round(float(np.mean(sure)), 4) for _, sure in kept)


def nb_whisper_reader(config: Config, settings: CorpusSettings) -> Reader:
    """The judge nb-whisper as a transcriber."""
    from replikk.judges.nb_whisper.judge import NbWhisperJudge
    from replikk.judges.records import Clip

    judge = NbWhisperJudge(
        {"model": settings.transcriber_model, "device": settings.device, "precision": settings.precision},
        config.models.models_dir,
    )

    def read(clips: Iterable[ReadingClip]) -> Iterator[tuple[str, Reading]]:
        # Nothing is wanted: how likely a given text is costs another pass, and the second reader says that.
        unknown = (Clip(clip.id, clip.samples, clip.sample_rate_hz, "", "recording", settings.locale) for clip in clips)
        for heard in judge.transcribe(unknown):
            yield heard.take_key, Reading(heard.text, tuple(word.confidence for word in heard.words))

    return read


def wav2vec2_reader(config: Config, settings: CorpusSettings) -> Reader:
    """wav2vec 2.0 with CTC. Raises JudgeError naming the folder or the package that is missing."""
    from replikk.corpus.recognisers import second_reader_folder
    from replikk.judges.nb_whisper.model_folder import open_ctc_folder

    recogniser = open_ctc_folder(second_reader_folder(config, settings))
    try:
        from replikk.judges.nb_whisper.second_ear import load_ctc, log_probabilities, text_margin
        from replikk.judges.nb_whisper.windows import at_16_khz
    except ImportError as error:
        raise JudgeError(
            f"second reader wav2vec2: {error.name} is not installed; run: pip install 'replikk[gpu]'"
        ) from error
    network: CtcNetwork = load_ctc(recogniser, settings.device, settings.precision)
    letters = {number: text for text, number in network.symbols.items()}

    def read(clips: Iterable[ReadingClip]) -> Iterator[tuple[str, Reading]]:
        for clip in clips:
            likely = log_probabilities(network, at_16_khz(clip.samples, clip.sample_rate_hz))
            text, confidences = ctc_words(likely, letters, network.blank)
            yield clip.id, Reading(text, confidences, text_margin(network, likely, clip.text))

    return read
