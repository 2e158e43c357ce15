"""What a judge that writes freely says against its own text, and what else explains a difference.

Such a judge has a language model, which repairs what it hears and makes up what it does not. So its word error rate is
not all: it also says how likely the wanted text is beside its own, whether anybody spoke, and whether it was looping.
"""

from __future__ import annotations

from collections.abc import Iterator

from replikk.judges.evidence import Evidence
from replikk.judges.hallucinations import compression_ratio
from replikk.judges.reason import DOUBT, Reason
from replikk.judges.records import Hearing
from replikk.judges.thresholds import Band

_SHORTEST_COMPRESSED = 60
"""Characters; shorter texts compress badly whatever they are."""
_MORE_REPETITIVE = 1.5


def hearing_reasons(evidence: Evidence, band: Band) -> Iterator[Reason]:
    """Faults that the judge's text itself gives away, whatever the word error rate."""
    for code, text in evidence.signs:
        if code != "nothing_heard":  # that one has a reason of its own
            yield Reason(code, None, None, text)
    if evidence.leaked_words > band.max_leaked_words:
        what = {"direction": "the direction", "reference": "the text of the reference recording"}[evidence.leaked_from]
        yield Reason(
            f"{evidence.leaked_from}_spoken",
            evidence.leaked_words,
            band.max_leaked_words,
            f"{what} was spoken aloud: «{evidence.leaked_text}»",
        )
    if evidence.repeated_fours > band.max_repeated_fours and not any(code == "loop" for code, _ in evidence.signs):
        text = f"{evidence.repeated_fours} stretches of four words are said again"
        yield Reason("loop", evidence.repeated_fours, band.max_repeated_fours, text)
    if evidence.hearing is not None:
        yield from _own_doubts(evidence, evidence.hearing, band)


def _own_doubts(evidence: Evidence, hearing: Hearing, band: Band) -> Iterator[Reason]:
    looping = any(code == "loop" for code, _ in evidence.signs)
    guessed = hearing.mean_log_probability is not None and hearing.mean_log_probability < band.min_log_probability
    if hearing.no_speech is not None and hearing.no_speech > band.max_no_speech and guessed:
        text = f"nobody seems to speak ({hearing.no_speech:.0%} sure), and the words were guessed"
        yield Reason("no_speech", hearing.no_speech, band.max_no_speech, text)
    if hearing.cut_off:
        yield Reason("ran_on", None, None, "the judge went on writing after any speech of this length had ended")
    comparison = evidence.comparison
    if comparison is None or comparison.wer == 0:
        return
    ratio, own = hearing.compression_ratio, compression_ratio(comparison.expected_form)
    limit = max(band.max_compression_ratio, _MORE_REPETITIVE * own)
    if not looping and ratio is not None and ratio > limit and len(evidence.heard or "") >= _SHORTEST_COMPRESSED:
        yield Reason("loop", ratio, round(limit, 3), f"what was heard repeats itself: it compresses {ratio:.1f} times")
    known = any(code == "other_language" for code, _ in evidence.signs)
    if hearing.own_language is not None and hearing.own_language < band.min_own_language and not known:
        text = f"it may be another language: {hearing.own_language:.0%} sure that it is Norwegian"
        yield Reason("other_language", hearing.own_language, band.min_own_language, text, DOUBT)


def second_ear_doubt(evidence: Evidence, band: Band) -> Reason | None:
    """A recogniser without a language model that hears other sounds than the wanted words have."""
    hearing = evidence.hearing
    if hearing is None or hearing.second_ear_margin is None or hearing.second_ear_margin <= band.max_second_ear_margin:
        return None
    heard = f": «{hearing.second_ear_text}»" if hearing.second_ear_text else ""
    text = f"the second ear heard something else{heard}"
    return Reason("ears_disagree", hearing.second_ear_margin, band.max_second_ear_margin, text, DOUBT)


def is_as_likely(evidence: Evidence, band: Band) -> bool:
    """Whether the judge finds the wanted text as likely as the one that it wrote."""
    hearing = evidence.hearing
    deficit = None if hearing is None else hearing.wanted_deficit_nats
    return deficit is not None and deficit <= band.proven_deficit_nats
