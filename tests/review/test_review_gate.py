"""Who is let in, what is never given out, and what every answer forbids the browser."""

import json
import os
import secrets

import pytest
from review_site import running

REPORT = "/report/index.html"


@pytest.fixture(scope="module")
def site(copy_of_built, tmp_path_factory):
    """One server for all of them: nothing here is written through it."""
    with running(copy_of_built(tmp_path_factory.mktemp("review"))) as site:
        yield site


def path_of(address, site):
    return address.removeprefix(site.app.site)


def test_the_printed_address_is_exchanged_for_a_cookie_and_left(site):
    entered = site.stranger().get(path_of(site.app.address(), site))
    assert entered.status == 200
    assert f"url={REPORT}" in entered.text and site.app.token not in entered.text
    name, *attributes = entered.headers["Set-Cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert not any(part.startswith(("domain", "expires", "max-age")) for part in attributes)
    assert site.app.token not in name
    assert site.page().get(REPORT).status == 200


def test_the_address_for_the_browser_command_opens_one_time(site):
    address = path_of(site.app.address_for_once(), site)
    assert site.stranger().get(address).status == 200
    assert site.stranger().get(address).status == 403


def test_who_has_entered_may_come_back_to_the_bare_address(site, page):
    assert page.get("/").status == 200
    assert site.stranger().get("/").status == 403


@pytest.mark.parametrize("path", [REPORT, "/api/state", "/assets/manifest.json", "/nothing"])
def test_without_the_cookie_nothing_is_given_out_not_even_what_there_is(site, path):
    refused = site.stranger().get(path)
    assert refused.status == 403
    assert "open the address" in refused.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?token=",
        "?token=x",
        "?token=" + "x" * 43,
        "?token=%F0%9F%92%A9",
        "?token={t}&token={t}",
        "?t={t}",
    ],
)
def test_a_wrong_token_is_refused(site, query):
    assert site.stranger().get("/" + query.format(t=site.app.token)).status == 403


def test_a_token_in_another_address_opens_nothing(site):
    assert site.stranger().get(f"{REPORT}?token={site.app.token}").status == 403


def test_looking_at_the_address_without_opening_it_uses_no_token_up(site):
    address = path_of(site.app.address_for_once(), site)
    site.stranger().ask("HEAD", address)
    assert site.stranger().get(address).status == 200


def test_a_cookie_of_another_run_or_none_at_all_is_refused(site, page):
    name = page.cookie.partition("=")[0]
    for cookie in (f"{name}=", f"{name}={secrets.token_urlsafe(32)}", f"x{page.cookie}", "===;;;\x80"):
        assert site.stranger().get(REPORT, Cookie=cookie).status == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{p}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{p}", "0.0.0.0:{p}", ""],
)
def test_a_foreign_name_for_this_machine_is_refused(site, page, host):
    """DNS rebinding: a page of evil.example whose name now means 127.0.0.1 is same-origin to the browser."""
    assert page.get(REPORT, Host=host.format(p=site.port)).status == 421
    assert page.get(path_of(site.app.address(), site), Host=host.format(p=site.port)).status == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{p}", "http://127.0.0.1", "http://127.0.0.1:1", None]
)
def test_another_origin_cannot_write_even_with_the_cookie(site, page, origin):
    """Pages on other ports of this machine are of the same site: their requests carry the cookie."""
    origin = origin and origin.format(p=site.port)
    accept = {"line_id": "havn_001", "take_key": site.take_of("havn_001"), "decision": "accept"}
    body = {"request": "from-elsewhere", "decisions": [accept]}
    assert page.post("/api/decisions", body, Origin=origin).status == 403
    assert page.post("/api/undo", body, Origin=origin).status == 403
    assert not site.decisions.exists()


def test_another_origin_cannot_read_either(page):
    assert page.get("/api/state", Origin="http://evil.example").status == 403
    assert page.get(REPORT, Sec_Fetch_Site="same-site").status == 403
    assert page.get(REPORT, Sec_Fetch_Site="cross-site").status == 403
    assert page.get(REPORT, Sec_Fetch_Site="same-origin").status == 200
    assert page.get(REPORT, Sec_Fetch_Site="none").status == 200, "typed into the address bar"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_only_reading_and_posting(page, method):
    assert page.ask(method, "/api/state").status == 405


