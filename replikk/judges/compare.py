"""What was wanted against what was heard: the alignment, and the numbers that a verdict needs.

Both sides are written the same way first (``bridging.py``), so that what no ear can hear is no error, and then aligned
by jiwer. Nothing here has a threshold; ``verdict.py`` decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from replikk.judges.bridging import Word, spell_out, write_like
from replikk.judges.words import sounds_alike


@dataclass(frozen=True)
class Comparison:
    """How far the heard words are from the script. Counts are words unless named otherwise."""

    words_expected: int
    words_heard: int
    hits: int
    substitutions: int
    insertions: int
    deletions: int
    wer: float
    """Word errors per expected word; 1 and more is possible. For an empty script 0, or 1 when anything was heard."""
    cer: float
    """Character errors per expected character, blanks included, both sides written the same way."""
    longest_wrong_run_words: int
    """Wrong words in a row; those that sound the same are not counted."""
    extra_words_start: int
    extra_words_end: int
    missing_words_end: int
    repeated_words: int
    """Heard words that repeat, at once, what was just said, and that the script does not repeat."""
    sound_alikes: int
    """Substitutions by a word that sounds the same (fullt/fult, og/å): a matter of spelling, not of the take."""
    alignment: tuple[tuple[str, str, str], ...]
    """(``ok`` | ``sub`` | ``ins`` | ``del``, expected, heard) in reading order, words as displayed."""
    expected_form: str
    """The script as it was compared; words with one blank between them."""
    heard_form: str
    """The heard text as it was compared, blanks and numbers written the script's way."""

    def to_json(self) -> dict[str, Any]:
        record = asdict(self)
        record["alignment"] = [list(step) for step in self.alignment]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Comparison:
        values = dict(record)
        values["alignment"] = tuple((op, expected, heard) for op, expected, heard in values["alignment"])
        return cls(**values)


def compare(
    script: str,
    heard: str,
    *,
    locale: str,
    respelt: Sequence[tuple[str, str]] = (),
    cast_names: Collection[str] = (),
) -> Comparison:
    """Align what was heard with the script.

    ``respelt`` holds the (written, spoken) pairs of the lexicon that the line uses; ``cast_names`` the names of the
    characters, which no judge knows; ``locale`` is ``nb`` or ``nn`` and chooses the number words. No pair of texts
    raises; both may be empty.
    """
    wanted = spell_out(script, locale)
    return _measure(wanted, write_like(wanted, script, heard, locale, respelt, cast_names))


def _measure(wanted: Sequence[Word], got: Sequence[Word]) -> Comparison:
    expected_keys, heard_keys = [word.key for word in wanted], [word.key for word in got]
    steps = _align(expected_keys, heard_keys)
    counts = {op: sum(1 for step in steps if step[0] == op) for op in ("ok", "sub", "ins", "del")}
    errors = len(steps) - counts["ok"]
    expected_form, heard_form = " ".join(expected_keys), " ".join(heard_keys)
    if not errors:
        cer = 0.0
    elif not wanted or not got:
        cer = 1.0
    else:
        import jiwer

        cer = jiwer.process_characters(expected_form, heard_form).cer
    alike = [op == "sub" and sounds_alike(wanted[i].shown, got[j].shown) for op, i, j in steps]
    starts, ends = _edge_run(steps), _edge_run(steps[::-1])
    return Comparison(
        words_expected=len(wanted),
        words_heard=len(got),
        hits=counts["ok"],
        substitutions=counts["sub"],
        insertions=counts["ins"],
        deletions=counts["del"],
        wer=errors / len(wanted) if wanted else float(bool(got)),
        cer=cer,
        longest_wrong_run_words=_longest_wrong_run(steps, alike),
        extra_words_start=max(0, starts[1] - starts[0]),
        extra_words_end=max(0, ends[1] - ends[0]),
        missing_words_end=max(0, ends[0] - ends[1]),
        # What was said twice is somewhere in the alignment as words too many or in the place of others.
        repeated_words=min(_repeated_words(expected_keys, heard_keys), counts["ins"] + counts["sub"]),
        sound_alikes=sum(alike),
        alignment=_displayed(steps, wanted, got),
        expected_form=expected_form,
        heard_form=heard_form,
    )


