"""``gate/index.html``: what the gate decided and why, for a person to read and hear. One file, the clips beside it.

Drawn from the decision and the readings alone, without a script and without anything from a network; a content
security policy forbids both. Every text of a user (names of voices, what a judge heard, reasons) is escaped by jinja2.
Plots are SVG whose places are per cent and whose text is not scaled, as in the report of a build.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.judges.compare import compare
from replikk.report.diff import runs
from replikk.report.page_data import link
from replikk.report.plots import scale_for
from replikk.report.wording import count_of, spell_share
from replikk.training.gate_scripts import DIRECTED, TIERS
from replikk.training.trials import Reading

if TYPE_CHECKING:
    from jinja2 import Environment

    from replikk.training.readings import Heard

TEMPLATES = Path(__file__).parent / "templates"
TIER_LABELS = {
    "short": "5 s",
    "middle": "15 s",
    "long": "30 s and more",
    "all": "all together",
    DIRECTED: "with directions",
}
KINDS = {"adapter": "raw", "ema_adapter": "averaged"}
"""By folder in a checkpoint."""
FAULTS = (
    ("word_errors", "wrong, missing or added words"),
    ("missing_words", "missing words"),
    ("missing_runs", "skipped phrases"),
    ("merged_words", "words run together"),
    ("repeated_words", "repeated words"),
    ("leaked_words", "words of the prompt"),
    ("long_silences", "long silences"),
    ("failures", "takes that could not be made"),
)
WORST = 2
"""Clips of a candidate per length beside the first one: with the worst faults."""
PLOT_HEIGHT, PLOT_TOP, PLOT_FOOT = 210, 12.0, 178.0
PLOT_LEFT, PLOT_RIGHT = 9.0, 97.0
"""Per cent: room for the numbers of the axis."""
_STEP = re.compile(r"step_(\d+)(?:/(\w+))?")
_GRAVE = ("missing_runs", "merged_words", "repeated_words", "leaked_words", "long_silences")


def render_gate_page(record: Mapping[str, Any], heard: Mapping[str, Sequence[Heard]]) -> bytes:
    """The page of a decision (``harness.hold_gate`` has the record); ``heard`` are all readings by reader."""
    verdicts = {verdict["name"]: verdict for verdict in record["verdicts"]}
    readers = [_reader(name, record, verdicts.get(name)) for name in record["rates"]]
    style = (TEMPLATES / "gate.css").read_text(encoding="utf-8")
    from markupsafe import Markup

    text = (
        _environment()
        .get_template("gate.html")
        .render(
            style=Markup(style),
            policy=_policy(style),
            record=record,
            readers=readers,
            promoted=next((reader for reader in readers if reader["name"] == record["promoted"]), None),
            tiers=[(tier, TIER_LABELS[tier]) for tier in (*TIERS, "all")],
            directed=TIER_LABELS[DIRECTED] if all(DIRECTED in reader["rates"] for reader in readers) else "",
            plots=[_plot(tier, readers) for tier in (*TIERS, "all")],
            details=[_detail(reader, heard, record["incumbent"]) for reader in readers if reader["verdict"]],
            outside=list(record["outside"]),
            same_text=_same_text(readers, heard),
            rules=_rules(record),
        )
    )
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["link"] = link
    environment.filters["share"] = spell_share
    environment.filters["points"] = spell_points
    environment.filters["likeness"] = spell_likeness
    environment.globals["count_of"] = count_of
    return environment


def _policy(style: str) -> str:
    own = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{own}'; media-src 'self' file:; base-uri 'none'; form-action 'none'"


def spell_points(difference: Mapping[str, float]) -> str:
    """A difference of shares in points, with its interval.

    >>> spell_points({"value": -0.041, "low": -0.06, "high": 0.002})
    '−4.1 (−6.0 to +0.2)'
    """
    value, low, high = (f"{100 * difference[key]:+.1f}".replace("-", "−") for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def spell_likeness(rate: Mapping[str, float]) -> str:
    """A cosine with its interval.

    >>> spell_likeness({"value": 0.713, "low": 0.7, "high": -0.02})
    '0.71 (0.70 to −0.02)'
    """
    value, low, high = (f"{rate[key]:.2f}".replace("-", "−") for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _reader(name: str, record: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    """A control or a candidate, as table and plots need it."""
    found = _STEP.fullmatch(name)
    step, folder = (int(found[1]), found[2] or "adapter") if found else (None, "adapter")
    if verdict is None:
        outcome = kind = "outside" if name in record["outside"] else "control"
    else:
        kind = KINDS.get(folder, "raw")
        better = "passes" if verdict["is_better"] else "no better"
        outcome = better if verdict["passes"] else "refused"
    if name == record["promoted"]:
        outcome = "promoted"
    return {
        "name": name,
        "anchor": re.sub(r"[^A-Za-z0-9]+", "-", name),
        "label": name if step is None else f"step {step:,}".replace(",", "\u202f"),
        "kind": kind,
        "step": step,
        "outcome": outcome,
        "rates": record["rates"][name],
        "likeness": record["likeness"][name],
        "beside": verdict["differences"][record["incumbent"]] if verdict else record["outside"].get(name),
        "verdict": verdict,
    }


def _plot(tier: str, readers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Word error rate by step: a point with its interval each, joined by kind; controls as level lines."""
    shown = [reader for reader in readers if tier in reader["rates"]]
    scale = scale_for([0.0, *(100 * reader["rates"][tier]["high"] for reader in shown)])
    candidates = [reader for reader in shown if reader["verdict"]]
    # Names that are no checkpoints' stand in their order.
    steps = [number if reader["step"] is None else reader["step"] for number, reader in enumerate(candidates)]
    low, width = min(steps, default=0), max(steps, default=0) - min(steps, default=0)

    def x_of(step: int, kind: str) -> float:
        share = (step - low) / width if width else 0.5
        beside = 0.6 if kind == "averaged" else -0.6  # so that the two intervals of a step do not hide each other
        return round(PLOT_LEFT + 2 + (PLOT_RIGHT - PLOT_LEFT - 4) * share + beside, 2)

    def y_of(rate: float) -> float:
        return round(PLOT_FOOT - (PLOT_FOOT - PLOT_TOP) * scale.place(100 * rate) / 100, 1)

    points: dict[str, list[dict[str, Any]]] = {}
    for reader, step in zip(candidates, steps, strict=True):
        rate = reader["rates"][tier]
        points.setdefault(reader["kind"], []).append(
            {
                "x": x_of(step, reader["kind"]),
                **{name: y_of(rate[name]) for name in ("value", "low", "high")},
                "outcome": reader["outcome"].replace(" ", "-"),
                "anchor": reader["anchor"],
                "told": f"{reader['label']}, {reader['kind']}: {_told(rate)}, {reader['outcome']}",
            }
        )
    ends = [steps[0], steps[-1]] if width else steps[:1]
    return {
        "label": TIER_LABELS[tier],
        "ticks": [(y_of(tick / 100), f"{tick:g}") for tick in scale.ticks],
        "series": points,
        "controls": [
            {"y": y_of(one["rates"][tier]["value"]), "told": f"{one['name']}: {_told(one['rates'][tier])}"}
            | {"name": one["name"], "kind": one["kind"]}
            for one in shown
            if not one["verdict"]
        ],
        "steps": [(x_of(step, ""), f"step {step:,}".replace(",", "\u202f")) for step in ends],
    }


