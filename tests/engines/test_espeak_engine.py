"""The embedded voice: the same request is the same bytes, everywhere; nothing that a text holds can hurt it."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.records import Segment, Voice
from replikk.engines import espeak_pool, make_engine
from replikk.engines.espeak import EspeakEngine
from replikk.engines.espeak_delivery import UNUSABLE_VARIANTS, library_parameters, speakable_text, variants
from replikk.engines.espeak_pool import Job
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

RATE_HZ = 22_050
LINES = [
    "Hei, jeg heter Kari og bor i en liten by ved havet.",
    "Hvor mange bokstaver er det i alfabetet?",
    "Å!",
    "Se der borte, ved den store steinen, ligger nøkkelen som vi har lett etter hele dagen.",
    "Nei, stopp!",
]


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


FIRST_KEY = key_of(0)


def request(text="Hei på deg, min venn.", *, key=FIRST_KEY, style="", reading=0, pause_ms=0, **voice_settings):
    voice = Voice("kari", "Kari", voice_settings)
    return TakeRequest(key, (Segment(text, pause_ms),), "nb", style, voice, reading)


def a_game(count=24):
    some = ["f2", "m3", "whisperf", "Mr serious", "klatt2", "anika"]
    return [
        request(LINES[i % len(LINES)], key=key_of(i), pause_ms=10 * i, variant=some[i % len(some)])
        for i in range(count)
    ]


def hashes(results) -> dict[str, str]:
    found = {}
    for result in results:
        assert isinstance(result, Take), result
        assert result.sample_rate_hz == RATE_HZ
        assert result.samples.dtype == np.int16 and result.samples.ndim == 1
        found[result.key] = hashlib.sha256(result.samples.tobytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def engine():
    return make_engine("espeak", {})


@pytest.fixture(scope="module")
def expected(engine):
    return hashes(engine.synthesize(a_game()))


def speak_one(engine, wanted) -> Take | TakeFailure:
    (result,) = engine.synthesize([wanted])
    return result


class TestBitIdentity:
    def test_any_number_of_workers(self, engine, expected):
        assert hashes(engine.synthesize(a_game(), workers=3)) == expected

    def test_any_order(self, engine, expected):
        assert hashes(engine.synthesize(reversed(a_game()))) == expected

    def test_alone_or_among_others(self, engine, expected):
        for wanted in a_game()[::5]:
            assert hashes(engine.synthesize([wanted])) == {wanted.key: expected[wanted.key]}

    def test_other_processes_other_locale(self, engine, expected):
        program = (
            "import test_espeak_engine as t; e = t.make_engine('espeak', {});"
            "print(sorted(t.hashes(e.synthesize(t.a_game(), workers=2)).items()))"
        )
        path = os.pathsep.join(p for p in (str(Path(__file__).parent), os.environ.get("PYTHONPATH")) if p)
        environment = {**os.environ, "PYTHONPATH": path, "LC_ALL": "C"}
        running = [
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment, text=True)
            for _ in range(2)
        ]
        for process in running:
            assert process.communicate()[0].strip() == str(sorted(expected.items()))

    def test_a_process_with_threads_in_it(self, expected):
        """Nothing is forked from the build's own process, so threads and torch beside the engine do no harm."""
        stop = threading.Event()
        beside = threading.Thread(target=stop.wait)
        beside.start()
        try:
            with ThreadPoolExecutor(3) as pool:
                runs = pool.map(lambda _: hashes(make_engine("espeak", {}).synthesize(a_game(8))), range(3))
                assert all(run.items() <= expected.items() for run in runs)
        finally:
            stop.set()
            beside.join()

    def test_the_librarys_own_random_numbers_come_from_the_key(self):
        """Voices with flutter or breath draw random numbers: another seed is another sound, the same is the same."""

        def spoken(seed: int) -> bytes:
            parameters = {**library_parameters(request(variant="whisper")), "seed": seed}
            jobs = iter([Job(None, parameters, (("Hei på deg.", 0),), 20.0)])
            ((_, clip),) = espeak_pool.run_jobs(lambda: next(jobs, None), workers=1)
            return bytes(clip.pcm)

        assert spoken(1) == spoken(1) != spoken(2)


