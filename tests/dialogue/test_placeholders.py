"""Placeholders: what is one, what is spoken for it, and one clip per value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.ids import safe_id_problems
from replikk.dialogue.markup import parse_markup
from replikk.dialogue.placeholders import MAX_VARIANTS, expand, file_suffix, validate_policies

NAMES: dict[str, Any] = {
    "player_name": {"values": ["Kari", "Åse Marie"]},
    "count": {"values": {"en": "én", "to": "to"}},
    "mc": {"substitute": "venn"},
    "0": {"substitute": "tre"},
    "%s": {"substitute": "noe"},
    "CHARNAME": {"substitute": "helt"},
    "secret": {"skip": True},
}


def texts(text: str, policies: dict[str, Any] = NAMES, say: str = "") -> list[tuple[str, str]]:
    expanded = expand(text, policies, say)
    assert expanded.problems == () and expanded.skipped == ""
    return [(variant.suffix, variant.say or variant.text) for variant in expanded.variants]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hei {mc}!", "Hei venn!"),
        ("Hei {{mc}}!", "Hei venn!"),
        ("Hei {$mc}!", "Hei venn!"),
        ("Hei [mc]!", "Hei venn!"),
        ("Hei [mc!t]!", "Hei venn!"),
        ("Hei {mc:upper}!", "Hei venn!"),
        ("Hei <CHARNAME>!", "Hei helt!"),
        ("Ta {0} steg og %s til", "Ta tre steg og noe til"),
        ("Hei $mc!", "Hei venn!"),
        (r"Det koster $5, A$mc og \$mc", r"Det koster $5, A$mc og \$mc"),
        ("{i}Hei{/i}{w=0.5} {mc}", "{i}Hei{/i}{w=0.5} venn"),
        (r"\{mc\} og 100 %", r"\{mc\} og 100 %"),
        ("ingen", "ingen"),
    ],
)
def test_a_substitute_is_filled_in_and_markup_is_left_alone(text: str, filled: str) -> None:
    assert texts(text) == [("", filled)]


def test_values_make_one_clip_each_and_several_multiply() -> None:
    assert texts("Hei {player_name}!") == [("kari", "Hei Kari!"), ("aase_marie", "Hei Åse Marie!")]
    assert texts("{count} til {player_name}, {count}!") == [
        ("en__kari", "én til Kari, én!"),
        ("en__aase_marie", "én til Åse Marie, én!"),
        ("to__kari", "to til Kari, to!"),
        ("to__aase_marie", "to til Åse Marie, to!"),
    ]


def test_too_many_clips_are_a_problem() -> None:
    policies = {"a1": {"values": list(range(20))}, "a2": {"values": list(range(20))}}
    expanded = expand("{a1} {a2}", policies)
    assert expanded.variants == () and f"400 clips, more than {MAX_VARIANTS}" in expanded.problems[0][0]


def test_a_line_is_skipped_when_the_configuration_says_so() -> None:
    expanded = expand("Hei {secret} {mc}", NAMES)
    assert expanded.variants == () and expanded.problems == ()
    assert "{secret}" in expanded.skipped


def test_a_placeholder_without_a_word_in_the_configuration_is_a_problem_that_shows_what_to_write() -> None:
    problems = expand("Hei {helper} og %d", {}).problems
    assert problems[0][0] == "placeholder '{helper}' has no value"
    assert 'helper: {substitute: "venn"}' in problems[0][1]
    assert '"%d": {substitute:' in problems[1][1]
    assert "did you mean 'player_name'" in expand("{playername}", NAMES).problems[0][1]


def test_a_say_column_is_what_counts() -> None:
    assert texts("Hei {unknown}!", say="Hei du!") == [("", "Hei du!")]
    shown = expand("Hei {unknown}, {mc}!", NAMES, "Hei du!").variants[0].text
    assert parse_markup(shown).display == "Hei {unknown}, venn!"
    assert texts("Hei {player_name}!", say="Å, {player_name}!") == [
        ("kari", "Å, Kari!"),
        ("aase_marie", "Å, Åse Marie!"),
    ]
    assert expand("Hei du!", NAMES, "Hei {unknown}!").problems


def test_values_are_taken_as_they_are() -> None:
    value = "K*r[i] {w} (ler) <b> &amp; \\n"
    (variant,) = expand("Hei {mc}", {"mc": {"substitute": value}}).variants
    marked = parse_markup(variant.text)
    assert marked.display == f"Hei {value}" and marked.problems == () and marked.styles == ()


@pytest.mark.parametrize(
    "tag", ["{i}", "{w}", "{p=1}", "{#x}", "[wave]", "[b]", "<b>", "<size=3>", "[hvisker]", "(ler)"]
)
def test_markup_and_cues_are_no_placeholders(tag: str) -> None:
    assert texts(f"Hei {tag}du") == [("", f"Hei {tag}du")]


@pytest.mark.parametrize(
    ("value", "suffix"),
    [
        ("Kari", "kari"),
        ("Åse Ærlig-Ødegård", "aase_aerlig_oedegaard"),
        ("  3 ", "3"),
        ("Zoë", "zoe"),
        ("!?", ""),
        ("a__b", "a_b"),
    ],
)
def test_suffixes_are_safe_in_file_names(value: str, suffix: str) -> None:
    assert file_suffix(value) == suffix


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=60))
def test_every_suffix_is_safe_and_can_be_told_apart(value: str) -> None:
    suffix = file_suffix(value)
    assert "__" not in suffix and suffix == suffix.lower()
    assert not safe_id_problems(f"greet__{suffix or 'x'}")


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ("venn", "does not say what to speak"),
        ({}, "does not say what to speak"),
        ({"substitute": "a", "skip": True}, "does not say what to speak"),
        ({"substitut": "a"}, "'substitut' is not known"),
        ({"substitute": ["a"]}, "the substitute is no text"),
        ({"substitute": True}, "the substitute is no text"),
        ({"skip": "ja"}, "skip is not true"),
        ({"values": []}, "values is not a list"),
        ({"values": "Kari"}, "values is not a list"),
        ({"values": ["Åse", "Aase"]}, "two values give the file name 'aase'"),
        ({"values": ["!?"]}, "cannot be part of a file name"),
        ({"values": {"Å/..": "Åse"}}, "cannot be part of a file name"),
        ({"values": ["", "a"]}, "is no text"),
        ({"values": list(range(300))}, "has 300 values"),
    ],
)
def test_policies_are_checked(policy: Any, what: str) -> None:
    (problem,) = validate_policies({"name": policy})
    assert what in str(problem) and problem.column == "placeholders.name" and problem.file == "config.yaml"
    assert expand("{name}", {"name": policy}).problems, "a broken policy never fills anything in"


def test_sound_policies_have_no_problems() -> None:
    assert validate_policies(NAMES) == [] and validate_policies(None) == []
    assert validate_policies({0: {"substitute": 3}}) == [] and validate_policies([])
    assert texts("{0}", {0: {"substitute": 3}}) == [("", "3")]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "written",
    [
        *["{navn}", "{{navn}}", "${navn}", "#{navn}", "%{navn}", "$navn", "$(navn)", "%navn%", "%(navn)s"],
        *["<%= navn %>", "[[navn]]", "{navn:upper}", "{$navn}"],
    ],
)
def test_every_way_to_write_a_placeholder_leaves_nothing_of_itself(written: str) -> None:
    [variant] = expand(f"Hei {written}, kom!", {"navn": {"substitute": "Ola"}}).variants
    assert variant.text == "Hei Ola, kom!"
    [(what, _)] = expand(f"Hei {written}, kom!", {}).problems
    assert f"placeholder '{written}' has no value" in what
    assert parse_markup(f"Hei {written}, kom!").problems


@pytest.mark.parametrize("text", ["100 %{i}sikker{/i}", "50 % av 80", "Det er 100 %", "Pris: 5$ (billig)", "[[hei]"])
def test_signs_that_are_no_placeholder(text: str) -> None:
    [variant] = expand(text, {}).variants
    assert variant.text == text and parse_markup(text).problems == ()


def test_a_value_that_cannot_be_used_is_not_called_missing() -> None:
    [(what, instead)] = expand("Hei {navn}", {"navn": {"values": ["Åse", "Aase"]}}).problems
    assert "cannot be used" in what and "placeholders.yaml" in instead
