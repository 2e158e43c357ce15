"""Judge nb-whisper on a small random model in the hub's own format: what it writes is noise, how it works is not."""

from __future__ import annotations

import copy as copy_module
import dataclasses
import json
import shutil
import warnings
import weakref
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from whisper_small import WINDOW_S, make_small_ctc, make_small_whisper  # noqa: E402

from replikk.errors import JudgeError  # noqa: E402
from replikk.judges.nb_whisper import decoding, network, second_ear  # noqa: E402
from replikk.judges.nb_whisper import judge as judge_module  # noqa: E402
from replikk.judges.nb_whisper.identity import HASHES_FILE  # noqa: E402
from replikk.judges.nb_whisper.judge import NbWhisperJudge  # noqa: E402
from replikk.judges.nb_whisper.model_folder import open_whisper_folder  # noqa: E402
from replikk.judges.nb_whisper.windows import SAMPLE_RATE_HZ, cut_into_windows  # noqa: E402
from replikk.judges.records import Clip, Transcript  # noqa: E402

RATE = 24_000
torch.set_num_threads(1)  # networks so small only wait for one another's threads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_whisper(tmp_path_factory.mktemp("models") / "liten")


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_whisper(tmp_path_factory.mktemp("models") / "stor", seed=1)


@pytest.fixture(scope="module")
def ctc_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_ctc(tmp_path_factory.mktemp("models") / "ctc")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def judge_with(folder: Path, **settings: object) -> NbWhisperJudge:
    return NbWhisperJudge({"model": str(folder), "device": "cpu", **settings})


