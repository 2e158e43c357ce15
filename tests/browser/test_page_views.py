"""What is shown where: first screen, list, plots, voices; ten thousand lines, a phone, hostile texts, no scripts."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from page_pilot import line_on_desk, listed, until
from report_builder import Case, make_report

from replikk.report import page_data
from replikk.report.render import render_page

TEXT = "Båten går klokka halv elleve"
NO_AUDIO = ("Failed to load resource: net::ERR_FILE_NOT_FOUND",)
"""Reports that are made up have no clips beside them, and a page goes on to the next one by itself."""
PHONE = {"width": 360, "height": 740}
ONE_OF_EACH = [
    Case("a_passed", TEXT, mark="new"),
    Case("b_regenerated", TEXT, "regenerated", [TEXT[:9], TEXT], ["retry", "pass"], mark="changed"),
    Case("c_flagged", TEXT, "flagged", [TEXT[:9], "Båten går klokka halv ti"], badness=[3.0, 1.0]),
    Case("d_accepted", TEXT, "accepted"),
    Case("e_locked", TEXT, "locked", line={"scene": "skog", "voice": "ola"}),
    Case("f_stale", TEXT, "locked_stale", ["noe helt annet"]),
    Case("g_missing", TEXT, "missing", [None, None]),
    Case("h_drill", "M", "flagged", ["em"], ["human"], line={"drill": True}),
]
HISTORY = [
    {"number": number, "when": "2026-05-17T12:00+02:00", "time_s": 61.5, "gpu_s": 30.0, "cost": 0.5, "currency": "kr",
     "stages_s": {"synthesize": 30.0, "transcribe": 20.0, "package": 11.5},
     "first_take_pass_rate": 0.8 + number / 50, "after_retry_pass_rate": 0.95}
    for number in range(1, 6)
]  # fmt: skip


def written(folder: Path, data: dict[str, Any], history: list[dict[str, Any]] | None = None) -> Path:
    path = folder / "index.html"
    path.write_bytes(render_page(data, history or []))
    return path


@pytest.fixture
def page(pilot, tmp_path):
    more = {"exceptions": [{"id": "x", "place": "havn.csv:9", "reason": "cut"}], "removed": ["y"]}
    data = make_report(ONE_OF_EACH, **more)
    data["since_accepted"] = {"build": 3, "new": ["a_passed"], "changed": ["c_flagged", "d_accepted"], "removed": ["y"]}
    return pilot.open(written(tmp_path, data, HISTORY))


def found(page) -> int:
    return int(page.locator(".filters output").inner_text().split()[0])


# The first screen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tile", "ids"),
    [
        ("new", ["a_passed"]),
        ("changed", ["b_regenerated"]),
        ("passed", ["a_passed"]),
        ("regenerated", ["b_regenerated"]),
        ("flagged", ["c_flagged"]),
        ("to_hear_once", ["h_drill"]),
        ("locked_stale", ["f_stale"]),
        ("missing", ["g_missing"]),
        ("accepted", ["d_accepted"]),
        ("locked", ["e_locked"]),
    ],
)
def test_every_number_is_a_filter(page, tile, ids):
    assert page.locator(f'[data-count="{tile}"] b').inner_text() == str(len(ids))
    page.locator(f'[data-count="{tile}"]').click()
    assert listed(page) == ids
    page.go_back()
    assert page.locator(".verdict").is_visible()


def test_cut_and_removed_lead_to_their_lists(page):
    for tile, part in (("cut", "exceptions"), ("removed", "removed")):
        page.locator(f'[data-count="{tile}"]').click()
        assert page.evaluate("location.hash") == f"#{part}"
        assert page.locator(f"#{part}").is_visible()


def test_the_first_screen_says_what_changed_since_a_build_that_could_be_shipped(page):
    said = page.locator("#since").inner_text()
    assert "1 new clip" in said and "2 changed clips" in said and "1 removed clip" in said and "build 3" in said
    page.get_by_role("link", name="2 changed clips").click()
    assert listed(page) == ["c_flagged", "d_accepted"]


def test_the_first_screen_says_what_the_build_took(page):
    figures = page.locator(".figures").inner_text()
    assert "1 min 02 s" in figures and "30 s" in figures and "0.50 kr" in figures


def test_enter_starts_with_the_most_urgent_line(page):
    page.keyboard.press("Enter")
    assert line_on_desk(page) == "f_stale"
    assert listed(page) == ["f_stale", "g_missing", "c_flagged", "h_drill"]
    page.keyboard.press("ArrowDown")
    assert line_on_desk(page) == "g_missing"
    page.keyboard.press("o")
    assert page.locator(".verdict").is_visible()


# List and desk -------------------------------------------------------------------------------------------------------


def test_search_and_filters_work_together(page):
    page.get_by_role("link", name="All lines").click()
    assert found(page) == 8
    page.keyboard.press("/")
    page.keyboard.type("båten OLA")
    assert listed(page) == ["e_locked"]
    page.locator('select[name="scene"]').select_option("havn")
    assert found(page) == 0
    page.get_by_role("button", name="Clear", exact=True).click()
    until(page, "document.querySelectorAll('.list > li').length === 8")


@pytest.mark.parametrize("line_id", [case.id for case in ONE_OF_EACH])
def test_a_link_to_a_line_opens_it_whatever_its_state(pilot, tmp_path, line_id):
    page = pilot.open(f"{written(tmp_path, make_report(ONE_OF_EACH)).as_uri()}#line-{line_id}")
    assert line_on_desk(page) == line_id
    assert page.locator(".listening").is_visible()
    until(page, "Boolean(replikkDeciding.review())")
    assert page.locator('.decide [data-decision="retake"]').is_enabled() != (line_id == "f_stale")


@pytest.mark.parametrize("end", ["#line-nobody", "#%E0%A4%A", "#line-%2e%2e%2f", "#voice-kari", "#"])
def test_an_address_that_leads_nowhere_shows_the_first_screen(pilot, tmp_path, end):
    page = pilot.open(f"{written(tmp_path, make_report(ONE_OF_EACH)).as_uri()}{end}")
    assert page.locator(".verdict").is_visible() and not page.locator(".browse").is_visible()


def test_a_stale_lock_offers_to_be_withdrawn_and_a_missing_line_another_reading(page):
    page.evaluate("location.hash = '#line-f_stale'")
    until(page, "Boolean(replikkDesk.line())")
    assert page.locator('.decide [data-decision="accept"]').is_disabled()
    assert "take the lock away" in page.locator(".advice").first.inner_text()
    page.evaluate("location.hash = '#line-g_missing'")
    until(page, "replikkDesk.line().id === 'g_missing'")
    assert page.locator('.decide [data-decision="accept"]').is_disabled()
    assert page.locator('.decide [data-decision="retake"]').is_enabled()


def test_the_lines_around_are_those_of_the_scene(page):
    page.evaluate("location.hash = '#line-f_stale'")
    until(page, "Boolean(replikkDesk.line())")
    assert page.locator(".near a").evaluate_all("all => all.map(a => a.getAttribute('href'))") == [
        "#line-d_accepted", "#line-g_missing",
    ]  # fmt: skip


def test_help_lists_the_keys_and_closes_with_escape(page):
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_tab_reaches_everything_on_the_desk_and_focus_can_be_seen(page):
    page.evaluate("location.hash = '#line-c_flagged'")
    until(page, "Boolean(replikkDesk.line())")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            "(() => { const at = document.activeElement; const style = getComputedStyle(at); return "
            "[at.getAttribute('aria-label') || at.textContent.trim() || at.name, style.outlineStyle, "
            "parseFloat(style.outlineWidth)] })()"
        )
        if shown[0]:
            reached.add(shown[0])
        if page.evaluate("document.activeElement !== document.body"):
            assert shown[1] != "none" and shown[2] >= 1, shown
    for name in ("Previous line", "Next line", "Comment", "Lock", "Another reading", "Accept", "query", "Play take 1"):
        assert any(text.startswith(name) for text in reached), name


# Plots and voices ----------------------------------------------------------------------------------------------------


def test_a_line_that_is_spoken_unlike_the_others_is_one_click_away(pilot, tmp_path):
    cases = [Case(f"l{n:02d}", TEXT) for n in range(20)]
    data = make_report(cases)
    manifest = {line["id"]: line for line in data["lines"]}
    manifest["l07"]["duration_s"] = 12.0
    from replikk.report.figures import figures_of

    data["figures"] = figures_of(data["lines"], frozenset(), {}, [1] * 20)
    page = pilot.open(written(tmp_path, data, HISTORY))
    outlier = page.locator('[aria-labelledby="plot-rates"] a[href="#line-l07"]')
    assert "l07" in outlier.get_attribute("aria-label")
    outlier.locator("circle").click()
    assert line_on_desk(page) == "l07"


def test_plots_of_the_build_are_drawn(page):
    for plot in ("plot-levels", "plot-rates", "plot-errors", "plot-takes", "plot-course"):
        box = page.locator(f'[aria-labelledby="{plot}"]').bounding_box()
        assert box["width"] > 200 and box["height"] > 50, plot
    assert page.locator(".course circle").count() == 2 * len(HISTORY)
    assert page.locator('[aria-labelledby="plot-takes"] .plot-value').all_inner_texts() == ["5 lines", "3 lines"]


def test_every_voice_has_its_part_with_rights_and_lines(page):
    part = page.locator("#voice-ola")
    assert "GPL-3.0-or-later" in part.inner_text()
    part.get_by_role("link", name="1", exact=True).click()
    assert listed(page) == ["e_locked"]


def test_a_voice_reference_is_played_from_the_page_and_from_the_desk(pilot, tmp_path):
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "kari #1.wav", (0.1 * np.sin(np.arange(48_000) * 0.05)).astype(np.float32), 24_000)
    data = make_report(ONE_OF_EACH)
    data["voices"][0]["reference"] = "kari #1.wav"
    data["voices"][0]["reference_transcript"] = "Kom og se!"
    page = pilot.open(written(tmp_path, data))
    part = page.locator("#voice-kari")
    assert "Kom og se!" in part.inner_text()
    part.locator("audio").evaluate("audio => audio.play()")
    until(page, "document.querySelector('#voice-kari audio').currentTime > 0.05")
    page.evaluate("location.hash = '#line-c_flagged'")
    until(page, "Boolean(replikkDesk.line())")
    page.keyboard.press("v")
    until(page, "replikkPlayer.state().playing && replikkPlayer.state().time_s > 0.05")
    assert page.evaluate("document.querySelector('#voice-kari audio').paused")


# Ten thousand lines --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    spoken = f"{TEXT} i dag og i morgen, sa skipperen, og vendte seg."
    cases = [
        Case(f"line_{n:05d}", spoken, "flagged" if n % 20 == 0 else "passed", [spoken[:30]] * 3 if n % 20 == 0 else [])
        for n in range(10_000)
    ]
    return written(tmp_path_factory.mktemp("large"), make_report(cases))


def test_ten_thousand_lines_with_five_hundred_flagged_stay_under_eight_megabytes(large):
    assert large.stat().st_size < 8_000_000


def test_ten_thousand_lines_scroll_with_few_rows_in_the_page(pilot, large):
    page = pilot.open(large)
    page.get_by_role("link", name="All lines").click()
    assert found(page) == 10_000
    seen = set()
    for share in (0.1, 0.35, 0.62, 0.999):
        page.locator(".rows").evaluate("(rows, share) => { rows.scrollTop = share * rows.scrollHeight }", share)
        first = "document.querySelector('.list > li').getAttribute('aria-posinset')"
        until(page, f"Math.abs({first} / 10000 - {share}) < 0.01")
        rows = listed(page)
        assert 10 <= len(rows) <= 60
        seen |= set(rows)
    page.keyboard.press("/")
    page.keyboard.type("line_09876")
    assert listed(page) == ["line_09876"]
    assert page.evaluate("document.querySelectorAll('*').length") < 5000


def test_a_page_scrolls_smoothly(pilot, large):
    """A frame's work is bounded by the window: the rows drawn in one jump anywhere stay few."""
    page = pilot.open(large)
    page.get_by_role("link", name="All lines").click()
    page.evaluate(
        "(() => { let most = 0; const list = document.querySelector('.list');"
        "new MutationObserver((all) => { most = Math.max(most, all.reduce((n, one) => n + one.addedNodes.length, 0)); "
        "window.mostDrawn = most; }).observe(list, { childList: true }); })()"
    )
    for top in range(0, 600_000, 60_000):
        page.evaluate(f"document.querySelector('.rows').scrollTop = {top}")
        page.wait_for_timeout(20)
    assert 0 < page.evaluate("window.mostDrawn") < 120


