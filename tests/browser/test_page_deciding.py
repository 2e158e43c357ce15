"""Deciding: accept, another reading, lock, comment, selections and undo, from the disk and through the server; and the
full circle, in which the next build does what was decided in the page and nothing else."""

from __future__ import annotations

import csv
import io
import json

import pytest
from page_pilot import decisions, line_on_desk, listed, until
from review_site import running
from stage_runner import Stages

from replikk.review.rows import read_rows

FLAGGED = {"havn_001", "havn_002", "havn_003", "skog_001"}


def summed(page) -> list[tuple[str, str]]:
    return [(row["line_id"], row["decision"]) for row in decisions(page) if row["holds"]]


def open_desk(page) -> None:
    page.keyboard.press("Enter")
    assert page.locator("#desk-title").is_visible()


# With the keyboard and with the mouse --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["keyboard", "mouse"])
@pytest.mark.parametrize(("letter", "decision"), [("a", "accept"), ("l", "lock")])
def test_a_decision_is_shown_at_once_and_the_next_waiting_line_comes(desk, by, letter, decision):
    open_desk(desk)
    line = line_on_desk(desk)
    key = desk.evaluate("replikkDesk.line().takes.find((take) => take.delivered).key")
    if by == "keyboard":
        desk.keyboard.press(letter)
    else:
        desk.locator(f'.decide button[data-decision="{decision}"]').click()
    assert [(row["line_id"], row["decision"], row["take_key"]) for row in decisions(desk)] == [(line, decision, key)]
    assert line_on_desk(desk) != line
    assert desk.locator(".work .count").inner_text() == "1 of 5 decided"
    row = desk.locator(f'.list > li:has(code:text-is("{line}"))')
    assert "✓" in row.inner_text()
    assert line in desk.locator("#told").inner_text()


def test_another_reading_carries_direction_respelling_and_comment(desk):
    open_desk(desk)
    line = line_on_desk(desk)
    desk.keyboard.press("n")
    desk.keyboard.type("for sint")
    desk.keyboard.press("Escape")
    desk.keyboard.press("r")
    desk.keyboard.type("si dette stille")
    desk.keyboard.press("Tab")
    desk.keyboard.type("Hei på deg")
    desk.keyboard.press("Enter")
    [row] = decisions(desk)
    assert (row["line_id"], row["decision"]) == (line, "retake")
    assert (row["style"], row["respelling"], row["why"]) == ("si dette stille", "Hei på deg", "for sint")


def test_another_reading_needs_two_keys_and_no_words(desk):
    open_desk(desk)
    desk.keyboard.press("r")
    desk.keyboard.press("Enter")
    assert [row["decision"] for row in decisions(desk)] == ["retake"]


def test_a_comment_alone_is_a_note_and_decides_nothing(desk):
    open_desk(desk)
    line = line_on_desk(desk)
    desk.keyboard.press("n")
    desk.keyboard.type("spør Vigdis a r l u")
    desk.keyboard.press("Enter")
    assert [(row["decision"], row["why"]) for row in decisions(desk)] == [("note", "spør Vigdis a r l u")]
    assert line_on_desk(desk) == line
    assert "spør Vigdis" in desk.locator(".desk .decided").inner_text()
    assert desk.locator(".work .count").inner_text() == "0 of 5 decided"


def test_the_take_that_was_picked_is_the_one_that_is_accepted(desk):
    open_desk(desk)
    keys = desk.evaluate("replikkDesk.line().takes.map((take) => take.key)")
    for number in (1, 2, 3):
        desk.keyboard.press(str(number))
        assert f"take {number}" in desk.locator('.decide [data-decision="accept"]').inner_text()
    desk.keyboard.press("a")
    assert decisions(desk)[0]["take_key"] == keys[2]


def test_takes_can_be_compared_while_a_new_direction_is_written(desk):
    open_desk(desk)
    position = desk.locator(".desk .position").inner_text()
    desk.keyboard.press("r")
    desk.keyboard.type("roligere")
    desk.locator('button[aria-label="Play take 1"]').last.click()
    assert desk.locator('form.retake input[name="style"]').input_value() == "roligere"
    assert desk.locator(".desk .position").inner_text() == position != ""
    desk.locator('form.retake button[type="submit"]').click()
    [row] = decisions(desk)
    assert (row["decision"], row["style"]) == ("retake", "roligere")


