"""Cutting long lines: where, how long, what is heard between; and the published toolkit's way beside ours."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from golden_cases import FOLDER
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.records import Segment
from replikk.engines.cosyvoice3.pieces import LONGEST_PIECE_S, Piece, pieces_of, with_final_mark
from replikk.engines.cosyvoice3.published_splitting import english_number, published_pieces
from replikk.engines.cosyvoice3.speaking_time import speaking_time_s, syllables

TALE = (
    "Det var en gang en liten jente som bodde på en øy langt ute i havet, der vinden aldri hvilte og måkene skrek fra "
    "morgen til kveld. Faren hennes var fisker, og moren bakte brød til hele bygda. En dag, da jenta satt på brygga og "
    "så utover, fikk hun øye på noe rart: et skip uten seil, uten mast og uten folk om bord! «Hva kan det være?» "
    "tenkte hun, og så løp hun hjem for å fortelle det."
)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("hei", 1), ("noen", 2), ("kveite", 2), ("spesialist", 4), ("øy", 1), ("éin", 1), ("idé", 2), ("blåbær", 2),
        ("å", 1), ("tv", 2), ("16", 4), ("", 0), ("–", 0), ("一二三", 3), ("Trollgarn og Huffa", 5),
    ],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_pauses_at_marks_take_time() -> None:
    assert speaking_time_s("Ja. Nei.") > speaking_time_s("Ja, nei.") > speaking_time_s("Ja nei.")
    assert speaking_time_s("Ja.") == speaking_time_s("Ja")


def test_a_short_line_is_one_piece() -> None:
    assert pieces_of([Segment("Kom hit!", 300)]) == (Piece("Kom hit!", 300),)


def test_a_tale_is_cut_where_a_reader_would_pause() -> None:
    pieces = pieces_of([Segment(TALE, 100)])
    assert [piece.text.split()[-1] for piece in pieces] == ["kveld.", "rart:", "det."]
    assert [piece.pause_after_ms for piece in pieces] == [450, 300, 100]


def test_without_marks_a_tale_is_cut_before_conjunctions() -> None:
    plain = "".join(character for character in TALE if character not in ".,:!?«»")
    first, *rest = pieces_of([Segment(plain)])
    assert first.text.endswith(",") and first.pause_after_ms < 100
    assert all(piece.text.split()[0] in ("og", "som", "der", "da", "for", "så", "hva", "Hva") for piece in rest)


@pytest.mark.parametrize(
    ("segments", "pieces"),
    [
        ([("Ja", 0)], [("Ja.", 0)]),
        ([("Hva?", 0)], [("Hva?", 0)]),
        ([("Hei,", 0)], [("Hei.", 0)]),
        ([("«Ja»", 0)], [("«Ja».", 0)]),
        ([("«Ja,»", 0)], [("«Ja.»", 0)]),
        ([("Vent –", 0)], [("Vent –", 0)]),
        ([("Så …", 0)], [("Så …", 0)]),
        ([("", 500), ("Hei", 0)], [("", 500), ("Hei.", 0)]),
        ([("Hei", 700), ("", 300)], [("Hei.", 700), ("", 300)]),
        ([("Jeg", 400), ("tror det", 0)], [("Jeg…", 400), ("tror det.", 0)]),
        ([("Jeg,", 400), ("tror det", 0)], [("Jeg,", 400), ("tror det.", 0)]),
        ([("Nei", 400), ("Aldri", 0)], [("Nei.", 400), ("Aldri.", 0)]),
        ([("…", 200)], [("", 200)]),
        ([], []),
    ],
)
def test_marks_and_pauses(segments: list[tuple[str, int]], pieces: list[tuple[str, int]]) -> None:
    assert pieces_of([Segment(*segment) for segment in segments]) == tuple(Piece(*piece) for piece in pieces)


def test_no_sentence_ends_at_an_abbreviation() -> None:
    text = "Vi tok med oss mat, f.eks. brød og ost og epler og pærer og vann, " * 3
    assert not any(piece.text.endswith("f.eks.") for piece in pieces_of([Segment(text)]))


def test_a_word_longer_than_a_piece_stays_whole() -> None:
    word = "sjokoladefabrikk" * 20
    assert [piece.text for piece in pieces_of([Segment(f"Se {word} der")])] == ["Se,", f"{word},", "der."]


WORDS = st.sampled_from(
    [
        "ja",
        "og",
        "nei,",
        "havet.",
        "sjørøverskipet",
        "å",
        "Kom!",
        "«Hva?»",
        "menneskehetens",
        "–",
        "da",
        "rart:",
        "f.eks.",
    ]
)


@given(st.lists(WORDS, max_size=150), st.sampled_from([3.0, 8.0, LONGEST_PIECE_S]))
def test_every_word_is_spoken_once_and_no_piece_is_too_long(words: list[str], longest_s: float) -> None:
    pieces = pieces_of([Segment(" ".join(words), 70)], longest_s)
    if any(character.isalnum() for character in "".join(words)):
        spoken = " ".join(piece.text for piece in pieces).split()
        assert [word.rstrip(".,:") for word in spoken] == [word.rstrip(".,:") for word in words]
    for piece in pieces:
        assert speaking_time_s(piece.text) <= longest_s + 1e-6 or len(piece.text.split()) == 1
    assert [piece.pause_after_ms for piece in pieces[-1:]] == ([70] if pieces else [])


@given(st.text(max_size=60))
def test_a_final_mark_is_added_once(text: str) -> None:
    assert with_final_mark(with_final_mark(text)) == with_final_mark(text)


GOLDEN_FRONTEND = FOLDER / "frontend" / "frontend.json"


@pytest.mark.skipif(not GOLDEN_FRONTEND.exists(), reason="the folder of golden vectors has no frontend cases")
def test_golden_published_splitting() -> None:
    facts = json.loads(GOLDEN_FRONTEND.read_text(encoding="utf-8"))

    def encode(text: str) -> list[str]:  # the file's "tokenizer_stub", in its words
        return text.replace(".", " .").replace(",", " ,").split()

    assert "split()" in facts["tokenizer_stub"] and facts["normalize_without_wetext"]
    for case in facts["normalize_without_wetext"]:
        assert published_pieces(case["text"], encode) == case["split"]
        assert published_pieces(case["text"], encode, split=False) == [case["nosplit"]]


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("007", "seven"),
        ("21", "twenty-one"),
        ("110", "one hundred and ten"),
        ("1001", "one thousand and one"),
        ("1234", "one thousand, two hundred and thirty-four"),
        ("2000000", "two million"),
        ("9" * 22, "9" * 22),
    ],
)
def test_english_numbers(digits: str, words: str) -> None:
    assert english_number(digits) == words


def test_planning_a_build_needs_no_torch() -> None:
    modules = ("pieces", "speaking_time", "prompt_template", "reference_audio", "tokenizer")
    imports = ";".join(f"import replikk.engines.cosyvoice3.{module}" for module in modules)
    run = subprocess.run(
        [sys.executable, "-c", f"{imports}; import sys; print('torch' in sys.modules)"], capture_output=True, text=True
    )
    assert run.stdout.strip() == "False", run.stderr