_Step = tuple[str, int, int]
"""(op, index of the expected word, index of the heard word); an index that the op has no use for is where it stands."""


def _align(expected: Sequence[str], heard: Sequence[str]) -> list[_Step]:
    if expected == heard:
        return [("ok", i, i) for i in range(len(expected))]
    if not expected or not heard:
        return [("del", i, 0) for i in range(len(expected))] + [("ins", 0, j) for j in range(len(heard))]
    import jiwer

    steps: list[_Step] = []
    for chunk in jiwer.process_words(" ".join(expected), " ".join(heard)).alignments[0]:
        i, j = chunk.ref_start_idx, chunk.hyp_start_idx
        length = max(chunk.ref_end_idx - i, chunk.hyp_end_idx - j)
        if chunk.type == "insert":
            steps.extend(("ins", i, j + k) for k in range(length))
        elif chunk.type == "delete":
            steps.extend(("del", i + k, j) for k in range(length))
        else:
            op = "ok" if chunk.type == "equal" else "sub"
            steps.extend((op, i + k, j + k) for k in range(length))
    return steps


def _edge_run(steps: Sequence[_Step]) -> tuple[int, int]:
    """(expected, heard) words of the wrong run at the beginning of ``steps``; both 0 when nothing at all is right."""
    expected = heard = 0
    for op, _, _ in steps:
        if op == "ok":
            return expected, heard
        expected += op != "ins"
        heard += op != "del"
    return 0, 0


def _longest_wrong_run(steps: Sequence[_Step], alike: Sequence[bool]) -> int:
    longest = run = 0
    for (op, _, _), sounds_right in zip(steps, alike, strict=True):
        run = 0 if op == "ok" or sounds_right else run + 1
        longest = max(longest, run)
    return longest


def _repeats(keys: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Phrases that are said again at once, each with how often again; the longest phrase first at every place."""
    found: dict[tuple[str, ...], int] = {}
    at = 0
    while at < len(keys):
        step = 1
        for length in range((len(keys) - at) // 2, 0, -1):
            if keys[at] == keys[at + length] and keys[at : at + length] == keys[at + length : at + 2 * length]:
                phrase = tuple(keys[at : at + length])
                found[phrase] = found.get(phrase, 0) + 1
                step = length
                break
        at += step
    return found


def _repeated_words(expected: Sequence[str], heard: Sequence[str]) -> int:
    wanted = _repeats(expected)
    return sum(len(phrase) * max(0, times - wanted.get(phrase, 0)) for phrase, times in _repeats(heard).items())


def _displayed(steps: Sequence[_Step], wanted: Sequence[Word], got: Sequence[Word]) -> tuple[tuple[str, str, str], ...]:
    """The steps in displayed words; right words that were one stretch on either side are shown as one."""
    out: list[tuple[str, str, str]] = []
    at = 0
    while at < len(steps):
        op, i, j = steps[at]
        if op != "ok":
            out.append((op, "" if op == "ins" else wanted[i].shown, "" if op == "del" else got[j].shown))
            at += 1
            continue
        end = at + 1
        while end < len(steps) and steps[end][0] == "ok":
            _, i_next, j_next = steps[end]
            _, i_last, j_last = steps[end - 1]
            if wanted[i_next].group != wanted[i_last].group and got[j_next].group != got[j_last].group:
                break
            end += 1
        out.append(
            (
                "ok",
                _shown([wanted[step[1]] for step in steps[at:end]]),
                _shown([got[step[2]] for step in steps[at:end]]),
            )
        )
        at = end
    return tuple(out)


def _shown(words: Sequence[Word]) -> str:
    """The displayed text of consecutive words: whole stretches as they stood, parts of one word by word."""
    out: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        stretch = words[at : at + word.group_size]
        if len(stretch) == word.group_size and all(other.group == word.group for other in stretch):
            out.append(word.group_shown)
            at += word.group_size
        else:
            out.append(word.shown)
            at += 1
    return " ".join(out)