def test_undo_takes_the_last_step_back_and_returns_to_its_line(desk):
    open_desk(desk)
    first = line_on_desk(desk)
    desk.keyboard.press("a")
    second = line_on_desk(desk)
    desk.keyboard.press("l")
    desk.keyboard.press("u")
    assert summed(desk) == [(first, "accept")]
    assert line_on_desk(desk) == second
    desk.locator(".decide .undo").click()
    assert decisions(desk) == []
    assert line_on_desk(desk) == first
    desk.keyboard.press("u")
    assert "nothing" in desk.locator("#told").inner_text()


def test_what_was_decided_can_be_taken_back_without_undo(desk):
    open_desk(desk)
    line = line_on_desk(desk)
    desk.keyboard.press("a")
    desk.keyboard.press("ArrowDown")
    desk.evaluate(f"location.hash = '#line-{line}'")
    until(desk, f"document.querySelector('#desk-title').textContent === '{line}'")
    desk.keyboard.press("w")
    assert [row["decision"] for row in decisions(desk)] == ["accept", "withdraw"]
    assert summed(desk) == []
    assert desk.locator(".work .count").inner_text() == "0 of 5 decided"


def test_several_lines_are_decided_on_in_one_step(desk):
    open_desk(desk)
    everything = set(listed(desk))
    desk.keyboard.press("x")
    desk.keyboard.press("Shift+ArrowDown")
    desk.keyboard.press("Shift+ArrowDown")
    assert "3 lines selected" in desk.locator(".selecting").inner_text()
    desk.keyboard.press("l")
    assert len(summed(desk)) == 3 and {line for line, _ in summed(desk)} < everything
    desk.keyboard.press("u")
    assert decisions(desk) == []
    desk.get_by_label("Select all 5").click()
    desk.locator('.selecting [data-decision="accept"]').click()
    assert {line for line, _ in summed(desk)} == everything
    # From a disk a build that ran now would know nothing of it.
    told = desk.locator(".begin .progress").text_content()
    assert "Everything is decided. Export the CSV, put its rows at the end of" in told and "then build again" in told


def test_several_lines_are_asked_for_anew_with_one_direction(desk):
    open_desk(desk)
    desk.keyboard.press("x")
    desk.keyboard.press("Shift+ArrowDown")
    desk.keyboard.press("r")
    assert decisions(desk) == []
    desk.keyboard.type("roligere")
    desk.keyboard.press("Tab")
    desk.keyboard.type("for ivrig")
    desk.keyboard.press("Enter")
    assert [(row["decision"], row["style"], row["why"]) for row in decisions(desk)] == [
        ("retake", "roligere", "for ivrig")
    ] * 2
    assert "selected" not in desk.locator(".selecting").inner_text()
    desk.keyboard.press("x")
    desk.locator('.selecting [data-decision="retake"]').click()
    desk.keyboard.press("Escape")
    assert not desk.locator(".ask").is_visible() and len(decisions(desk)) == 2
    desk.keyboard.press("u")
    assert decisions(desk) == []


def test_typing_never_decides(desk):
    open_desk(desk)
    desk.keyboard.press("/")
    desk.keyboard.type("allr u")
    assert decisions(desk) == []
    assert desk.locator('input[name="query"]').input_value() == "allr u"


def test_a_recording_of_a_person_cannot_be_asked_for_another_take(pilot, tmp_path):
    from report_builder import Case, make_report

    from replikk.report.render import render_page

    data = make_report([Case("a", "Hei på deg du", "flagged", ["hei"])])
    data["lines"][0]["human_recording"] = True
    path = tmp_path / "index.html"
    path.write_bytes(render_page(data))
    page = pilot.open(path)
    open_desk(page)
    assert page.locator('.decide [data-decision="retake"]').is_disabled()
    page.keyboard.press("r")
    assert "a person spoke it" in page.locator("#told").inner_text()
    assert decisions(page) == []


# Opened from a disk --------------------------------------------------------------------------------------------------


def test_decisions_outlive_the_page_and_are_exported_as_the_file_has_them(desk, game):
    open_desk(desk)
    desk.locator(".who").fill("Vigdis")
    desk.keyboard.press("Escape")
    line = line_on_desk(desk)
    desk.keyboard.press("a")
    desk.keyboard.press("l")
    desk.reload()
    until(desk, "replikkDeciding.rows().length === 2")
    assert desk.locator(".work .count").inner_text() == "2 of 5 decided"
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Export CSV").first.click()
    data = download.value.path().read_bytes()
    found, problems = read_rows(data, "decisions.csv")
    assert problems == []
    assert [(row.decision, row.who) for row in found] == [("accept", "Vigdis"), ("lock", "Vigdis")]
    assert found[0].line_id == line
    assert next(csv.reader(io.StringIO(data.decode("utf-8-sig"))))[:3] == ["id", "take_key", "decision"]


