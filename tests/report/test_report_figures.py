"""The numbers behind the plots, and where the plots put them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import Case, make_report

from replikk.report.figures import BANDS, MOST_OUTLIERS, figures_of, letters_per_s
from replikk.report.plots import bar_plots, history_plot, scale_for, voice_plots

TEXT = "Båten går klokka halv elleve"


def lines_with(durations_s: list[float], voice: str = "kari") -> list[dict[str, Any]]:
    return [
        {"id": f"l{n:03d}", "voice": voice, "spoken": TEXT, "duration_s": duration_s,
         "loudness_before_lufs": -21.0 - n, "loudness_after_lufs": -18.0}
        for n, duration_s in enumerate(durations_s)
    ]  # fmt: skip


def figures(lines: list[dict[str, Any]], drills: frozenset[str] = frozenset()) -> dict[str, Any]:
    return figures_of(lines, drills, {}, [1] * len(lines))["voices"]


def test_rate_counts_letters_of_what_was_spoken() -> None:
    assert letters_per_s({"spoken": "Hei, du – hei!", "duration_s": 2.0}) == 4.0
    assert letters_per_s({"spoken": "Hei, du, hei.", "duration_s": 2.0}) == 4.0
    assert letters_per_s({"spoken": "Hei, dù – 7 hei?!", "duration_s": 2.0}) == 4.5
    assert letters_per_s({"spoken": "Å ja", "duration_s": 2.0}) is None  # too short to tell a pace
    assert letters_per_s({"spoken": TEXT, "duration_s": None}) is None


def test_quantiles_and_outliers_of_a_voice() -> None:
    usual = [2.0 + n / 100 for n in range(20)]
    [voice] = figures(lines_with([*usual, 12.0, 0.5]))
    assert voice["rate"][2] == pytest.approx(24 / 2.1, rel=0.02)
    assert [outlier["id"] for outlier in voice["rate_outliers"]] == ["l021", "l020"]
    assert voice["after_lufs"] == [-18.0] * 5
    assert voice["after_outliers"] == []


def test_small_differences_and_few_lines_have_no_outliers() -> None:
    assert figures(lines_with([2.0] * 20 + [2.01]))[0]["rate_outliers"] == []
    assert figures(lines_with([2.0, 2.0, 9.0]))[0]["rate_outliers"] == []
    assert len(figures(lines_with([2.0] * 100 + [9.0] * 30))[0]["rate_outliers"]) == MOST_OUTLIERS


def test_drills_have_no_rate() -> None:
    lines = lines_with([2.0] * 3)
    assert figures(lines, frozenset({"l000", "l001", "l002"}))[0]["rate"] is None


def test_word_errors_are_summed_by_length() -> None:
    cases = [
        Case("a", "Hei"),
        Case("b", "Hei du", "flagged", ["hei", "hei du der"]),
        Case("c", TEXT, "flagged", ["Båten går"], badness=[1.0]),
        Case("d", f"{TEXT} i dag og i morgen"),
        Case("e", "M", "flagged", ["em"], ["human"], line={"drill": True}),
    ]
    bands = make_report(cases)["figures"]["bands"]
    assert [band["label"] for band in bands] == [label for _, _, label in BANDS]
    assert [(band["first"]["words"], band["first"]["errors"]) for band in bands] == [(1, 0), (2, 1), (5, 3), (10, 0)]
    assert bands[2]["first"]["wer"] == 0.6
    total = make_report(cases)["summary"]["words"]["first_takes"]
    assert sum(band["first"]["words"] for band in bands) == total["expected"]


def test_takes_per_line_count_the_takes_that_were_tried() -> None:
    cases = [Case("a", TEXT), Case("b", TEXT), Case("c", TEXT, "regenerated", ["nei", TEXT], ["retry", "pass"])]
    assert make_report(cases)["figures"]["takes"] == [{"takes": 1, "lines": 2}, {"takes": 2, "lines": 1}]


# Where things stand --------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-80, 80), min_size=1, max_size=9))
def test_a_scale_holds_all_values_and_few_round_ticks(values: list[float]) -> None:
    scale = scale_for(values)
    assert 2 <= len(scale.ticks) <= 8
    assert scale.low <= min(values) and max(values) <= scale.high
    assert all(0 <= scale.place(value) <= 100 for value in values)
    places = [place for place, _ in scale.marks]
    assert places == sorted(places) and (places[0], places[-1]) == (0.0, 100.0)


def test_rows_of_the_plots_are_within_their_axes() -> None:
    cases = [Case(f"l{n:02d}", TEXT * (1 + n % 3), line={"voice": f"v{n % 3}"}) for n in range(30)]
    data = make_report(cases)
    plots = voice_plots(data["figures"], {"v0": "Den første"})
    assert [row["label"] for row in plots["rows"]] == ["Den første", "v1", "v2"]
    for row in plots["rows"]:
        for box in (row["before"], row["after"], row["rate"]):
            assert 0 <= box["low"] <= box["quarter"] <= box["middle"] <= 100
            assert box["low"] + box["width"] <= 100.01
    assert all(
        0 <= band[kind]["width"] <= 100
        for band in bar_plots(data["figures"])["bands"]
        for kind in ("first", "delivered")
    )


def test_an_empty_game_has_empty_plots() -> None:
    data = make_report([])
    assert voice_plots(data["figures"], {})["rows"] == []
    assert bar_plots(data["figures"])["takes"] == []


def build(number: int, rate: float | None) -> dict[str, Any]:
    return {"number": number, "first_take_pass_rate": rate, "after_retry_pass_rate": 1.0 if rate is not None else None}


def test_the_course_of_the_builds_needs_two_of_them() -> None:
    assert history_plot([]) is None
    assert history_plot([build(1, 0.9), build(2, None)]) is None
    course = history_plot([build(n, 0.72 + n / 100) for n in range(1, 6)])
    assert course is not None
    assert [point["number"] for point in course["first"]] == [1, 2, 3, 4, 5]
    heights = [point["y"] for point in course["first"]]
    assert heights == sorted(heights, reverse=True)  # better is further up
    assert course["bottom_text"] == "70 %"
    assert {point["y"] for point in course["after"]} == {course["top"]}
