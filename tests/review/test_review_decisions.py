"""Deciding over HTTP: what is written, what is refused, and that nobody's decisions are lost."""

from __future__ import annotations

import concurrent.futures
import http.client
import re
from pathlib import Path

import pytest
from game_folder import Game
from review_site import Page, Site, running
from stage_runner import Stages

from replikk.dialogue.decisions import read_decisions

REPORT = "/report/index.html"


def about(site: Site, line_id: str = "havn_001", decision: str = "accept", **more) -> dict:
    return {"line_id": line_id, "take_key": site.take_of(line_id), "decision": decision, **more}


def held(site: Site) -> list[tuple[str, str]]:
    """What the build would read."""
    decisions, problems = read_decisions(site.decisions)
    assert problems == []
    return [(decision.line_id, decision.decision) for decision in decisions]


# Writing --------------------------------------------------------------------------------------------------------------


def test_before_anything_is_decided_there_is_no_file(site, page):
    state = page.state()
    assert state["version"] == "none" and state["decisions"] == [] and state["problems"] == []
    assert state["file"]["columns"][:3] == ["id", "take_key", "decision"]
    assert state["who"] == "vigdis"
    assert not site.decisions.exists()


def test_a_decision_is_in_the_file_when_the_answer_comes(site, page):
    accept = about(site, why="Bra, nå", who="Åse")
    answer = page.decide(accept)
    assert answer.status == 200
    row = answer.json["state"]["decisions"][0]
    assert (row["row"], row["holds"], row["stale"]) == (answer.json["rows"][0], True, "")
    assert {name: row[name] for name in ("line_id", "decision", "why", "who")} == {
        "line_id": "havn_001", "decision": "accept", "why": "Bra, nå", "who": "Åse",
    }  # fmt: skip
    decision = read_decisions(site.decisions)[0][0]
    assert (decision.take_key, decision.why, decision.who) == (accept["take_key"], "Bra, nå", "Åse")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", decision.when)
    assert page.state() == answer.json["state"]


def test_who_and_when_are_filled_in_where_the_page_does_not_say(site, page):
    page.decide(about(site), about(site, "havn_002", when="2026-05-17T12:00:00+02:00", who="Kari"))
    mine, hers = read_decisions(site.decisions)[0]
    assert mine.who == "vigdis" and mine.when
    assert (hers.who, hers.when) == ("Kari", "2026-05-17T12:00:00+02:00")


def test_through_a_tunnel_the_name_localhost_is_this_machine_too(site, page):
    host = f"localhost:{site.port}"
    assert page.get(REPORT, Host=host).status == 200
    body = {"request": "by-tunnel", "decisions": [about(site)]}
    assert page.post("/api/decisions", body, Host=host, Origin=f"http://{host}").status == 200
    assert page.post("/api/decisions", body, Host=host).status == 403, "an origin that is not the host's"


def test_the_file_stays_as_its_owner_keeps_it(site, page):
    site.decisions.write_bytes("id;nøkkel;avgjørelse;hvem;vår\r\nhavn_002;01234567;lås;Åse;x;\r\n".encode("cp1252"))
    site.decisions.chmod(0o640)
    state = page.state()
    assert (state["file"]["separator"], state["decisions"][0]["decision"]) == (";", "lock")
    assert "changed" in state["decisions"][0]["stale"]
    page.decide(about(site, decision="note", why="litt tørr"))
    header, old, new = site.decisions.read_bytes().decode("cp1252").split("\r\n")[:3]
    assert header == "id;nøkkel;avgjørelse;hvem;vår;når;hvorfor"
    assert old == "havn_002;01234567;lås;Åse;x;"
    assert new.startswith(f"havn_001;{site.take_of('havn_001')};note;vigdis;;") and new.endswith(";litt tørr")
    assert site.decisions.stat().st_mode & 0o777 == 0o640