def clip(seconds: float, seed: int = 0, key: str = "", wanted: str = "hei på deg", locale: str = "nb") -> Clip:
    """Noise that changes its colour, so that no two clips look alike to the network."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    tone = np.sin(2 * np.pi * np.cumsum(rng.uniform(100, 3000, count // 500 + 1).repeat(500)[:count]) / RATE)
    samples = (9000 * tone + rng.normal(0, 900, count)).astype(np.int16)
    return Clip(key or f"{seed:064x}", samples, RATE, wanted, "cosyvoice3", locale)


def by_key(transcripts: Iterable[Transcript]) -> dict[str, Transcript]:
    return {transcript.take_key: transcript for transcript in transcripts}


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())


LENGTHS_S = (0.05, 0.2, 0.4, 0.9, 1.3, 2.0, 3.0, 3.3, 5.0, 9.5)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [clip(seconds, seed) for seed, seconds in enumerate(LENGTHS_S)]


@pytest.fixture(scope="module")
def together(folder: Path, clips: list[Clip]) -> dict[str, Transcript]:
    return by_key(judge_with(folder).transcribe(clips))


def same(one: Transcript, other: Transcript) -> None:
    """Equal but for the last bits of numbers."""
    assert one.text == other.text
    assert [word.text for word in one.words] == [word.text for word in other.words]
    assert [(w.start_s, w.end_s) for w in one.words] == [(w.start_s, w.end_s) for w in other.words]
    assert [w.confidence for w in one.words] == pytest.approx([w.confidence for w in other.words], abs=2e-3)
    assert one.hearing is not None and other.hearing is not None
    for name in ("no_speech", "mean_log_probability", "own_language", "wanted_deficit_nats"):
        assert getattr(one.hearing, name) == pytest.approx(getattr(other.hearing, name), abs=2e-3), name


def test_a_batch_changes_nothing(
    folder: Path, clips: list[Clip], together: dict[str, Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "CPU_ROWS", 1)
    alone = by_key(judge_with(folder).transcribe(clips))
    assert set(alone) == set(together) == {clip.take_key for clip in clips}
    for key in alone:
        same(alone[key], together[key])


def test_different_sound_is_heard_differently(together: dict[str, Transcript]) -> None:
    # Otherwise the other tests would prove nothing.
    assert len({transcript.text for transcript in together.values()}) >= len(LENGTHS_S) - 1


@pytest.mark.parametrize("seed", [3, 5, 6])
def test_it_writes_what_transformers_own_generation_writes(folder: Path, clips: list[Clip], seed: int) -> None:
    loaded = network.load_whisper(open_whisper_folder(folder), "cpu", "float32")
    wave = judge_module.at_16_khz(clips[seed].samples, RATE)
    window = cut_into_windows(0, wave, WINDOW_S)[0]
    (ours,), _ = decoding.write(loaded, [window], ["nb"])
    features = loaded.features(decoding.padded([window], WINDOW_S))
    prompt = loaded.vocabulary.prompt("nb")
    output = loaded.model.generate(
        features, language="no", task="transcribe", do_sample=False, num_beams=1, return_timestamps=False,
        max_new_tokens=len(ours.tokens) + 1,
    )  # fmt: skip
    row = output[0].tolist()
    theirs = row[len(prompt) :] if row[: len(prompt)] == prompt else row
    assert theirs[: len(ours.tokens)] == list(ours.tokens)
    assert ours.cut_off or theirs[len(ours.tokens)] == loaded.vocabulary.end


def test_features_are_those_of_transformers(folder: Path, clips: list[Clip]) -> None:
    from transformers import WhisperFeatureExtractor

    loaded = network.load_whisper(open_whisper_folder(folder), "cpu", "float32")
    windows = [cut_into_windows(n, judge_module.at_16_khz(clips[n].samples, RATE), WINDOW_S)[0] for n in (2, 6)]
    batch = decoding.padded(windows, WINDOW_S)
    extractor = WhisperFeatureExtractor(feature_size=80, chunk_length=int(WINDOW_S))
    theirs = extractor(list(batch), sampling_rate=SAMPLE_RATE_HZ, return_tensors="np").input_features
    np.testing.assert_allclose(loaded.features(batch).numpy(), theirs, atol=1e-4)


def test_attention_is_that_of_transformers(folder: Path, clips: list[Clip]) -> None:
    loaded = network.load_whisper(open_whisper_folder(folder), "cpu", "float32")
    window = cut_into_windows(0, judge_module.at_16_khz(clips[5].samples, RATE), WINDOW_S)[0]
    (ours,), _ = decoding.write(loaded, [window], ["nb"])
    prompt = loaded.vocabulary.prompt("nb")
    loaded.model.set_attn_implementation("eager")
    with torch.inference_mode():
        output = loaded.model(
            loaded.features(decoding.padded([window], WINDOW_S)),
            decoder_input_ids=torch.tensor([[*prompt, *ours.tokens]]),
            output_attentions=True,
        )
    theirs = output.cross_attentions[1][0].numpy()[:, len(prompt) - 1 :, : ours.attention.shape[-1]]
    np.testing.assert_allclose(ours.attention, theirs, atol=1e-5)
    likely = output.logits[0, len(prompt) - 1 : -1].log_softmax(-1).numpy()
    expected = likely[np.arange(len(ours.tokens)), list(ours.tokens)]
    np.testing.assert_allclose(ours.log_probabilities, expected, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_computes(folder: Path, clips: list[Clip], dtype: torch.dtype) -> None:
    # As on a GPU; on a CPU the judge itself always takes float32.
    full = network.load_whisper(open_whisper_folder(folder), "cpu", "float32")
    half = dataclasses.replace(full, model=copy_module.deepcopy(full.model).to(dtype), dtype=dtype)
    window = cut_into_windows(0, judge_module.at_16_khz(clips[5].samples, RATE), WINDOW_S)[0]
    (wide,), _ = decoding.write(full, [window], ["nb"])
    (narrow,), memory = decoding.write(half, [window], ["nb"])
    assert narrow.attention.dtype == np.float32 and np.isfinite(narrow.log_probabilities).all()
    assert narrow.no_speech == pytest.approx(wide.no_speech, abs=0.05)
    assert np.isfinite(decoding.wanted_deficit_nats(half, memory, [[1, 2, 3]], [narrow])[0])


@pytest.mark.parametrize("wanted", ["", "…", "日本", "hei " * 400])
def test_any_wanted_text_can_be_weighed(folder: Path, ctc_folder: Path, wanted: str) -> None:
    (heard,) = judge_with(folder, second_ear=str(ctc_folder)).transcribe([clip(0.7, 3, wanted=wanted)])
    assert heard.hearing is not None and heard.hearing.wanted_deficit_nats is not None


def test_what_was_written_is_no_less_likely_than_itself(folder: Path, clips: list[Clip]) -> None:
    loaded = network.load_whisper(open_whisper_folder(folder), "cpu", "float32")
    window = cut_into_windows(0, judge_module.at_16_khz(clips[5].samples, RATE), WINDOW_S)[0]
    written, memory = decoding.write(loaded, [window], ["nb"])
    (deficit,) = decoding.wanted_deficit_nats(loaded, memory, [written[0].tokens], written)
    sound, cache, prompt = memory
    ((*likely, end),), _ = decoding.score(loaded, sound, cache, prompt, [written[0].tokens])
    assert likely == pytest.approx(list(written[0].log_probabilities), abs=1e-4)
    # Of a text that was cut off, nothing but its end is missing.
    assert deficit == pytest.approx(-end if written[0].cut_off else 0.0, abs=1e-2)


def test_words_lie_in_their_clip_in_order(clips: list[Clip], together: dict[str, Transcript]) -> None:
    for one in clips:
        transcript = together[one.take_key]
        times = [time for word in transcript.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert all(0 <= time <= len(one.samples) / RATE + 1e-3 for time in times)
        assert all(0 <= word.confidence <= 1 for word in transcript.words)
        # Of noise a network writes halves of letters, too, which no text can hold: those are left out here.
        assert _letters("".join(word.text for word in transcript.words)) == _letters(transcript.text)


def test_a_long_clip_is_heard_to_its_end(clips: list[Clip], together: dict[str, Transcript]) -> None:
    longest = together[clips[-1].take_key]
    assert longest.words[-1].start_s > 2 * WINDOW_S - 1
    assert longest.hearing is not None and longest.hearing.wanted_deficit_nats is not None


def test_a_loop_is_cut_off_and_said(together: dict[str, Transcript]) -> None:
    # A random network rarely ends its text: most of these are loops.
    looping = [t for t in together.values() if t.hearing is not None and t.hearing.cut_off]
    assert looping
    assert all(len(t.text) > 10 for t in looping)


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(RATE, np.int16), np.full(RATE, 20, np.int16)])
def test_silence_is_not_given_a_text(folder: Path, samples: np.ndarray) -> None:
    (heard,) = judge_with(folder).transcribe([Clip("a" * 64, samples, RATE, "hei", "cosyvoice3", "nb")])
    assert heard.text == "" and heard.words == ()
    assert heard.hearing is not None and heard.hearing.no_speech == 1.0


def test_the_locale_chooses_the_language(folder: Path) -> None:
    first, second = (next(iter(judge_with(folder).transcribe([clip(1.0, 3, locale=code)]))) for code in ("nb", "nn"))
    assert first.text != second.text


def test_no_clips_load_nothing(tmp_path: Path) -> None:
    assert list(judge_with(tmp_path / "nowhere").transcribe([])) == []


def test_transcripts_come_batch_by_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "CPU_ROWS", 2)
    heard = []
    real = decoding.write

    def watched(*arguments: object) -> object:
        heard.append(len(arguments[1]))  # type: ignore[arg-type]
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding, "write", watched)
    stream = judge_with(folder).transcribe([clip(0.5, seed) for seed in range(6)])
    next(stream)
    assert heard == [2]


def test_a_batch_that_does_not_fit_is_halved(
    folder: Path, clips: list[Clip], together: dict[str, Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    real = decoding.write

    def scarce(loaded: object, windows: list[object], locales: list[str]) -> object:
        sizes.append(len(windows))
        if len(windows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(loaded, windows, locales)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding, "write", scarce)
    heard = by_key(judge_with(folder).transcribe(clips))
    assert sizes[:3] == [8, 4, 2] and max(sizes[2:]) == 2
    for key in together:
        same(heard[key], together[key])


def test_one_clip_that_does_not_fit_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(decoding, "write", none_left)
    with pytest.raises(JudgeError, match="one clip alone does not fit"):
        list(judge_with(folder).transcribe([clip(0.5)]))


def test_other_faults_are_not_taken_for_a_lack_of_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(decoding, "write", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        list(judge_with(folder).transcribe([clip(0.5)]))


@pytest.mark.parametrize(
    "said",
    ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"],
)
def test_libraries_say_in_their_own_words_that_memory_ran_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    sizes = []
    real = decoding.write

    def scarce(loaded: object, windows: list[object], locales: list[str]) -> object:
        sizes.append(len(windows))
        if len(windows) > 1:
            raise RuntimeError(said)
        return real(loaded, windows, locales)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding, "write", scarce)
    assert len(list(judge_with(folder).transcribe([clip(0.3, 1), clip(0.3, 2)]))) == 2
    assert sizes == [2, 1, 1]


def test_memory_that_pytorch_keeps_for_later_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first model's batches filled a card of 12 GB; the second one was given one window at a time."""
    gb = 10**9
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 3 * gb)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 11 * gb)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (gb // 2, 12 * gb))
    assert network.rows_that_fit(torch.device("cuda"), 12.0, gb // 2) == 16


def test_no_name_is_used_that_a_later_transformers_no_longer_knows(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert len(list(judge_with(folder).transcribe([clip(0.5, 1)]))) == 1


def test_the_cache_has_another_name_in_an_earlier_transformers() -> None:
    def earlier(input_ids: object = None, past_key_values: object = None) -> None: ...

    def later(input_ids: object = None, cache: object = None) -> None: ...

    assert decoding.cache_argument(earlier) == "past_key_values"
    assert decoding.cache_argument(later) == "cache"


# A second opinion and a second ear -----------------------------------------------------------------------------------


def test_a_second_model_hears_again_what_differs(folder: Path, other_folder: Path) -> None:
    first = next(iter(judge_with(folder).transcribe([clip(1.0, 1)])))
    alone = next(iter(judge_with(other_folder).transcribe([clip(1.0, 1)])))
    (heard,) = judge_with(folder, second_opinion=str(other_folder)).transcribe([clip(1.0, 1)])
    assert heard.text == alone.text != first.text
    assert heard.hearing is not None and heard.hearing.first_text == first.text


def test_the_first_model_is_gone_before_the_second_is_loaded(
    folder: Path, other_folder: Path, ctc_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that holds the larger of them need not hold all three."""
    alive: list[tuple[bool, ...]] = []
    loaded: list[weakref.ref[torch.nn.Module]] = []
    real = network.load_weights

    def watched(*arguments: object) -> object:
        alive.append(tuple(reference() is not None for reference in loaded))
        model = real(*arguments)  # type: ignore[arg-type]
        loaded.append(weakref.ref(model))
        return model

    monkeypatch.setattr(network, "load_weights", watched)
    monkeypatch.setattr(second_ear, "load_weights", watched)
    judge = judge_with(folder, second_opinion=str(other_folder), second_ear=str(ctc_folder))
    (heard,) = judge.transcribe([clip(1.0, 1)])
    assert heard.hearing is not None and heard.hearing.first_text and heard.hearing.second_ear_text
    assert alive == [(), (True,), (False, False)]


def test_a_weight_that_only_training_reads_may_be_missing(folder: Path, ctc_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    without = Path(shutil.copytree(ctc_folder, tmp_path / "without"))
    weights = load_file(without / "model.safetensors")
    del weights["wav2vec2.masked_spec_embed"]
    save_file(weights, without / "model.safetensors", metadata={"format": "pt"})
    one, other = (
        next(iter(judge_with(folder, second_ear=str(path)).transcribe([clip(0.8, 4)])))
        for path in (ctc_folder, without)
    )
    assert one == other


def test_the_second_ear_writes_beside_the_first(folder: Path, ctc_folder: Path) -> None:
    wanted = clip(1.5, 2)
    (heard,) = judge_with(folder, second_ear=str(ctc_folder)).transcribe([wanted])
    (alone,) = judge_with(folder).transcribe([wanted])
    assert heard.text == alone.text
    assert heard.hearing is not None and heard.hearing.second_ear_text
    assert heard.hearing.second_ear_margin is not None and heard.hearing.second_ear_margin > 0


def test_the_second_ears_own_text_fits_the_sound_best(folder: Path, ctc_folder: Path) -> None:
    (once,) = judge_with(folder, second_ear=str(ctc_folder)).transcribe([clip(1.5, 2)])
    assert once.hearing is not None and once.hearing.second_ear_text is not None
    again = clip(1.5, 2, wanted=once.hearing.second_ear_text)
    (same_text,) = judge_with(folder, second_ear=str(ctc_folder)).transcribe([again])
    assert same_text.hearing is not None and once.hearing.second_ear_margin is not None
    assert same_text.hearing.second_ear_margin is not None
    assert same_text.hearing.second_ear_margin < 0.5 * once.hearing.second_ear_margin


def test_the_second_ears_weights_may_be_a_pytorch_file(folder: Path, ctc_folder: Path, tmp_path: Path) -> None:
    as_published = make_small_ctc(tmp_path / "as-published", as_pytorch_file=True)
    one, other = (
        next(iter(judge_with(folder, second_ear=str(path)).transcribe([clip(0.8, 4)])))
        for path in (ctc_folder, as_published)
    )
    assert one == other


def test_a_clip_shorter_than_a_frame_is_heard_by_both(folder: Path, ctc_folder: Path) -> None:
    (heard,) = judge_with(folder, second_ear=str(ctc_folder)).transcribe([clip(0.004, 5)])
    assert heard.hearing is not None and heard.hearing.second_ear_text is not None


# Whom it hears, and what its transcripts depend on -------------------------------------------------------------------


def test_recordings_are_not_listened_to(folder: Path) -> None:
    judge = judge_with(folder)
    assert not judge.accepts("external") and judge.accepts("cosyvoice3") and judge.accepts("espeak")
    recording = Clip("b" * 64, np.ones(100, np.int16), RATE, "hei", "external", "nb")
    with pytest.raises(JudgeError, match="take bbbbbbbbbbbb: is a recording"):
        list(judge.transcribe([recording]))


def test_the_fingerprint_follows_contents_and_settings(folder: Path, other_folder: Path, copy: Path) -> None:
    known = judge_with(folder).fingerprint()
    assert judge_with(folder, max_memory_gb=4, device="auto").fingerprint() == known
    moved = copy.parent / folder.name
    copy.rename(moved)
    assert judge_with(moved).fingerprint() == known
    assert judge_with(folder, precision="float32").fingerprint() != known
    assert judge_with(folder, second_opinion=str(other_folder)).fingerprint() != known
    weights = moved / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert judge_with(moved).fingerprint() != known


def test_hashes_are_remembered(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    judge = NbWhisperJudge({"model": str(copy)}, cache_dir=cache)
    known = judge.fingerprint()
    remembered = json.loads((cache / HASHES_FILE).read_text())
    assert len(remembered) == 4
    assert judge.fingerprint() == known
    (cache / HASHES_FILE).write_text("{")
    assert judge.fingerprint() == known


def test_the_fingerprint_needs_neither_pytorch_nor_transformers(folder: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from replikk.judges.nb_whisper.judge import NbWhisperJudge;"
        f"NbWhisperJudge({{'model': {str(folder)!r}}}).fingerprint();"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(JudgeError, match=name.replace(".", r"\.")):
        judge_with(copy).fingerprint()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="nowhere: there is no such folder; 'snakemake models'"):
        judge_with(tmp_path / "nowhere").fingerprint()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b""), "is empty"),
        (lambda f: _truncate(f / "model.safetensors"), "weights cannot be read"),
        (lambda f: _truncate(f / "tokenizer.json"), "is no tokenizer"),
        (lambda f: _truncate(f / "config.json"), "is no readable JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "is no readable JSON"),
        (lambda f: (f / "tokenizer.json").write_text("version https://git-lfs.github.com/spec/v1"), "Git LFS pointer"),
        (lambda f: _config(f, model_type="wav2vec2"), "of type 'wav2vec2'"),
        (lambda f: _config(f, vocab_size=200), "and the model 200"),
        (lambda f: _config(f, vocab_size="x"), "vocab_size is 'x' and no whole number"),
        (lambda f: _config(f, decoder_layers=None), "decoder_layers is None and no whole number"),
        (lambda f: _config(f, decoder_attention_heads=2.5), "decoder_attention_heads is 2.5 and no whole number"),
        (lambda f: _config(f, decoder_layers=3), "lacks .* of the model's weights"),
        (lambda f: _config(f, decoder_ffn_dim=80), "lacks .* of the model's weights"),
        (lambda f: _config(f, decoder_layers=1), "attention heads that the model has not"),
    ],
)
def test_a_damaged_folder_is_an_error_and_never_a_random_network(copy: Path, spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    spoil(copy)
    with pytest.raises(JudgeError, match=said) as caught:
        list(judge_with(copy).transcribe([clip(0.3)]))
    assert str(copy) in str(caught.value)


@pytest.mark.parametrize("heads", [None, 7, [], [[0]], [[None, 1]], [["1", "1"]], [[[], {}]]])
def test_without_heads_that_can_be_read_words_are_placed_by_the_later_layers(copy: Path, heads: object) -> None:
    path = copy / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "alignment_heads": heads}))
    (heard,) = judge_with(copy).transcribe([clip(1.0, 1)])
    assert heard.words and heard.words[-1].end_s <= 1.0


def test_weights_that_are_no_numbers_are_named(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights["model.encoder.conv1.weight"][0, 0, 0] = float("nan")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(JudgeError, match=r"conv1\.weight holds values that are no numbers"):
        list(judge_with(copy).transcribe([clip(0.3)]))


def test_sums_that_overflow_are_no_transcript(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights["model.decoder.layer_norm.weight"] *= 3e38
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(JudgeError, match="computes no numbers"):
        list(judge_with(copy).transcribe([clip(0.3)]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said_only_where_it_is_asked_for(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(JudgeError, match="PyTorch sees no GPU"):
        list(judge_with(folder, device="cuda").transcribe([clip(0.3)]))
    assert next(iter(judge_with(folder, device="auto").transcribe([clip(0.3)]))).take_key
    assert "listens on the CPU" in caplog.text


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(JudgeError) as caught:
        NbWhisperJudge({"modell": "large", "model": "larg", "device": "gpu", "max_memory_gb": 0, "second_ear": 3})
    said = str(caught.value).splitlines()
    assert len(said) == 5
    assert "did you mean 'model'?" in said[0] and "did you mean 'large'?" in said[1]


@pytest.mark.parametrize("name", ["medium", "Large", "nb-whisper-small-verbatim"])
def test_models_are_named_by_size(name: str, tmp_path: Path) -> None:
    judge = NbWhisperJudge({"model": name}, models_dir=tmp_path)
    with pytest.raises(JudgeError, match=r"nb-whisper-.*-verbatim: there is no such folder"):
        judge.fingerprint()
