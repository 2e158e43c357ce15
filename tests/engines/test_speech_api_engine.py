"""Engine speech-api against a real server on this machine."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from speech_server import SpeechServer, spoken_wavs

from replikk import server_requests
from replikk.dialogue.records import Segment, Voice
from replikk.dialogue.take_keys import ingredients, line_key, take_key
from replikk.engines import make_engine
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.engines.speech_api.engine import SpeechApiEngine
from replikk.errors import EngineError
from replikk.judges.signal import measure_signal

TEXTS = ("Kan du hente spaden?", "Jeg så tre måker.", "Hei, hører du meg?")
PLACE = "training.outside_controls.cosyvoice2"


@pytest.fixture(scope="module")
def sounds() -> dict[str, bytes]:
    return spoken_wavs(TEXTS)


@pytest.fixture
def server(sounds: dict[str, bytes]) -> Iterator[SpeechServer]:
    running = SpeechServer(sounds)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_requests.time, "sleep", lambda _: None)


@pytest.fixture(scope="module")
def kari(tmp_path_factory: pytest.TempPathFactory, sounds: dict[str, bytes]) -> Voice:
    reference = tmp_path_factory.mktemp("voices") / "kari.wav"
    reference.write_bytes(sounds[TEXTS[0]])
    return Voice("kari", "Kari", {}, reference_audio=str(reference), reference_transcript=TEXTS[0])


def engine(server: SpeechServer, **settings: Any) -> SpeechApiEngine:
    return SpeechApiEngine({"url": server.url, "model": "CosyVoice2-0.5B", **settings}, PLACE)


def ask(voice: Voice, *texts: str, style: str = "") -> list[TakeRequest]:
    return [
        TakeRequest(f"{number:064x}", (Segment(text, 0),), "nb", style, voice, 0) for number, text in enumerate(texts)
    ]


def test_text_and_reference_go_out_and_sound_comes_back(
    server: SpeechServer, kari: Voice, sounds: dict[str, bytes]
) -> None:
    (take,) = engine(server).synthesize(ask(kari, TEXTS[1], style="si dette stille"))
    assert isinstance(take, Take)
    wanted, rate = soundfile.read(io.BytesIO(sounds[TEXTS[1]]), dtype="int16")
    assert take.sample_rate_hz == rate and np.array_equal(take.samples, wanted)
    ((path, headers, asked),) = server.asked
    assert path == "/v1/audio/speech" and "Authorization" not in headers
    kind, _, content = asked.pop("ref_audio").partition(",")
    assert kind == "data:audio/wav;base64" and base64.b64decode(content) == Path(kari.reference_audio).read_bytes()
    assert asked == {
        "model": "CosyVoice2-0.5B", "input": TEXTS[1], "voice": "kari", "response_format": "wav", "seed": 0,
        "instructions": "si dette stille", "ref_text": TEXTS[0],
    }  # fmt: skip


def test_a_voice_that_the_server_has_is_not_sent(server: SpeechServer, kari: Voice) -> None:
    there = Voice("kari", "Kari", {"voice": "vivian"}, reference_audio=kari.reference_audio)
    (_,) = engine(server, extra={"language": "Norwegian", "seed": None}).synthesize(ask(there, TEXTS[0]))
    ((_, _, asked),) = server.asked
    assert asked["voice"] == "vivian" and asked["language"] == "Norwegian"
    assert not {"ref_audio", "ref_text", "seed"} & set(asked)


def test_the_seed_hangs_on_the_key_alone(server: SpeechServer, kari: Voice) -> None:
    keys = ["ab" * 32, "cd" * 32, "ab" * 32]
    list(engine(server, workers=1).synthesize(TakeRequest(k, (Segment(TEXTS[0]),), "nb", "", kari, 0) for k in keys))
    seeds = [asked["seed"] for _, _, asked in server.asked]
    assert seeds[0] == seeds[2] != seeds[1] and all(0 <= seed < 2**31 for seed in seeds)


def test_another_reading_and_another_round_are_other_questions(server: SpeechServer, kari: Voice) -> None:
    parts = ingredients((Segment(TEXTS[0]),), "nb", "", kari, engine(server).fingerprint(), 0)
    for reading, round_number in ((0, 0), (1, 0), (0, 1)):
        key = take_key(line_key(parts), reading, round_number)
        list(engine(server).synthesize([TakeRequest(key, (Segment(TEXTS[0]),), "nb", "", kari, reading)]))
    assert len({asked["seed"] for _, _, asked in server.asked}) == 3


def test_a_pause_is_as_long_as_the_sheet_says(server: SpeechServer, kari: Voice) -> None:
    """Each stretch is a question of its own, and the silence of the server's own around it makes no pause longer."""
    segments = (Segment(TEXTS[0], 700), Segment(TEXTS[1], 300))
    (take,) = engine(server).synthesize([TakeRequest("ab" * 32, segments, "nb", "", kari, 0)])
    assert isinstance(take, Take)
    assert [asked["input"] for _, _, asked in server.asked] == list(TEXTS[:2])
    longest = measure_signal(take.samples, take.sample_rate_hz)
    inside = max(end_s - start_s for start_s, end_s in longest.silences)
    assert inside == pytest.approx(0.7, abs=0.12)
    assert not take.samples[-round(0.29 * take.sample_rate_hz) :].any(), "what the line ends with"