def test_a_cell_never_starts_a_formula(site, page):
    page.decide(about(site, decision="note", who="@SUM(A1)", why='=HYPERLINK("http://evil.example")'))
    text = site.decisions.read_text()
    assert "'@SUM(A1)" in text and "\"'=HYPERLINK" in text
    assert page.state()["decisions"][0]["why"] == '=HYPERLINK("http://evil.example")'


# Refusing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"line_id": "havn_999"}, "no line of this report"),
        ({"line_id": "HAVN_001"}, "no line of this report"),
        ({"take_key": "0" * 64}, "none of its takes any more"),
        ({"take_key": ""}, "names no take"),
        ({"take_key": "0123456789"}, "is no take key"),
        ({"take_key": "../../etc"}, "is no take key"),
        ({"decision": "delete"}, "'delete' is no decision"),
        ({"decision": "note"}, "empty note"),
        ({"decision": "withdraw"}, "no decision on this take"),
        ({"style": "stille"}, "only a retake can have"),
        ({"respelling": "hei"}, "only a retake can have"),
        ({"decision": "retake", "respelling": "..."}, "nothing that can be spoken"),
        ({"decision": "retake", "respelling": "Hei, {player_name}!"}, "respelling: "),
        ({"why": "x" * 2001}, "longer than 2000"),
        ({"when": "i går"}, "is no time"),
        ({"why": 7}, "is no text"),
        ({"why": None}, "is no text"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_a_decision_that_makes_no_sense_refuses_its_whole_batch(site, page, change, sentence):
    refused = page.decide(about(site, "havn_002"), {**about(site), **change})
    assert refused.status == 422
    (one,) = refused.json["refused"]
    assert one["index"] == 1 and sentence in one["what"]
    assert sentence in refused.json["error"] and "nothing was written" in refused.json["error"]
    assert not site.decisions.exists()


def test_every_refused_decision_of_a_batch_is_named(site, page):
    refused = page.decide(
        {"line_id": "a", "take_key": "b", "decision": "accept"},
        about(site),
        [],
        about(site, decision="retake", respelling="!"),
    )
    assert [one["index"] for one in refused.json["refused"]] == [0, 2, 3]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"decisions": []}', b'{"decisions": {}}', b'{"request": "test-0001"}', b"\xff\xfe",
     b"[" * 100_000, b'{"request": 1, "decisions": [1]}', b'{"request": "short", "decisions": [1]}'],
)  # fmt: skip
def test_what_is_no_request_is_refused(site, page, body):
    assert page.ask("POST", "/api/decisions", body).status == 400
    assert page.ask("POST", "/api/undo", body).status == 400
    assert not site.decisions.exists()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "", None]
)
def test_only_json_is_taken(site, page, kind):
    """The kinds that a form of another site could send without the browser asking first."""
    body = {"request": "test-kind", "decisions": [about(site)]}
    assert page.post("/api/decisions", body, Content_Type=kind).status == 415
    assert page.post("/api/decisions", body, Content_Type="application/json; charset=UTF-8").status == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(page):
    assert page.ask("POST", "/api/decisions", b"{}", {"Content-Length": "8000001"}).status == 413
    assert page.ask("POST", "/api/decisions", b"{}", {"Content-Length": "99999999999999999999"}).status == 413


def test_a_body_that_does_not_say_its_length_is_read_no_further_than_the_limit(page):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
    headers = {
        "Host": f"127.0.0.1:{page.port}",
        "Origin": page.site,
        "Cookie": page.cookie,
        "Content-Type": "application/json",
    }
    try:
        connection.request("POST", "/api/decisions", iter([b" " * 65536] * 200), headers, encode_chunked=True)
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it hung up while we were still sending
    assert status == 413
    assert page.state()["decisions"] == []


def test_more_decisions_than_a_game_has_lines_are_refused(site, page):
    refused = page.decide(*[{}] * 20_001)
    assert refused.status == 422 and "send them in parts" in refused.json["error"]


