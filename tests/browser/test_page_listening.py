"""Listening: audio that really decodes and plays, the waveform and its marks, takes beside each other, the scene."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from page_pilot import is_playing, line_on_desk, player_time, until
from review_site import running
from stage_runner import Stages


def wait_until_it_plays(page) -> None:
    until(page, "replikkPlayer.state().playing && replikkPlayer.state().time_s > 0.05")


def playing(page) -> str:
    return page.evaluate("replikkPlayer.audio.src").rsplit("/", 1)[-1]


@pytest.mark.parametrize(("audio_format", "suffix"), [("ogg-vorbis", ".ogg"), ("ogg-opus", ".opus"), ("wav", ".wav")])
def test_clips_of_every_format_play_from_the_disk(pilot, game, audio_format, suffix):
    game.settings["delivery"] = {"format": audio_format}
    stages = Stages(game)
    stages.package()
    stages.report()
    page = pilot.open(game.build / "report" / "index.html")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    wait_until_it_plays(page)
    assert playing(page).endswith(suffix)
    before = player_time(page)
    until(page, f"replikkPlayer.state().time_s > {before} || !replikkPlayer.state().playing")


@contextmanager
def plain_web_server(folder: Path):
    """Files and nothing else: what a studio's web space or a continuous-integration server does with artefacts."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("by", ["disk", "web server"])
def test_the_three_folders_are_all_that_somebody_elsewhere_needs(pilot, game, tmp_path, by):
    sent = tmp_path / "to send"
    for folder in ("report", "assets", "store/takes"):
        shutil.copytree(game.build / folder, sent / folder)
    archive = shutil.make_archive(str(tmp_path / "report"), "zip", sent)
    shutil.rmtree(game.root)
    shutil.rmtree(sent)
    there = tmp_path / "Nedlastinger #1 (æøå)"
    shutil.unpack_archive(archive, there)
    with plain_web_server(there) as site:
        # A page that is served asks once whether it may write decisions; here nobody takes them.
        where = there / "report" / "index.html" if by == "disk" else f"{site}/report/index.html"
        page = pilot.open(where, expect=("Failed to load resource: the server responded with a status of 404",))
        until(page, "Boolean(replikkDeciding.review())")
        assert "kept in this browser" in page.locator(".work").inner_text()
        page.keyboard.press("Enter")
        for press in ("Space", "d", "1"):  # the take, the finished clip, another take
            page.keyboard.press(press)
            wait_until_it_plays(page)
        page.close()


def test_space_plays_and_pauses_the_take_and_a_click_on_the_wave_seeks(desk):
    desk.keyboard.press("Enter")
    desk.keyboard.press("Space")
    wait_until_it_plays(desk)
    assert playing(desk).endswith(".flac")
    desk.keyboard.press("Space")
    assert not is_playing(desk)
    assert player_time(desk) > 0
    wave = desk.locator(".deck .strip").bounding_box()
    desk.mouse.click(wave["x"] + wave["width"] * 0.5, wave["y"] + wave["height"] / 2)
    length = desk.evaluate("replikkPlayer.state().duration_s")
    assert player_time(desk) >= 0.45 * length
    assert desk.locator(".deck .playhead").is_visible()


def test_a_button_that_was_clicked_does_not_take_the_space_key(desk):
    desk.keyboard.press("Enter")
    desk.locator('button[aria-label="Next line"]').click()
    line = line_on_desk(desk)
    desk.keyboard.press("Space")
    wait_until_it_plays(desk)
    assert line_on_desk(desk) == line


def test_the_line_between_its_neighbours_plays_the_three_in_a_row(desk):
    desk.goto(desk.url.split("#")[0] + "#line-havn_002")
    desk.keyboard.press("c")
    heard = []
    for _ in range(3):
        wait_until_it_plays(desk)
        heard.append(playing(desk))
        desk.evaluate("replikkPlayer.audio.currentTime = replikkPlayer.audio.duration - 0.02")
        until(desk, f"!replikkPlayer.audio.src.endsWith('{heard[-1]}') || !replikkPlayer.state().name")
    assert heard == ["havn_001.ogg", "havn_002.ogg", "havn_003.ogg"]


