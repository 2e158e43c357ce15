"""The page, read as a browser reads it: counts, flagged clips, and texts that try to be more than text."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from report_builder import Case, key_of, make_report

from replikk.report import render
from replikk.report.render import link, render_page
from replikk.report.told import STATES

TEXT = "Båten går klokka halv elleve"
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp; &#x3c;",
    "{{ 7 * 7 }}{% raw %}",
    "${7*7} \\u003cscript\\u003e",
    "‮txet desrever‬ مرحبا שלום",
    "linje\u2028skift\u2029her\u0000",
    "javascript:alert(1)",
]


def page_of(cases: list[Case], **more: Any) -> BeautifulSoup:
    return BeautifulSoup(render_page(make_report(cases, **more)), "html.parser")


def list_of(page: BeautifulSoup) -> list[dict[str, Any]]:
    """The list of all lines as the page's script reads it."""
    data = json.loads(page.find(id="data").string)
    lines = [dict(zip(data["fields"], row, strict=True)) for row in data["rows"]]
    for line in lines:
        for name, values in data["values"].items():
            line[name] = values[line[name]]
    return lines


ONE_OF_EACH = [
    Case("a_passed", TEXT, mark="new"),
    Case("b_regenerated", TEXT, "regenerated", [TEXT[:9], TEXT], ["retry", "pass"], mark="changed"),
    Case("c_flagged", TEXT, "flagged", [TEXT[:9], "Båten går klokka halv ti"], badness=[3.0, 1.0]),
    Case("d_accepted", TEXT, "accepted"),
    Case("e_locked", TEXT, "locked"),
    Case("f_stale", TEXT, "locked_stale", ["noe helt annet"]),
    Case("g_missing", TEXT, "missing", [None, None]),
    Case("h_drill", "M", "flagged", ["em"], ["human"], line={"drill": True}),
]


def test_the_counts_of_the_first_screen_are_those_of_the_data() -> None:
    more = {"exceptions": [{"id": "x", "place": "havn.csv:9", "reason": "cut"}], "removed": ["y", "z"]}
    data = make_report(ONE_OF_EACH, **more)
    page = BeautifulSoup(render_page(data), "html.parser")
    shown = {tile["data-count"]: int(tile.b.string) for tile in page.select("[data-count]")}
    names = {*STATES, "to_hear_once", "new", "changed", "removed", "lines", "cut"}
    assert shown == {name: data["summary"][name] for name in names}
    assert shown["removed"] == 2


def test_every_tile_leads_somewhere() -> None:
    page = page_of(ONE_OF_EACH, exceptions=[{"id": "x", "place": "p:1", "reason": "cut"}], removed=["y"])
    for tile in page.select("[data-count], nav a, .verdict a"):
        assert page.find(id=tile["href"].removeprefix("#")), tile


def test_cards_are_in_the_order_in_which_to_look_at_them() -> None:
    page = page_of(ONE_OF_EACH)
    cards = [card["id"].removeprefix("line-") for card in page.select("article.card")]
    assert cards == ["f_stale", "g_missing", "c_flagged", "h_drill", "b_regenerated"]
    assert [card["data-state"] for card in page.select("article.card")] == [
        "locked_stale", "missing", "flagged", "hear_once", "regenerated",
    ]  # fmt: skip


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda case: case.id)
def test_each_state_alone_makes_a_page(case: Case) -> None:
    page = page_of([case])
    waiting = case.state in ("flagged", "missing", "locked_stale")
    assert page.select_one(".verdict")["data-shippable"] == ("false" if waiting else "true")
    assert ("can be shipped" in page.h1.get_text()) is not waiting
    assert len(page.select("article.card")) == (case.state in ("flagged", "missing", "locked_stale", "regenerated"))
    assert [line["id"] for line in list_of(page)] == [case.id]


def test_an_empty_game_makes_a_page() -> None:
    assert "can be shipped" in page_of([]).h1.get_text()


def test_what_stands_in_the_way_is_said_in_words() -> None:
    verdict = page_of(ONE_OF_EACH).select_one(".verdict").get_text(" ", strip=True)
    for words in ("1 locked line whose text has changed", "1 line without a clip", "1 flagged clip", "1 drill"):
        assert words in verdict
    assert "dialogue/decisions.csv" in verdict


def test_a_flagged_card_shows_differences_by_more_than_colour() -> None:
    card = page_of(ONE_OF_EACH).find(id="line-c_flagged")
    diff = card.select_one(".found .diff")
    assert (diff.select_one(".sub del").string, diff.select_one(".sub ins").string) == ("elleve", "ti")
    assert diff.select_one(".sub .what").string == "wrong word"
    assert diff["lang"] == "nb"
    first = card.select_one(".take .diff")
    assert first.select_one(".del del").string == "klokka halv elleve"
    assert first.select_one(".del .what").string == "missing, 3 words"
    assert "40 % of the words are wrong" in card.select_one(".found .reasons").get_text()