class TestReadings:
    def test_every_key_is_another_reading(self, engine):
        sounds = hashes(engine.synthesize([request(LINES[0], key=key_of(i)) for i in range(20)], workers=2))
        assert len(set(sounds.values())) == 20

    def test_variants_differ(self, engine):
        usable = sorted(variants() - UNUSABLE_VARIANTS)
        assert len(usable) > 90
        requests = [request("Hei på deg.", key=key_of(i), variant=v) for i, v in enumerate(usable)]
        assert len(set(hashes(engine.synthesize(requests, workers=2)).values())) == len(usable)

    def test_later_readings_are_slower_with_wider_gaps(self):
        first, second, fourth, tenth = (library_parameters(request(reading=n)) for n in (0, 1, 3, 9))
        assert first["rate_wpm"] - second["rate_wpm"] == 6
        assert first["rate_wpm"] - fourth["rate_wpm"] == 18 == first["rate_wpm"] - tenth["rate_wpm"]
        assert first["word_gap"] < second["word_gap"] < fourth["word_gap"] == tenth["word_gap"]

    @given(st.binary(min_size=32, max_size=32), st.integers(0, 50), st.integers(110, 220), st.integers(0, 10))
    def test_draws_are_small_and_within_limits(self, key, reading, rate_wpm, word_gap):
        drawn = library_parameters(request(key=key.hex(), reading=reading, rate_wpm=rate_wpm, word_gap=word_gap))
        assert 110 <= drawn["rate_wpm"] <= 220 and 0 <= drawn["word_gap"] <= 10
        assert abs(drawn["pitch"] - 50) <= 3
        assert rate_wpm * 0.96 - 18.5 <= drawn["rate_wpm"] <= rate_wpm * 1.04 + 0.5
        assert 0 <= drawn["seed"] < 2**31


class TestAudio:
    def test_pauses_are_exact_silence(self, engine):
        voice = Voice("v", "V", {})
        parts = (Segment("Vent litt.", 1500), Segment("", 250), Segment("Nå.", 333))
        with_pauses = speak_one(engine, TakeRequest(key_of(1), parts, "nb", "", voice, 0))
        without = speak_one(engine, TakeRequest(key_of(1), (Segment("Vent litt."), Segment("Nå.")), "nb", "", voice, 0))
        assert with_pauses.samples.size - without.samples.size == 33_075 + round(250 * 22.05) + round(333 * 22.05)
        assert not with_pauses.samples[-round(333 * 22.05) :].any()

    @pytest.mark.parametrize("variant", ["robosoft3", "klatt4", "edward", "f2"])
    def test_no_sample_reaches_full_scale(self, engine, variant):
        """These variants clip at the volume that was asked for; they are spoken again, more quietly."""
        take = speak_one(engine, request(LINES[3], style="rop", variant=variant, volume=120))
        assert 8_000 < int(np.abs(take.samples.astype(int)).max()) < 32_767

    def test_a_nynorsk_line_is_spoken(self, engine):
        wanted = TakeRequest(key_of(2), (Segment("Eg veit ikkje kva dei heiter."),), "nn", "", Voice("v", "V", {}), 0)
        assert speak_one(engine, wanted).samples.size > RATE_HZ

    def test_no_requests_no_work(self, engine):
        assert list(engine.synthesize([])) == []

    def test_results_come_before_the_requests_end(self, engine):
        """A kill must lose only what was in flight, so requests are taken one by one and results given at once."""
        asked = []

        def endless():
            number = 0
            while True:
                asked.append(number)
                yield request(key=key_of(number))
                number += 1

        results = engine.synthesize(endless(), workers=2)
        assert isinstance(next(results), Take)
        assert len(asked) <= 4
        results.close()


