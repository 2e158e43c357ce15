"""Words with more than one right form, within a written standard and across the two."""

from __future__ import annotations

import pytest

from replikk.dialogue.norwegian.abbreviations import written_out
from replikk.dialogue.norwegian.forms import other_forms
from replikk.dialogue.norwegian.letters import letter_names
from replikk.dialogue.norwegian.standards import is_other_standard


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("boka", "boken"), ("boken", "boka"), ("regninga", "regningen"), ("døra", "døren"), ("husene", "husa"),
        ("framtid", "fremtid"), ("fremtiden", "framtida"), ("vegkant", "veikant"), ("hylla", "hyllen"), ("uka", "uken"),
    ],
)  # fmt: skip
def test_forms_by_rule(word: str, other: str) -> None:
    assert other in other_forms(word, "nb")


@pytest.mark.parametrize(
    ("word", "not_this"),
    [
        ("huset", "husa"), ("barnet", "barna"), ("gutten", "gutta"), ("jenta", "jentene"), ("maten", "mata"),
        ("dansen", "dansa"), ("halen", "hala"), ("hus", "huset"), ("kva", "kven"), ("han", "hun"), ("et", "en"),
    ],
)  # fmt: skip
def test_another_number_or_word_is_no_form(word: str, not_this: str) -> None:
    assert not_this not in other_forms(word, "nb")
    assert not_this not in other_forms(word, "nn")


def test_the_word_before_tells_a_verb_from_a_noun() -> None:
    assert "hoppa" in other_forms("hoppet", "nb", "han")
    assert "hoppa" not in other_forms("hoppet", "nb", "det")
    assert "gjera" in other_forms("gjere", "nn", "å")
    assert "jenta" not in other_forms("jente", "nn", "ei")


@pytest.mark.parametrize(
    ("script", "heard", "locale", "expected"),
    [
        ("ikkje", "ikke", "nn", True),
        ("ikke", "ikkje", "nb", True),
        ("elevar", "elever", "nn", True),
        ("vanlig", "vanleg", "nb", True),
        ("hvit", "kvit", "nb", True),
        ("dei", "de", "nn", False),
        ("dere", "de", "nb", False),
        ("høre", "høyre", "nb", False),
        ("hun", "ho", "nb", False),
        ("hun", "ho", "", True),
        ("ho", "hun", "nn", True),
        ("klar", "kler", "nb", False),
        ("ikke", "aldri", "", False),
    ],
)
def test_the_other_standard(script: str, heard: str, locale: str, expected: bool) -> None:
    assert is_other_standard(script, heard, locale) is expected


def test_abbreviations_without_full_stops() -> None:
    assert written_out("feks", "nb") == "for eksempel"
    assert written_out("ma", "nn") == "mellom anna"
    assert written_out("hest", "nb") is None


def test_names_of_letters() -> None:
    assert letter_names("K")[0] == "kå"
    assert letter_names("a") == ("a",)
    assert {"enn", "en"} <= set(letter_names("n"))
