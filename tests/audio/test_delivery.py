"""From a take to a clip: loudness by length, the ceiling on the decoded file, margins, reproducible bytes."""

import hashlib
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from replikk.audio.delivery import DeliverySettings, Measured, anchor_gain_db, deliver, measure, prepare
from replikk.audio.encode import decode
from replikk.audio.loudness import integrated_loudness, momentary_maximum
from replikk.audio.ogg import read_tags
from replikk.audio.true_peak import true_peak_dbtp
from replikk.errors import AudioError

RATE_HZ = 22_050
SETTINGS = DeliverySettings()
TAGS = {"TITLE": "scene1_001", "ARTIST": "Kari", "LYRICS": "Hei på deg!"}
LONG = "Det var en gang en liten fugl som bodde i et stort tre ved fjorden, og hver morgen sang den for hele bygda."
SHORT = "Kom hit, er du snill."


def make(samples: np.ndarray, settings: DeliverySettings = SETTINGS, rate: int = RATE_HZ, **more):
    return deliver(samples, rate, settings=settings, tags=TAGS, serial_from="key", **more)


def quiet(samples: np.ndarray, gain: float = 0.1) -> np.ndarray:
    """Far below the ceiling at any target used here, unless the speech is very peaky."""
    return np.rint(samples * gain).astype(np.int16)


@pytest.fixture(scope="module")
def long_take(speak) -> np.ndarray:
    return speak(LONG, variant="f4")[0]


@pytest.fixture(scope="module")
def short_take(speak) -> np.ndarray:
    return speak(SHORT, variant="f4")[0]


@pytest.fixture(scope="module")
def tiny_take() -> np.ndarray:
    """A vowel of 0.25 s."""
    at = np.arange(round(0.25 * RATE_HZ)) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 120 * k * at) / k for k in range(1, 12))
    return np.rint(3000 * tone * np.hanning(len(at))).astype(np.int16)


def test_three_seconds_and_more_reach_the_integrated_target(long_take: np.ndarray) -> None:
    clip = make(long_take, replace(SETTINGS, target_lufs=-23.0))
    assert clip.loudness_kind == "integrated"
    assert clip.gain_limited_db == 0.0
    assert clip.loudness_after_lufs == pytest.approx(-23.0, abs=0.2)
    assert integrated_loudness(decode(clip.data), RATE_HZ) == pytest.approx(clip.loudness_after_lufs, abs=0.01)
    assert clip.loudness_before_lufs + clip.gain_db == pytest.approx(-23.0, abs=0.01)


def test_shorter_clips_reach_the_momentary_target(short_take: np.ndarray) -> None:
    clip = make(short_take)
    assert clip.loudness_kind == "momentary"
    assert momentary_maximum(decode(clip.data), RATE_HZ) == pytest.approx(-18.0, abs=0.2)


def test_the_level_of_the_take_does_not_matter(long_take: np.ndarray) -> None:
    settings = replace(SETTINGS, target_lufs=-23.0)
    loud, faint = make(long_take, settings), make(quiet(long_take), settings)
    assert faint.loudness_after_lufs == pytest.approx(loud.loudness_after_lufs, abs=0.1)
    assert faint.gain_db == pytest.approx(loud.gain_db + 20.0, abs=0.1)


@pytest.mark.parametrize("offset_lu", [-6.0, -4.0, 0.0, 3.0])
def test_a_whisper_stays_quieter_than_a_shout(long_take: np.ndarray, offset_lu: float) -> None:
    clip = make(long_take, replace(SETTINGS, target_lufs=-26.0), offset_lu=offset_lu)
    assert clip.loudness_after_lufs == pytest.approx(-26.0 + offset_lu, abs=0.2)


def test_an_anchor_only_enters_the_shortest_clips(
    long_take: np.ndarray, short_take: np.ndarray, tiny_take: np.ndarray
) -> None:
    """Otherwise every edit of one line would encode the whole voice anew."""
    for take in (long_take, short_take):
        assert make(take, anchor_gain_db=-7.0).data == make(take).data
    tiny = measure(tiny_take, RATE_HZ, SETTINGS)
    assert tiny.kind == "anchor"
    for near in (-1.0, 1.0):
        moved = make(tiny_take, anchor_gain_db=tiny.needed_gain_db + near)
        assert moved.data != make(tiny_take, anchor_gain_db=tiny.needed_gain_db).data


