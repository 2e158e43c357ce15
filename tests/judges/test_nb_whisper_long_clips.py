"""Clips of several windows: which part of the wanted text each window should hold, and how likely it is there.

The small model is taught a few windows by heart. So it writes their texts, and finds any other text unlikely: its
likelihoods mean something, as those of random weights do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from whisper_small import WINDOW_S, make_small_whisper, teach  # noqa: E402

from replikk.judges.evidence import LineFacts, gather  # noqa: E402
from replikk.judges.nb_whisper import decoding, network  # noqa: E402
from replikk.judges.nb_whisper.judge import NbWhisperJudge  # noqa: E402
from replikk.judges.nb_whisper.shares import share  # noqa: E402
from replikk.judges.nb_whisper.windows import SAMPLE_RATE_HZ, Window, cut_into_windows  # noqa: E402
from replikk.judges.records import Clip, Transcript  # noqa: E402
from replikk.judges.signal import measure_signal  # noqa: E402
from replikk.judges.thresholds import thresholds_from_mapping  # noqa: E402
from replikk.judges.verdict import decide  # noqa: E402

torch.set_num_threads(1)  # networks so small only wait for one another's threads

# The shares ----------------------------------------------------------------------------------------------------------


def parts(wanted: str, *heard: str) -> list[list[str]]:
    """For each window the texts that it may be to hold."""
    shares = share(wanted, heard, "nb")
    return [[shares.text(part) for part in shares.parts_of(window)] for window in range(len(heard))]


@pytest.mark.parametrize(
    ("wanted", "heard", "expected"),
    [
        # What was heard right parts the text.
        ("Hei på deg. Takk for det!", ("hei på deg", "takk for det"), ["Hei på deg", "Takk for det"]),
        ("Klokka 14, da!", ("klokka fjorten da",), ["Klokka 14 da"]),
        # A wrong word that stands between right ones goes where another was heard in its place.
        ("Hei på deg. Takk for det!", ("hei til deg", "takk fra det"), ["Hei på deg", "Takk for det"]),
        ("Hei på deg. Takk for det!", ("hei deg", "takk og for det"), ["Hei på deg", "Takk for det"]),
        # One word, heard in two parts that are right.
        ("Bo i landsdelen min", ("bo i lands", "delen min"), ["Bo i lands", "delen min"]),
        ("Det var i 1984 det", ("det var i nitten", "åttifire det"), ["Det var i nitten", "åttifire det"]),
        # A window in which nobody speaks holds nothing.
        ("Hei på deg", ("", "hei på deg", ""), ["", "Hei på deg", ""]),
        ("", ("hei på", "deg"), ["", ""]),
    ],
)
def test_the_wanted_text_is_parted_where_it_was_heard(wanted: str, heard: tuple[str, ...], expected: list[str]) -> None:
    assert parts(wanted, *heard) == [[text] for text in expected]


@pytest.mark.parametrize(
    ("wanted", "heard", "before", "after"),
    [
        # A word that nobody wrote may have been said on either side;
        ("Hei på deg. Å takk for det!", ("hei på deg", "takk for det"), ["Hei på deg", "Hei på deg Å"],
         ["Å takk for det", "takk for det"]),
        # and so may one that the cut went through.
        ("Bo i landsdelen min", ("bo i lam", "desen min"), ["Bo i", "Bo i landsdelen"], ["landsdelen min", "min"]),
        # Of many words both ends are tried, and what was aligned.
        ("en to tre fire fem seks sju", ("en to", "sju"), ["en to", "en to tre fire fem seks"],
         ["tre fire fem seks sju", "sju"]),
    ],
)  # fmt: skip
def test_wrong_words_at_a_border_may_belong_to_either_side(
    wanted: str, heard: tuple[str, str], before: list[str], after: list[str]
) -> None:
    assert parts(wanted, *heard) == [before, after]


def test_a_window_without_a_right_word_takes_no_word_from_beyond_its_neighbours() -> None:
    first, second, third = parts("en to tre fire fem", "en to", "noe annet", "fire fem")
    assert first == ["en to", "en to tre"]
    assert second == ["", "tre", ""]
    assert third == ["tre fire fem", "fire fem"]


_TEXTS = st.text(alphabet="aeå dt1-.,/…%é�\n", max_size=14)


@given(_TEXTS, st.lists(_TEXTS, min_size=1, max_size=4))
def test_no_text_is_lost_between_windows(wanted: str, heard: list[str]) -> None:
    shares = share(wanted, heard, "nb")
    assert len(shares.borders) == len(heard) - 1
    # Whichever part is taken first, the parts can be taken on to the end.
    reached = {0}
    for window in range(len(heard)):
        options = shares.parts_of(window)
        assert reached == {left for left, _ in options}
        reached = {right for _, right in options}
    assert reached == {len(shares.words)}


# The weighing --------------------------------------------------------------------------------------------------------

_TONES_HZ = {"hei": 300, "på": 500, "deg": 800, "meg": 1100, "takk": 1500, "for": 2000, "det": 2600, "du": 3300}
FIRST, SECOND = "hei på deg takk for det du", "det du takk deg hei på"
FIRST_OTHER, SECOND_OTHER = FIRST.replace("deg", "meg"), SECOND.replace("deg", "meg")


def spoken(*texts: str) -> np.ndarray:
    """Each word a tone of its own, with a pause between the texts."""
    rng = np.random.default_rng(0)
    sounds = []
    for text in texts:
        for word in text.split():
            time_s = np.arange(int(0.35 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
            tone = np.sin(2 * np.pi * _TONES_HZ[word] * time_s) * np.hanning(len(time_s)) ** 0.2
            sounds.append(9000 * tone + rng.normal(0, 30, len(time_s)))
        sounds.append(rng.normal(0, 3, int(0.4 * SAMPLE_RATE_HZ)))
    return np.concatenate(sounds).astype(np.int16)


def windows_of(samples: np.ndarray) -> list[Window]:
    return cut_into_windows(0, samples.astype(np.float32) / np.float32(32768), WINDOW_S)


LONG, LONG_OTHER = spoken(FIRST, SECOND), spoken(FIRST_OTHER, SECOND_OTHER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that writes, of both clips, the words that are spoken in them."""
    folder = make_small_whisper(tmp_path_factory.mktemp("models") / "taught", spread=0.05)
    lessons = zip([*windows_of(LONG), *windows_of(LONG_OTHER)], [FIRST, SECOND, FIRST_OTHER, SECOND_OTHER], strict=True)
    assert teach(folder, list(lessons), 200) < 0.02
    return folder