def test_a_file_that_cannot_be_read_back_is_not_written_into(site, page):
    for damaged in (
        b'id,take_key,decision\na,01234567,accept\nb,"01234567,note\n',
        b"name,text\na,b\n",
        b"\xc3\xa6\xff\x81",
    ):
        site.decisions.write_bytes(damaged)
        assert page.state()["problems"]
        refused = page.decide(about(site))
        assert refused.status == 409 and "decisions.csv" in refused.json["error"]
        assert site.decisions.read_bytes() == damaged


def test_a_bad_row_of_somebody_else_stops_nobody(site, page):
    site.decisions.write_text("id,take_key,decision\nhavn_002,1,accept\n")
    assert page.decide(about(site)).status == 200
    assert "havn_002,1,accept" in site.decisions.read_text()
    assert "too short" in page.state()["problems"][0] or "looks like a number" in page.state()["problems"][0]


def test_a_read_only_file_is_left_alone(site, page):
    site.decisions.write_text("id,take_key,decision\n")
    site.decisions.chmod(0o444)
    refused = page.decide(about(site))
    assert refused.status == 409 and "read-only" in refused.json["error"]


# Several pages, and people with editors -------------------------------------------------------------------------------


def test_two_open_pages_lose_nothing_of_each_other(site):
    one, other = site.page(), site.page()
    one.state(), other.state()
    one.decide(about(site, "havn_001"))
    other.decide(about(site, "havn_002", "lock"))
    assert held(site) == [("havn_001", "accept"), ("havn_002", "lock")]
    assert one.state() == other.state()


def test_decisions_that_come_at_the_same_moment_are_all_written(site, root):
    """Three pages, two of one server and one of another on the same folder, forty decisions each."""
    with running(root) as second:
        pages = [site.page(), site.page(), second.page()]
        notes = [(page, f"{n}-{k}") for k in range(40) for n, page in enumerate(pages)]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(
                pool.map(lambda note: note[0].decide(about(site, decision="note", why=f"note {note[1]}")), notes)
            )
    assert {answer.status for answer in answers} == {200}
    said = [decision.why for decision in read_decisions(site.decisions)[0]]
    assert sorted(said) == sorted(f"note {name}" for _, name in notes)


def test_of_two_pages_that_disagree_the_last_one_holds_and_both_see_it(site):
    one, other = site.page(), site.page()
    one.decide(about(site, "havn_001", "accept"))
    other.decide(about(site, "havn_001", "retake"))
    assert held(site) == [("havn_001", "retake")]
    assert [row["holds"] for row in one.state()["decisions"]] == [False, True]


def test_the_same_request_asked_again_writes_nothing_twice(site, page):
    first = page.decide(about(site, decision="note", why="en gang"), request="the-same-one")
    again = page.decide(about(site, decision="note", why="en gang"), request="the-same-one")
    assert first.json["rows"] == again.json["rows"]
    assert len(page.state()["decisions"]) == 1


def test_a_file_that_changed_on_disk_is_noticed(site, page):
    page.decide(about(site))
    before = page.get("/api/state")
    assert page.get("/api/state", If_None_Match=before.headers["ETag"]).status == 304
    with site.decisions.open("a") as file:
        file.write(f"havn_002,{site.take_of('havn_002')[:12]},lås,Ola,,\n")
    after = page.get("/api/state", If_None_Match=before.headers["ETag"])
    assert after.status == 200
    assert after.json["version"] != before.json["version"]
    assert [row["decision"] for row in after.json["decisions"]] == ["accept", "lock"]


def test_an_edit_of_the_same_size_is_noticed_too(site, page):
    page.decide(about(site, decision="note", why="lys"))
    version = page.state()["version"]
    site.decisions.write_text(site.decisions.read_text().replace("lys", "mør"))
    assert page.state()["version"] != version


def test_decisions_that_a_spreadsheet_program_saved_over_are_named(site, page):
    """It has the file open, knows nothing of what was added since, and saves."""
    page.decide(about(site, "havn_001"))
    opened = site.decisions.read_bytes()
    page.decide(about(site, "havn_002"))
    site.decisions.write_bytes(opened)
    assert [lost["line_id"] for lost in page.state()["lost"]] == ["havn_002"]
    assert page.decide(about(site, "havn_003")).status == 200
    assert held(site) == [("havn_001", "accept"), ("havn_003", "accept")]


