"""What speaks against a take, one ``Reason`` each, in words that a voice director understands.

What a judge writes is weaker evidence than how well the wanted words explain the sound: a recogniser that spells a
homophone its own way has heard the right sound. So a judge that gives a margin can overrule its own spelling, while
the line's *misfit* (``misfit_nats``) is so small that not even one wrong letter fits into it. A judge without a margin
is taken at its word; where it cannot even say how likely the wanted text is, word by word (``other_words.py``).
Neither overrules the measurements of the signal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replikk.judges.compare import Comparison
from replikk.judges.evidence import Evidence
from replikk.judges.hearing_reasons import hearing_reasons, is_as_likely, second_ear_doubt
from replikk.judges.other_words import mishearings, other_words
from replikk.judges.reason import DOUBT, Reason
from replikk.judges.sound_reasons import pace_reasons, sound_reasons
from replikk.judges.thresholds import Band
from replikk.judges.voice_profiles import VoiceFit
from replikk.judges.voice_reasons import voice_reasons
from replikk.judges.voice_traits import VoiceTraits
from replikk.judges.words import sounds_alike

_MOST_WORDS_SHOWN = 4


def misfit_nats(evidence: Evidence, band: Band) -> float | None:
    """By how much the wanted text explains the sound worse than the best reading does, over the whole line, in nats.

    What good takes have everywhere (``max_margin`` per character) is taken off, so that one missing word weighs the
    same in a line of five words and in a monologue. None for a judge without a margin.
    """
    if evidence.margin is None or evidence.comparison is None:
        return None
    return max(0.0, (evidence.margin - band.max_margin) * len(evidence.comparison.expected_form))


def reasons_against(
    evidence: Evidence, band: Band, fit: VoiceFit | None = None, traits: VoiceTraits | None = None
) -> Iterator[Reason]:
    """Everything that stands between a take and its pass: the sound first, then the words, then the voice."""
    signal = evidence.signal
    if signal.speech_s == 0:
        yield Reason("silent", signal.peak_dbfs, band.min_level_dbfs, "the clip is silent")
        return
    yield from sound_reasons(evidence, band)
    if evidence.recording and evidence.comparison is None:
        return  # a person spoke and chose it; only its signal is a machine's business
    if evidence.drill:
        yield Reason("drill", None, None, "letters, sounds and counting: a person listens once and accepts", DOUBT)
        return
    if evidence.comparison is None:
        yield Reason("not_heard", None, None, "no judge could listen to this clip: a person must", DOUBT)
        return
    yield from pace_reasons(evidence, band)
    yield from _word_reasons(evidence, evidence.comparison, band)
    yield from voice_reasons(fit, traits, band)


# The words -----------------------------------------------------------------------------------------------------------


def _word_reasons(evidence: Evidence, heard: Comparison, band: Band) -> Iterator[Reason]:
    misfit = misfit_nats(evidence, band)
    # What words that are only spelled otherwise may add to it.
    spelling = band.spelling_nats * (max(heard.sound_alikes, evidence.respelt_words) + (heard.wer == 0))
    if misfit is not None and misfit - spelling > band.max_misfit_nats:
        yield Reason(
            "misfit", round(misfit - spelling, 2), band.max_misfit_nats, "the sound does not fit the wanted words"
        )
    if heard.words_heard == 0:
        if heard.words_expected:
            yield Reason("nothing_heard", 1.0, band.max_wer, "no words were heard")
        return
    if not heard.hits and heard.words_expected > 1 and heard.sound_alikes == 0:
        yield Reason("wrong_line", heard.wer, band.max_wer, f"something else was said: {_quote(_heard(heard))}")
        yield from hearing_reasons(evidence, band)
        return
    doubt = second_ear_doubt(evidence, band)
    if not heard.wer:
        if evidence.hearing is not None:
            yield from hearing_reasons(evidence, band)
        if doubt is not None:
            yield doubt
        return
    if misfit is not None and misfit <= band.proven_misfit_nats and heard.cer <= band.max_proven_cer:
        return
    yield from hearing_reasons(evidence, band)
    if heard.words_expected == heard.substitutions == 1 and _may_be_spelling(heard, misfit, band):
        yield Reason(
            "unclear_word",
            heard.cer,
            band.max_cer,
            f"{_wanted_and_heard(_wrong(heard))}: too short a line to tell a wrong sound from a wrong spelling",
            DOUBT,
        )
        return
    if misfit is None:
        yield from _free_reasons(evidence, heard, band, doubt)
        return
    yield from _count_reasons(heard, band)
    if _wrong(heard) and misfit - spelling > band.proven_misfit_nats:
        text = f"wrong words: {_wanted_and_heard(_wrong(heard))}"
        yield Reason("wrong_words", round(misfit - spelling, 2), band.proven_misfit_nats, text)
        if heard.longest_wrong_run_words > band.max_wrong_run_words:
            yield _wrong_run(heard, band)


def _free_reasons(evidence: Evidence, heard: Comparison, band: Band, doubt: Reason | None) -> Iterator[Reason]:
    """The words by a judge without a margin, which writes freely."""
    hearing = evidence.hearing
    deficit = None if hearing is None else hearing.wanted_deficit_nats
    rates = list(_rate_reasons(heard, band))
    if deficit is None and not any(reason.code in ("word_errors", "character_errors") for reason in rates):
        rates += _other_word_reasons(heard, band)  # nothing else would see it
    found = [*_count_reasons(heard, band), *rates]
    if found and is_as_likely(evidence, band) and heard.cer <= band.max_proven_cer:
        # Two spellings of one sound to it: not proof of a fault, and no proof of the words either, unless a
        # recogniser without a language model heard them.
        if hearing is None or hearing.second_ear_margin is None or doubt is not None:
            words = _wanted_and_heard(_wrong(heard)) or "words too few or too many"
            text = f"{words}, but the wanted words are as likely"
            yield Reason("unclear_words", deficit, band.proven_deficit_nats, text, DOUBT)
        return
    yield from found
    if not found and deficit is not None and deficit > band.max_wanted_deficit_nats and _wrong(heard):
        text = f"wrong words: {_wanted_and_heard(_wrong(heard))}"
        yield Reason("wrong_words", deficit, band.max_wanted_deficit_nats, text)
    if doubt is not None:
        yield doubt


def _rate_reasons(heard: Comparison, band: Band) -> Iterator[Reason]:
    """What the judge wrote, when that is all there is. Words that sound the same are no errors."""
    wrong = _wrong(heard)
    if heard.wer == 0 or not (wrong or heard.insertions or heard.deletions):
        return
    wer = heard.wer - heard.sound_alikes / max(1, heard.words_expected)
    if wer > band.max_wer:
        yield Reason("word_errors", round(wer, 4), band.max_wer, f"wrong words: {_wanted_and_heard(wrong)}")
    elif wrong and heard.cer > band.max_cer:
        yield Reason("character_errors", heard.cer, band.max_cer, f"words are unclear: {_wanted_and_heard(wrong)}")
    if heard.longest_wrong_run_words > band.max_wrong_run_words:
        yield _wrong_run(heard, band)


def _other_word_reasons(heard: Comparison, band: Band) -> Iterator[Reason]:
    """Words that were heard as other words, in a line whose rates are within their limits."""
    others = other_words(heard.alignment)
    most = band.max_other_words + mishearings(heard.words_expected)
    if len(others) > most:
        text = f"{'another word' if len(others) == 1 else 'other words'} heard: {_wanted_and_heard(others)}"
        yield Reason("other_words", len(others), most, text)


def _wrong_run(heard: Comparison, band: Band) -> Reason:
    run = heard.longest_wrong_run_words
    return Reason("wrong_run", run, band.max_wrong_run_words, f"{run} words in a row are wrong")


def _wrong(heard: Comparison) -> list[tuple[str, str, str]]:
    """The substitutions that do not sound the same."""
    return [step for step in heard.alignment if step[0] == "sub" and not sounds_alike(step[1], step[2])]


def _count_reasons(heard: Comparison, band: Band) -> Iterator[Reason]:
    """Words too few, too many or twice."""
    missing = [step[1] for step in heard.alignment if step[0] == "del"]
    extra = [step[2] for step in heard.alignment if step[0] == "ins"]
    if heard.deletions > band.max_missing_words:
        if heard.missing_words_end:
            code, where = "missing_end", "the end is missing: "
        else:
            code, where = "missing_words", ""
        yield Reason(
            code, heard.deletions, band.max_missing_words, f"{where}{_quote(missing)} {_was(missing)} not heard"
        )
    if heard.repeated_words > band.max_repeated_words:
        count = "a word is" if heard.repeated_words == 1 else f"{heard.repeated_words} words are"
        yield Reason("repeated", heard.repeated_words, band.max_repeated_words, f"{count} said twice")
    elif heard.insertions > band.max_extra_words:
        if heard.extra_words_start:
            code, where = "extra_start", " before the line"
        elif heard.extra_words_end:
            code, where = "extra_end", " after the line"
        else:
            code, where = "extra_words", ", which the script does not have"
        yield Reason(code, heard.insertions, band.max_extra_words, f"{_quote(extra)} {_was(extra)} said{where}")


def _may_be_spelling(heard: Comparison, misfit: float | None, band: Band) -> bool:
    """Whether a one-word line was heard nearly right: the sound fits, or, without a margin, two letters in three."""
    if heard.sound_alikes:
        return True
    return heard.cer <= 1 / 3 if misfit is None else misfit <= band.max_misfit_nats


def _heard(heard: Comparison) -> list[str]:
    return [step[2] for step in heard.alignment if step[2]]


def _was(words: Sequence[str]) -> str:
    return "was" if len(words) == 1 else "were"


def _quote(words: Sequence[str]) -> str:
    """«en» «to»: at most four words, and how many more."""
    shown = " ".join(words[:_MOST_WORDS_SHOWN])
    more = len(words) - _MOST_WORDS_SHOWN
    return f"«{shown}»" if more <= 0 else f"«{shown} …» and {more} more"


def _wanted_and_heard(steps: Sequence[tuple[str, str, str]]) -> str:
    pairs = [f"«{heard}» instead of «{expected}»" for _, expected, heard in steps[:_MOST_WORDS_SHOWN]]
    more = len(steps) - len(pairs)
    return ", ".join(pairs) + (f" and {more} more" if more else "")