def test_takes_that_do_not_fit_into_the_page_are_told(pilot, tmp_path, monkeypatch):
    monkeypatch.setattr(page_data, "TAKES_BUDGET_BYTES", 4_000)
    data = make_report([Case(f"l{n}", TEXT, "flagged", [TEXT[:9]]) for n in range(9)])
    page = pilot.open(written(tmp_path, data))
    known = page.evaluate("replikkLines.waiting.map((line) => line.complete)")
    assert known[0] is True and known[-1] is False
    page.evaluate(f"location.hash = '#line-{data['summary']['blocking'][-1]}'")
    until(page, "Boolean(replikkDesk.line())")
    assert "report.json" in page.locator(".desk").inner_text()
    assert page.locator('.decide [data-decision="accept"]').is_enabled()


# Narrow, dark, without scripts ---------------------------------------------------------------------------------------


def overflow(page) -> list[str]:
    """Elements that stick out of the window to the right, other than inside of something that scrolls."""
    return list(
        page.evaluate(
            """[...document.querySelectorAll('body *')].filter((at) => {
                 const box = at.getBoundingClientRect();
                 if (box.width === 0 || box.right <= innerWidth + 1) return false;
                 for (let up = at.parentElement; up; up = up.parentElement) {
                   if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return false;
                 }
                 return true;
               }).map((at) => at.outerHTML.slice(0, 120))"""
        )
    )