# Undo -----------------------------------------------------------------------------------------------------------------


def test_undo_takes_the_row_out_again_and_what_was_before_it_holds(site, page):
    page.decide(about(site))
    before = site.decisions.read_bytes()
    rows = page.decide(about(site, decision="retake", why="for fort"), about(site, "havn_002", "lock")).json["rows"]
    assert held(site) == [("havn_001", "retake"), ("havn_002", "lock")]
    undone = page.undo(*rows)
    assert undone.json["removed"] == rows
    assert site.decisions.read_bytes() == before
    assert undone.json["state"]["lost"] == []


def test_undo_leaves_what_others_wrote_since(site):
    one, other = site.page(), site.page()
    rows = one.decide(about(site, "havn_001")).json["rows"]
    other.decide(about(site, "havn_002"))
    with site.decisions.open("a") as file:
        file.write(f"# en merknad\nhavn_003,{site.take_of('havn_003')},accept,,,\n")
    one.undo(*rows)
    assert held(site) == [("havn_002", "accept"), ("havn_003", "accept")]
    assert "# en merknad" in site.decisions.read_text()


def test_undo_of_what_is_gone_already_does_nothing(site):
    one, other = site.page(), site.page()
    rows = one.decide(about(site, "havn_001")).json["rows"]
    assert other.undo(*rows).json["removed"] == rows
    assert one.undo(*rows).json["removed"] == []
    assert one.undo("nothing").json["removed"] == []


def test_a_note_can_be_undone_too(site, page):
    page.decide(about(site, decision="note", why="en"))
    rows = page.decide({"line_id": "havn_001", "decision": "note", "why": "to"}).json["rows"]
    page.undo(*rows)
    assert [row["why"] for row in page.state()["decisions"]] == ["en"]


# What no longer fits --------------------------------------------------------------------------------------------------


def test_a_decision_that_fits_no_take_any_more_is_called_stale(site, page):
    take = site.take_of("havn_001")
    site.decisions.write_text(
        f"id,take_key,decision\nhavn_001,{take},retake\nhavn_002,{take},accept\ngone_001,{take},lock\ngone_001,,note\n"
    )
    assert [row["stale"] for row in page.state()["decisions"]] == [
        "",
        "the line has changed since",
        "there is no such line any more",
        "there is no such line any more",
    ]


def test_a_new_build_is_noticed_and_the_takes_of_an_old_page_are_refused(site, page, root):
    before = page.state()
    old = about(site, "havn_002")
    sheet = root / "dialogue" / "havn.csv"
    sheet.write_text(sheet.read_text().replace("nøkkelen", "båten"))
    build_again(root)
    assert page.state()["report"] != before["report"]
    refused = page.decide(old)
    assert refused.status == 422 and "new build" in refused.json["error"]
    assert page.decide(about(site, "havn_002")).status == 200


def test_a_report_that_is_gone_for_a_moment_is_no_error_of_the_page(site, page):
    """Snakemake takes the old report away before it makes the new one."""
    path = site.build / "report" / "report.json"
    content = path.read_bytes()
    path.unlink()
    assert page.get("/api/state").status == 503
    assert page.decide({"line_id": "havn_001", "decision": "note", "why": "x"}).status == 503
    path.write_bytes(content)
    assert page.get("/api/state").status == 200


# The full circle ------------------------------------------------------------------------------------------------------


def build_again(root: Path) -> Game:
    game = Game.__new__(Game)
    game.root, game.dialogue, game.build, game.settings = root, root / "dialogue", root / "build", {}
    Stages(game).all()
    return game