# Through the server --------------------------------------------------------------------------------------------------


@pytest.fixture
def site(game):
    (game.dialogue / "decisions.csv").unlink(missing_ok=True)
    with running(game.root) as site:
        yield site


def served(pilot, site, **more):
    page = pilot.open(site.app.address(), **more)
    page.wait_for_selector(".verdict")
    until(page, "Boolean(replikkDeciding.review())")
    return page


def written(site) -> list[tuple[str, str]]:
    if not site.decisions.exists():
        return []
    rows, problems = read_rows(site.decisions.read_bytes(), "decisions.csv")
    assert problems == []
    return [(row.line_id, row.decision) for row in rows]


def until_written(page, site, wanted) -> None:
    until(page, "replikkDeciding.review().status.waiting === 0")
    assert written(site) == wanted


def test_a_served_page_writes_decisions_and_takes_them_back(site, pilot):
    page = served(pilot, site)
    assert "written at once" in page.locator(".work").inner_text()
    assert (
        page.locator(".who").get_attribute("placeholder") == page.evaluate("replikkDeciding.review().signedBy()") != ""
    )
    open_desk(page)
    line = line_on_desk(page)
    page.keyboard.press("a")
    until_written(page, site, [(line, "accept")])
    page.keyboard.press("u")
    until_written(page, site, [])


def test_two_pages_see_each_other(site, pilot):
    one, other = served(pilot, site), served(pilot, site)
    open_desk(one)
    first = line_on_desk(one)
    second = next(line_id for line_id in ("skog_001", "havn_002") if line_id != first)
    one.keyboard.press("a")
    open_desk(other)
    other.evaluate(f"location.hash = '#line-{second}'")
    until(other, f"document.querySelector('#desk-title').textContent === '{second}'")
    other.keyboard.press("l")
    for page in (one, other):
        until(page, "replikkDeciding.rows().length === 2 && replikkDeciding.review().status.waiting === 0")
        assert page.locator(".work .count").inner_text() == "2 of 5 decided"
    assert sorted(written(site)) == sorted([(first, "accept"), (second, "lock")])


def test_a_refused_respelling_is_told_and_nothing_is_written(site, pilot):
    page = served(pilot, site, expect=("Failed to load resource: the server responded with a status of 422",))
    open_desk(page)
    page.keyboard.press("r")
    page.keyboard.press("Tab")
    page.keyboard.type("{ukjent}")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notices .bad")
    assert "respelling" in page.locator(".notices").inner_text()
    assert written(site) == []


def test_a_page_whose_server_is_gone_keeps_what_was_decided_and_says_so(pilot, game):
    with running(game.root) as site:
        page = served(pilot, site, expect=("Failed to load resource",))
        open_desk(page)
    page.keyboard.press("a")
    page.wait_for_selector(".notices .bad")
    assert "does not answer" in page.locator(".notices").inner_text()
    assert page.locator(".work .off").is_visible()
    assert len(decisions(page)) == 1
    until(page, "replikkDeciding.review().status.waiting === 1")


def test_a_decision_about_a_take_that_is_gone_is_shown_as_stale(site, pilot):
    lost = "ab" * 32
    site.decisions.write_text(f"id,take_key,decision,who,when,why\nhavn_002,{lost},accept,Vigdis,2026-05-17,fint\n")
    page = served(pilot, site)
    until(page, "replikkDeciding.rows().length === 1")
    assert "stale: the line has changed since" in page.locator("#decided").inner_text()
    assert page.locator(".work .count").inner_text() == "0 of 5 decided"
    page.evaluate("location.hash = '#line-havn_002'")
    until(page, "Boolean(replikkDesk.line())")
    assert "stale" in page.locator(".desk .decided").inner_text()


def test_the_page_says_when_there_is_a_new_build(site, pilot, game):
    page = served(pilot, site)
    report = game.build / "report" / "report.json"
    data = json.loads(report.read_bytes())
    data["disclosure"] += " Really."
    report.write_text(json.dumps(data))
    page.wait_for_selector(".notices .note")
    assert "new build" in page.locator(".notices").inner_text()


def test_closing_a_page_that_has_not_written_everything_asks_first(pilot, game):
    with running(game.root) as site:
        page = served(pilot, site, expect=("Failed to load resource", "dialog"))
        open_desk(page)
    page.keyboard.press("a")
    page.wait_for_selector(".work .off")
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.close(run_before_unload=True)
    page.context.pages[0].wait_for_timeout(300)
    assert asked == ["beforeunload"]


