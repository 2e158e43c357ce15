"""Reading a voice's reference recording and saying everything that is wrong with it, in one go.

What the model hears in the reference it imitates: level, room, clipping, an ending cut off. So a recording that cannot
become a good voice is refused before any model is loaded, one sentence a fault, each with what to do. What can be
mended without harm (two equal channels, a rate above what is needed) is mended; what is only a pity is a remark.

Torch-free: it runs while a build is planned. Levels are those of frames of 20 ms, relative to the recording itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replikk.engines.cosyvoice3.speaking_time import speaking_time_s
from replikk.errors import EngineError, printable

SHORTEST_S, LONGEST_S = 3.0, 15.0
"""Less holds too little of a voice; more slows every line down and makes the model repeat the reference."""
LOWEST_RATE_HZ = 16_000
FULL_RATE_HZ = 24_000

_MAX_BYTES = 200_000_000
_MAX_READ_S = 60.0  # of a longer file only this much is looked at: it is refused anyway
_MAX_CHANNELS = 2
_FRAME_S = 0.02
_FLOOR_DB = -120.0

_SILENT_DB = -50.0  # dBFS of the active level; speech at an arm's length from a bad microphone is louder
_SPEECH_RANGE_DB = 40.0  # frames this far below the loudest one hold no speech, in any of the levels of a recording
_ABOVE_NOISE_DB = 8.0
_NOISE_QUANTILE = 0.05
_LOW_SNR_DB = 20.0  # the noise is then heard in every clip

# An ending: the last tenth of a second lies this far below the speech. A last syllable dies away by 25 dB within it.
_END_S = 0.1
_END_UNDER_SPEECH_DB = 25.0
_LONG_EDGE_S = 1.0

# Levels of stretches of one second of speech, by their louder half. Read speech stays within 8 dB of itself from the
# start of a sentence to its end; another distance to the microphone, or another person, makes 12 and more.
_STRETCH_S, _STRETCH_HOP_S = 1.0, 0.25
_STRETCH_SPEECH_SHARE = 0.6
_TWO_LEVELS_DB = 12.0

# A clipped signal stands at its extreme for three samples and more, again and again (to 1/10,000, or three steps of 16
# bit). A limiter's peaks reach the same height again and again too, but they are round: a 100 Hz wave at 48 kHz stays
# that close to its peak for two samples. Clipping that was resampled or coded since is not flat and not found.
_CLIP_TOLERANCE = 1e-4
_CLIP_RUN_SAMPLES = 3
_CLIP_RUNS = 4
_CLIP_SHORTEST_GAP_S = 0.002  # shorter ones belong to one excursion

_SAME_CHANNELS_DB = -30.0  # the difference of two channels against their sum; dithered copies lie below -60

# Speech takes this many times the estimate at most and at least. Slow storytellers reach 1.6, hasty ones 0.6.
_SLOWEST, _FASTEST = 2.0, 0.5


@dataclass(frozen=True)
class ReferenceAudio:
    """A recording fit to be a reference."""

    samples: NDArray[np.float32]  # [samples], mono, full scale = 1
    sample_rate_hz: int
    remarks: tuple[str, ...]
    """What was changed, or could be better: ``file: what; what instead``."""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


@dataclass
class _Findings:
    """Problems and remarks of one file while it is examined."""

    name: str
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def problem(self, what: str, instead: str) -> None:
        self.problems.append(f"{self.name}: {what}; {instead}")

    def remark(self, what: str, instead: str) -> None:
        self.remarks.append(f"{self.name}: {what}; {instead}")


def read_reference(path: Path, transcript: str) -> ReferenceAudio:
    """The recording of a reference. Raises EngineError with every problem that ``examine_reference`` finds."""
    audio, problems = examine_reference(path, transcript)
    if audio is None:
        raise EngineError("\n".join(problems))
    return audio


def examine_reference(path: Path, transcript: str) -> tuple[ReferenceAudio | None, tuple[str, ...]]:
    """The recording, or None and what is wrong with it and its transcript: all problems, one sentence each."""
    found = _Findings(printable(str(path)))
    _check_transcript(transcript, found)
    read = _read(path, found)
    if read is None:
        return None, tuple(found.problems)
    signal, rate, whole_s = read
    _check_form(rate, whole_s, found)
    mono = _mono(signal, found)
    if not np.isfinite(mono).all():
        found.problem("contains values that are not numbers", "export it again as 16 or 24 bit")
        return None, tuple(found.problems)
    _check_sound(mono, rate, whole_s, transcript, found)
    if found.problems:
        return None, tuple(found.problems)
    return ReferenceAudio(mono, rate, tuple(found.remarks)), ()


def _read(path: Path, found: _Findings) -> tuple[NDArray[np.float32], int, float] | None:
    """([samples, channels], rate, seconds of the whole file); None when nothing can be said about the sound."""
    import soundfile

    try:
        if not path.is_file():
            found.problem("there is no such recording", "put it there, or mend 'reference' in voices.yaml")
            return None
        size = path.stat().st_size
        if size == 0:
            found.problem("is empty", "copy the recording again")
            return None
        if size > _MAX_BYTES:
            found.problem(f"has {size / 1e6:.0f} MB", f"cut {SHORTEST_S:g} to {LONGEST_S:g} s out of it")
            return None
        with soundfile.SoundFile(path) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
            if channels > _MAX_CHANNELS or rate <= 0 or frames <= 0:
                sound = f"{channels} channels" if channels > _MAX_CHANNELS else "no sound"
                found.problem(f"holds {sound}", "export it again as mono")
                return None
            signal = file.read(frames=int(min(frames, _MAX_READ_S * rate)), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError, RuntimeError, ValueError, MemoryError) as error:
        # TypeError: soundfile takes .raw for headerless audio and asks for its form.
        found.problem(f"cannot be read as audio ({printable(str(error))})", "export it as WAV or FLAC")
        return None
    whole_s = max(frames, len(signal)) / rate if len(signal) else 0.0
    if not whole_s:
        found.problem("holds no sound", "export it again")
        return None
    return signal, rate, whole_s


def _check_form(rate: int, whole_s: float, found: _Findings) -> None:
    if rate < LOWEST_RATE_HZ:
        found.problem(
            f"has {rate} Hz, which is telephone quality",
            f"record again at {FULL_RATE_HZ} Hz or more (converting the file brings nothing back)",
        )
    elif rate < FULL_RATE_HZ:
        found.remark(f"has {rate} Hz, so the voice will sound dull", f"record at {FULL_RATE_HZ} Hz or more")
    if whole_s < SHORTEST_S:
        found.problem(
            f"lasts {whole_s:.1f} s, which is too short to copy a voice",
            f"record {SHORTEST_S:g} to {LONGEST_S:g} s; 4 to 8 s are best",
        )
    elif whole_s > LONGEST_S:
        found.problem(
            f"lasts {whole_s:.1f} s, which is too long",
            f"cut {SHORTEST_S:g} to {LONGEST_S:g} s out of it at a pause, and the same words out of the transcript",
        )


def _mono(signal: NDArray[np.float32], found: _Findings) -> NDArray[np.float32]:
    """One channel [samples]: two equal ones are mixed down, two that differ are a problem."""
    if signal.shape[1] == 1:
        return np.ascontiguousarray(signal[:, 0])
    left, right = signal[:, 0], signal[:, 1]
    mono = signal.mean(axis=1, dtype=np.float32)
    difference = _power((left - right) / 2)
    levels = [_decibels(_power(channel)) for channel in (left, right)]
    if abs(levels[0] - levels[1]) > 40.0:
        louder = "left" if levels[0] > levels[1] else "right"
        found.problem("is stereo with one channel empty", f"export the {louder} channel alone as mono")
    elif difference > 0 and 10 * np.log10(difference / max(_power(mono), 1e-12)) > _SAME_CHANNELS_DB:
        found.problem(
            "is stereo and its channels differ, so mixing them would blur the voice",
            "export one channel as mono, or record with one microphone",
        )
    else:
        found.remark("is stereo with two equal channels", "they were mixed down to one")
    return mono


def _check_sound(mono: NDArray[np.float32], rate: int, whole_s: float, transcript: str, found: _Findings) -> None:
    levels = _frame_levels(mono, rate)  # [frames] dB
    loudest = float(levels.max()) if len(levels) else _FLOOR_DB
    noise = float(np.quantile(levels, _NOISE_QUANTILE)) if len(levels) else _FLOOR_DB
    speech = levels > max(loudest - _SPEECH_RANGE_DB, min(noise + _ABOVE_NOISE_DB, loudest - _ABOVE_NOISE_DB))
    active = _mean_level(levels[speech]) if speech.any() else _FLOOR_DB
    if active < _SILENT_DB:
        found.problem(
            "is silent" if loudest <= -90 else f"is almost silent ({active:.0f} dBFS)",
            "check the microphone and record again with peaks near -6 dBFS",
        )
        return
    if _is_clipped(mono, rate):
        found.problem("is clipped, and every line would crackle", "record again with peaks near -6 dBFS")
    cut_off = whole_s > len(mono) / rate + 0.01
    tail = levels[-max(1, round(_END_S / _FRAME_S)) :]
    if not cut_off and _mean_level(tail) > active - _END_UNDER_SPEECH_DB:
        found.problem(
            "does not end in silence, so the voice would run on into the lines",
            "let it run on for half a second after the last word, or add 0.3 s of silence there",
        )
    _check_evenness(levels, speech, found)
    spoken = np.flatnonzero(speech)
    before_s, after_s = float(spoken[0]) * _FRAME_S, (len(speech) - 1 - float(spoken[-1])) * _FRAME_S
    if max(before_s, after_s) > _LONG_EDGE_S and not cut_off:
        found.remark(f"has {max(before_s, after_s):.1f} s of silence at one end", "cut it to half a second")
    if active - noise < _LOW_SNR_DB:
        found.remark(f"has noise only {active - noise:.0f} dB below the speech", "record in a quieter room")
    if not cut_off and transcript.strip():
        _check_pace(transcript, whole_s - before_s - after_s, found)


def _check_transcript(transcript: str, found: _Findings) -> None:
    shown = printable(transcript.strip(), 40)
    if not any(character.isalpha() for character in transcript):
        found.problem("has no transcript", "write word for word what the recording says")
        return
    if re.search(r"\d", transcript):
        found.problem(f"the transcript '{shown}' holds digits", "write numbers as words, the way they are said")
    if re.search(r"[<>\[\]{}|*_]", transcript):
        found.problem(f"the transcript '{shown}' holds markup", "write the words that are heard and nothing else")


def _check_pace(transcript: str, speech_s: float, found: _Findings) -> None:
    """Whether a transcript of this length can have been said in the time."""
    if not any(character.isalpha() for character in transcript):
        return
    estimate_s = speaking_time_s(transcript)
    if speech_s > _SLOWEST * estimate_s + 0.5:
        what = f"the transcript is too short: {estimate_s:.1f} s of text for {speech_s:.1f} s of speech"
    elif speech_s < _FASTEST * estimate_s:
        what = f"the transcript is too long: {estimate_s:.1f} s of text for {speech_s:.1f} s of speech"
    else:
        return
    found.problem(what, "write word for word what the recording says, all of it and no more")


def _check_evenness(levels: NDArray[np.float32], speech: NDArray[np.bool_], found: _Findings) -> None:
    size, hop = round(_STRETCH_S / _FRAME_S), round(_STRETCH_HOP_S / _FRAME_S)
    stretches: list[tuple[float, float]] = []  # (level in dB, start in seconds)
    for start in range(0, max(1, len(levels) - size + 1), hop):
        window = speech[start : start + size]
        if window.mean() < _STRETCH_SPEECH_SHARE:
            continue
        heard = np.sort(levels[start : start + size][window])
        stretches.append((_mean_level(heard[len(heard) // 2 :]), start * _FRAME_S))
    if not stretches:
        return
    quiet, loud = min(stretches), max(stretches)
    if loud[0] - quiet[0] > _TWO_LEVELS_DB:
        difference_db = loud[0] - quiet[0]
        found.problem(
            f"has two levels: near {quiet[1]:.1f} s it is {difference_db:.0f} dB quieter than near {loud[1]:.1f} s",
            "use a stretch with one speaker at one distance from the microphone",
        )


def _is_clipped(mono: NDArray[np.float32], rate: int) -> bool:
    """Whether the signal stands at one limit several times, on either side."""
    shortest_gap = max(1, round(_CLIP_SHORTEST_GAP_S * rate))
    for side in (mono, -mono):
        extreme = float(side.max())
        if extreme <= 0:
            continue
        flat = np.concatenate([[0], (side >= extreme * (1 - _CLIP_TOLERANCE)).astype(np.int8), [0]])
        edges = np.flatnonzero(np.diff(flat)).reshape(-1, 2)  # [runs, 2] start and end
        starts = edges[edges[:, 1] - edges[:, 0] >= _CLIP_RUN_SAMPLES, 0]
        if len(starts) and 1 + int((np.diff(starts) >= shortest_gap).sum()) >= _CLIP_RUNS:
            return True
    return False


def _frame_levels(mono: NDArray[np.float32], rate: int) -> NDArray[np.float32]:  # [frames] dBFS
    frame = max(1, round(_FRAME_S * rate))
    frames = mono[: len(mono) // frame * frame].reshape(-1, frame)
    power = np.maximum(frames.var(axis=1), 10 ** (_FLOOR_DB / 10))  # without its mean: an offset is no sound
    return (10 * np.log10(power)).astype(np.float32)


def _mean_level(levels: NDArray[np.float32]) -> float:
    """Level of the mean power of frames, in dB."""
    return float(10 * np.log10(np.mean(np.power(10.0, levels / 10)))) if len(levels) else _FLOOR_DB


def _power(signal: NDArray[np.floating]) -> float:
    return float(np.mean(np.square(signal, dtype=np.float64)))


def _decibels(power: float) -> float:
    return max(_FLOOR_DB, 10 * float(np.log10(max(power, 1e-12))))