def clip(samples: np.ndarray, wanted: str, key: str = "a") -> Clip:
    return Clip(key * 64, samples, SAMPLE_RATE_HZ, wanted, "cosyvoice3", "nb")


def heard(folder: Path, *clips: Clip) -> Iterator[Transcript]:
    yield from NbWhisperJudge({"model": str(folder), "device": "cpu"}).transcribe(clips)


def deficit(folder: Path, samples: np.ndarray, wanted: str) -> float:
    (transcript,) = heard(folder, clip(samples, wanted))
    assert transcript.hearing is not None and transcript.hearing.wanted_deficit_nats is not None
    return transcript.hearing.wanted_deficit_nats


def of_window(folder: Path, number: int, wanted: str) -> float:
    """The deficit of one window of ``LONG``, as a clip of its own."""
    alone = np.round(windows_of(LONG)[number].samples * 32768).astype(np.int16)
    assert len(windows_of(alone)) == 1
    return deficit(folder, alone, wanted)


def test_the_taught_words_are_heard_in_two_windows(folder: Path) -> None:
    for samples, text in ((LONG, f"{FIRST} {SECOND}"), (LONG_OTHER, f"{FIRST_OTHER} {SECOND_OTHER}")):
        assert len(windows_of(samples)) == 2
        assert [transcript.text for transcript in heard(folder, clip(samples, ""))] == [text]


def test_the_text_that_was_heard_has_no_deficit(folder: Path) -> None:
    assert deficit(folder, LONG, f"{FIRST.capitalize()}! {SECOND.capitalize()}.") == pytest.approx(0, abs=1e-3)
    assert deficit(folder, LONG_OTHER, f"{FIRST_OTHER} {SECOND_OTHER}") == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST, SECOND_OTHER),
        (FIRST_OTHER, SECOND),
        (FIRST_OTHER, SECOND_OTHER),
        (FIRST, SECOND.replace("takk ", "")),
        (FIRST, SECOND.replace("hei", "hei hei")),
        (FIRST.replace("takk", "du"), SECOND),
    ],
)
def test_another_word_weighs_what_it_weighs_in_a_clip_of_one_window(folder: Path, first: str, second: str) -> None:
    """The worst window counts, neither made worse by the others nor excused by them."""
    alone = [of_window(folder, 0, first), of_window(folder, 1, second)]
    assert max(alone) > 2
    assert deficit(folder, LONG, f"{first} {second}") == pytest.approx(max(alone), abs=2e-3)