def test_below_400_ms_the_voice_s_anchor_is_the_gain(tiny_take: np.ndarray) -> None:
    needed = measure(tiny_take, RATE_HZ, SETTINGS).needed_gain_db
    clip = make(tiny_take, anchor_gain_db=needed - 4.0, offset_lu=-1.5)
    assert clip.loudness_kind == "anchor"
    assert clip.gain_db == pytest.approx(needed - 5.5, abs=0.01)


@pytest.mark.parametrize(("away_db", "kept_db"), [(-20.0, -6.0), (-5.0, -5.0), (20.0, 6.0)])
def test_an_anchor_leaves_no_clip_far_from_the_target(tiny_take: np.ndarray, away_db: float, kept_db: float) -> None:
    settings = replace(SETTINGS, target_lufs=-30.0)
    needed = measure(tiny_take, RATE_HZ, settings).needed_gain_db
    assert make(tiny_take, settings, anchor_gain_db=needed + away_db).gain_db == pytest.approx(
        needed + kept_db, abs=0.01
    )


def test_without_an_anchor_the_clip_s_own_level_decides(tiny_take: np.ndarray) -> None:
    clip = make(tiny_take)
    assert clip.loudness_kind == "ungated"
    assert clip.loudness_after_lufs == pytest.approx(-18.0, abs=0.5)


def measured(kind: str, needed: float | None) -> Measured:
    return Measured(duration_s=1.0, kind=kind, loudness_lufs=None, needed_gain_db=needed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clips", "anchor"),
    [
        ([], None),
        ([("anchor", 3.0)], None),
        ([("integrated", None)], None),
        ([("integrated", 1.0), ("integrated", 2.1), ("integrated", 9.0), ("momentary", -20.0)], 2.0),
        ([("integrated", -1.2), ("integrated", -1.4)], -1.5),
        ([("momentary", -3.3), ("anchor", 8.0)], -3.5),
    ],
)
def test_anchor_is_the_rounded_median_of_the_longest_kind(clips: list, anchor: float | None) -> None:
    assert anchor_gain_db([measured(*clip) for clip in clips]) == anchor
    assert anchor_gain_db([measured(*clip) for clip in reversed(clips)]) == anchor


@pytest.mark.parametrize("file_format", ["ogg-vorbis", "ogg-opus", "wav"])
@pytest.mark.parametrize("target_lufs", [-18.0, -8.0])
def test_the_true_peak_of_the_decoded_file_never_passes_the_ceiling(
    speak, file_format: str, target_lufs: float
) -> None:
    """Vorbis and Opus move peaks: the limit holds for what a player hears. It costs loudness, never dynamics."""
    settings = DeliverySettings(format=file_format, target_lufs=target_lufs)  # type: ignore[arg-type]
    limited = 0
    for take in speak("Skynd deg!", "Nei!", "Se, der borte brenner det!", LONG, variant="m1"):
        clip = make(take, settings)
        decoded = decode(clip.data)
        assert true_peak_dbtp(decoded) <= settings.ceiling_dbtp
        assert clip.true_peak_dbtp == pytest.approx(true_peak_dbtp(decoded), abs=0.006)
        if clip.gain_limited_db > 0:
            limited += 1
            assert clip.true_peak_dbtp > settings.ceiling_dbtp - 1.5  # nor is more taken away than needed
    assert limited > 0


def test_one_static_gain_and_no_dynamics(long_take: np.ndarray) -> None:
    """A WAV clip is the trimmed take times one number."""
    settings = DeliverySettings(format="wav", target_lufs=-23.0)
    clip = make(long_take, settings)
    before = prepare(long_take, RATE_HZ, settings).samples
    np.testing.assert_allclose(decode(clip.data), before * 10 ** (clip.gain_db / 20), atol=1.01 / 32768)