@pytest.mark.parametrize(("path", "status"), [(REPORT, 200), ("/api/state", 200), ("/nothing", 404), ("/", 200)])
def test_every_answer_tells_the_browser_to_keep_it_to_itself(site, page, path, status):
    for answer in (page.get(path), site.stranger().get(path)):
        assert answer.status in (status, 403)
        headers = answer.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["connect-src"] == "'self'"
        assert "server" not in headers and "access-control-allow-origin" not in headers


# Files ----------------------------------------------------------------------------------------------------------------


def test_report_clips_and_takes_are_given_out_byte_for_byte(site, page):
    line = next(line for line in site.report()["lines"] if line.get("takes"))
    for address in (REPORT, "/report/report.json", "/report/report.csv"):
        assert page.get(address).body == (site.build / address[1:]).read_bytes()
    for relative, kind in ((line["path"], "audio/ogg"), (line["takes"][0]["path"], "audio/flac")):
        assert relative.startswith("../"), "relative to the page"
        answer = page.get(relative[2:])
        assert answer.headers["Content-Type"] == kind
        assert answer.body == (site.build / relative[3:]).read_bytes()


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=9999999-", 416, 0, 0),
    ],
)
def test_audio_can_be_sought_in(site, page, asked, status, first, last):
    path = site.report()["lines"][0]["path"][2:]
    whole = (site.build / path[1:]).read_bytes()
    answer = page.get(path, Range=asked)
    assert answer.status == status
    if status == 206:
        part = whole[first : None if last is None else last + 1]
        assert answer.body == part
        start = first % len(whole)
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    assert page.get(path).headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "path",
    [
        "/report/../plan/lines.jsonl",
        "/report/..%2fplan/lines.jsonl",
        "/report/%2e%2e/store/takes.journal",
        "/report/%252e%252e/release.json",
        "/../dialogue/havn.csv",
        "/..%2f..%2f..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/report//etc/passwd",
        "/report/..\\..\\dialogue\\havn.csv",
        "/report/index.html%00.ogg",
        "/report/.hidden.json",
        "/report",
        "/report/",
        "/assets",
        "/release.json",
        "/store/takes.journal",
        "/plan/lines.jsonl",
        "/selection.jsonl",
        "/dialogue/havn.csv",
        "/report/" + "x" * 5000 + ".ogg",
        "/report/secret.pem",
    ],
)
def test_nothing_else_of_this_machine_is_given_out(site, page, path):
    (site.build / "report" / ".hidden.json").write_text("{}")
    (site.build / "report" / "secret.pem").write_text("secret")
    assert page.get(path).status == 404


def test_links_that_lead_out_of_the_build_are_not_followed(site, page):
    outside = site.build.parent / "outside"
    outside.mkdir()
    (outside / "x.ogg").write_bytes(b"OggS")
    (site.build / "assets" / "file.ogg").symlink_to(outside / "x.ogg")
    (site.build / "assets" / "folder").symlink_to(outside)
    (site.build / "assets" / "circle.ogg").symlink_to(site.build / "assets" / "circle.ogg")
    os.mkfifo(site.build / "assets" / "pipe.ogg")
    for name in ("file.ogg", "folder/x.ogg", "circle.ogg", "pipe.ogg"):
        assert page.get(f"/assets/{name}").status == 404, name
    clip = next((site.build / "assets").rglob("havn_001.ogg"))
    (site.build / "assets" / "within.ogg").symlink_to(clip)
    assert page.get("/assets/within.ogg").body == clip.read_bytes()


def test_references_that_the_report_names_are_given_out_and_nothing_beside_them(site, page):
    voices = site.build.parent / "dialogue" / "voices"
    voices.mkdir()
    (voices / "kari.wav").write_bytes(b"RIFF kari")
    (voices / "ola.wav").write_bytes(b"RIFF ola")
    path = site.build / "report" / "report.json"
    report = site.report()
    report["voices"][0]["reference"] = "../../dialogue/voices/kari.wav"
    report["voices"][1]["reference"] = "../../../../../../../etc/passwd"  # no recording
    path.write_text(json.dumps(report))
    assert page.get("/dialogue/voices/kari.wav").body == b"RIFF kari"
    assert page.get("/dialogue/voices/ola.wav").status == 404
    assert page.get("/dialogue/havn.csv").status == 404
    assert page.get("/etc/passwd").status == 404
