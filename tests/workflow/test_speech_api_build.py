"""Builds whose voice and ear are servers on this machine: one speaks with the embedded voice, the other knows what it
said. Through real Snakemake, except where nothing is ever asked."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from game_folder import PROJECT, Game
from stage_runner import Stages

sys.path[:0] = [str(PROJECT / "tests" / "engines"), str(PROJECT / "tests" / "judges")]

from listening_server import Server as ListeningServer  # noqa: E402
from speech_server import SpeechServer, spoken_wavs  # noqa: E402

from replikk.errors import ReplikkError  # noqa: E402

LINES = [
    {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": "", "take": ""},
    {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "kari", "style": "si dette stille", "take": ""},
    {"id": "havn_003", "text": "Her er det mørkt {w=0.6} og kaldt.", "voice": "ola", "style": "", "take": ""},
    {"id": "havn_004", "text": "Vi må skynde oss hjem nå.", "voice": "ola", "style": "", "take": ""},
]
WHOLE = ["Velkommen til den gamle havna.", "Har du sett nøkkelen min?", "Vi må skynde oss hjem nå."]
PARTS = ["Her er det mørkt", "og kaldt."]
TRIED = "Hei, hører du meg?"
OTHER = "Det var en helt annen setning."
TRANSCRIPT = "Kom og se! Jeg har funnet en bokstav i sanda, og jeg tror den har ligget her i mange år."


@pytest.fixture(scope="module")
def sounds() -> dict[str, bytes]:
    return spoken_wavs([*WHOLE, *PARTS, OTHER, TRIED])


@pytest.fixture
def speaker(sounds: dict[str, bytes]) -> Iterator[SpeechServer]:
    running = SpeechServer(sounds)
    yield running
    running.close()


@pytest.fixture
def listener(sounds: dict[str, bytes]) -> Iterator[ListeningServer]:
    """Hears what the other server said, and what it cannot know is the line that was put together of two parts."""
    known = {_sound(content): text for text, content in sounds.items()}
    running = ListeningServer()

    def heard(number: int) -> tuple[int, dict[str, str], bytes]:
        text = known.get(_sound(running.asked[number - 1][2]["file"][0]), " ".join(PARTS))
        return 200, {}, json.dumps({"text": text}).encode()

    running.answers = heard
    yield running
    running.close()


def _sound(wav: bytes) -> str:
    return hashlib.sha256(soundfile.read(io.BytesIO(wav), dtype="int16")[0].tobytes()).hexdigest()


@pytest.fixture
def studio(game: Game, speaker: SpeechServer, listener: ListeningServer) -> Game:
    shutil.copy(PROJECT / "dialogue" / "references" / "kari.flac", game.dialogue / "kari.flac")
    game.voices = {
        "kari": {
            "reference": {"audio": "kari.flac", "transcript": TRANSCRIPT},
            "rights": {"who": "nobody", "licence": "own", "evidence": "made by the embedded voice"},
        },
        "ola": {"speech-api": {"voice": "olav"}},
    }
    game.write_voices()
    game.write_sheet("havn.csv", LINES)
    game.configure(
        engine="speech-api",
        engines={"speech-api": settings(speaker)},
        judge="speech-api",
        judges={"speech-api": {"url": listener.url, "model": "stor", "workers": 1}},
        max_rounds=2,
    )
    return game


def settings(speaker: SpeechServer, **more: object) -> dict[str, object]:
    return {"url": speaker.url, "model": "CosyVoice2-0.5B", "licence": "Apache-2.0", "workers": 1, **more}


def inputs(speaker: SpeechServer) -> list[str]:
    return [asked["input"] for _, _, asked in speaker.asked]


def test_a_game_is_spoken_heard_and_tried_again_through_servers(
    studio: Game, speaker: SpeechServer, listener: ListeningServer, sounds: dict[str, bytes]
) -> None:
    speaker.answers = lambda number: (
        (200, {}, sounds[OTHER])
        if speaker.asked[number - 1][2]["input"] == WHOLE[0] and inputs(speaker).count(WHOLE[0]) == 1
        else None
    )
    output = studio.make()
    assert "takes spoken by speech-api: 4" in output and "takes heard by speech-api: 4" in output
    clips = studio.clips()
    assert {name: (clip["verdict"], clip["takes_made"]) for name, clip in clips.items()} == {
        "havn_001": ("regenerated", 2), "havn_002": ("passed", 1), "havn_003": ("passed", 1), "havn_004": ("passed", 1),
    }  # fmt: skip
    assert {clip["licences"]["engine"] for clip in clips.values()} == {"Apache-2.0 (CosyVoice2-0.5B)"}
    assert clips["havn_001"]["licences"]["voice"] == "own" and studio.manifest()["engine"]["name"] == "speech-api"
    page = (studio.build / "report" / "index.html").read_text(encoding="utf-8")
    assert "Apache-2.0 (CosyVoice2-0.5B)" in page

    assert sorted(inputs(speaker)) == sorted([*WHOLE, WHOLE[0], *PARTS])
    first, second = (asked for _, _, asked in speaker.asked if asked["input"] == WHOLE[0])
    assert first["seed"] != second["seed"], "a retake is another question"
    assert first["ref_text"] == TRANSCRIPT and first["ref_audio"].startswith("data:audio/flac;base64,")
    (quiet,) = (asked for _, _, asked in speaker.asked if asked["input"] == WHOLE[1])
    assert quiet["instructions"] == "si dette stille"
    assert all("ref_audio" not in asked for _, _, asked in speaker.asked if asked["voice"] == "olav")
    assert len(listener.asked) == 5

    speaker.close()
    assert "Nothing to be done" in studio.make(), "what is made needs no server"


def test_another_reading_asks_anew_and_another_licence_asks_nobody(studio: Game, speaker: SpeechServer) -> None:
    studio.make()
    before = studio.clips()
    seed = next(asked["seed"] for _, _, asked in speaker.asked if asked["input"] == WHOLE[2])
    speaker.asked.clear()
    studio.write_sheet("havn.csv", [*LINES[:3], {**LINES[3], "take": "2"}])
    studio.make()
    ((_, _, asked),) = speaker.asked
    assert asked["input"] == WHOLE[2] and asked["seed"] != seed
    speaker.asked.clear()
    studio.configure(engines={"speech-api": settings(speaker, licence="CC-BY-4.0", timeout_s=60)})
    studio.make()
    after = studio.clips()
    assert speaker.asked == []
    assert {clip["licences"]["engine"] for clip in after.values()} == {"CC-BY-4.0 (CosyVoice2-0.5B)"}
    assert [after[name]["sha256"] for name in list(after)[:3]] == [before[name]["sha256"] for name in list(after)[:3]]


def test_a_server_that_goes_away_keeps_what_it_spoke(
    studio: Game, speaker: SpeechServer, sounds: dict[str, bytes]
) -> None:
    def gone(number: int) -> None:
        if number == 3:
            speaker.close()

    speaker.answers = gone
    done = studio.run()
    assert done.returncode == 1
    assert one_message(done, "cannot be reached") == (
        f"{speaker.url}/v1/audio/speech: cannot be reached ([Errno 111] Connection refused); start the server and run "
        "again, or check url (config.yaml: engines.speech-api); finished takes are kept"
    )
    kept = studio.takes()
    assert 2 <= len(kept) <= 3
    again = SpeechServer(sounds, speaker.port)
    try:
        studio.make()
        assert kept < studio.takes() and len(studio.takes()) == 4
        assert len([text for text in inputs(again) if text not in PARTS[1:]]) == 4 - len(kept), "only what was missing"
    finally:
        again.close()


def one_message(done: subprocess.CompletedProcess[str], said: str) -> str:
    """The line of the output that says it; there must be one, and no traceback."""
    assert "Traceback" not in done.stdout, done.stdout
    found = {line.strip() for line in done.stdout.splitlines() if said in line}
    assert len(found) == 1, done.stdout
    return found.pop()


@pytest.mark.parametrize("fault", ["no key", "wrong key", "wrong path", "a page of the web", "unknown voice"])
def test_what_every_line_would_meet_is_one_message(
    studio: Game, speaker: SpeechServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("SPEECH_KEY", "hemmelig")
    page = (200, {"Content-Type": "text/html"}, b"<html><body>It works!</body></html>")
    keyed = {"api_key_env": "SPEECH_KEY"}
    place = "(config.yaml: engines.speech-api)"
    said = {
        "no key": "config.yaml: engines.speech-api: the environment variable OTHER_KEY holds no key; set it, or",
        "wrong key": f"the server answers 401 (no such key); check url, model and key {place}",
        "wrong path": f"/tts/v1/audio/speech: the server answers 404 (not here); check url, model and key {place}",
        "a page of the web": "the server's answer cannot be used: it is no audio: <html><body>It works!",
        "unknown voice": "cannot speak as voice ola: the server answers 422 (no voice olav); mend the voice's section",
    }[fault]
    if fault == "no key":
        keyed["api_key_env"] = "OTHER_KEY"
    if fault == "wrong path":
        keyed["url"] = f"{speaker.url}/tts"
    speaker.answers = {
        "no key": lambda _: None,
        "wrong key": lambda _: (401, {}, b"no such key"),
        "wrong path": lambda number: (
            (404, {}, b"not here") if speaker.asked[number - 1][0].startswith("/tts") else None
        ),
        "a page of the web": lambda _: page,
        "unknown voice": lambda number: (
            (422, {}, b"no voice olav") if speaker.asked[number - 1][2]["voice"] == "olav" else None
        ),
    }[fault]
    studio.configure(engines={"speech-api": settings(speaker, **keyed)})
    done = studio.run()
    assert done.returncode == 1
    one_message(done, said)
    assert "hemmelig" not in done.stdout
    assert len(speaker.asked) <= 4, "it is not asked for every line"


@pytest.mark.parametrize("status", [422, 200])
def test_a_text_that_the_server_cannot_say_is_tried_again_and_reported(
    studio: Game, speaker: SpeechServer, status: int
) -> None:
    """The other lines are made: a few plain words have shown that it is not the voice."""
    speaker.answers = lambda number: (
        (status, {}, b"too long") if speaker.asked[number - 1][2]["input"] == WHOLE[0] else None
    )
    studio.make()
    clips = studio.clips()
    assert set(clips) == {"havn_002", "havn_003", "havn_004"}
    assert [row["id"] for row in studio.manifest()["exceptions"]] == ["havn_001"]
    assert inputs(speaker).count(WHOLE[0]) == 2
    assert "too long" in (studio.build / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"judge": "mini", "judges": {}},
            "config.yaml: judge: is mini, which knows the embedded voice only and may not listen to engine speech-api; "
            "write nb-whisper or speech-api",
        ),
        ({"licence": None}, "config.yaml: engines.speech-api: licence: is missing; write the licence of what"),
        ({"licence": "Apache 2"}, "licence: 'Apache 2' is no known name of a licence; did you mean 'Apache-2.0'?"),
        (
            {"licence": "CC-BY-NC-4.0"},
            "licence: CC-BY-NC-4.0 forbids commercial use, and this build is commercial; write commercial: false",
        ),
        ({"extra": {"seed": 7}}, "extra.seed: would be the same for every take"),
        ({"url": "127.0.0.1:8000"}, "url: is '127.0.0.1:8000'; write the address"),
        ({"voice": "x"}, "voice: is not a setting"),
    ],
)
def test_what_settings_give_away_is_told_before_anybody_is_asked(
    studio: Game, speaker: SpeechServer, change: dict[str, object], said: str
) -> None:
    if "judge" in change:
        studio.configure(**change)
    else:
        studio.configure(engines={"speech-api": settings(speaker, **change)})
    with pytest.raises(ReplikkError) as caught:
        Stages(studio).open()
    assert said in str(caught.value)
    assert speaker.asked == [] and not studio.takes()


def test_a_build_that_is_not_sold_may_speak_for_no_commerce(studio: Game, speaker: SpeechServer) -> None:
    studio.configure(engines={"speech-api": settings(speaker, licence="CC-BY-NC-4.0")}, commercial=False)
    Stages(studio).open()


def test_voices_say_whose_they_are_or_what_the_server_calls_them(studio: Game) -> None:
    del studio.voices["kari"]["rights"]
    studio.voices["ola"] = {"espeak": {}}
    studio.write_voices()
    with pytest.raises(ReplikkError) as caught:
        Stages(studio).open()
    assert "is cloned from a recording, but has no 'rights'" in str(caught.value)
    assert "voice: is missing, and there is no reference recording to copy; write one of the two" in str(caught.value)


def test_a_line_is_tried_out_without_a_sheet(studio: Game, speaker: SpeechServer) -> None:
    def say(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "replikk.cli", "say", WHOLE[0], "--voice", "kari", "--out", "x.ogg", *more]
        return subprocess.run(command, cwd=studio.root, text=True, capture_output=True, timeout=60, check=False)

    done = say()
    assert done.returncode == 0, done.stderr
    assert soundfile.info(studio.root / "x.ogg").duration > 1 and inputs(speaker) == [WHOLE[0]]
    assert not studio.takes()
    speaker.answers = lambda _: (401, {}, b"no such key")
    done = say()
    assert done.returncode == 1 and "check url, model and key (config.yaml: engines.speech-api)" in done.stderr


@pytest.fixture(autouse=True)
def _this_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """``replikk`` and the stages run in another folder."""
    monkeypatch.setenv("PYTHONPATH", str(Path(PROJECT)))
