"""All that is known of one take as a reading of one line: what was wanted, what was heard, what was measured.

Gathered once and kept, so that a tuned threshold decides anew without listening again. Nothing here decides.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from replikk.dialogue.norwegian import VERSION as _TEXT_VERSION
from replikk.judges.compare import Comparison, compare
from replikk.judges.hallucinations import signs
from replikk.judges.leaks import NO_LEAK, SYSTEM_PROMPT, find_leak, repeated_fours
from replikk.judges.plain_rates import plain_counts
from replikk.judges.records import Hearing, Transcript
from replikk.judges.signal_evidence import VERSION as _SIGNAL_VERSION
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.words import split_words, word_key

VERSION = f"7.{_SIGNAL_VERSION}.{_TEXT_VERSION}"
"""Raise it when the same line, transcript and signal would give other evidence: it is part of every evidence key.
The rules of spoken text count, because they say which words may be heard for what is written."""

_PAUSE_MARK = re.compile(r"[.,;:!?…][\"'»”)]*\s+(?=\S)|\s[–—-]+\s|[–—]")
"""Punctuation inside a line, where a voice may breathe."""
_LETTER_NAMES = frozenset({"eff", "ell", "emm", "enn", "err", "ess", "kå", "hå", "jodd", "eks"})
"""Those that are no other word as well."""
_SHORTEST_WANTED_PAUSE_S = 0.15
"""Shorter pauses are not told from the closure of a stop consonant (see ``signal.py``)."""


@dataclass(frozen=True)
class LineFacts:
    """What a line asks of its takes."""

    script: str
    """The words to be spoken, with their punctuation."""
    pauses_ms: tuple[int, ...] = ()
    """Silence wanted after each segment of the line, the last one included; 0 for none."""
    locale: str = "nb"
    respelt: tuple[tuple[str, str], ...] = ()
    """(written, spoken) pairs of the lexicon that this line uses."""
    cast_names: tuple[str, ...] = ()
    drill: bool = False
    max_seconds: float | None = None
    recording: bool = False
    """A human recording: its words were checked by the person who made it, only its signal is judged."""
    direction: str = ""
    """What the sheet asks for in ``style``; to be followed, never spoken."""
    reference_transcript: str = ""
    """What the voice's reference recording says; never to be spoken either."""


@dataclass(frozen=True)
class Evidence:
    """The evidence on one take; plain JSON through ``to_json``."""

    words: int
    """Words of the script as a person counts them: chooses the length band."""
    drill: bool
    recording: bool
    max_seconds: float | None
    heard: str | None
    """What the judge wrote; None when no judge listened."""
    comparison: Comparison | None
    margin: float | None
    """See ``Transcript.margin``."""
    least_confidence: float | None
    """Confidence (0 to 1) of the word that the judge was least sure of."""
    respelt_words: int
    """Words of the script that the lexicon respelt, and names of letters (enn err kå). A judge may spell them its way,
    so that they raise the margin."""
    characters_per_s: float
    """Letters of the script per second of speech, silences of 0.15 s and more left out; 0 for a silent clip."""
    pause_excess_s: float
    """By how much a pause at a wanted place or at punctuation is longer than wanted; the longest excess."""
    pause_missing_s: float
    """By how much a wanted pause is too short; the largest shortfall."""
    pause_end_s: float
    """Silence that the line itself wants at its end."""
    unexplained_silence_s: float
    """The longest silence inside the clip that neither a wanted pause nor punctuation explains."""
    unexplained_silence_at_s: float
    signal: SignalEvidence
    hearing: Hearing | None = None
    """What the judge knows of its own text; None for judges that only spell sounds."""
    leaked_words: int = 0
    """Words in a row that were said beside the script and stand so in a text that the engine was given."""
    leaked_from: str = ""
    """That text: ``direction`` or ``reference``; empty for none."""
    leaked_text: str = ""
    repeated_fours: int = 0
    """Stretches of four words that were said before, beyond those that the script repeats."""
    signs: tuple[tuple[str, str], ...] = ()
    """(code, text) of what explains a difference: credits of a film, a loop, another language."""
    sound_after_words_s: float = 0.0
    """Sound from the end of the last word that was heard to the end of all sound."""
    plain_words: int = 0
    """Words of the script as ``plain_rates`` counts them; no verdict looks at these two."""
    plain_errors: int = 0

    def to_json(self) -> dict[str, Any]:
        record = dict(self.__dict__)
        record["comparison"] = None if self.comparison is None else self.comparison.to_json()
        record["signal"] = self.signal.to_json()
        record["hearing"] = None if self.hearing is None else asdict(self.hearing)
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Evidence:
        values = dict(record)
        if values["comparison"] is not None:
            values["comparison"] = Comparison.from_json(values["comparison"])
        values["signal"] = SignalEvidence.from_json(values["signal"])
        if values.get("hearing") is not None:
            values["hearing"] = Hearing(**values["hearing"])
        values["signs"] = tuple((code, text) for code, text in values.get("signs", ()))
        return cls(**values)