def test_a_missing_word_at_the_border_weighs_no_more_than_at_its_likelier_side(folder: Path) -> None:
    sides = [of_window(folder, 0, f"{FIRST} hei"), of_window(folder, 1, f"hei {SECOND}")]
    assert min(sides) > 1
    assert deficit(folder, LONG, f"{FIRST} hei {SECOND}") == pytest.approx(min(sides), abs=2e-3)


def test_a_word_that_was_heard_in_two_right_parts_weighs_nothing(folder: Path) -> None:
    assert deficit(folder, LONG, f"{FIRST}{SECOND}") == pytest.approx(0, abs=1e-3)


def test_a_text_with_no_word_right_is_weighed_whole(folder: Path) -> None:
    assert deficit(folder, LONG, "noe ganske annet som ingen sier her") > 20
    assert deficit(folder, LONG, "") > 2


def test_a_long_clip_is_judged_by_the_likelihoods_and_no_longer_word_by_word(folder: Path) -> None:
    signal = measure_signal(LONG, SAMPLE_RATE_HZ)
    loose = {"min_characters_per_s": 0, "max_unexplained_silence_s": 9, "max_pause_excess_s": 9, "max_cer": 0.2}
    other = SECOND.replace("takk", "venn")
    for wanted, codes in ((f"{FIRST} {SECOND}", []), (f"{FIRST} {other}", ["wrong_words"])):
        (transcript,) = heard(folder, clip(LONG, wanted))
        verdict = decide(gather(LineFacts(wanted), transcript, signal), thresholds_from_mapping({"default": loose}))
        assert [reason.code for reason in verdict.reasons] == codes


# What a batch may not change ----------------------------------------------------------------------------------------


def clips() -> list[Clip]:
    short = np.round(windows_of(LONG)[1].samples * 32768).astype(np.int16)
    wanted = f"{FIRST} {SECOND_OTHER}"
    return [
        clip(LONG, wanted, "a"),
        clip(short, SECOND_OTHER, "b"),
        clip(LONG_OTHER, wanted, "c"),
        clip(np.zeros(SAMPLE_RATE_HZ, np.int16), FIRST, "d"),
        clip(np.concatenate([LONG, LONG_OTHER]), f"{wanted} {wanted}", "e"),
    ]


def deficits(transcripts: Iterator[Transcript]) -> dict[str, float | None]:
    return {one.take_key[0]: one.hearing.wanted_deficit_nats for one in transcripts if one.hearing is not None}


def test_a_long_clip_does_not_depend_on_its_neighbours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = deficits(heard(folder, *clips()))
    assert together["d"] is None
    assert min(together[key] or 0 for key in "abce") > 2
    for rows in (1, 3):
        monkeypatch.setattr(network, "CPU_ROWS", rows)
        assert deficits(heard(folder, *clips())) == pytest.approx(together, abs=2e-3)
    for one in clips():
        assert deficits(heard(folder, one)) == pytest.approx({one.take_key[0]: together[one.take_key[0]]}, abs=2e-3)


def test_a_weighing_that_does_not_fit_is_halved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = deficits(heard(folder, *clips()))
    real = decoding.wanted_deficit_nats
    sizes = []

    def scarce(loaded, memory, wanted, written):  # type: ignore[no-untyped-def]
        sizes.append(len(wanted))
        if len(wanted) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(loaded, memory, wanted, written)

    monkeypatch.setattr(decoding, "wanted_deficit_nats", scarce)
    assert deficits(heard(folder, *clips())) == pytest.approx(together, abs=2e-3)
    assert max(sizes) > 2


def test_no_more_windows_wait_than_are_heard_side_by_side(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "CPU_ROWS", 4)
    written, real = [], decoding.write

    def watched(loaded, windows, locales):  # type: ignore[no-untyped-def]
        written.append(len(windows))
        return real(loaded, windows, locales)

    monkeypatch.setattr(decoding, "write", watched)
    stream = heard(folder, *(clip(LONG, f"{FIRST} {SECOND}", key) for key in "abc"))
    next(stream)
    assert written == [4]  # both windows of two clips; the third clip has not been listened to
    assert len(list(stream)) == 2
    assert written == [4, 2]
