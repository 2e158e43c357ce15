"""Judge speech-api against a real server on this machine."""

from __future__ import annotations

import http.client
import io
import json
import ssl
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from listening_server import ANSWER, Server

from replikk import server_requests
from replikk.errors import JudgeError
from replikk.judges import make_judge
from replikk.judges.records import Clip, Transcript
from replikk.judges.speech_api.request import CHARACTERS_AT_LEAST, CHARACTERS_PER_S

RATE = 24_000


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(server_requests.time, "sleep", waits.append)
    return waits


def clip(number: int = 0, locale: str = "nb", engine: str = "cosyvoice3") -> Clip:
    samples = (np.sin(np.arange(RATE) * 0.05 * (number + 1)) * 9000).astype(np.int16)
    return Clip(f"{number:064x}", samples, RATE, "hei på deg", engine, locale)


def hear(server: Server, *clips: Clip, **settings: Any) -> list[Transcript]:
    judge = make_judge("speech-api", {"url": server.url, "model": "stor", **settings})
    return list(judge.transcribe(clips or [clip()]))


def test_a_clip_goes_out_as_wav_and_comes_back_as_words(server: Server) -> None:
    (heard,) = hear(server, clip(locale="nn"))
    ((path, headers, form),) = server.asked
    assert path == "/v1/audio/transcriptions"
    assert form["model"] == [b"stor"] and form["language"] == [b"nn"] and form["temperature"] == [b"0"]
    assert form["timestamp_granularities[]"] == [b"word", b"segment"]
    with wave.open(io.BytesIO(form["file"][0])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert np.array_equal(np.frombuffer(file.readframes(RATE), "<i2"), clip().samples)
    assert "Authorization" not in headers
    assert heard.text == "hei på deg" and heard.margin is None
    assert [(w.text, w.start_s, w.end_s, w.confidence) for w in heard.words] == [
        ("hei", 0.1, 0.3, 0.9), ("på", 0.3, 0.5, 1.0), ("deg", 0.5, 1.0, 1.0),
    ]  # fmt: skip
    assert heard.hearing is not None
    assert heard.hearing.no_speech == 0.3 and heard.hearing.mean_log_probability == pytest.approx(-0.3)


def test_several_at_a_time_each_clip_once(server: Server) -> None:
    clips = [clip(number) for number in range(9)]
    heard = hear(server, *clips, workers=3)
    assert sorted(transcript.take_key for transcript in heard) == [one.take_key for one in clips]
    assert len(server.asked) == 9


def test_a_server_without_times_and_segments_will_do(server: Server) -> None:
    server.answers = lambda _: (200, {}, b'{"text": "hei"}')
    (heard,) = hear(server)
    assert heard.text == "hei" and heard.words == ()
    assert heard.hearing is not None and heard.hearing.no_speech is None


@pytest.mark.parametrize(
    "words",
    [[{"word": "hei", "start": "x", "end": 1}], [{"word": 3, "start": 0, "end": 1}], [7], {"a": 1}, [{"word": "a"}]],
)
def test_words_that_make_no_sense_are_left_out(server: Server, words: Any) -> None:
    server.answers = lambda _: (200, {}, json.dumps({"text": "hei", "words": words, "segments": [3]}).encode())
    assert hear(server)[0].words == ()


def test_words_never_go_back_in_time(server: Server) -> None:
    words = [{"word": "hei", "start": 0.5, "end": 0.6}, {"word": "du", "start": 0.1, "end": 0.2}]
    server.answers = lambda _: (200, {}, json.dumps({"text": "hei du", "words": words}).encode())
    assert [(w.start_s, w.end_s) for w in hear(server)[0].words] == [(0.5, 0.6), (0.5, 0.5)]


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECH_KEY", "hemmelig-nøkkelring"[:8])
    hear(server, api_key_env="SPEECH_KEY")
    assert server.asked[0][1]["Authorization"] == "Bearer hemmelig"
    judge = make_judge("speech-api", {"url": server.url, "model": "stor", "api_key_env": "SPEECH_KEY"})
    assert "hemmelig" not in judge.fingerprint()
    server.answers = lambda _: (401, {}, b'{"error": "bad key"}')
    with pytest.raises(JudgeError, match="answers 401") as caught:
        hear(server, api_key_env="SPEECH_KEY")
    assert "hemmelig" not in str(caught.value)
    monkeypatch.delenv("SPEECH_KEY")
    with pytest.raises(JudgeError, match="SPEECH_KEY holds no key"):
        hear(server, api_key_env="SPEECH_KEY")


def test_redirects_are_not_followed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_KEY", "hemmelig")
    other = Server()
    server.answers = lambda _: (307, {"Location": other.url + "/v1/audio/transcriptions"}, b"")
    with pytest.raises(JudgeError, match="answers 307"):
        hear(server, api_key_env="SPEECH_KEY")
    assert other.asked == []
    other.close()


def test_a_busy_server_is_asked_again_as_late_as_it_wants(server: Server, no_waiting: list[float]) -> None:
    good = (200, {}, json.dumps(ANSWER).encode())
    server.answers = lambda count: good if count == 3 else (429 if count == 1 else 503, {"Retry-After": "7"}, b"")
    assert hear(server)[0].text == "hei på deg"
    assert no_waiting == [7.0, 14.0]


@pytest.mark.parametrize("header", ["inf", "nan", "-5", "Wed, 21 Oct 2099 07:28:00 GMT", "99999"])
def test_a_server_cannot_make_us_wait_for_ever(server: Server, no_waiting: list[float], header: str) -> None:
    server.answers = lambda count: (503, {"Retry-After": header}, b"later")
    with pytest.raises(JudgeError, match="answers 503"):
        hear(server)
    assert len(no_waiting) == server_requests.TRIES - 1 and max(no_waiting) <= server_requests.LONGEST_WAIT_S


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"text": 3}', b"", b"\xff", b'{"text": "' + b"a" * 5_000_000])
def test_other_answers_are_no_transcripts(server: Server, content: bytes) -> None:
    server.answers = lambda _: (200, {}, content)
    with pytest.raises(JudgeError, match="the answer is no transcript"):
        hear(server)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"text": "hei \\ud800 du"}', "hei du"),  # half of a letter, which JSON allows and no file can hold
        (b'{"text": "hei\\u0000du\\u001b[31m"}', "hei du [31m"),
        (b'{"text": "hei", "words": [{"word": "\\udfff", "start": 0, "end": 1}]}', "hei"),
        (b'{"text": "hei", "words": [{"word": "hei", "start": 0, "end": 1' + b"0" * 400 + b"}]}", "hei"),
        (b'{"text": "hei", "segments": [{"no_speech_prob": 1' + b"0" * 400 + b"}]}", "hei"),
    ],
)
def test_odd_letters_and_numbers_are_left_out(server: Server, content: bytes, text: str) -> None:
    server.answers = lambda _: (200, {}, content)
    (heard,) = hear(server)
    assert heard.text == text and heard.words == ()
    assert heard.hearing is not None and heard.hearing.no_speech is None


