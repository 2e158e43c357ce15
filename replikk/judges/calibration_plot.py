"""False alarms and misses per band, with the limits in force and with those proposed, as one SVG without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from replikk.judges.calibration import Calibration
from replikk.judges.intervals import Share

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 720, 26, 210, 90, 56
_GREY, _BLUE, _INK = "#8a8a8a", "#1f5fa8", "#222222"


def plot(found: Sequence[Calibration], most_false_alarms: float) -> str:
    """Marks are shares, bars their 95 % intervals; the dashed line is the wanted false-alarm rate."""
    rows: list[tuple[str, Share, str]] = []
    for one in found:
        words = "1 word" if one.band == "1" else f"{one.band} words"
        rows += [
            (f"{words}: false alarms, now", one.now.false_alarms, _GREY),
            (f"{words}: false alarms, proposed", one.proposed.false_alarms, _BLUE),
            (f"{words}: misses, now", one.now.misses, _GREY),
            (f"{words}: misses, proposed", one.proposed.misses, _BLUE),
        ]
    height = _TOP + _ROW * len(rows) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        '<text x="10" y="22" font-size="15">False alarms and misses, with 95 % intervals</text>',
    ]
    for tick in (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0):
        x = _x(tick)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{height - 16}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x}" y="{_TOP - 12}" text-anchor="middle" font-size="10">{tick:.0%}</text>')
    x = _x(most_false_alarms)
    dashed = 'stroke="#b03030" stroke-dasharray="4 3"'
    parts.append(f'<line x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{height - 16}" {dashed}/>')
    for number, (label, share, colour) in enumerate(rows):
        y = _TOP + _ROW * number + _ROW / 2
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(label)}</text>')
        if not share.total:
            parts.append(f'<text x="{_LEFT + 4}" y="{y + 4}" fill="{_GREY}">no clips</text>')
            continue
        parts.append(
            f'<line x1="{_x(share.low)}" x2="{_x(share.high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
            f'<circle cx="{_x(share.share)}" cy="{y}" r="5" fill="{colour}"/>'
            f'<text x="{_WIDTH - _RIGHT + 12}" y="{y + 4}">{share.hits} of {share.total}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _x(share: float) -> float:
    """Root scale: what matters lies between 0 and 10 %."""
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * share**0.5, 1)