# The full circle -----------------------------------------------------------------------------------------------------


def test_the_next_build_does_exactly_what_was_decided_in_the_page(site, pilot, game):
    before = {line["id"]: line for line in game.report()["lines"]}
    flagged = [line for line in before.values() if line["state"] == "flagged"]
    assert {line["id"] for line in flagged if not line["hear_once"]} == FLAGGED
    page = served(pilot, site)
    open_desk(page)
    for line_id, keys in (
        ("havn_001", ["2", "a"]),
        ("havn_002", ["r", "Enter"]),
        ("havn_003", ["l"]),
        ("havn_004", ["a"]),
    ):
        page.evaluate(f"location.hash = '#line-{line_id}'")
        until(page, f"document.querySelector('#desk-title').textContent === '{line_id}'")
        for press in keys:
            page.keyboard.press(press)
    wanted = [("havn_001", "accept"), ("havn_002", "retake"), ("havn_003", "lock"), ("havn_004", "accept")]
    until_written(page, site, wanted)
    takes = game.takes()
    clips = {line_id: line["take"] for line_id, line in before.items()}

    Stages(game).all()

    after = {line["id"]: line for line in game.report()["lines"]}
    assert {line_id: line["state"] for line_id, line in after.items()} == {
        "havn_001": "accepted", "havn_002": "regenerated", "havn_003": "locked", "havn_004": "accepted",
        "skog_001": "flagged",
    }  # fmt: skip
    assert after["havn_001"]["take"] == before["havn_001"]["takes"][1]["key"]
    assert {line_id for line_id in after if after[line_id]["take"] != clips[line_id]} <= {"havn_001", "havn_002"}
    new = game.takes() - takes
    assert new and new <= {take["key"] for take in after["havn_002"]["takes"]}
    # The page of the new build opens where the work goes on.
    until(page, "document.querySelector('.notices').textContent.includes('new build')")
    page.get_by_role("button", name="Load its report").click()
    page.wait_for_selector("#desk-title")
    until(page, "Boolean(replikkDeciding.review())")
    assert page.evaluate("replikkLines.waiting.map((line) => line.id)") == ["skog_001"]


def test_decisions_that_were_exported_from_the_disk_are_built_as_well(desk, game):
    before = {line["id"]: line for line in game.report()["lines"]}
    open_desk(desk)
    for line_id, keys in (("havn_001", ["2", "l"]), ("skog_001", ["r", "Enter"])):
        desk.evaluate(f"location.hash = '#line-{line_id}'")
        until(desk, f"document.querySelector('#desk-title').textContent === '{line_id}'")
        for press in keys:
            desk.keyboard.press(press)
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Export CSV").first.click()
    download.value.save_as(game.dialogue / "decisions.csv")

    Stages(game).all()

    after = {line["id"]: line for line in game.report()["lines"]}
    changed = {line_id for line_id in after if after[line_id]["state"] != before[line_id]["state"]}
    assert changed == {"havn_001", "skog_001"}
    assert (after["havn_001"]["state"], after["skog_001"]["state"]) == ("locked", "regenerated")
    assert after["havn_001"]["take"] == before["havn_001"]["takes"][1]["key"]
    assert after["skog_001"]["take"] not in {take["key"] for take in before["skog_001"]["takes"]}


def test_a_stale_lock_waits_until_it_is_withdrawn_and_then_the_new_text_is_spoken(game, pilot):
    key = next(line["take"] for line in game.report()["lines"] if line["id"] == "havn_003")
    game.write_decisions([{"id": "havn_003", "take_key": key, "decision": "lock", "who": "Vigdis"}])
    sheet = game.dialogue / "havn.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("ved brygga", "ved moloen"), encoding="utf-8")
    Stages(game).all()
    with running(game.root) as site:
        page = served(pilot, site)
        open_desk(page)
        assert line_on_desk(page) == "havn_003"
        row = page.locator('.list > li:has(code:text-is("havn_003"))')
        assert "locked, text changed" in row.inner_text()
        assert page.locator('.decide [data-decision="accept"]').is_disabled()
        page.locator('.decide [data-decision="withdraw"]').click()
        until(page, "replikkDeciding.review().status.waiting === 0")
        assert "lock withdrawn" in row.inner_text()
        page.close()
    Stages(game).all()
    after = {line["id"]: line for line in game.report()["lines"]}["havn_003"]
    assert after["state"] == "flagged" and "moloen" in after["spoken"] and after["take"] != key