def _told(rate: Mapping[str, float]) -> str:
    return f"{spell_share(rate['value'])} ({spell_share(rate['low'])} to {spell_share(rate['high'])})"


def _detail(reader: Mapping[str, Any], heard: Mapping[str, Sequence[Heard]], incumbent: str) -> dict[str, Any]:
    """Everything about one candidate: reasons, faults by length, clips beside the incumbent's."""
    mine, theirs = heard[reader["name"]], {one.reading.pair: one for one in heard[incumbent]}
    groups = [group for group in (*TIERS, DIRECTED) if any(one.reading.tier == group for one in mine)]
    by_tier = {group: [one for one in mine if one.reading.tier == group] for group in groups}
    return {
        **reader,
        "groups": [TIER_LABELS[group] for group in groups],
        "faults": [
            {
                "label": label,
                "counts": [sum(_count(one.reading, code) for one in by_tier[group]) for group in groups],
                "theirs": [
                    sum(_count(theirs[one.reading.pair].reading, code) for one in by_tier[group]) for group in groups
                ],
            }
            for code, label in FAULTS
        ],
        "clips": [
            {**_clip(one), "theirs": _clip(theirs[one.reading.pair]), "incumbent": incumbent}
            for group in groups
            for one in _to_hear(by_tier[group])
        ],
    }