def test_a_phone_shows_everything_without_scrolling_sideways(pilot, tmp_path):
    data = make_report(ONE_OF_EACH)
    page = pilot.open(written(tmp_path, data, HISTORY), viewport=PHONE, has_touch=True, expect=NO_AUDIO)
    assert overflow(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name="Listen and decide").tap()
    first = line_on_desk(page)
    assert not page.locator(".browse").is_visible(), "the first clip, not the list"
    assert overflow(page) == []
    page.get_by_role("button", name="‹ List").tap()
    assert page.locator(".list > li").first.is_visible()
    assert listed(page)[0] == first
    assert overflow(page) == []
    page.locator(".list .open", has_text="c_flagged").tap()
    assert line_on_desk(page) == "c_flagged"
    assert not page.locator(".browse").is_visible()
    assert overflow(page) == []
    for button in page.locator(".decide > .acts .act:visible").all():
        assert button.bounding_box()["height"] >= 40
    page.locator('.decide [data-decision="accept"]').tap()
    assert line_on_desk(page) != "c_flagged"
    page.get_by_role("button", name="‹ List").tap()
    assert page.locator(".browse").is_visible()
    page.get_by_role("link", name="Overview").tap()
    assert page.locator(".verdict").is_visible()


def test_without_scripts_the_page_is_still_a_report(pilot, tmp_path):
    page = pilot.open(written(tmp_path, make_report(ONE_OF_EACH), HISTORY), script=False)
    assert page.locator("article.card").count() == 5
    assert page.locator("#line-c_flagged audio").count() == 3
    assert not page.locator(".browse").is_visible()
    assert page.locator("#voice-kari").is_visible()