HOSTILE = {
    "speech synthesis markup": "<speak><voice name='x'>Hei</voice></speak>",
    "broken XML": "<a <b>> Hei </ på deg &lt;",
    "phoneme input": "[[h'aI]] Hei [[uavsluttet",
    "emoji": "Hei 😀👩🏽‍🚀 du",
    "control characters": "Hei\x00\x01\x02+10P\x1b[31m du\x7f\r\n",
    "right to left": "Hei \u202eمرحبا\u202c",
    "other scripts": "你好 世界 привет",
    "lone surrogate": "Hei \ud83d du",
    "private use and unassigned": "Hei \ue000\U000e0fff du",
    "decomposed letters": "A\u030a, sa\u030a fint",
    "soft hyphens": "små\u00adbarns\u00adpedagogikk",
    "10,000 letters": "en lang setning om ingenting " * 345,
    "no blanks at all": "a" * 3000,
    "exclamation marks": "Hei" + "!" * 5000,
    "format letters": "%s %n %d {0} $HOME `id`",
}
UNSPEAKABLE = ["", " \t\n\u00a0", "!!!", "…", "—", "😀", "<br/>", "[[h'aI]]", "\x00\x01", "\ud83d", "\u202e", "«»"]


class TestHostileText:
    def test_everything_else_is_spoken(self, engine):
        requests = [request(text, key=key_of(i)) for i, text in enumerate(HOSTILE.values())]
        results = {result.key: result for result in engine.synthesize(requests, workers=2)}
        for i, name in enumerate(HOSTILE):
            result = results[key_of(i)]
            assert isinstance(result, Take), (name, result)
            assert result.samples.size > RATE_HZ // 4, name

    def test_nothing_speakable_is_a_failure(self, engine):
        """The library itself gives silence without an error, or reads '!!!' as 'utropstegn'."""
        requests = [request(text, key=key_of(i)) for i, text in enumerate([*UNSPEAKABLE, "Hei."])]
        results = {result.key: result for result in engine.synthesize(requests, workers=2)}
        for i, text in enumerate(UNSPEAKABLE):
            assert results[key_of(i)] == TakeFailure(key_of(i), "the text has nothing that can be spoken"), repr(text)
        assert isinstance(results[key_of(len(UNSPEAKABLE))], Take)

    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("Hei <b>du</b> [[x]] der", "Hei du der"),
            ("Hei\x01\x02du", "Hei du"),
            ("små\u00adbarn", "småbarn"),
            ("sa\u030a", "så"),
            ("3 < 4", "3 4"),
            ("[[", ""),
            ("1!", "1!"),
        ],
    )
    def test_cleaning(self, text, spoken):
        assert speakable_text(text) == spoken

    @given(st.text(st.characters(codec=None), max_size=60))
    def test_cleaned_text_is_always_safe(self, text):
        cleaned = speakable_text(text)
        cleaned.encode()
        assert cleaned == "" or any(c.isalnum() for c in cleaned)
        assert not set("<>\x00\x01") & set(cleaned) and "[[" not in cleaned

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.text(st.characters(codec=None), max_size=80), min_size=1, max_size=8))
    def test_fuzzed_text_never_breaks_the_engine(self, engine, texts):
        requests = [request(text, key=key_of(i)) for i, text in enumerate(texts)]
        results = list(engine.synthesize(requests))
        assert sorted(result.key for result in results) == sorted(r.key for r in requests)
        assert not any("process" in result.reason for result in results if isinstance(result, TakeFailure))