def test_a_server_of_two_rates_and_a_text_without_words(server: SpeechServer, kari: Voice) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.full(8_000, 0.1), 16_000, format="WAV")
    server.answers = lambda number: (200, {}, file.getvalue()) if number == 2 else None
    parts = (Segment(TEXTS[0], 700), Segment(TEXTS[1]))
    silent = TakeRequest("cd" * 32, (Segment("", 500),), "nb", "", kari, 0)
    failed, nothing = engine(server, workers=1).synthesize([TakeRequest("ab" * 32, parts, "nb", "", kari, 0), silent])
    assert isinstance(failed, TakeFailure) and "parts of one line have 16000 and 22050 Hz" in failed.reason
    assert isinstance(nothing, TakeFailure) and nothing.reason == "the text has nothing that can be spoken"


@pytest.mark.parametrize("status", [422, 500])
def test_a_build_asks_whether_it_was_the_text(server: SpeechServer, kari: Voice, status: int) -> None:
    """A text at which the server fails every time must not keep the build from going on, run after run."""
    building = make_engine("speech-api", {"url": server.url, "model": "m", "licence": "own", "workers": 1})
    server.answers = lambda number: (
        (status, {}, b"too long") if server.asked[number - 1][2]["input"] == TEXTS[0] else None
    )
    failed, take = building.synthesize(ask(kari, TEXTS[0], TEXTS[1]))
    assert isinstance(failed, TakeFailure) and f"the server answers {status} (too long)" in failed.reason
    assert isinstance(take, Take)
    asked = [question["input"] for _, _, question in server.asked]
    # The next text may be asked for while the failure is looked into.
    assert sorted(asked[-2:]) == sorted(TEXTS[1:]) and set(asked[:-2]) == {TEXTS[0]}


def test_a_build_stops_where_a_server_fails_for_good(server: SpeechServer, kari: Voice) -> None:
    building = make_engine("speech-api", {"url": server.url, "model": "m", "licence": "own", "workers": 1})
    server.answers = lambda number: (500, {}, b"out of memory") if number > 1 else None
    takes = building.synthesize(ask(kari, *TEXTS))
    assert isinstance(next(takes), Take)
    with pytest.raises(EngineError, match=r"answers 500 \(out of memory\).*config.yaml: engines.speech-api"):
        next(takes)


def test_the_licence_names_no_take(server: SpeechServer) -> None:
    own, other = (
        make_engine("speech-api", {"url": server.url, "model": "m", "licence": name}) for name in ("own", "MIT")
    )
    assert own.fingerprint() == other.fingerprint()


def test_the_key_goes_to_the_server_and_into_no_message(
    server: SpeechServer, kari: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking = engine(server, api_key_env="SPEECH_KEY")
    with pytest.raises(EngineError, match=f"{PLACE}: the environment variable SPEECH_KEY holds no key"):
        list(speaking.synthesize(ask(kari, TEXTS[0])))
    monkeypatch.setenv("SPEECH_KEY", "hemmelig")
    list(speaking.synthesize(ask(kari, TEXTS[0])))
    assert server.asked[0][1]["Authorization"] == "Bearer hemmelig"
    assert "hemmelig" not in speaking.fingerprint()


@pytest.mark.parametrize("form", ["FLAC", "OGG", "WAV"])
def test_any_usual_format_will_do(server: SpeechServer, kari: Voice, form: str) -> None:
    file = io.BytesIO()
    tone = np.sin(np.arange(24_000) / 20)
    soundfile.write(file, np.stack([tone, tone], 1) * 0.5, 24_000, format=form)
    server.answers = lambda _: (200, {}, file.getvalue())
    (take,) = engine(server).synthesize(ask(kari, TEXTS[0]))
    assert isinstance(take, Take)
    assert take.samples.shape == (24_000,) and 14_000 < int(np.abs(take.samples).max()) < 20_000


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, b'{"error": "out of memory"}'), "it is no audio: "),
        ((200, b""), "it is no audio"),
        ((422, b"the text is too long"), "answers 422 (the text is too long)"),
        ((400, b"bad"), "answers 400"),
    ],
)
def test_what_one_text_met_is_a_take_that_could_not_be_made(
    server: SpeechServer, kari: Voice, answer: tuple[int, bytes], said: str
) -> None:
    server.answers = lambda number: (answer[0], {}, answer[1]) if number == 1 else None
    failed, take = engine(server, workers=1).synthesize(ask(kari, *TEXTS[:2]))
    assert isinstance(failed, TakeFailure) and said in failed.reason
    assert isinstance(take, Take)