def test_number_keys_and_arrows_go_through_the_takes(desk):
    desk.keyboard.press("Enter")
    assert desk.locator(".side-by-side section.take").count() == 3
    for press, chosen in (("1", 0), ("3", 2), ("ArrowLeft", 1), ("ArrowRight", 2)):
        desk.keyboard.press(press)
        wait_until_it_plays(desk)
        assert desk.locator(".side-by-side .pick").nth(chosen).get_attribute("aria-pressed") == "true"
        assert desk.locator('.side-by-side .pick[aria-pressed="true"]').count() == 1
        key = desk.evaluate(f"replikkDesk.line().takes[{chosen}].key")
        assert playing(desk) == f"{key}.flac"


def test_takes_are_played_at_one_loudness(desk):
    """From the disk by turning the louder ones down: the levels of the speech, with the volumes, are the same."""
    desk.keyboard.press("Enter")
    heard = []
    for press in "123":
        desk.keyboard.press(press)
        wait_until_it_plays(desk)
        volume = desk.evaluate("20 * Math.log10(replikkPlayer.audio.volume)")
        heard.append(volume + desk.evaluate(f"replikkDesk.line().takes[{int(press) - 1}].level"))
    assert max(heard) - min(heard) < 0.05


def test_a_served_page_lifts_quiet_takes_to_the_delivered_clip(pilot, game):
    with running(game.root) as site:
        page = pilot.open(site.app.address())
        page.wait_for_selector(".verdict")
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        wait_until_it_plays(page)
        gains = page.evaluate("replikkTakes.gains(replikkDesk.line())")
        line = page.evaluate("(({ takes, gain }) => ({ takes, gain }))(replikkDesk.line())")
        levels = [take["level"] + gain for take, gain in zip(line["takes"], gains, strict=True)]
        delivered = next(take["level"] for take in line["takes"] if take["delivered"]) + line["gain"]
        assert levels == pytest.approx([delivered] * 3)
        page.close()


def test_the_wave_is_drawn_with_its_words_and_the_suspicious_stretch(desk):
    desk.keyboard.press("Enter")
    take = desk.evaluate("replikkDesk.line().takes.find((take) => take.delivered)")
    assert len(desk.locator(".deck path.wave").first.get_attribute("d")) > 500
    heard = [word[2] for word in take["words"] if word[0] == "ok"]
    assert desk.locator(".deck .word.ok").all_inner_texts() == heard
    missing = [word[1] for word in take["words"] if word[0] == "del"]
    assert missing
    assert " ".join(desk.locator(".deck .word.del").all_inner_texts()).replace("✕ ", "").split() == missing
    assert "missing" in desk.locator(".deck .stretch .flag").first.inner_text()
    strip, stretch = (desk.locator(f".deck {part}").first.bounding_box() for part in (".strip", ".stretch"))
    start_s = take["stretches"][0][0]
    assert (stretch["x"] - strip["x"]) / strip["width"] == pytest.approx(start_s / take["duration"], abs=0.02)


def test_words_never_stand_on_each_other(desk):
    desk.keyboard.press("Enter")
    desk.wait_for_timeout(100)
    boxes = desk.locator(".deck .word").evaluate_all("all => all.map(word => word.getBoundingClientRect().toJSON())")
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = one["right"] <= other["left"] + 1 or other["right"] <= one["left"] + 1
            assert apart or abs(one["top"] - other["top"]) > 10


def test_differences_are_told_by_signs_and_words_not_by_colour_alone(desk):
    desk.keyboard.press("Enter")
    pair = desk.locator(".listening .pair.del").first
    assert "✕" in pair.inner_text()
    assert "missing" in pair.locator(".hidden").text_content()
    assert pair.locator("del").inner_text()


def test_reasons_come_with_the_measured_value_and_its_limit(desk):
    desk.keyboard.press("Enter")
    reasons = desk.locator(".listening .reasons li").all_inner_texts()
    about_words = [reason for reason in reasons if "not heard" in reason]
    assert about_words and all("measured" in reason and "at most 0 words wanted" in reason for reason in about_words)


def test_a_line_without_outline_is_drawn_when_the_page_is_served(pilot, game):
    with running(game.root) as site:
        page = pilot.open(site.app.address())
        page.wait_for_selector(".verdict")
        page.evaluate("location.hash = '#line-havn_001'")
        assert page.evaluate("replikkLines.byId.get('havn_001').takes.length") > 0
        until(page, "(document.querySelector('.deck path.wave').getAttribute('d') || '').length > 300")
        page.close()


def test_what_cannot_be_played_is_said(pilot, game):
    for folder in ("assets", "store"):
        (game.build / folder).rename(game.build / f"no-{folder}")
    page = pilot.open(game.build / "report" / "index.html", expect=("Failed to load resource",))
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    until(page, "document.getElementById('told').textContent.includes('assets and store')")