def test_a_flagged_card_has_all_takes_each_with_player_evidence_and_rows_to_copy() -> None:
    card = page_of(ONE_OF_EACH).find(id="line-c_flagged")
    panels = card.select("section.take")
    assert len(panels) == 2
    for number, panel in enumerate(panels):
        key = key_of("c_flagged", number)
        assert panel.audio["src"] == f"../store/takes/{key[:2]}/{key}.flac"
        assert panel.audio["preload"] == "none"
        assert "word error rate" in panel.select_one(".measures").get_text()
        assert [button["data-copy"] for button in panel.select("button.copy")] == [
            f"c_flagged,{key},{decision},,," for decision in ("accept", "lock", "retake")
        ]
    assert "in the build" in panels[1].get_text()
    assert card.select_one(".listen audio")["src"] == "../assets/nb/havn/c_flagged.ogg"
    assert card.select_one(".next code:not([dir])").string == f"c_flagged,{key_of('c_flagged', 1)},accept,,,"


def test_what_cannot_be_decided_offers_no_row() -> None:
    page = page_of(ONE_OF_EACH)
    for line_id in ("f_stale", "g_missing", "b_regenerated"):
        assert not page.find(id=f"line-{line_id}").select("button.copy")


def test_a_long_line_shows_only_the_neighbourhood_of_its_differences() -> None:
    text = " ".join(f"ord{n}" for n in range(200))
    card = page_of([Case("a", text, "flagged", [text.replace("ord150", "feil")])]).find(id="line-a")
    diff = card.select_one(".found .diff").get_text(" ", strip=True)
    assert "130 words as written" in diff
    assert "ord149" in diff
    assert "ord75" not in diff


def test_the_list_has_every_line_with_its_clip() -> None:
    lines = list_of(page_of(ONE_OF_EACH))
    assert [line["id"] for line in lines] == [case.id for case in ONE_OF_EACH]
    assert [line["state"] for line in lines][2::5] == ["flagged", "hear_once"]
    assert lines[0]["path"] == "../assets/nb/havn/a_passed.ogg"
    assert lines[6]["path"] == ""
    assert [line["mark"] for line in lines][:3] == ["new", "changed", ""]


def test_more_flagged_clips_than_a_page_can_bear_are_left_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "MAX_CARDS", 3)
    page = page_of([Case(f"l{n}", TEXT, "flagged", ["nei"]) for n in range(5)])
    assert len(page.select("article.card")) == 3
    assert "The first 3 of 5" in page.select_one("#flagged .notice").get_text()
    assert len(list_of(page)) == 5


def test_stale_decisions_exceptions_remarks_and_licences_are_shown() -> None:
    page = page_of(
        [Case("a", TEXT, line={"remarks": ("the cue '(hoster)' was dropped",)})],
        exceptions=[{"id": "x_1", "place": "havn.csv:9", "reason": "cut"}],
        stale_decisions=["[y] has decisions, but there is no such line any more"],
        removed=["gone_1"],
    )
    assert "[y] has decisions" in page.find(id="stale-decisions").get_text()
    assert [cell.string for cell in page.select("#exceptions td")] == ["x_1", "havn.csv:9", "cut"]
    assert "the cue '(hoster)' was dropped" in page.find(id="remarks").get_text()
    assert page.select_one("#remarks a[data-filter]")["data-filter"] == "query=a"
    assert "gone_1" in page.find(id="removed").get_text()
    licences = page.find(id="licences").get_text()
    assert "GPL-3.0-or-later" in licences
    assert "made by a computer" in licences


# Hostile content -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("state", ["passed", "flagged"])
def test_no_text_becomes_more_than_text(text: str, state: str) -> None:
    """Put everywhere that a person or a judge can write, it comes out as itself and adds no element or attribute."""
    fields = dict.fromkeys(("scene", "character", "style", "notes", "file"), text) | {"remarks": (text,)}
    more = {
        "exceptions": [{"id": text, "place": text, "reason": text}],
        "stale_decisions": [text],
        "removed": [text],
    }
    plain = dict.fromkeys(("scene", "character", "style", "notes", "file"), "abc") | {"remarks": ("abc",)}
    plain_more = {"exceptions": [dict.fromkeys(("id", "place", "reason"), "abc")], "stale_decisions": ["abc"]}
    evil = page_of([Case("a", text, state, [text], line=fields)], **more)
    good = page_of([Case("a", "abc", state, ["abc"], line=plain)], **plain_more, removed=["abc"])

    assert _skeleton(evil) == _skeleton(good)
    line = list_of(evil)[0]
    assert (line["text"], line["scene"], line["notes"], line["remarks"]) == (text, text, text, [text])
    assert unquote(line["path"]) == f"../assets/nb/{text}/a.ogg"
    if state == "flagged":
        shown = evil.select_one(".card .text").string
        assert shown == text.replace("\x00", "\ufffd") or shown == text
        assert unquote(evil.select_one(".listen audio")["src"]) == f"../assets/nb/{text}/a.ogg"


