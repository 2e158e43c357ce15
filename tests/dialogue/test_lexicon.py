"""The pronunciation lexicon: which words it finds, which entry wins, and what is wrong in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.lexicon import Entry, Lexicon, read_lexicon

HEADER = "written\tspoken\tscope\tnotes\n"


def lexicon_of(*pairs: tuple[str, str]) -> Lexicon:
    return Lexicon(tuple(Entry(written, spoken) for written, spoken in pairs))


def read(tmp_path: Path, rows: str, header: str = HEADER) -> tuple[Lexicon, list[str]]:
    path = tmp_path / "lexicon.tsv"
    path.write_text(header + rows, encoding="utf-8")
    lexicon, problems = read_lexicon(path, ["kari", "Ola"])
    return lexicon, [str(problem).removeprefix(str(path)) for problem in problems]


@pytest.mark.parametrize(
    ("written", "text", "respelt"),
    [
        ("ylva", "Ylva, ylva og YLVA!", "X, X og X!"),
        ("Ylva", "Ylva, ylva og YLVA!", "X, ylva og YLVA!"),
        ("NRK", "NRK, NRK-huset og nrk.", "X, X-huset og nrk."),
        ("is", "is, iskrem, is-krem, gris, Isis", "X, iskrem, X-krem, gris, Isis"),
        ("ås", "Ås, båsen, ås.", "X, båsen, X."),
        ("it", "it's it and it", "it's X and X"),
        ("lars", "Lars' hus, Lars", "X' hus, X"),
        ("rock'n'roll", "Rock’n’roll", "X"),
        ("nord-norge", "Nord‑Norge", "X"),
        ("new york", "New  York, New\nYorker", "X, New\nYorker"),
        ("c++", "C++ og c++.", "X og X."),
        ("3", "3, 3,5, 13, 2.3 og 3.", "X, 3,5, 13, 2.3 og X."),
        ("h2o", "H2O", "X"),
        ("🦉", "en 🦉 her", "en X her"),
    ],
)
def test_whole_words_are_found_and_only_those(written: str, text: str, respelt: str) -> None:
    assert lexicon_of((written, "X")).apply(text, "kari", "nb")[0] == respelt


def test_the_longest_entry_wins_and_a_respelling_is_not_respelt() -> None:
    lexicon = lexicon_of(("new", "nju"), ("new york", "new jårk"), ("jårk", "feil"), ("nju", "feil"))
    assert lexicon.apply("New York er new", "kari", "nb") == (
        "new jårk er nju",
        (("new york", "new jårk"), ("new", "nju")),
    )


def test_an_entry_with_capitals_goes_before_one_in_lower_case() -> None:
    lexicon = lexicon_of(("mai", "måned"), ("Mai", "navn"))
    assert lexicon.apply("Mai mai MAI", "", "nb")[0] == "navn måned måned"


def test_used_pairs_are_named_once_each() -> None:
    assert lexicon_of(("a", "b"), ("c", "d")).apply("a a x", "", "nb")[1] == (("a", "b"),)
    assert Lexicon().apply("a", "kari", "nb") == ("a", ())


def test_scopes_narrow_an_entry_and_the_narrower_one_wins(tmp_path: Path) -> None:
    rows = (
        "Ylva\talle\t\nYlva\tkaris\tvoice:KARI\nYlva\tnynorsk\tlocale:nn\nYlva\tbegge\tstemme:kari, målform:nynorsk\n"
    )
    lexicon, problems = read(tmp_path, rows)
    assert problems == []
    said = [
        lexicon.apply("Ylva", voice, locale)[0]
        for voice, locale in (("ola", "nb"), ("kari", "nb"), ("ola", "nn"), ("Kari", "nn"))
    ]
    assert said == ["alle", "karis", "nynorsk", "begge"]


def test_norwegian_headers_comments_and_missing_cells(tmp_path: Path) -> None:
    lexicon, problems = read(
        tmp_path, "# navn\nYlva\tÜlva\n\nNRK\tenn er kå\t\tmin merknad\n", "skrevet\tuttale\tgjelder\tmerknad\n"
    )
    assert problems == []
    assert [(entry.written, entry.row) for entry in lexicon.entries] == [("Ylva", 3), ("NRK", 5)]


def test_letters_are_composed_and_old_encodings_read(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_bytes((HEADER + "Åse\tOse\n").encode("cp1252"))
    assert read_lexicon(path)[0].apply("Åse", "", "nb")[0] == "Ose"
    path.write_bytes((HEADER + "A\u030ase\tOse\n").encode("utf-8-sig"))
    assert read_lexicon(path)[0].apply("Åse", "", "nb")[0] == "Ose"


def test_no_file_is_an_empty_lexicon(tmp_path: Path) -> None:
    assert read_lexicon(tmp_path / "none.tsv") == (Lexicon(), [])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("\tx\n", ":2 written: is empty; write a word"),
        ("x\t\n", ":2 spoken: is empty; write a word"),
        ("Aino    Ai-no\n", ":2 spoken: is empty; put a tab between what is written and what is spoken"),
        ("x\t...\n", ":2 spoken: has no letter or digit"),
        ("x\t[[h'ei]]\n", ":2 spoken: holds [ ], which no engine speaks"),
        ("x\t<b>y</b>\n", ":2 spoken: holds < >"),
        (f"x\t{'y' * 201}\n", ":2 spoken: is longer than 200 characters"),
        ("x\ty\nx\tz\n", ":3 written: 'x' stands in row 2 too"),
        ("x\ty\tvoice:kari\nx\tz\tvoice:ola,voice:kari\n", ":3 written: 'x' stands in row 2 too"),
        ("x\ty\tkari\n", ":2 scope: 'kari' is no scope; write voice:name"),
        ("x\ty\tvoice:kri\n", ":2 scope: there is no voice 'kri'; did you mean 'kari'?"),
        ("x\ty\tlocale:se\n", ":2 scope: there is no locale 'se'; write nb or nn"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, rows: str, message: str) -> None:
    lexicon, problems = read(tmp_path, rows)
    assert len(problems) == 1 and problems[0].startswith(message)
    assert all(entry.spoken == "y" for entry in lexicon.entries), "a row with a problem is no entry"


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a\t\nb\t<\tx\n")
    assert len(problems) == 4
    _, problems = read(tmp_path, "a\tb\n", "written\tspken\n")
    assert any("did you mean 'spoken'" in problem for problem in problems)
    assert any("is missing in the header" in problem for problem in problems)


WORDS = st.text(st.sampled_from("aåbB-' "), min_size=1, max_size=6).filter(lambda word: any(c.isalnum() for c in word))


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(WORDS, st.just("9"), max_size=5), st.text(st.sampled_from("aåbB-' .,"), max_size=30))
def test_a_text_without_an_entry_in_it_is_not_touched(entries: dict[str, str], text: str) -> None:
    respelt, used = lexicon_of(*entries.items()).apply(text, "kari", "nb")
    assert bool(used) == (respelt != text) == ("9" in respelt)