class TestContainment:
    def test_a_crash_costs_its_own_take_only(self, engine):
        jobs = [(wanted, "crash" if i == 2 else "") for i, wanted in enumerate(a_game(6))]
        results = {result.key: result for result in engine.speak(jobs)}
        assert results.pop(key_of(2)) == TakeFailure(key_of(2), "the voice process stopped (signal 11)")
        assert hashes(results.values()).items() <= hashes(engine.synthesize(a_game(6))).items()
        assert len(results) == 5

    def test_a_hang_ends_at_the_time_limit(self):
        engine = EspeakEngine({"timeout_s": 0.3})
        jobs = [(wanted, "hang" if i == 1 else "") for i, wanted in enumerate(a_game(4))]
        results = {result.key: result for result in engine.speak(jobs, workers=2)}
        assert "no audio after" in results.pop(key_of(1)).reason
        assert len(hashes(results.values())) == 3

    def test_a_killed_voice_process_is_started_again(self, engine, expected, monkeypatch):
        started = []
        original = espeak_pool.VoiceProcess.__init__

        def watched(self, *arguments):
            original(self, *arguments)
            started.append(self)

        monkeypatch.setattr(espeak_pool.VoiceProcess, "__init__", watched)
        results = engine.synthesize(a_game(8))
        found = [next(results)]
        os.kill(started[0]._process.pid, signal.SIGKILL)
        found += results
        failures = [result for result in found if isinstance(result, TakeFailure)]
        assert len(found) == 8 and len(started) == 2
        assert [failure.reason for failure in failures] == ["the voice process ended (-9)"]
        assert hashes(result for result in found if isinstance(result, Take)).items() <= expected.items()

    def test_giving_up_early_ends_the_voice_processes(self, engine, monkeypatch):
        started = []
        original = espeak_pool.VoiceProcess.__init__

        def watched(self, *arguments):
            original(self, *arguments)
            started.append(self)

        monkeypatch.setattr(espeak_pool.VoiceProcess, "__init__", watched)
        results = engine.speak([(a_game(2)[0], ""), (a_game(2)[1], "hang")], workers=1)
        next(results)
        results.close()
        assert started and not any(process.alive for process in started)

    def test_a_killed_build_leaves_no_process_behind(self):
        """Not even one whose child hangs: the voice process ends with its input and takes its child along."""
        program = (
            "import test_espeak_engine as t; from replikk.engines import espeak_pool as p;"
            "e = t.make_engine('espeak', {});"
            "start = p.VoiceProcess.__init__;"
            "p.VoiceProcess.__init__ = lambda s, *a: (start(s, *a), print(s._process.pid, flush=True))[0];"
            "list(e.speak([(t.request(), 'hang')]))"
        )
        path = os.pathsep.join(p for p in (str(Path(__file__).parent), os.environ.get("PYTHONPATH")) if p)
        build = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )
        voice_pid = int(build.stdout.readline())
        children = Path(f"/proc/{voice_pid}/task/{voice_pid}/children")
        if not children.exists():
            pytest.skip("this system does not list a process's children")
        assert wait_until(lambda: children.read_text().split())
        pids = [voice_pid, *map(int, children.read_text().split())]
        build.kill()
        build.wait()
        assert wait_until(lambda: not any(is_running(pid) for pid in pids))


def wait_until(condition, limit_s: float = 10.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class TestConfiguration:
    @pytest.mark.parametrize(
        "bad", [{"variants": 1}, {"timeout_s": 0}, {"timeout_s": "20"}, {"timeout_s": True}, {"timeout_s": 1e9}]
    )
    def test_unknown_or_wrong_settings_are_errors(self, bad):
        with pytest.raises(EngineError, match=next(iter(bad))):
            make_engine("espeak", bad)

    def test_a_missing_wheel_says_what_to_do(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "espeakng_loader", None)
        with pytest.raises(EngineError, match=r"espeakng-loader is missing .* run pip install"):
            make_engine("espeak", {})

    def test_a_library_that_cannot_be_loaded_is_one_clear_error(self, engine, tmp_path, monkeypatch):
        broken = tmp_path / "libespeak-ng.so"
        broken.write_bytes(b"not a library")
        data = espeak_pool.find_library()[1]
        monkeypatch.setattr(espeak_pool, "find_library", lambda: (broken, data))
        with pytest.raises(EngineError, match="cannot be loaded"):
            list(engine.synthesize([request()]))

    def test_missing_voice_data_is_one_clear_error(self, engine, tmp_path, monkeypatch):
        library = espeak_pool.find_library()[0]
        monkeypatch.setattr(espeak_pool, "find_library", lambda: (library, tmp_path))
        with pytest.raises(EngineError, match="found no voice data"):
            list(engine.synthesize([request()]))

    def test_the_fingerprint_is_stable_and_needs_no_library(self):
        program = (
            "import sys; from replikk.engines import make_engine; print(make_engine('espeak', {}).fingerprint());"
            "assert 'torch' not in sys.modules; assert 'replikk.engines.espeak_library' not in sys.modules"
        )
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        fingerprint = EspeakEngine({"timeout_s": 5}).fingerprint()
        assert run.stdout.strip() == fingerprint == EspeakEngine({}).fingerprint()
        assert fingerprint.startswith("espeak ")

    def test_an_unchecked_voice_is_refused(self, engine):
        with pytest.raises(EngineError, match="voice kari: variant"):
            list(engine.synthesize([request(variant="../../etc/passwd")]))