def gather(facts: LineFacts, transcript: Transcript | None, signal: SignalEvidence) -> Evidence:
    """The evidence on a take. ``transcript`` is None when no judge listened; any text and any signal will do."""
    words = split_words(facts.script)
    comparison = None
    if transcript is not None:
        comparison = compare(
            facts.script,
            transcript.text,
            locale=facts.locale,
            respelt=facts.respelt,
            cast_names=facts.cast_names,
            # A judge without a margin is one that writes good Norwegian, and chooses among its forms.
            other_forms=transcript.margin is None,
        )
    plain_words, plain_errors = (0, 0) if transcript is None else plain_counts(facts.script, transcript.text)
    leak, fours = NO_LEAK, 0
    explained: tuple[tuple[str, str], ...] = ()
    if transcript is not None and comparison is not None and comparison.wer > 0:
        prompts = {"direction": (facts.direction, SYSTEM_PROMPT), "reference": (facts.reference_transcript,)}
        leak = find_leak(comparison.alignment, prompts)
        heard_words, wanted_words = comparison.heard_form.split(), comparison.expected_form.split()
        fours = max(0, repeated_fours(heard_words) - repeated_fours(wanted_words))
        explained = tuple((sign.code, sign.text) for sign in signs(facts.script, transcript.text, comparison))
    silences = sum(end - start for start, end in signal.silences)
    speaking_s = signal.duration_s - signal.silence_start_s - signal.silence_end_s - silences
    letters = sum(len(word_key(word)) for word in words)
    excess_s, missing_s, unexplained = _pauses(facts, signal)
    return Evidence(
        words=len(words),
        drill=facts.drill,
        recording=facts.recording,
        max_seconds=facts.max_seconds,
        heard=None if transcript is None else transcript.text,
        comparison=comparison,
        margin=None if transcript is None else transcript.margin,
        least_confidence=min((word.confidence for word in transcript.words), default=None) if transcript else None,
        respelt_words=_respelt_words(facts),
        characters_per_s=round(letters / speaking_s, 3) if speaking_s > 0 and signal.speech_s > 0 else 0.0,
        pause_excess_s=round(excess_s, 4),
        pause_missing_s=round(missing_s, 4),
        pause_end_s=facts.pauses_ms[-1] / 1000 if facts.pauses_ms else 0.0,
        unexplained_silence_s=round(unexplained[1] - unexplained[0], 4),
        unexplained_silence_at_s=round(unexplained[0], 4),
        signal=signal,
        hearing=None if transcript is None else transcript.hearing,
        leaked_words=leak.words,
        leaked_from=leak.source,
        leaked_text=leak.text,
        repeated_fours=fours,
        signs=explained,
        sound_after_words_s=_sound_after_words_s(transcript, signal),
        plain_words=plain_words,
        plain_errors=plain_errors,
    )


def _sound_after_words_s(transcript: Transcript | None, signal: SignalEvidence) -> float:
    """From the end of the last word to the end of all sound, without silences; 0 where no word has a time."""
    if transcript is None or not transcript.words or signal.speech_s == 0:
        return 0.0
    start_s, end_s = transcript.words[-1].end_s, signal.duration_s - signal.silence_end_s
    silent_s = sum(max(0.0, min(end, end_s) - max(start, start_s)) for start, end in signal.silences)
    return round(max(0.0, end_s - start_s - silent_s), 4)


def _respelt_words(facts: LineFacts) -> int:
    words = [word_key(word) for word in split_words(facts.script)]
    spoken = {word_key(word) for _, form in facts.respelt for word in split_words(form)}
    return sum(word in spoken or word in _LETTER_NAMES for word in words)


def _pauses(facts: LineFacts, signal: SignalEvidence) -> tuple[float, float, tuple[float, float]]:
    """(excess, shortfall, unexplained silence) of the pauses.

    Where in the clip a pause was wanted is not known exactly, so the longest silences are taken for the longest wanted
    pauses, the next ones for those at punctuation, and what is left over has no explanation.
    """
    wanted = sorted((ms / 1000 for ms in facts.pauses_ms[:-1] if ms / 1000 >= _SHORTEST_WANTED_PAUSE_S), reverse=True)
    silences = sorted(signal.silences, key=lambda pair: pair[0] - pair[1])
    lengths = [end - start for start, end in silences]
    excess_s = missing_s = 0.0
    for place, pause_s in enumerate(wanted):
        length_s = lengths[place] if place < len(lengths) else 0.0
        excess_s = max(excess_s, length_s - pause_s)
        missing_s = max(missing_s, pause_s - length_s)
    marks = len(_PAUSE_MARK.findall(facts.script.strip()))
    at_marks = lengths[len(wanted) : len(wanted) + marks]
    excess_s = max([excess_s, *at_marks])
    left = silences[len(wanted) + marks :]
    return excess_s, missing_s, left[0] if left else (0.0, 0.0)
