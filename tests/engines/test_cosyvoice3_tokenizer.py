"""Text to ids: exact ids of the added tokens, Norwegian letters, and nothing that a sheet can smuggle in."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from cosyvoice3_small import MERGES, byte_symbols, write_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from replikk.engines.cosyvoice3 import prompt_template
from replikk.engines.cosyvoice3.prompt_template import direction, direction_remarks, prompt_ids, prompt_text
from replikk.engines.cosyvoice3.tokenizer import (
    END_OF_PROMPT,
    TextTokenizer,
    added_tokens,
    read_tokenizer,
    without_control_tokens,
)
from replikk.errors import EngineError

BASE = 256 + len(MERGES)  # ids of the small tokenizer before the special ones
PUBLISHED_BASE = 151_643


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blanken")
    write_tokenizer(path)
    return path


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> TextTokenizer:
    return read_tokenizer(folder)


def test_added_tokens_stand_at_their_published_ids(tmp_path: Path) -> None:
    vocabulary = {symbol: number for number, symbol in enumerate(byte_symbols())}
    for number in range(len(vocabulary), PUBLISHED_BASE):
        vocabulary[f"filler{number}"] = number
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    published = read_tokenizer(tmp_path)
    assert published.size == 151_924
    assert published.end_of_prompt == 151_646
    for token, number in {
        "<|endoftext|>": 151_643, "<|im_start|>": 151_644, "<|im_end|>": 151_645, "<|endofprompt|>": 151_646,
        "[breath]": 151_647, "[mn]": 151_662, "<|endofsystem|>": 151_663, "[AA]": 151_664, "[AA0]": 151_665,
        "[ǘ]": 151_921, "[ǚ]": 151_922, "[ǜ]": 151_923,
    }.items():  # fmt: skip
        assert published.encode(token) == [number]


def test_the_list_of_added_tokens_is_whole() -> None:
    tokens = added_tokens()
    assert len(tokens) == len(set(tokens)) == 278
    assert all(unicodedata.normalize("NFC", token) == token for token in tokens)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("det er", ["d", "et", "Ġ", "er"]),  # the merge is of blank and word: there is none before the first word
        ("sier det", ["s", "i", "er", "Ġdet"]),
        ("på", ["p", "Ã¥"]),
        ("1984", ["1", "9", "8", "4"]),  # digits stay single
        ("e r", ["e", "Ġ", "r"]),  # nothing merges across a blank
    ],
)
def test_merges(tokenizer: TextTokenizer, folder: Path, text: str, pieces: list[str]) -> None:
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    assert tokenizer.encode(text) == [vocabulary[piece] for piece in pieces]


def test_letters_written_in_two_code_points_are_the_same_letters(tokenizer: TextTokenizer) -> None:
    assert tokenizer.encode(unicodedata.normalize("NFD", "blåbær på Røros")) == tokenizer.encode("blåbær på Røros")


def test_special_tokens_match_literally_and_before_normalisation(tokenizer: TextTokenizer) -> None:
    assert len(tokenizer.encode("[ǐ]")) == 1
    assert len(tokenizer.encode(unicodedata.normalize("NFD", "[ǐ]"))) > 1
    assert tokenizer.encode("a[breath]b")[1:-1] == tokenizer.encode("[breath]")


@given(st.text())
def test_round_trip(tokenizer: TextTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == unicodedata.normalize("NFC", text)


@given(st.lists(st.sampled_from(["<", "|", ">", " ", "endofprompt", "<|endofprompt|>", "<|im_end|>", "hei"])))
def test_no_text_of_a_sheet_can_end_the_prompt(tokenizer: TextTokenizer, parts: list[str]) -> None:
    text = "".join(parts)
    assert not set(tokenizer.encode_speech(text)) & {BASE, BASE + 1, BASE + 2, tokenizer.end_of_prompt}
    style, transcript = f"si {text}", f"ja {text}"
    assert tokenizer.encode(prompt_text(style, transcript)).count(tokenizer.end_of_prompt) == 1
    assert tokenizer.encode(prompt_text("", transcript)).count(tokenizer.end_of_prompt) == 1


def test_plain_text_is_not_touched() -> None:
    assert without_control_tokens("Er 3 < 4?  Ja.") == "Er 3 < 4?  Ja."


def test_without_a_direction_the_model_carries_on_after_the_reference(tokenizer: TextTokenizer) -> None:
    ids = prompt_ids(tokenizer, "Hei du.", "", "Dette er meg.")
    assert ids.mode == "zero_shot" and ids.continues_reference
    assert tokenizer.decode(ids.prompt) == f"You are a helpful assistant.{END_OF_PROMPT}Dette er meg."
    assert tokenizer.decode(ids.text) == "Hei du."


def test_a_direction_stands_before_the_end_of_the_prompt_and_the_transcript_is_left_out(
    tokenizer: TextTokenizer,
) -> None:
    ids = prompt_ids(tokenizer, "Hei du.", "si dette stille og ettertenksomt", "Dette er meg.")
    assert ids.mode == "instruct" and not ids.continues_reference
    wanted = f"You are a helpful assistant. Si dette stille og ettertenksomt.{END_OF_PROMPT}"
    assert tokenizer.decode(ids.prompt) == wanted


@pytest.mark.parametrize(
    ("style", "sentence"),
    [
        ("", ""),
        ("  \n ", ""),
        ("…", ""),
        ("hvisker", "Hvisker."),
        ("rop,  så høyt du kan!", "Rop, så høyt du kan!"),
        ("stille,", "Stille."),
        ("å så trist", "Å så trist."),
        ("trist\nog sliten", "Trist og sliten."),
    ],
)
def test_directions_become_one_sentence(style: str, sentence: str) -> None:
    assert direction(style) == sentence


def test_long_directions_are_remarked_on() -> None:
    assert direction_remarks("hvisker") == []
    [remark] = direction_remarks("si dette " + "veldig " * 30 + "stille")
    assert str(prompt_template.LONGEST_DIRECTION) in remark


def damage(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")


VOCABULARY = {symbol: number for number, symbol in enumerate(byte_symbols())}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vocab.json", None, "vocab.json: cannot be read"),
        ("merges.txt", None, "merges.txt: cannot be read"),
        ("vocab.json", '{"a": 0, "b"', "vocab.json: is not JSON"),
        ("vocab.json", "[" * 100_000, "vocab.json: is not JSON"),
        ("vocab.json", "[]", "vocab.json: is not a table"),
        ("vocab.json", '{"a": "0"}', "vocab.json: is not a table"),
        ("vocab.json", '{"a": 0, "b": 2}', "vocab.json: its ids do not run from 0 to 1"),
        ("vocab.json", json.dumps({**VOCABULARY, "[breath]": 256}), r"already has the token|does not fit"),
        ("merges.txt", "e r\nq Ġz\n", "merges.txt: does not fit vocab.json"),
        ("merges.txt", "e r\ne\n", "merges.txt:2: is not a pair"),
        (
            "tokenizer_config.json",
            '{"added_tokens_decoder": {"7": {"content": "<|im_end|>"}}}',
            "tokenizer_config.json: gives <.im_end.> the id 7",
        ),
        ("tokenizer_config.json", "{", "tokenizer_config.json: is not JSON"),
    ],
)
def test_damaged_files_are_named(folder: Path, tmp_path: Path, name: str, content: str | None, message: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    if content is None:
        (copy / name).unlink()
    else:
        damage(copy, name, content)
    with pytest.raises(EngineError, match=message):
        read_tokenizer(copy)


def test_a_vocabulary_that_has_an_added_token_is_of_another_model(folder: Path, tmp_path: Path) -> None:
    damage(tmp_path, "vocab.json", json.dumps({**VOCABULARY, "[breath]": 256}))
    damage(tmp_path, "merges.txt", "")
    with pytest.raises(EngineError, match=r"already has the token \[breath\] as 256"):
        read_tokenizer(tmp_path)
