"""What the embedded judge is worth: held-out lines, all voices of a game, errors planted and takes damaged.

Error rates are strict here (only case and punctuation are forgiven); whether a take is rejected is the verdict of a
build with the default thresholds. A clean take counts as rejected when it does not pass, a damaged one only when it is
retried. Every draw comes from one seed. The result is rows for the table in ``docs/judge.md``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import jiwer
import numpy as np

from replikk.engines.espeak_pool import SAMPLE_RATE_HZ
from replikk.errors import ReplikkError
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.mini import damage
from replikk.judges.mini.hearing import Heard, Order, Samples, Studio
from replikk.judges.mini.text import normalise
from replikk.judges.mini.training_data import HELDOUT_LINES, heldout_words
from replikk.judges.mini.training_text import draw_line
from replikk.judges.mini.words import FUNCTION_WORDS, vocabulary
from replikk.judges.signal import measure_signal
from replikk.judges.thresholds import Thresholds
from replikk.judges.verdict import decide

_log = logging.getLogger(__name__)

_TRAINING_LINES_CHECKED = 20_000
_LANGUAGES = {"Swedish": "sv", "Danish": "da", "English": "en-us", "German": "de"}
_CANDIDATES = 5
"""Planted errors drawn per clip; the first that changes the sound is used."""

TextDamage = Callable[[list[str], Random], list[str] | None]
SoundDamage = Callable[[Samples, Random], Samples]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    target: str
    met: bool
    clips: int


def heldout_lines() -> list[str]:
    """The lines. Raises ReplikkError when one of their content words is in the training text."""
    lines = [line for line in HELDOUT_LINES.read_text(encoding="utf-8").splitlines() if line.strip()]
    forbidden = heldout_words()
    random = Random("no overlap")
    trained = set(vocabulary())
    for _ in range(_TRAINING_LINES_CHECKED):
        trained.update(normalise(draw_line(random, forbidden)).split())
    for word in sorted(forbidden & trained):
        raise ReplikkError(f"{HELDOUT_LINES.name}: '{word}' is in the training text; use another word")
    return lines


def outcome(heard: Heard) -> str:
    """The verdict of a build on this take, with the default thresholds: ``pass``, ``retry`` or ``human``."""
    evidence = gather(LineFacts(heard.script), heard.transcript, measure_signal(heard.samples, SAMPLE_RATE_HZ))
    return decide(evidence, Thresholds()).outcome


def read_as_intended(wanted: list[str], heard: str, position: int) -> bool:
    """Whether the judge claims to have heard the wanted word at a place where another was spoken."""
    if not heard:
        return False
    alignment = jiwer.process_words(" ".join(wanted), heard).alignments[0]
    return any(c.type == "equal" and c.ref_start_idx <= position < c.ref_end_idx for c in alignment)


def _share_row(what: str, flags: list[bool], limit: float, *, at_least: bool) -> Row:
    share = sum(flags) / max(len(flags), 1)
    met = bool(flags) and (share >= limit if at_least else share <= limit)
    return Row(what, f"{share:.1%}", f"at {'least' if at_least else 'most'} {limit:.0%}", met, len(flags))


def _clean(studio: Studio, lines: list[str]) -> list[Row]:
    orders = [Order(line, voice) for line in lines for voice in studio.voices]
    heard = studio.listen([order.text for order in orders], studio.speak(orders))
    wanted, texts = [h.wanted for h in heard], [h.transcript.text for h in heard]
    wer, cer = float(jiwer.wer(wanted, texts)), float(jiwer.cer(wanted, texts))
    for h in heard:
        if h.wanted != h.transcript.text:
            _log.info("clean: '%s' was heard as '%s', margin %s", h.wanted, h.transcript.text, h.transcript.margin)
    return [
        Row("word error rate", f"{wer:.2%}", "at most 3 %", wer <= 0.03, len(heard)),
        Row("character error rate", f"{cer:.2%}", "at most 1 %", cer <= 0.01, len(heard)),
        _share_row(
            "clean clips of 4 and more words rejected",
            [outcome(h) != "pass" for h in heard if len(h.wanted.split()) >= 4],
            0.03,
            at_least=False,
        ),
    ]


def _planted(studio: Studio, pairs: list[Order], random: Random) -> list[Row]:
    """A wrong word, a wrong letter: how often the judge hears what was meant instead of what was said."""
    others = sorted(heldout_words() | {word for word in vocabulary() if word not in FUNCTION_WORDS and len(word) > 3})
    rows = []
    for name, limit in (("word", 0.01), ("letter", 0.03)):
        orders, positions, wanted = [], [], []
        for pair in pairs:
            words = normalise(pair.text).split()
            said = " ".join(words)
            orders.append(Order(said, pair.voice))
            wanted.append(words)
            for _ in range(_CANDIDATES):
                planted = (
                    damage.plant_word(words, others, random) if name == "word" else damage.plant_letter(words, random)
                )
                spoken, position = planted or (words, 0)
                orders.append(Order(" ".join(spoken), pair.voice, like=said))
                positions.append(position)
        clips = studio.speak(orders)
        flags = []
        for number, words in enumerate(wanted):
            right, *candidates = clips[number * (_CANDIDATES + 1) : (number + 1) * (_CANDIDATES + 1)]
            # A spelling that the voice reads alike (råpte for ropte) is no error that anybody could hear.
            audible = [n for n, clip in enumerate(candidates) if not np.array_equal(clip, right)]
            if not audible:
                continue
            (heard,) = studio.listen([" ".join(words)], [candidates[audible[0]]])
            position = positions[number * _CANDIDATES + audible[0]]
            flags.append(read_as_intended(words, heard.transcript.text, position))
            if flags[-1]:
                spoken_text = orders[number * (_CANDIDATES + 1) + 1 + audible[0]].text
                _log.info("planted %s: '%s' was read as '%s'", name, spoken_text, heard.transcript.text)
        rows.append(_share_row(f"a planted wrong {name} read as intended", flags, limit, at_least=False))
    return rows


_TEXT_DAMAGE: tuple[tuple[str, TextDamage, float], ...] = (
    ("a quarter of the words dropped", damage.drop_quarter, 0.97),
    ("two words repeated", damage.repeat_two, 0.97),
    ("two words swapped", damage.swap_two, 0.97),
    ("one word dropped, 7 and more words", damage.drop_one, 0.95),
)
_SOUND_DAMAGE: tuple[tuple[str, SoundDamage, float], ...] = (
    ("last 30 % cut off", lambda samples, _: damage.truncate(samples, 0.30), 0.97),
    ("last 10 % cut off", lambda samples, _: damage.truncate(samples, 0.10), 0.95),
    ("a quarter muted", lambda samples, random: damage.mute(samples, 0.25, random), 0.97),
    ("a quarter said twice", lambda samples, random: damage.repeat_segment(samples, 0.25, random), 0.97),
    ("silence", lambda samples, _: np.zeros_like(samples), 0.97),
)


def _damaged(studio: Studio, pairs: list[Order], random: Random) -> list[Row]:
    """Every kind of damage: how often the take would be spoken again."""
    rows = []

    def sent_back(what: str, wanted: list[str], clips: list[Samples]) -> list[bool]:
        heard = studio.listen(wanted, clips)
        flags = [outcome(h) == "retry" for h in heard]
        for h, flag in zip(heard, flags, strict=True):
            if not flag:
                _log.info("%s: '%s' passed as '%s', margin %s", what, h.wanted, h.transcript.text, h.transcript.margin)
        return flags

    for what, spoil, limit in _TEXT_DAMAGE:
        spoiled = [(pair, spoil(normalise(pair.text).split(), random)) for pair in pairs]
        fitting = [(pair, words) for pair, words in spoiled if words is not None]
        clips = studio.speak([Order(" ".join(words), pair.voice) for pair, words in fitting])
        rows.append(_share_row(what, sent_back(what, [pair.text for pair, _ in fitting], clips), limit, at_least=True))
    texts = [pair.text for pair in pairs]
    clips = studio.speak(pairs)
    for what, change, limit in _SOUND_DAMAGE:
        changed = [change(samples, random) for samples in clips]
        rows.append(_share_row(what, sent_back(what, texts, changed), limit, at_least=True))
    shifted = len(clips) // 2  # half the list away: never another voice's take of the same line
    other_lines = clips[shifted:] + clips[:shifted]
    rows.append(_share_row("another line", sent_back("another line", texts, other_lines), 0.97, at_least=True))
    by_language = {}
    for language, code in _LANGUAGES.items():
        foreign = studio.speak([Order(pair.text, pair.voice, language=code) for pair in pairs])
        by_language[language] = sent_back(f"read in {language}", texts, foreign)
    every = [flag for flags in by_language.values() for flag in flags]
    rows.append(_share_row("read by another language's voice", every, 0.97, at_least=True))
    for language, flags in by_language.items():
        rows.append(Row(f"… of these, {language}", f"{sum(flags) / len(flags):.1%}", "", True, len(flags)))
    return rows


def measure(studio: Studio, *, voices_per_line: int = 5, seed: int = 1) -> list[Row]:
    """The whole table. Clean lines in every voice, errors and damage in ``voices_per_line`` voices of each line."""
    lines = heldout_lines()
    random = Random(seed)
    names = sorted(studio.voices)
    pairs = [Order(line, voice) for line in lines for voice in random.sample(names, min(voices_per_line, len(names)))]
    # Damage is judged on lines in which a word can be missing: four words and more.
    long_enough = [pair for pair in pairs if len(normalise(pair.text).split()) >= 4]
    return [*_clean(studio, lines), *_planted(studio, pairs, random), *_damaged(studio, long_enough, random)]