def test_the_next_build_does_what_was_decided_and_nothing_else(site, page, root):
    lines = {line["id"]: line for line in site.report()["lines"]}
    answer = page.decide(
        about(site, "havn_001", "retake", style="rop så høyt du kan", respelling="Velkommen til den nye brygga!"),
        about(site, "havn_003", "accept"),
    )
    assert answer.status == 200 and answer.json["remarks"] == []
    takes = {path: path.stat().st_mtime_ns for path in (site.build / "store" / "takes").rglob("*.flac")}
    game = build_again(root)
    after = {line["id"]: line for line in site.report()["lines"]}
    assert (after["havn_001"]["style"], after["havn_001"]["spoken"]) == (
        "rop så høyt du kan", "Velkommen til den nye brygga!",
    )  # fmt: skip
    assert after["havn_001"]["text"] == lines["havn_001"]["text"], "what the player reads is the writer's"
    assert after["havn_001"]["take"] != lines["havn_001"]["take"]
    assert {name: after["havn_002"][name] for name in ("take", "style", "state")} == {
        name: lines["havn_002"][name] for name in ("take", "style", "state")
    }
    assert (after["havn_003"]["state"], after["havn_003"]["take"]) == ("accepted", lines["havn_003"]["take"])
    new = game.takes() - {path.stem for path in takes}
    assert after["havn_001"]["take"] in new
    mine = {take["key"] for take in after["havn_001"].get("takes", ())} | {after["havn_001"]["take"]}
    assert new <= mine, "takes were made for this line alone"
    assert {path: path.stat().st_mtime_ns for path in takes} == takes
    assert [row["stale"] for row in page.state()["decisions"]] == ["", ""]

    page.decide(about(site, "havn_001", "retake", style="stille"))  # a take of the line as it was directed
    build_again(root)
    again = {line["id"]: line for line in site.report()["lines"]}
    assert (again["havn_001"]["style"], again["havn_001"]["spoken"]) == ("stille", "Velkommen til den nye brygga!")
    assert [row["stale"] for row in page.state()["decisions"]] == ["", "", ""]

    page.undo(*[row["row"] for row in page.state()["decisions"]])
    build_again(root)
    assert {line["id"]: line["take"] for line in site.report()["lines"]} == {
        line_id: line["take"] for line_id, line in lines.items()
    }


def test_a_direction_ends_with_the_text_that_it_was_given_for(site, page, root):
    page.decide(about(site, "havn_002", "retake", style="glad"))
    sheet = root / "dialogue" / "havn.csv"
    sheet.write_text(sheet.read_text().replace("nøkkelen", "båten"))
    build_again(root)
    line = next(line for line in site.report()["lines"] if line["id"] == "havn_002")
    assert line["style"] == "stille"
    assert "no longer fits" in site.report()["stale_decisions"][0]
    assert page.state()["decisions"][0]["stale"] == "the line has changed since"


def test_a_lock_that_has_gone_stale_can_be_withdrawn(site, page, root):
    page.decide(about(site, "havn_002", "lock"))
    sheet = root / "dialogue" / "havn.csv"
    sheet.write_text(sheet.read_text().replace("nøkkelen", "båten"))
    build_again(root)
    assert next(line["state"] for line in site.report()["lines"] if line["id"] == "havn_002") == "locked_stale"
    assert page.decide(about(site, "havn_002", "withdraw")).status == 200
    build_again(root)
    assert next(line["state"] for line in site.report()["lines"] if line["id"] == "havn_002") in (
        "passed",
        "regenerated",
    )
    assert site.report()["stale_decisions"] == []


def test_a_direction_that_the_voice_cannot_follow_is_remarked_at_once(site, page):
    answer = page.decide(about(site, decision="retake", style="med hatten på snei"))
    assert answer.status == 200
    assert "cannot follow the direction 'med hatten på snei'" in answer.json["remarks"][0]


def test_two_servers_on_one_machine_do_not_take_each_others_cookies(site, page):
    stranger = Page(site.port, page.cookie.replace(str(site.port), str(site.port + 1)))
    assert stranger.get("/api/state").status == 403