def test_dual_mono_counts_the_clip_twice(long_take: np.ndarray) -> None:
    one = make(long_take, replace(SETTINGS, target_lufs=-24.0))
    two = make(long_take, replace(SETTINGS, target_lufs=-24.0, dual_mono=True))
    assert two.gain_db == pytest.approx(one.gain_db - 3.01, abs=0.02)
    assert two.loudness_after_lufs == pytest.approx(-24.0, abs=0.2)


@pytest.mark.parametrize("file_format", ["ogg-vorbis", "ogg-opus", "wav"])
def test_the_same_input_is_the_same_file_in_every_process(file_format: str, tmp_path, short_take: np.ndarray) -> None:
    np.save(tmp_path / "take.npy", short_take)
    program = f"""
import hashlib, numpy
from replikk.audio.delivery import DeliverySettings, deliver
take = numpy.load({str(tmp_path / "take.npy")!r})
settings = DeliverySettings(format={file_format!r})
clip = deliver(take, {RATE_HZ}, settings=settings, tags={TAGS!r}, serial_from="key")
print(hashlib.sha256(clip.data).hexdigest())
"""
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    here = make(short_take, DeliverySettings(format=file_format))  # type: ignore[arg-type]
    assert hashlib.sha256(here.data).hexdigest() == other


@pytest.mark.parametrize(
    ("file_format", "rate", "wanted_rate", "delivered_rate"),
    [
        ("ogg-vorbis", 22_050, None, 22_050),
        ("ogg-vorbis", 24_000, None, 24_000),
        ("ogg-vorbis", 22_050, 44_100, 44_100),
        ("ogg-vorbis", 48_000, 24_000, 24_000),
        ("ogg-vorbis", 8_000, None, 8_000),
        ("ogg-opus", 22_050, None, 24_000),
        ("ogg-opus", 44_100, None, 48_000),
        ("ogg-opus", 22_050, 48_000, 48_000),
        ("wav", 22_050, 48_000, 48_000),
    ],
)
def test_sample_rates(file_format: str, rate: int, wanted_rate: int | None, delivered_rate: int) -> None:
    at = np.arange(2 * rate) / rate
    take = np.rint(8000 * np.sin(2 * np.pi * 300 * at) * np.minimum(1, 8 * np.abs(np.sin(3 * at)))).astype(np.int16)
    clip = make(take, DeliverySettings(format=file_format, sample_rate_hz=wanted_rate), rate)  # type: ignore[arg-type]
    with soundfile.SoundFile(io.BytesIO(clip.data)) as file:
        assert (file.samplerate, file.channels) == (delivered_rate, 1)
        assert file.frames / file.samplerate == pytest.approx(clip.duration_s, abs=1e-3)
    assert clip.sample_rate_hz == delivered_rate
    assert clip.loudness_after_lufs == pytest.approx(-18.0, abs=0.3)