def test_a_text_without_end_is_cut_and_said(server: Server) -> None:
    """Comparing a million words with a script would take minutes, and memory that no machine has."""
    server.answers = lambda _: (200, {}, json.dumps({"text": "hei 14.30 f.eks. NRK " * 100_000}).encode())
    (heard,) = hear(server)
    assert len(heard.text) <= CHARACTERS_AT_LEAST + CHARACTERS_PER_S and heard.text.startswith("hei 14.30")
    assert heard.words == () and heard.hearing is not None and heard.hearing.cut_off
    server.answers = lambda _: (200, {}, json.dumps(ANSWER).encode())
    (whole,) = hear(server)
    assert whole.hearing is not None and not whole.hearing.cut_off


def test_a_network_that_fails_in_the_middle_of_an_answer_is_tried_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of TLS and of routes are plain OSErrors when they come while an answer is read."""
    faults = [ssl.SSLError("bad record mac"), OSError(113, "No route to host")]
    real = http.client.HTTPResponse.read

    def read(response: http.client.HTTPResponse, amount: int | None = None) -> bytes:
        if faults:
            raise faults.pop()
        return real(response, amount)

    monkeypatch.setattr(http.client.HTTPResponse, "read", read)
    assert hear(server)[0].text == "hei på deg" and len(server.asked) == 3


def test_no_server_at_all(server: Server) -> None:
    server.close()
    with pytest.raises(JudgeError, match="cannot be reached"):
        hear(server)


def test_empty_clips_are_not_sent_and_recordings_not_taken(server: Server) -> None:
    empty = Clip("c" * 64, np.zeros(0, np.int16), RATE, "hei", "cosyvoice3", "nb")
    assert hear(server, empty)[0].text == ""
    assert server.asked == []
    with pytest.raises(JudgeError, match="is a recording"):
        hear(server, clip(engine="external"))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/audio/transcriptions"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/audio/transcriptions"),
        ("https://a.example/asr/v1/audio/transcriptions", "https://a.example/asr/v1/audio/transcriptions"),
    ],
)
def test_the_address_is_completed(url: str, asked: str) -> None:
    assert make_judge("speech-api", {"url": url, "model": "m"}).fingerprint().endswith(f" m {asked}")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "url: is None"),
        ({"url": "ftp://a", "model": "m"}, "url: is 'ftp://a'"),
        ({"url": "http://a:x", "model": "m"}, "url: is"),
        ({"url": "https://me:pw@a", "model": "m"}, "holds a password"),
        ({"url": "http://a.example", "model": "m", "api_key_env": "KEY"}, "unencrypted"),
        ({"url": "http://a", "model": "m", "api_key_env": "sk-123"}, "never the key itself"),
        ({"url": "http://a", "model": ""}, "model: is ''"),
        ({"url": "http://a", "model": "m", "workers": 0}, "workers: is 0"),
        ({"url": "http://a", "model": "m", "timeout_s": float("nan")}, "timeout_s: is nan"),
        ({"url": "http://a", "model": "m", "urls": 1}, "did you mean 'url'?"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(JudgeError) as caught:
        make_judge("speech-api", settings)
    assert said in str(caught.value) and "sk-123" not in str(caught.value)