# Hostile texts -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script><!--",
    '"><img src=x onerror=alert(1)><svg onload=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "\u202egnikaeps txet\u202c \u2066\u2067 مرحبا שלום",
    "</noscript><img src=x onerror=alert(1)>",
    "javascript:alert(1)//${alert(1)}{{7*7}}",
    "å" * 3000,
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 860}, PHONE], ids=["desk", "phone"])
def test_hostile_texts_run_nothing_and_break_no_layout(pilot, tmp_path, text, viewport):
    fields = dict.fromkeys(("scene", "character", "style", "notes", "file"), text) | {"remarks": (text,)}
    cases = [
        Case("a", text, "flagged", [text, f"{text} {TEXT}"], line=fields),
        Case("b", text, "passed", line=fields),
        Case("c", TEXT, "missing", [None], line=fields),
    ]
    more = {
        "exceptions": [{"id": text, "place": text, "reason": text}],
        "stale_decisions": [text],
        "removed": [text],
    }
    data = make_report(cases, **more)
    data["disclosure"] = data["voices"][0]["label"] = data["voices"][0]["reference_transcript"] = text
    data["voices"][0]["rights"] = dict.fromkeys(("who", "licence", "evidence"), text)
    data["decisions"]["path"] = text
    data["since_accepted"] = {"build": 1, "new": ["a"], "changed": [], "removed": [text]}
    for line in data["lines"]:
        for take in line.get("takes", ()):
            take["reasons"] = [{"code": text, "measured": text, "threshold": text, "text": text}]
            take["stretches"] = [{"start_s": 0.1, "end_s": 0.2, "label": text}]
            take["words"] = [["sub", text, text, 0.0, 0.2], ["ins", "", text, 0.2, 0.3]]
    page = pilot.open(written(tmp_path, data), viewport=viewport)
    assert overflow(page) == []
    page.locator('[data-filter="state="]').last.evaluate("link => link.click()")
    for line_id in ("a", "b", "c"):
        page.evaluate(f"location.hash = '#line-{line_id}'")
        until(page, f"document.querySelector('#desk-title').textContent === '{line_id}'")
        assert overflow(page) == []
        assert page.locator(".decide > .acts .act").first.is_visible()
    page.evaluate("location.hash = '#line-a'")
    until(page, "replikkDesk.line().id === 'a'")
    assert page.locator(".desk .script .text").text_content() == text
    page.keyboard.press("n")
    page.keyboard.type(text[:60])
    page.keyboard.press("Enter")
    assert page.locator(".desk .decided").inner_text()
    assert page.locator("img, iframe, object").count() == 0
    assert page.locator("script").count() == 2


