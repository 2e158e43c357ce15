"""The numbers behind the plots: levels and pace per voice, word errors by length, takes per line.

A voice of 3,000 lines is five numbers and a few lines that stand out, so that the plots stay small and every one of the
odd lines can be clicked on. What stands out is told by Tukey's fences: 1.5 times the middle half's width beyond it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from replikk.report.told import ALL_COUNTS

WordCounts = Mapping[tuple[int, ...], int]
"""How many lines there are with each combination of ``ALL_COUNTS``: few combinations stand for thousands of lines."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FENCE = 1.5
FEWEST_FOR_OUTLIERS = 8
"""With fewer lines the middle half is a matter of chance."""
MOST_OUTLIERS = 12
"""Named per voice, the farthest out first."""
LEAST_SPREAD = {"rate": 0.5, "level": 0.5}
"""Letters per second and LU that no ear notices: the middle half is taken to be at least this wide."""
LEAST_LETTERS = 6
"""Of a line whose pace says something."""
BANDS = ((1, 1, "1 word"), (2, 3, "2–3 words"), (4, 7, "4–7 words"), (8, None, "8 words and more"))
"""As ``thresholds.bands`` in config.yaml has them by default."""


def letters_per_s(line: Mapping[str, Any]) -> float | None:
    """Letters and digits of the spoken text per second of the finished clip; None where that says nothing."""
    # Nearly all lines are words, blanks and a stop: counting letter by letter takes five times as long.
    bare = line["spoken"].replace(" ", "").replace(",", "").rstrip(".!?")
    letters = len(bare) if bare.isalnum() else sum(map(str.isalnum, bare))
    if not line["duration_s"] or letters < LEAST_LETTERS:
        return None
    return round(letters / line["duration_s"], 3)


def counted(words: Iterable[Mapping[str, int] | None]) -> WordCounts:
    """``words`` of the lines; None where the judge did not listen."""
    return Counter(map(itemgetter(*ALL_COUNTS), filter(None, words)))


def figures_of(
    lines: Sequence[Mapping[str, Any]],
    drills: frozenset[str],
    words: Mapping[str, WordCounts],
    takes: Iterable[int],
) -> dict[str, Any]:
    """``lines`` as in the report, ``drills`` the ids of those that are drills.

    ``words`` of ``first`` and of ``delivered`` takes; how many ``takes`` were tried, in the order of the lines.
    """
    count = Counter(number for number in takes if number)
    return {
        "voices": _voices(lines, drills),
        "bands": _bands(words),
        "takes": [{"takes": number, "lines": count[number]} for number in sorted(count)],
    }


def _voices(lines: Sequence[Mapping[str, Any]], drills: frozenset[str]) -> list[dict[str, Any]]:
    by_voice: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        by_voice[line["voice"]].append(line)
    found = []
    for voice, mine in sorted(by_voice.items()):
        rates = [
            (rate, line["id"])
            for line in mine
            if line["id"] not in drills and (rate := letters_per_s(line)) is not None
        ]
        after = [(line["loudness_after_lufs"], line["id"]) for line in mine if line["loudness_after_lufs"] is not None]
        before = [line["loudness_before_lufs"] for line in mine if line["loudness_before_lufs"] is not None]
        found.append(
            {
                "voice": voice,
                "rate": _quantiles([rate for rate, _ in rates]),
                "rate_outliers": _outliers(rates, LEAST_SPREAD["rate"]),
                "before_lufs": _quantiles(before),
                "after_lufs": _quantiles([level for level, _ in after]),
                "after_outliers": _outliers(after, LEAST_SPREAD["level"]),
            }
        )
    return found


def _quantiles(values: Sequence[float]) -> list[float] | None:
    """At ``QUANTILES``, between neighbours linearly; None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    found = []
    for quantile in QUANTILES:
        place = quantile * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 3))
    return found


def _outliers(values: Sequence[tuple[float, str]], least_spread: float) -> list[dict[str, Any]]:
    quantiles = _quantiles([value for value, _ in values])
    if quantiles is None or len(values) < FEWEST_FOR_OUTLIERS:
        return []
    _, low, middle, high, _ = quantiles
    reach = FENCE * max(high - low, least_spread)
    far = [(value, line_id) for value, line_id in values if not low - reach <= value <= high + reach]
    far.sort(key=lambda each: (-abs(each[0] - middle), each[1]))
    return [{"id": line_id, "value": value} for value, line_id in far[:MOST_OUTLIERS]]


def _bands(words: Mapping[str, WordCounts]) -> list[dict[str, Any]]:
    """Word errors by the length of the line, of first takes and of what is delivered."""
    totals = [{kind: [0, 0, 0] for kind in ("first", "delivered")} for _ in BANDS]  # lines, words, errors
    for kind, counted in words.items():
        for (hits, substitutions, deletions, insertions, *_), lines in counted.items():
            expected = hits + substitutions + deletions
            if not expected:
                continue
            total = totals[_band(expected)][kind]
            total[0] += lines
            total[1] += lines * expected
            total[2] += lines * (substitutions + deletions + insertions)
    return [
        {
            "label": label,
            **{
                kind: {
                    "lines": lines,
                    "words": count,
                    "errors": errors,
                    "wer": round(errors / count, 6) if count else None,
                }
                for kind, (lines, count, errors) in total.items()
            },
        }
        for (_, _, label), total in zip(BANDS, totals, strict=True)
    ]


def _band(words: int) -> int:
    return next(number for number, (_, most, _) in enumerate(BANDS) if most is None or words <= most)
