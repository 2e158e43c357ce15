"""Stage ``filter``: everything known of an utterance against the limits; the first reason that holds drops it.

Cheap and certain reasons come first, so that the counts say what is really wrong: a clipped clip is also read badly,
but is dropped for being clipped. A given text counts as said when the better of both readings has it up to a few
letters, and the second reader does not find it unlikely; where none was given, what the first read counts when the
second agrees.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, read_kept, write_manifest
from replikk.corpus.separation import noise_faults
from replikk.corpus.settings import CorpusSettings, Limits
from replikk.corpus.text_traps import text_trap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DNSMOS_RATE_HZ = 16_000


def filter_clips(settings: CorpusSettings, folder: CorpusFolder, shard: str, manifest: Path, target: Path) -> None:
    """The manifest of a shard with all reasons; ``text`` of the kept rows is what will be trained on."""
    source, _ = settings.source_of(shard)
    rows = []
    with ShardReader(folder.path) as shards:
        for row in read_kept(manifest):
            judged = judge(row, source.kind, settings)
            if not judged.dropped and settings.naturalness == "dnsmos":
                judged = _natural(judged, settings.limits, *shards.read(row))
            rows.append(judged)
    write_manifest(target, rows)


def judge(row: Utterance, kind: str, settings: CorpusSettings) -> Utterance:
    """``row``, dropped where it breaks a limit that needs no audio; else with its text settled."""
    limits = settings.limits
    for reason, why in (
        *_sound_faults(row, limits),
        *_text_faults(row, kind, settings.locale),
        *_reading_faults(row, settings.locale, limits),
        *_pace_faults(row, limits),
    ):
        return row.drop(reason, why)
    return replace(row, text=_settled_text(row))


def _settled_text(row: Utterance) -> str:
    text = row.text or (row.first.text if row.first else "")
    return " ".join(text.split())


def _sound_faults(row: Utterance, limits: Limits) -> list[tuple[str, str]]:
    faults = []
    if row.duration_s < limits.min_duration_s:
        faults.append(("too_short", f"{row.duration_s:.2f} s, wanted {limits.min_duration_s:g}"))
    if row.duration_s > limits.max_duration_s:
        faults.append(("too_long", f"{row.duration_s:.1f} s, wanted {limits.max_duration_s:g}"))
    clipped = row.measures["clipped_share"]
    if clipped > limits.max_clipped_share:
        faults.append(("clipped", f"{100 * clipped:.1f} % of the samples at a limit"))
    if noise := noise_faults(row.measures, limits):
        faults.append(("noisy", noise))
    return faults


def _text_faults(row: Utterance, kind: str, locale: str) -> list[tuple[str, str]]:
    if not row.text:
        return []
    trap = text_trap(kind, row.text, row.facts, locale)
    return [("text_trap", trap)] if trap else []


def _reading_faults(row: Utterance, locale: str, limits: Limits) -> list[tuple[str, str]]:
    from replikk.judges.compare import compare

    first = row.first.text if row.first else ""
    second = row.second.text if row.second else ""
    if not first or not second:
        return [("no_text", "a recogniser read nothing")]
    faults = []
    apart = compare(first, second, locale=locale, other_forms=True).cer
    if row.text:
        errors = min(compare(row.text, read, locale=locale, other_forms=True).cer for read in (first, second))
        if errors > limits.max_text_cer:
            faults.append(("wrong_text", f"{100 * errors:.0f} % of its letters were not read"))
        misfit = row.second.misfit if row.second else None
        if misfit is not None and misfit > limits.max_misfit:
            faults.append(("wrong_text", f"it explains the sound worse by {misfit:.2f} nats a letter"))
    if apart > limits.max_disagreement_cer:
        faults.append(("readings_differ", f"in {100 * apart:.0f} % of the letters"))
    sure = row.second.confidences if row.second else ()
    mean, least = sum(sure) / max(1, len(sure)), min(sure, default=0.0)
    if mean < limits.min_confidence or least < limits.min_word_confidence:
        faults.append(("unsure", f"words {mean:.2f} sure on average, the least {least:.2f}"))
    return faults


def _pace_faults(row: Utterance, limits: Limits) -> list[tuple[str, str]]:
    letters = sum(character.isalnum() for character in _settled_text(row))
    pace = letters / max(row.measures["speech_s"], 0.01)
    if limits.min_characters_per_s <= pace <= limits.max_characters_per_s:
        return []
    return [("pace", f"{pace:.1f} letters a second of speech")]


def _natural(row: Utterance, limits: Limits, samples: NDArray[np.int16], sample_rate_hz: int) -> Utterance:
    import numpy as np

    from replikk.audio.resample import resample
    from replikk.judges.naturalness import naturalness

    wave: Any = resample((samples / 32768).astype(np.float32), sample_rate_hz, _DNSMOS_RATE_HZ)
    opinion = naturalness(wave)
    if opinion is None:
        return row
    row = replace(row, measures={**row.measures, "naturalness_mos": opinion.overall})
    if opinion.overall < limits.min_naturalness_mos:
        return row.drop("unnatural", f"DNSMOS {opinion.overall:.2f}, wanted {limits.min_naturalness_mos:g}")
    return row
