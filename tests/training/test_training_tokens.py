"""The tokenised corpus on disk: read back as it was written, and refused when it is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.corpus.tokens import (
    MadeWith,
    TokenisedUtterance,
    finish_corpus,
    read_corpus,
    read_token_corpus,
    write_token_shard,
)
from replikk.errors import ReplikkError

MADE_WITH = MadeWith("a" * 64, "b" * 64, 1, 6561, 151_646)


def utterance(name: str = "u1", text: list[int] | None = None, speech: list[int] | None = None) -> TokenisedUtterance:
    return TokenisedUtterance(
        name, "17", "Hei.", "You are …", [1, 2, 151_646], text or [40_000, 5], speech or [0, 6560, 12]
    )


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 151_645), min_size=1, max_size=9),
            st.lists(st.integers(0, 6560), min_size=1, max_size=30),
        ),
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[tuple[list[int], list[int]]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("tokens")
    written = [utterance(f"u{number}", text, speech) for number, (text, speech) in enumerate(ids)]
    write_token_shard(folder, "00000", MADE_WITH, written[:cut])
    write_token_shard(folder, "00001", MADE_WITH, written[cut:])
    corpus = read_token_corpus(folder)
    assert corpus.ids == tuple(one.id for one in written)
    for number, one in enumerate(written):
        assert corpus.instruction_of(number).tolist() == one.instruction_ids
        assert corpus.text_of(number).tolist() == one.text_ids
        assert corpus.speech_of(number).tolist() == one.speech_tokens
    assert corpus.duration_s == pytest.approx(sum(len(speech) for _, speech in ids) / 25)


def test_two_bytes_a_token(tmp_path: Path) -> None:
    write_token_shard(tmp_path, "a", MADE_WITH, [utterance(speech=[1] * 1000)])
    assert (tmp_path / "a.speech.int16").stat().st_size == 2000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(utterance(), instruction_ids=[1, 2]), "an instruction without <|endofprompt|>"),
        (replace(utterance(), instruction_ids=[151_646, 1]), "goes on after <|endofprompt|>"),
        (replace(utterance(), text_ids=[1, 151_646]), "has <|endofprompt|> in its text"),
        (replace(utterance(), text_ids=[]), "has no text or no speech"),
        (replace(utterance(), speech_tokens=[]), "has no text or no speech"),
        (replace(utterance(), speech_tokens=[6561]), "has speech tokens outside 0 to 6560"),
        (replace(utterance(), speech_tokens=[-1]), "has speech tokens outside 0 to 6560"),
    ],
)
def test_utterances_that_cannot_be_trained_on(wrong: TokenisedUtterance, said: str, tmp_path: Path) -> None:
    with pytest.raises(ReplikkError, match="u1: ") as error:
        write_token_shard(tmp_path, "a", MADE_WITH, [wrong])
    assert said in str(error.value)
    assert not list(tmp_path.iterdir())


def cut_short(folder: Path) -> None:
    path = folder / "train" / "a.speech.int16"
    path.write_bytes(path.read_bytes()[:-2])


def one_bit(folder: Path) -> None:
    path = folder / "train" / "a.text.int32"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def one_shard_more(folder: Path) -> None:
    write_token_shard(folder / "train", "b", MADE_WITH, [utterance("u2")])


def made_anew(folder: Path) -> None:
    write_token_shard(folder / "train", "a", MADE_WITH, [utterance("u9")])


def another_tokenizer(folder: Path) -> None:
    write_token_shard(folder / "train", "b", replace(MADE_WITH, prompt_template=2), [utterance("u2")])
    finish_corpus(folder)


def same_id(folder: Path) -> None:
    write_token_shard(folder / "train", "b", MADE_WITH, [utterance()])
    finish_corpus(folder)


def later_format(folder: Path) -> None:
    path = folder / "train" / "a.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    finish_corpus(folder)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "a.speech.int16: is damaged"),
        (one_bit, "a.text.int32: is damaged"),
        (without("train/a.jsonl"), "a.jsonl: is missing"),
        (without("train/a.json"), "does not have the shards that corpus.json lists"),
        (without("corpus.json"), "has no corpus.json"),
        (one_shard_more, "does not have the shards that corpus.json lists"),
        (made_anew, "a.json: was made anew since corpus.json"),
        (another_tokenizer, "b.json: was made with another tokenizer or prompt template than a"),
        (same_id, "has the utterance 'u1' twice"),
        (later_format, "a.json: is of format 2"),
    ],
)
def test_a_corpus_that_is_not_whole_is_refused(damage: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    write_token_shard(tmp_path / "train", "a", MADE_WITH, [utterance()])
    finish_corpus(tmp_path)
    assert list(read_corpus(tmp_path)) == ["train"]
    damage(tmp_path)
    with pytest.raises(ReplikkError) as error:
        read_corpus(tmp_path)
    assert said in str(error.value)


def test_a_corpus_without_shards_cannot_be_finished(tmp_path: Path) -> None:
    with pytest.raises(ReplikkError, match="has no shards"):
        finish_corpus(tmp_path)