def test_tags_and_ffmpeg_s_opinion(short_take: np.ndarray, ffmpeg: str, tmp_path) -> None:
    clip = make(short_take)
    assert read_tags(clip.data) == TAGS
    path = tmp_path / "clip.ogg"
    path.write_bytes(clip.data)
    done = subprocess.run([ffmpeg, "-v", "error", "-i", path, "-f", "null", "-"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # The filter ebur128 is another implementation of BS.1770.
    measured = subprocess.run(
        [ffmpeg, "-nostats", "-i", path, "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-v", "info", "-"],
        capture_output=True, text=True,
    ).stderr  # fmt: skip
    peak = float(measured.rsplit("Peak:", 1)[1].split()[0])
    assert peak == pytest.approx(clip.true_peak_dbtp, abs=0.3)


def test_ffmpeg_measures_the_same_integrated_loudness(long_take: np.ndarray, ffmpeg: str, tmp_path) -> None:
    clip = make(long_take)
    path = tmp_path / "clip.ogg"
    path.write_bytes(clip.data)
    log = subprocess.run(
        [ffmpeg, "-nostats", "-i", path, "-af", "ebur128", "-f", "null", "-"], capture_output=True, text=True
    ).stderr
    integrated = float(log.rsplit("I:", 1)[1].split()[0])
    assert integrated == pytest.approx(clip.loudness_after_lufs, abs=0.2)


def silence_around(samples: np.ndarray, head_s: float, tail_s: float) -> np.ndarray:
    return np.pad(samples, (round(head_s * RATE_HZ), round(tail_s * RATE_HZ)))


def test_silence_around_speech_is_trimmed_and_a_pause_of_the_script_is_kept(tiny_take: np.ndarray) -> None:
    take = silence_around(tiny_take, 0.7, 0.9)
    plain = prepare(take, RATE_HZ, SETTINGS)
    assert plain.trimmed_head_s == pytest.approx(0.7, abs=0.05)
    assert plain.trimmed_tail_s == pytest.approx(0.8, abs=0.05)
    paused = prepare(take, RATE_HZ, SETTINGS, keep_tail_s=0.6, keep_head_s=0.2)
    longer_s = (len(paused.samples) - len(plain.samples)) / RATE_HZ
    assert longer_s == pytest.approx((0.6 - 0.08) + (0.2 - 0.03), abs=0.001)


def test_a_pause_of_the_script_is_there_even_if_the_take_ends_early(tiny_take: np.ndarray) -> None:
    paused = prepare(tiny_take, RATE_HZ, SETTINGS, keep_tail_s=0.5)
    assert len(paused.samples) / RATE_HZ >= 0.25 + 0.4
    assert not np.any(paused.samples[-round(0.4 * RATE_HZ) :])


def test_fades_stay_outside_speech_and_prevent_clicks() -> None:
    rng = np.random.default_rng(1)
    speech = np.rint(4000 * np.sin(np.arange(RATE_HZ) * 0.05) + rng.normal(0, 300, RATE_HZ)).astype(np.int16)
    settings = replace(SETTINGS, fade_in_ms=25.0, fade_out_ms=60.0)
    clip = prepare(silence_around(speech, 0.5, 0.5), RATE_HZ, settings).samples
    head = round(0.03 * RATE_HZ)
    inside = clip[head + 120 : head + RATE_HZ - 120]  # trimming works in steps of 110 samples
    assert np.isin(np.rint(inside[:50] * 32768), speech).all()
    # A take cut off in the middle of a sound fades over 2 ms, no more.
    cut = prepare(speech, RATE_HZ, settings).samples * 32768
    np.testing.assert_allclose(cut[45:-45], speech[45:-45], atol=0.01)
    assert abs(cut[0]) < 20 and abs(cut[-1]) < 20


@pytest.mark.parametrize("samples", [0, 1, 50, 219, 3000, 4 * RATE_HZ])
def test_silence_and_scraps_are_delivered_with_gain_0(samples: int) -> None:
    clip = make(np.zeros(samples, np.int16), anchor_gain_db=5.0)
    assert (clip.gain_db, clip.loudness_before_lufs, clip.true_peak_dbtp) == (0.0, None, None)
    assert clip.duration_s == pytest.approx(samples / RATE_HZ, abs=0.001)
    loud = make(np.full(min(samples, 200), 9000, np.int16), anchor_gain_db=5.0)
    assert loud.gain_db == 0.0


def test_a_take_too_faint_to_mend_is_not_blown_up(long_take: np.ndarray) -> None:
    assert make(quiet(long_take, 0.004)).gain_db == SETTINGS.max_gain_db


def test_noise_at_full_scale_stays_below_the_ceiling() -> None:
    """The worst case for a codec: every decoded peak is another one."""
    noise = np.random.default_rng(2).integers(-32768, 32767, 2 * RATE_HZ).astype(np.int16)
    clip = make(noise, replace(SETTINGS, target_lufs=-8.0))
    assert true_peak_dbtp(decode(clip.data)) <= -1.0


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(np.zeros(9, np.float32), RATE_HZ), (np.zeros((9, 2), np.int16), RATE_HZ), (np.zeros(9, np.int16), 96_000)],
)
def test_takes_of_another_form_are_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(AudioError):
        make(samples, rate=rate)
