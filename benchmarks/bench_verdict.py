"""How long it takes to turn what was heard into verdicts: signal evidence, comparison, verdict, per 10,000 clips.

    python benchmarks/bench_verdict.py [--clips 10000]

``from_store_s`` is what a build pays when evidence and traits are in the store and every verdict is drawn anew, as
after a tuned threshold: the journals are read, each take is held against its voice, decided, and the verdict kept.

CPU seconds of this process on one thread. Lines have 8 words, clips last 3 s; half of the transcripts are not what the
script says, which is far more than a build sees. The sound is a synthetic vowel with pauses: what it is does not change
how long measuring takes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from replikk.journal import Journal
from replikk.judges.compare import compare
from replikk.judges.evidence import Evidence, LineFacts, gather
from replikk.judges.records import Transcript
from replikk.judges.signal import measure_signal
from replikk.judges.thresholds import Thresholds
from replikk.judges.verdict import badness, decide
from replikk.judges.voice_measures import measure_traits
from replikk.judges.voice_profiles import SAMPLE_TAKES, Sample, fit, profiles_of, sample_of
from replikk.judges.voice_traits import VoiceTraits
from replikk.stages.bench import verdict_record

RATE_HZ = 22_050
WORDS = (
    *(
        "en",
        "liten",
        "katt",
        "løper",
        "bort",
        "fra",
        "huset",
        "mens",
        "regnet",
        "faller",
        "tungt",
        "ned",
        "over",
        "byen",
    ),
    *("og", "alle", "barna", "sover", "i", "natt", "nøkkelen", "trollet", "tjuefem", "lesespill", "bøker"),
)
CAST = ("Trinse", "Bustegard", "Måkelina", "Plingbert", "Gråknatt", "Solfrida")


def lines(count: int) -> list[tuple[str, str]]:
    """(script, heard) pairs, every second one with a word wrong and every tenth with a word missing."""
    draw = random.Random(1)
    pairs = []
    for number in range(count):
        script = draw.choices(WORDS, k=8)
        heard = list(script)
        if number % 2:
            heard[draw.randrange(8)] = draw.choice(WORDS)
        if number % 10 == 0:
            heard.pop(draw.randrange(8))
        pairs.append((" ".join(script).capitalize() + ".", " ".join(heard)))
    return pairs


def clip() -> np.ndarray:
    """3 s of int16 [samples]: harmonics of 110 Hz in four bursts."""
    moment = np.arange(3 * RATE_HZ) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * 110 * k * moment) / k for k in range(1, 12))
    loud = np.clip(np.sin(2 * np.pi * 1.3 * moment), 0, 1)
    return np.round(6000 * wave * loud).astype(np.int16)


VOICES = ("kari", "ola", "ingrid", "tor", "erik", "vilde", "astrid", "gudrun", "pling")


def judge_from_store(folder: Path, scripts: Sequence[str]) -> list[str]:
    """Outcomes of takes whose evidence and traits are in the journals of ``folder``."""
    evidence, traits, verdicts = (Journal(folder / f"{name}.journal") for name in ("evidence", "traits", "verdicts"))
    thresholds = Thresholds()

    def sample(number: int) -> Sample:
        record = traits.get(f"{number:064x}")
        assert record is not None
        return sample_of(scripts[number], VoiceTraits.from_json(record["traits"]))

    known = {
        voice: [sample(n) for n in range(place, len(scripts), 9)[:SAMPLE_TAKES]] for place, voice in enumerate(VOICES)
    }
    profiles = profiles_of(known)
    outcomes = []
    for number in range(len(scripts)):
        key = f"{number:064x}"
        record = evidence.get(key)
        assert record is not None
        found, take = Evidence.from_json(record["evidence"]), sample(number)
        verdict = decide(found, thresholds, fit(profiles, VOICES[number % 9], take), take.traits)
        verdicts.append(key, {"take": key, "verdict": verdict_record(verdict, badness(found, verdict))})
        outcomes.append(verdict.outcome)
    return outcomes


def fill_store(folder: Path, gathered: Sequence[Evidence], traits: VoiceTraits) -> None:
    """Evidence and traits of as many takes, the traits with a little chance in them."""
    draw = random.Random(2)
    evidence_journal, traits_journal = Journal(folder / "evidence.journal"), Journal(folder / "traits.journal")
    assert traits.timbre is not None
    for number, evidence in enumerate(gathered):
        key = f"{number:064x}"
        timbre = [round(value + draw.gauss(number % 9, 0.3), 4) for value in traits.timbre]
        evidence_journal.append(key, {"take": key, "evidence": evidence.to_json()})
        traits_journal.append(key, {"take": key, "traits": {**traits.to_json(), "timbre": timbre}})


def cpu_seconds(run: Callable[[], Sequence[object]]) -> tuple[float, Sequence[object]]:
    started = time.process_time()
    result = run()
    return time.process_time() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    count = parser.parse_args().clips
    pairs, samples, thresholds = lines(count), clip(), Thresholds()

    def evidence() -> list[Evidence]:
        return [gather(LineFacts(s, cast_names=CAST), Transcript("t", h, (), 0.01), signal) for s, h in pairs]

    first_s, _ = cpu_seconds(lambda: [compare("Vi har 25 epler", "vi har tjuefem epler", locale="nb")])
    signal_s, signals = cpu_seconds(lambda: [measure_signal(samples, RATE_HZ) for _ in range(min(count, 2000))])
    signal = measure_signal(samples, RATE_HZ)
    compare_s, _ = cpu_seconds(lambda: [compare(s, h, locale="nb", cast_names=CAST) for s, h in pairs])
    gather_s, gathered = cpu_seconds(evidence)
    decide_s, verdicts = cpu_seconds(
        lambda: [badness(item, decide(item, thresholds)) for item in gathered if isinstance(item, Evidence)]
    )
    traits_s, _ = cpu_seconds(lambda: [measure_traits(samples, RATE_HZ, signal) for _ in range(min(count, 500))])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        items = [item for item in gathered if isinstance(item, Evidence)]
        fill_store(folder, items, measure_traits(samples, RATE_HZ, signal))
        store_s, _ = cpu_seconds(lambda: judge_from_store(folder, [script for script, _ in pairs]))
    print(
        json.dumps(
            {
                "clips": count,
                "first_comparison_s": round(first_s, 3),
                "signal_s": round(signal_s / len(signals) * count, 2),
                "traits_s": round(traits_s / min(count, 500) * count, 2),
                "compare_s": round(compare_s, 2),
                "gather_s": round(gather_s, 2),
                "decide_s": round(decide_s, 2),
                "from_store_s": round(store_s, 2),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            },
            indent=1,
        )
    )
    assert len(verdicts) == count


if __name__ == "__main__":
    main()