def test_sound_without_length_is_no_take(server: SpeechServer, kari: Voice) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(0), 24_000, format="WAV")
    server.answers = lambda _: (200, {}, file.getvalue())
    (failed,) = engine(server).synthesize(ask(kari, TEXTS[0]))
    assert isinstance(failed, TakeFailure) and "holds no sound" in failed.reason


@pytest.mark.parametrize("status", [401, 404, 500])
def test_what_every_take_would_meet_stops_at_once(server: SpeechServer, kari: Voice, status: int) -> None:
    server.answers = lambda _: (status, {}, b"no")
    with pytest.raises(EngineError) as caught:
        list(engine(server, workers=1).synthesize(ask(kari, *TEXTS)))
    assert f"{server.url}/v1/audio/speech: the server answers {status} (no)" in str(caught.value)
    assert PLACE in str(caught.value)


def test_takes_before_the_server_went_away_are_handed_out(server: SpeechServer, kari: Voice) -> None:
    server.answers = lambda number: (503, {}, b"gone") if number > 2 else None
    got = []
    with pytest.raises(EngineError, match="answers 503"):
        for take in engine(server, workers=1).synthesize(ask(kari, *TEXTS)):
            got.append(take.key)
    assert got == [request.key for request in ask(kari, *TEXTS[:2])]


def test_no_server_at_all(server: SpeechServer, kari: Voice) -> None:
    server.close()
    with pytest.raises(EngineError, match=r"cannot be reached .*start the server, check url, or take it out"):
        list(engine(server).synthesize(ask(kari, TEXTS[0])))


def test_trying_out_names_the_voice(server: SpeechServer, kari: Voice) -> None:
    engine(server).try_out([kari])
    assert [asked["input"] for _, _, asked in server.asked] == ["Hei, hører du meg?"]
    server.answers = lambda _: (422, {}, b"unknown voice")
    with pytest.raises(EngineError, match=r"cannot speak as voice kari: .*unknown voice"):
        engine(server).try_out([kari])


def test_what_is_sent_is_part_of_the_fingerprint_and_how_is_not(server: SpeechServer) -> None:
    plain = engine(server).fingerprint()
    assert engine(server, timeout_s=5, workers=2).fingerprint() == plain
    assert engine(server, model="other").fingerprint() != plain
    assert engine(server, extra={"language": "Norwegian"}).fingerprint() != plain


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "url: is None"),
        ({"url": "http://a.example", "model": "m", "api_key_env": "KEY"}, "unencrypted"),
        ({"url": "http://a", "model": "m", "extra": 3}, "extra: is 3; write a section"),
        ({"url": "http://a", "model": "m", "extra": {"input": "x"}}, "extra.input: is not yours to change"),
        ({"url": "http://a", "model": "m", "modell": "x"}, "did you mean 'model'?"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(EngineError) as caught:
        SpeechApiEngine(settings, PLACE)
    assert f"config.yaml: {PLACE}: " in str(caught.value) and said in str(caught.value)


def test_wrong_voices(server: SpeechServer) -> None:
    speaking = engine(server)
    assert speaking.check_voice(Voice("a", "a", {"voice": "vivian"})) == []
    assert "voice: is missing" in speaking.check_voice(Voice("a", "a", {}))[0]
    assert "did you mean 'voice'?" in speaking.check_voice(Voice("a", "a", {"voices": "x", "voice": "y"}))[0]
    assert json.dumps(3) in speaking.check_voice(Voice("a", "a", {"voice": 3}))[0]