def test_a_line_of_a_hundred_thousand_letters_breaks_nothing(pilot, tmp_path):
    text = "Lang replikk uten ende. " * 4200
    half = text[: len(text) // 2]
    data = make_report([Case("a", text, "flagged", [half]), Case("b", "x" * 100_000), Case("c", TEXT)])
    page = pilot.open(written(tmp_path, data))
    page.keyboard.press("Enter")
    assert line_on_desk(page) == "a"
    assert overflow(page) == []
    assert page.locator(".decide > .acts .act").first.is_visible()
    assert page.locator(".listening").bounding_box()["y"] < 860
    page.evaluate("location.hash = '#line-b'")
    until(page, "replikkDesk.line().id === 'b'")
    assert overflow(page) == []


# Accessibility -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 860}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(pilot, tmp_path, scheme, viewport):
    if importlib.util.find_spec("axe_playwright_python") is None:
        pytest.skip("axe-playwright-python is not installed: pip install -e '.[dev]'")
    from axe_playwright_python.sync_playwright import Axe

    data = make_report(ONE_OF_EACH, exceptions=[{"id": "x", "place": "p:1", "reason": "cut"}], removed=["y"])
    for take in data["lines"][2]["takes"]:
        take["words"] = [
            ["ok", "Båten", "Båten", 0.0, 0.1],
            ["del", "går", "", 0.1, 0.2],
            ["sub", "ti", "to", 0.2, 0.3],
        ]
        take["stretches"] = [{"start_s": 0.1, "end_s": 0.2, "label": "missing: «går»"}]
    settings = {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = pilot.open(written(tmp_path, data, HISTORY), expect=NO_AUDIO, **settings)

    def look(where: str) -> None:
        answer = Axe().run(page).response
        bad = [
            (each["id"], each["impact"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in answer["violations"]
        ]
        assert bad == [], f"{where}: {json.dumps(bad, ensure_ascii=False, indent=1)}"

    look("first screen")
    page.keyboard.press("?")
    look("help")
    page.keyboard.press("Escape")
    page.evaluate("location.hash = '#line-c_flagged'")
    until(page, "Boolean(replikkDesk.line())")
    look("line")
    page.keyboard.press("r")
    look("another reading")
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    page.keyboard.press("r")
    look("selection")
    page.keyboard.press("Escape")
    page.evaluate("location.hash = '#lines'")
    look("list")