def _skeleton(page: BeautifulSoup) -> list[tuple[str, tuple[str, ...]]]:
    """Elements and the names of their attributes, without what depends on the words themselves.

    The axes of the plots do: they hold the pace of the longest line.
    """
    words = page.select(".diff, .found .head, .aside, .plot svg")
    inside = {id(tag) for part in words for tag in [part, *part.find_all(True)]}
    return [(tag.name, tuple(sorted(tag.attrs))) for tag in page.find_all(True) if id(tag) not in inside]


@pytest.mark.parametrize("text", HOSTILE)
def test_plots_hold_nothing_but_shapes(text: str) -> None:
    fields = dict.fromkeys(("scene", "character", "style", "notes", "file"), text)
    page = page_of([Case(f"l{n:02d}", text * (9 if n == 7 else 1), "passed", line=fields) for n in range(12)])
    names = {"line", "rect", "text", "circle", "a", "title"}
    attributes = {"class", "href", "aria-label", "width", "height", *"xyr", "x1", "x2", "y1", "y2", "cx", "cy", "rx"}
    for svg in page.select(".plot svg"):
        assert {tag.name for tag in svg.find_all(True)} <= names
        assert all(set(tag.attrs) <= attributes for tag in svg.find_all(True))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_differences_are_text_too(text: str) -> None:
    card = page_of([Case("a", "hei du", "flagged", [text])]).find(id="line-a")
    allowed = {"span", "del", "ins", "b", "p", "summary", "details"}
    for part in card.select(".diff, .aside"):
        assert {tag.name for tag in part.find_all(True)} <= allowed
        assert all(set(tag.attrs) <= {"class", "lang", "dir"} for tag in part.find_all(True))


def test_the_page_holds_one_script_of_ours_and_asks_for_nothing() -> None:
    page = page_of(ONE_OF_EACH)
    assert [script.get("type") for script in page.find_all("script")] == ["application/json", None]
    assert not page.select("link, img, iframe, object, script[src], [style], [onclick]")
    for element in page.select("[src], [href]"):
        address = element.get("src") or element["href"]
        assert address.startswith(("#", "../assets/", "../store/", "report.csv")), address
    policy = page.select_one("meta[http-equiv]")["content"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy  # decisions, to the server that gave the page out
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_policy_names_the_script_and_the_style_that_are_in_the_page() -> None:
    import base64
    import hashlib

    page = page_of(ONE_OF_EACH)
    policy = page.select_one("meta[http-equiv]")["content"]
    for element in (page.find_all("script")[1], page.style):
        digest = base64.b64encode(hashlib.sha256(element.string.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("../assets/nb/havn/a.ogg", "../assets/nb/havn/a.ogg"),
        ("../assets/nb/50 % #1?/a.ogg", "../assets/nb/50%20%25%20%231%3F/a.ogg"),
        ("../assets/nb/år/a.ogg", "../assets/nb/%C3%A5r/a.ogg"),
    ],
)
def test_paths_are_made_addresses(path: str, url: str) -> None:
    assert link(path) == url


def test_languages_and_directions_are_marked() -> None:
    page = page_of([Case("a", "Eg kjem ikkje", "flagged", ["eg kjem"], line={"locale": "nn"})])
    assert page.html["lang"] == "en"
    assert page.select_one(".card .text")["lang"] == "nn"
    assert page.select_one(".card .text")["dir"] == "auto"
    assert page.select_one(".diff .what")["lang"] == "en"


def test_equal_builds_give_equal_bytes() -> None:
    assert render_page(make_report(ONE_OF_EACH)) == render_page(make_report(ONE_OF_EACH))


def test_ten_thousand_lines_are_a_page_that_opens() -> None:
    lines = [Case(f"line_{n:05d}", f"{TEXT} i dag og i morgen, sa skipperen, og vendte seg.") for n in range(10_000)]
    flagged = [Case(f"bad_{n:03d}", TEXT, "flagged", ["nei", "nei", "nei"]) for n in range(30)]
    assert len(render_page(make_report([*lines, *flagged]))) < 6_000_000
