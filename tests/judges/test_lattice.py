"""Accept-sets as lattices, and the cheapest alignment of two of them."""

from __future__ import annotations

import re
from random import Random

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.norwegian.cardinals import cardinal
from replikk.dialogue.norwegian.speakable import speakable
from replikk.judges import alignment as alignment_module
from replikk.judges.accept import heard_lattice, script_lattice
from replikk.judges.alignment import align
from replikk.judges.compare import compare
from replikk.judges.lattice import Lattice, Path, Token, build_lattice
from replikk.judges.runs import _longest_repeats, _longest_repeats_of_many, repeated_words


def plain(text: str, *paths: Path) -> Lattice:
    words = text.split()
    tokens = [Token(word, word, word, (word,)) for word in words]
    return build_lattice(tokens, [*(Path(at, at + 1, (word,)) for at, word in enumerate(words)), *paths])


def ops(script: Lattice, heard: Lattice) -> list[str]:
    return [step.op for step in align(script, heard, None, None)]


def test_arcs_lead_forwards_and_readings_share_their_beginning() -> None:
    made = plain("i 1984 her", Path(1, 2, ("nitten", "åttifire")), Path(1, 2, ("nitten", "hundre", "og", "åttifire")))
    assert all(arc.to > node for node, arcs in enumerate(made.arcs) for arc in arcs)
    assert [arc.key for arc in made.arcs[made.bounds[1]]] == ["1984", "nitten"]
    assert made.token_at[made.bounds[2]] == 2 and made.token_at[made.bounds[1] + 1] == -1


def test_any_path_matches_at_no_cost() -> None:
    made = plain("i 1984 her", Path(1, 2, ("nitten", "åttifire"), "number"))
    assert ops(made, plain("i nitten åttifire her")) == ["ok"] * 4
    assert ops(made, plain("i nittenåttifire her")) == ["ok"] * 3
    assert ops(made, plain("i nitten åttifem her")) == ["ok", "ok", "sub", "ok"]


def test_a_path_over_several_words() -> None:
    assert ops(plain("2 300 kr", Path(0, 2, ("totusentrehundre",))), plain("to tusen tre hundre kr")) == ["ok", "ok"]


def test_three_equal_consonants_become_two_where_words_are_joined() -> None:
    assert ops(plain("buss stopp"), plain("busstopp")) == ["ok"]
    assert ops(plain("busstopp"), plain("buss stopp")) == ["ok"]
    assert "ok" not in ops(plain("bus stopp"), plain("bustopp"))


def test_the_most_alike_words_are_paired() -> None:
    steps = align(plain("den gule nøkkelen"), plain("den nøkkelan"), None, None)
    assert [(step.op, step.expected, step.heard) for step in steps] == [
        ("ok", ("den",), ("den",)),
        ("del", ("gule",), ()),
        ("sub", ("nøkkelen",), ("nøkkelan",)),
    ]


WORDS = st.lists(st.sampled_from(["katt", "hund", "fugl", "mus", "elg"]), max_size=9).map(" ".join)


@given(WORDS, WORDS)
def test_without_accept_sets_the_errors_are_those_of_jiwer(script: str, heard: str) -> None:
    steps = align(plain(script), plain(heard), None, None)
    errors = sum(step.op != "ok" for step in steps)
    if script:
        measured = jiwer.process_words(script, heard)
        assert errors == measured.substitutions + measured.insertions + measured.deletions
    assert [word for step in steps for word in step.expected] == script.split()
    assert [word for step in steps for word in step.heard] == heard.split()


@given(WORDS, WORDS)
def test_texts_too_long_for_one_search_are_cut_where_they_agree(script: str, heard: str) -> None:
    whole = alignment_module._MOST_CELLS
    try:
        alignment_module._MOST_CELLS = 1
        steps = align(plain(script), plain(heard), None, None)
    finally:
        alignment_module._MOST_CELLS = whole
    assert [word for step in steps for word in step.expected] == script.split()
    assert [word for step in steps for word in step.heard] == heard.split()


def test_a_long_loop_is_aligned_all_the_same() -> None:
    found = compare("Kom hit nå.", "kom hit nå " * 2000, locale="nb")
    assert found.insertions == 3 * 1999 and found.hits == 3


LONG = [
    "Toget går kl. 14.30 fra spor 2 og koster 25,50 kr.",
    "Slottet brant ned i 1984, den 1. mai.",
    "Hun går i 5. klasse på NRK.",
    "Det bor 312 mennesker og 47 høner her.",
    "Krukka rommer 2,5 liter, ca. 12 % av havet.",
]


def test_a_monologue_full_of_numbers_is_cut_between_its_numbers() -> None:
    """*hundre* and *og* agree everywhere: a text is not cut at a single word."""
    lines = [LONG[at * 7 % len(LONG)].replace("312", str(312 + at)) for at in range(120)]
    heard = [re.sub(r"[.,]", "", speakable(line, "nb")).lower() for line in lines]
    assert compare(" ".join(lines), " ".join(heard), locale="nb").wer == 0
    heard[60] = heard[60] + " pannekake"
    found = compare(" ".join(lines), " ".join(heard), locale="nb")
    assert [step for step in found.alignment if step[0] != "ok"] == [("ins", "", "pannekake")]


def test_long_texts_without_a_common_word_are_walked_through() -> None:
    times = " ".join(f"{hour}.{minute}" for hour in range(10, 20) for minute in range(31, 59))
    words = " ".join(f"{cardinal(h, 'nb')} {cardinal(m, 'nb')}" for h in range(10, 20) for m in range(31, 59))
    assert compare(times, words, locale="nb").wer == 0
    found = compare(times, words.replace("femten førti femten", "femten førti kjeks femten"), locale="nb")
    assert (found.insertions, found.substitutions, found.deletions) == (1, 0, 0)


def test_phrases_said_again_are_found_in_a_text_of_any_length() -> None:
    many = [str(at) for at in range(1500)]
    assert repeated_words(many, [*many, *many]) == 1500
    assert repeated_words(many, [*many[:700], "699", *many[700:]]) == 1
    assert repeated_words(["a", "b"] * 2, ["a", "b"] * 2) == 0
    rng = Random(0)
    for _ in range(200):
        keys = [rng.choice("ab") for _ in range(rng.randrange(30))]
        assert _longest_repeats(keys) == _longest_repeats_of_many(keys)


def test_a_script_is_made_into_a_lattice_once() -> None:
    script_lattice.cache_clear()
    for heard in ("han er 7 år", "han er sju år", "han er åtte år"):
        compare("Han er 7 år.", heard, locale="nb")
    assert script_lattice.cache_info().misses == 1


@pytest.mark.parametrize(
    "text", ["", "…", "!?", "&", "🎉", "\ud800", "%%%", "-", "1" * 400, "a" * 5000, "3/0", "²²", "٤٢", "x-" * 50]
)
def test_any_text_has_a_lattice(text: str) -> None:
    made = script_lattice(text, "nb", (), True)
    heard_lattice(text, "nn", made)
    assert len(made.bounds) == len(made.tokens) + 1
    compare(text, text + " hei", locale="", other_forms=True)
