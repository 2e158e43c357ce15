"""Where the marks of the plots stand, in per cent of a row, for the template to draw as small SVG.

Every row is an SVG of its own whose places are per cent and whose text is not scaled, so that a plot is as readable on
a phone as on a desk. Nothing here decides what is drawn; ``figures.py`` has the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replikk.report.wording import spell_share

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
MOST_TICKS = 6
HISTORY_HEIGHT = 150


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high`` and the values that are written on it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """In per cent, within the row."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 2)

    @property
    def marks(self) -> list[tuple[float, str]]:
        return [(self.place(tick), f"{tick:g}".replace("-", "−")) for tick in self.ticks]


def scale_for(values: Sequence[float], least_width: float = 1.0) -> Scale:
    """An axis with round numbers at its ends that holds all values."""
    low, high = (min(values), max(values)) if values else (0.0, least_width)
    width = max(high - low, least_width)
    step = next((step for step in STEPS if width / step <= MOST_TICKS - 1), STEPS[-1])
    # A value that is nothing beside the step would vanish in the division, and lie outside the axis.
    start = math.floor(low / step)
    start -= start * step > low
    end = max(math.ceil(high / step), start + 1)
    end += end * step < high
    ticks = tuple(round(number * step, 6) for number in range(start, end + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def voice_plots(figures: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Rows of the two plots by voice: levels and pace."""
    voices = figures["voices"]
    levels = [value for v in voices for name in ("before_lufs", "after_lufs") if v[name] for value in _ends(v[name])]
    levels += [outlier["value"] for v in voices for outlier in v["after_outliers"]]
    rates = [value for v in voices if v["rate"] for value in _ends(v["rate"])]
    rates += [outlier["value"] for v in voices for outlier in v["rate_outliers"]]
    level, rate = scale_for(levels), scale_for([0.0, *rates])
    return {
        "level_scale": level,
        "rate_scale": rate,
        "rows": [
            {
                "voice": v["voice"],
                "label": labels.get(v["voice"], v["voice"]),
                "before": _box(v["before_lufs"], level, "LUFS"),
                "after": _box(v["after_lufs"], level, "LUFS"),
                "after_outliers": _dots(v["after_outliers"], level, "LUFS"),
                "rate": _box(v["rate"], rate, "letters a second"),
                "rate_outliers": _dots(v["rate_outliers"], rate, "letters a second"),
            }
            for v in voices
        ],
    }


def _ends(quantiles: Sequence[float]) -> tuple[float, float]:
    return quantiles[0], quantiles[-1]


def _box(quantiles: Sequence[float] | None, scale: Scale, unit: str) -> dict[str, Any]:
    """Most lines, the middle half, and the middle."""
    if quantiles is None:
        return {**dict.fromkeys(("low", "width", "quarter", "half", "middle"), 0.0), "text": "–", "told": "no lines"}
    low, quarter, middle, three_quarters, high = map(scale.place, quantiles)
    said = [_signed(value) for value in (quantiles[0], quantiles[2], quantiles[-1])]
    return {
        "low": low,
        "width": round(high - low, 2),
        "quarter": quarter,
        "half": round(three_quarters - quarter, 2),
        "middle": middle,
        "text": said[1],
        "told": f"middle {said[1]} {unit}, most from {said[0]} to {said[2]}",
    }


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _dots(outliers: Sequence[Mapping[str, Any]], scale: Scale, unit: str) -> list[dict[str, Any]]:
    return [
        {
            "id": outlier["id"],
            "place": scale.place(outlier["value"]),
            "told": f"{outlier['id']}: {_signed(outlier['value'])} {unit}",
        }
        for outlier in outliers
    ]


def bar_plots(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Word errors by length of the line, and lines by number of takes."""
    bands = figures["bands"]
    worst = max([band[kind]["wer"] or 0.0 for band in bands for kind in ("first", "delivered")], default=0.0)
    most = max([row["lines"] for row in figures["takes"]], default=0)
    return {
        "bands": [
            {
                "label": band["label"],
                "lines": max(band["first"]["lines"], band["delivered"]["lines"]),
                **{kind: _bar(band[kind]["wer"], worst) for kind in ("first", "delivered")},
            }
            for band in bands
        ],
        "takes": [
            {"takes": row["takes"], "lines": row["lines"], "width": round(86 * row["lines"] / most, 2) if most else 0.0}
            for row in figures["takes"]
        ],
    }


def _bar(share: float | None, worst: float) -> dict[str, Any]:
    width = round(80 * share / worst, 2) if share and worst else 0.0  # room for the number behind the longest one
    return {"width": width, "text": spell_share(share)}


def history_plot(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Pass rates of the last builds as points and lines; None where there is nothing to compare yet."""
    builds = [build for build in history if isinstance(build.get("first_take_pass_rate"), int | float)]
    if len(builds) < 2:
        return None
    names = ("first_take_pass_rate", "after_retry_pass_rate")
    lowest = min(float(build.get(name) or 0.0) for build in builds for name in names)
    bottom = max(0.0, math.floor(lowest * 10 - 0.001) / 10)
    top, foot = 12.0, HISTORY_HEIGHT - 26.0

    def points(name: str) -> list[dict[str, Any]]:
        return [
            {
                "x": round(4 + 92 * number / (len(builds) - 1), 2),
                "y": round(foot - (foot - top) * (float(build.get(name) or 0.0) - bottom) / (1 - bottom or 1), 1),
                "told": f"build {build['number']}: {spell_share(build.get(name))}",
                "number": build["number"],
            }
            for number, build in enumerate(builds)
        ]

    return {
        "height": HISTORY_HEIGHT,
        "top": top,
        "foot": foot,
        "bottom_text": f"{bottom:.0%}".replace("%", " %"),
        "first": points(names[0]),
        "after": points(names[1]),
        "builds": builds,
        "every": max(1, len(builds) // 8),
    }
