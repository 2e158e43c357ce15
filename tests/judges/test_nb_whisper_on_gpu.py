"""nb-whisper on a GPU, without one: tensors in their place, half precision, memory that runs out (pretend_gpu)."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("one_thread")

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from pretend_gpu import pretend_gpu  # noqa: E402
from test_nb_whisper import by_key, clip, judge_with, same  # noqa: E402
from whisper_small import make_small_ctc, make_small_whisper  # noqa: E402

from replikk.judges.nb_whisper import decoding  # noqa: E402
from replikk.judges.records import Transcript  # noqa: E402

CLIPS = [clip(seconds, seed) for seed, seconds in enumerate((0.05, 0.9, 3.0, 3.3, 9.5, 25.0))]
"""Shorter than a frame, of one window, and of several."""


@pytest.fixture(scope="module")
def three_ears(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bulk's model, a second opinion on what it doubts, and a second ear."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "model": str(make_small_whisper(folder / "liten")),
        "second_opinion": str(make_small_whisper(folder / "stor", seed=1)),
        "second_ear": str(make_small_ctc(folder / "ctc")),
    }


def heard_on_gpu(ears: dict[str, str], precision: str) -> dict[str, Transcript]:
    model, *others = ears.items()
    with pretend_gpu():
        judge = judge_with(Path(model[1]), **dict(others), device="cuda", precision=precision)
        return by_key(judge.transcribe(CLIPS))


def test_transcripts_are_those_of_the_cpu(three_ears: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where memory runs out once, and the clips are heard in smaller batches."""
    model, *others = three_ears.items()
    wanted = by_key(judge_with(Path(model[1]), **dict(others)).transcribe(CLIPS))
    assert {transcript.take_key for transcript in wanted.values() if transcript.hearing.first_text}  # type: ignore[union-attr]
    whole, refused = decoding.write, []

    def scarce(*arguments, **named):
        if not refused:
            refused.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(*arguments, **named)

    monkeypatch.setattr(decoding, "write", scarce)
    found = heard_on_gpu(three_ears, "float32")
    assert refused and found.keys() == wanted.keys()
    for key in wanted:
        same(found[key], wanted[key])
        assert found[key].hearing.second_ear_text == wanted[key].hearing.second_ear_text  # type: ignore[union-attr]


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_hears_every_clip(three_ears: dict[str, str], precision: str) -> None:
    """What a random model writes hangs on the last bits, so only that it writes is looked at."""
    found = heard_on_gpu(three_ears, precision)
    assert len(found) == len(CLIPS)
    assert sum(bool(transcript.text) for transcript in found.values()) >= len(CLIPS) - 1
    for transcript in found.values():
        hearing = transcript.hearing
        assert hearing is not None and 0 <= hearing.no_speech <= 1 and hearing.mean_log_probability <= 0