def _count(reading: Reading, code: str) -> int:
    return int(bool(reading.failure)) if code == "failures" else int(getattr(reading, code))


def _to_hear(readings: Sequence[Heard]) -> list[Heard]:
    """The worst ones, and the first one, which is the same for everybody."""

    def badness(one: Heard) -> tuple[bool, int, int]:
        return bool(one.reading.failure), sum(_count(one.reading, code) for code in _GRAVE), one.reading.word_errors

    worst = [one for one in sorted(readings, key=badness, reverse=True)[:WORST] if any(badness(one))]
    return [*worst, *(one for one in readings[:1] if one not in worst)]


def _clip(one: Heard) -> dict[str, Any]:
    reading = one.reading
    said = compare(reading.text, reading.heard, locale="nb").alignment if not reading.failure else ()
    return {
        "path": one.clip,
        "tier": TIER_LABELS[reading.tier],
        "voice": reading.voice,
        "seed": reading.seed,
        "likeness": "" if reading.likeness is None else f"likeness {reading.likeness:.2f}".replace("-", "−"),
        "text": reading.text,
        "style": reading.style,
        "diff": runs(said),
        "failure": reading.failure,
        "faults": [f"{label}: {count}" for code, label in FAULTS if (count := _count(reading, code))],
    }


def _same_text(readers: Sequence[Mapping[str, Any]], heard: Mapping[str, Sequence[Heard]]) -> list[dict[str, Any]]:
    """The first text of each length by everybody, in the order of training: the ear hears how a run went."""
    found = []
    for tier in TIERS:
        first = next(one.reading for one in heard[readers[0]["name"]] if one.reading.tier == tier)
        by = [
            {
                "reader": reader,
                "clip": next(one.clip for one in heard[reader["name"]] if one.reading.pair == first.pair),
            }
            for reader in readers
        ]
        found.append({"label": TIER_LABELS[tier], "text": first.text, "voice": first.voice, "by": by})
    return found


def _rules(record: Mapping[str, Any]) -> list[str]:
    limits = record["limits"]
    voices, seeds = count_of(len(record["voices"]), "voice", "voices"), count_of(len(record["seeds"]), "seed", "seeds")
    times = count_of(len(record["voices"]) * len(record["seeds"]), "time", "times")
    margin, confidence = f"{100 * limits['wer_margin']:g}", f"{100 * limits['confidence']:g}"
    more = []
    if record["speaker_model"]:
        more.append(
            "A voice is lost, and its candidate refused, when in any length it is less like its reference recording by "
            f"more than {limits['likeness_margin']:g} than with every control, the whole interval; likeness promotes "
            f"nobody. It is a cosine, by {record['speaker_model']}."
        )
    if record["outside"]:
        more.append(
            f"{' and '.join(record['outside'])} read the same from outside, as a yardstick: no reason to refuse a "
            "candidate, and never promoted."
        )
    return [
        f"{sum(record['texts'].values())} texts in three lengths, each read {times}: by {voices} from {seeds}; first "
        "takes only, the same for everybody.",
        f"In each length and against each control the word error rate may be higher by {margin} in a hundred words at "
        f"most, with {confidence} % confidence; no phrase is skipped and no words run together in long texts; nothing "
        "is repeated, leaked, silent or failed more often than with the control.",
        f"In long texts at most {100 * limits['long_missing']:g} words in a hundred are dropped, whatever the control "
        "does.",
        *(
            [
                f"{count_of(record['directed'], 'text is', 'texts are')} read once more with a direction, as lines of "
                "a game are: there a candidate may not make more word errors than a control beyond chance, nor repeat, "
                "leak or fail more often. These readings are in no other figure."
            ]
            if record["directed"]
            else []
        ),
        f"Promoted is who besides makes fewer word errors than {record['incumbent']}, the whole interval below zero.",
        *more,
        "Intervals are a bootstrap over texts. A loss is looked at nowhere.",
    ]
