"""What counts as an error between script and transcript, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.judges.compare import Comparison, compare
from replikk.judges.words import is_near_name, sound_key, split_words, word_key

RIGHT = [
    # script, heard, locale
    ("Hvor er nøkkelen?", "hvor er nøkkelen", "nb"),  # case and punctuation
    ("«Kom hit», sa han – fort!", "kom hit sa han fort", "nb"),
    ("Nei...ikke nå", "nei ikke nå", "nb"),
    ("Én idé", "en ide", "nb"),  # accents
    ("Ba\u030at", "båt", "nb"),  # NFD å
    ("Haakon og Åse", "Håkon og Aase", "nb"),
    ("Neeei!", "nei", "nb"),
    # numbers, either way round
    ("Vi har tjuefem epler", "vi har 25 epler", "nb"),
    ("Vi har 25 epler", "vi har tjue fem epler", "nb"),
    ("To tusen tre hundre kroner", "2 300 kr", "nb"),
    ("Født i nitten åttifire", "født i 1984.", "nb"),
    ("Klokka halv tre", "kl. 14.30", "nb"),
    ("Syttende mai", "17. mai", "nb"),
    ("Femti prosent", "50 %", "nb"),
    ("tre komma fem meter", "3,5 meter", "nb"),
    # pairs
    ("Sju trær", "syv trær", "nb"),
    ("syttisju", "syttisyv", "nb"),
    ("tretti nå", "tredve nå", "nb"),
    ("Ho er først", "ho er fyrst", "nn"),
    # apart or together
    ("Et lesespill til deg", "et lese spill til deg", "nb"),
    ("Et lese spill til deg", "et lesespill til deg", "nb"),
    ("Et lese-spill til deg", "et lese spill til deg", "nb"),
    ("barneskolelærer", "barne skole lærer", "nb"),
    ("i morgen tidlig", "imorgen tidlig", "nb"),
    ("kveldsmat ute", "kvelds matute", "nb"),
]


@pytest.mark.parametrize(("script", "heard", "locale"), RIGHT)
def test_what_no_ear_can_hear_is_no_error(script: str, heard: str, locale: str) -> None:
    result = compare(script, heard, locale=locale)
    assert (result.wer, result.cer, result.repeated_words) == (0.0, 0.0, 0), result.alignment


WRONG = [
    ("Båten er her", "baten er her"),  # å, ø and æ are letters of their own
    ("En øl takk", "en ol takk"),
    ("Det er lært", "det er lert"),
    ("Vi har tjuefem epler", "vi har 26 epler"),
    ("Sju trær", "seks trær"),
    ("Et lesespill", "et lese spell"),
    ("Et hus", "et hus hus"),
    ("Boka mi", "boken mi"),  # another ending is another sound
]


@pytest.mark.parametrize(("script", "heard"), WRONG)
def test_what_can_be_heard_is_an_error(script: str, heard: str) -> None:
    result = compare(script, heard, locale="nb")
    assert result.wer > 0 and result.cer > 0


@pytest.mark.parametrize(
    ("script", "heard", "pairs"),
    [
        ("enn err kå sender", "NRK sender", [("NRK", "enn err kå")]),
        ("Sier sjalusi nå", "sier jalousi nå", [("jalousi", "sjalusi")]),
        ("Sier jalousi nå", "sier sjalusi nå", [("jalousi", "sjalusi")]),
    ],
)
def test_both_forms_of_a_lexicon_entry_are_right(script: str, heard: str, pairs: list[tuple[str, str]]) -> None:
    assert compare(script, heard, locale="nb", respelt=pairs).wer == 0


@pytest.mark.parametrize("heard", ["torvall", "thorvald", "tor vald", "tor vall", "torvalt"])
def test_a_near_spelling_of_a_cast_name_is_right(heard: str) -> None:
    result = compare("Torvald kommer hjem", f"{heard} kommer hjem", locale="nb", cast_names=["Torvald", "Lille My"])
    assert result.wer == 0
    assert result.alignment[0] == ("ok", "Torvald", heard)


def test_cast_names_in_the_genitive() -> None:
    assert compare("Måkelinas hatt", "måkkelinas hatt", locale="nb", cast_names=["Måkelina"]).wer == 0


@pytest.mark.parametrize(
    ("script", "heard"),
    [("Kari kommer", "Mari kommer"), ("Ola kommer", "Ole kommer"), ("Torvald kommer", "kommer"), ("Kari", "Kåre")],
)
def test_another_name_or_none_is_an_error(script: str, heard: str) -> None:
    assert compare(script, heard, locale="nb", cast_names=["Kari", "Mari", "Ola", "Torvald"]).wer > 0


def test_names_are_only_forgiven_where_the_script_has_them() -> None:
    assert compare("Snilen er her", "Smilen er her", locale="nb", cast_names=["Torvald"]).wer > 0


def test_the_alignment_shows_words_as_they_were_written() -> None:
    result = compare("Vi tok 25 epler, ikke pærer.", "Vi tok tjue fem epler og pærer", locale="nb")
    assert result.alignment == (
        ("ok", "Vi", "Vi"),
        ("ok", "tok", "tok"),
        ("ok", "25", "tjue fem"),
        ("ok", "epler", "epler"),
        ("sub", "ikke", "og"),
        ("ok", "pærer", "pærer"),
    )


def counts(result: Comparison) -> tuple[int, ...]:
    return (
        result.extra_words_start,
        result.extra_words_end,
        result.missing_words_end,
        result.repeated_words,
        result.longest_wrong_run_words,
    )


@pytest.mark.parametrize(
    ("script", "heard", "expected"),
    [
        ("hvor er den lille nøkkelen", "hvor er den lille nøkkelen", (0, 0, 0, 0, 0)),
        ("hvor er den lille nøkkelen", "si dette stille hvor er den lille nøkkelen", (3, 0, 0, 0, 3)),
        ("hvor er den lille nøkkelen", "hvor er den lille nøkkelen takk for meg", (0, 3, 0, 0, 3)),
        ("hvor er den lille nøkkelen", "hvor er den", (0, 0, 2, 0, 2)),
        ("hvor er den lille nøkkelen", "hvor er den lille lille nøkkelen", (0, 0, 0, 1, 1)),
        ("hvor er den lille nøkkelen", "hvor er hvor er den lille nøkkelen", (0, 0, 0, 2, 2)),
        ("nei nei nei sa han", "nei nei nei sa han", (0, 0, 0, 0, 0)),
        ("nei nei sa han", "nei nei nei sa han", (0, 0, 0, 1, 1)),
        ("gå nå hjem gå nå hjem gå nå hjem", "gå nå hjem gå hjem gå nå hjem", (0, 0, 0, 0, 1)),
        ("hei", "", (0, 0, 0, 0, 1)),
        ("", "hei", (0, 0, 0, 0, 1)),
        ("", "", (0, 0, 0, 0, 0)),
    ],
)
def test_what_is_wrong_where(script: str, heard: str, expected: tuple[int, ...]) -> None:
    assert counts(compare(script, heard, locale="nb")) == expected


def test_empty_sides() -> None:
    assert compare("", "", locale="nb").wer == 0
    assert compare("hei", "", locale="nb").wer == 1
    assert compare("…", "hei", locale="nb").wer == 1


def test_homophones_are_counted_apart() -> None:
    result = compare("Glasset er fullt og fint", "glasset er fult å fint", locale="nb")
    assert (result.substitutions, result.sound_alikes) == (2, 2)
    assert compare("Glasset er fullt", "glasset er tomt", locale="nb").sound_alikes == 0


WORDS = (
    "en",
    "to",
    "lese",
    "spill",
    "lesespill",
    "nei",
    "og",
    "å",
    "25",
    "Torvald",
    "kr.",
    "–",
    "syv",
    "enn",
    "2",
    "300",
)
LINES = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


@given(LINES, LINES)
def test_counts_add_up(script: str, heard: str) -> None:
    result = compare(script, heard, locale="nb", cast_names=["Torvald"])
    assert result.hits + result.substitutions + result.deletions == result.words_expected
    assert result.hits + result.substitutions + result.insertions == result.words_heard
    errors = result.substitutions + result.deletions + result.insertions
    assert result.wer == (errors / result.words_expected if result.words_expected else float(errors > 0))
    assert result.words_expected == len(result.expected_form.split())
    assert result.words_heard == len(result.heard_form.split())
    assert (result.wer == 0) == (result.expected_form == result.heard_form)
    assert Comparison.from_json(result.to_json()) == result
    shown = " ".join(heard for _, _, heard in result.alignment if heard)
    if not any(character.isdigit() for character in heard):  # a wrong number is shown in words
        assert split_words(shown) == split_words(heard)


@given(LINES)
def test_a_line_is_like_itself(script: str) -> None:
    assert compare(script, script, locale="nb").wer == 0
    assert compare(script, script.upper(), locale="nb").wer == 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_compared(script: str, heard: str) -> None:
    compare(script, heard, locale="nn", respelt=[(script, heard)], cast_names=[heard])


def test_keys() -> None:
    assert word_key("É-post!") == "epost"
    assert word_key("ÆØÅ") == "æøå"
    assert word_key("Jørgensen's") == "jørgensens"
    assert word_key("!?") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("fullt", "fult"), ("nærmer", "nermer"), ("og", "å"), ("hvem", "vem"), ("det", "de"), ("emm", "m")],
)
def test_words_that_sound_the_same(one: str, other: str) -> None:
    assert sound_key(one) == sound_key(other)


@pytest.mark.parametrize(("one", "other"), [("bok", "båk"), ("takk", "tak"), ("hus", "hos"), ("kino", "sino")])
def test_words_that_do_not(one: str, other: str) -> None:
    assert sound_key(one) != sound_key(other)


def test_short_names_must_sound_right() -> None:
    assert is_near_name("thea", "tea")
    assert not is_near_name("ola", "ole")
    assert not is_near_name("", "ole")
