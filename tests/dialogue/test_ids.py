"""Ids are file names on every system: what is refused, what is proposed, and which two would be one file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.ids import (
    MAX_ID_BYTES,
    cleaned_id,
    collisions,
    damaged_id,
    folder_of_scene,
    in_ascii_letters,
    safe_id_problems,
)
from replikk.dialogue.nearest import nearest


@pytest.mark.parametrize("name", ["linje_01", "a", "7", "007", "Kari.hilsen-2", "_x", "greet__kari", "1.2.12", "com10"])
def test_safe_ids(name: str) -> None:
    assert safe_id_problems(name) == []


@pytest.mark.parametrize(
    ("name", "what", "instead"),
    [
        ("", "is empty", "write a short name"),
        ("../../etc/passwd", "path separator", "etc_passwd"),
        ("..\\windows", "path separator", "windows"),
        ("a..b", "'..'", "a.b"),
        ("scene/linje", "path separator", "scene_linje"),
        ("con", "device on Windows", "con_line"),
        ("NUL.ogg", "device on Windows", "NUL_line.ogg"),
        ("com1", "device on Windows", "com1_line"),
        ("linje.", "ends with a full stop", "linje"),
        (".skjult", "begins with '.'", "skjult"),
        ("-rf", "begins with '-'", "rf"),
        ("åpne døra", "(space) å ø", "aapne_doera"),
        ("Ærlig!", "! Æ", "Aerlig"),
        ("line:abc", "because of :", "line_abc"),
        ("a\x00b", "control characters", "a_b"),
        ("a\nb", "control characters", "a_b"),
        ("a\u202eb", "invisible", "a_b"),
        ("x" * (MAX_ID_BYTES + 1), "longer than 100 bytes", "x" * MAX_ID_BYTES),
        ("æ" * 51, "longer than 100 bytes", "ae" * 50),
        ("<script>", "because of < >", "script"),
        ("日本", "because of 日 本", "write a short name"),
    ],
)
def test_unsafe_ids_with_a_proposal(name: str, what: str, instead: str) -> None:
    problems = safe_id_problems(name)
    assert any(what in found for found, _ in problems), problems
    assert all(instead in advice for _, advice in problems)


@given(st.text(max_size=150))
def test_a_proposal_is_itself_safe_and_stays_in_the_folder(name: str) -> None:
    proposal = cleaned_id(name)
    assert proposal == "" or safe_id_problems(proposal) == []


@given(st.text(min_size=1, max_size=30))
def test_what_is_called_safe_is_one_plain_file_name(name: str) -> None:
    if not safe_id_problems(name):
        assert name.isascii() and name.isprintable()
        assert not set(name) & set('/\\:*?"<>| ') and name not in (".", "..")


@pytest.mark.parametrize(
    "name",
    ["01.mai", "mai.12", "1. mai 2024", "12-May", "Sep-12", "des.1", "2024-05-01 00:00:00", "01.05.2024", "08:30"],
)
def test_ids_that_became_dates(name: str) -> None:
    damage = damaged_id(name)
    assert damage is not None and "date" in damage[0] and "format the column as text" in damage[1]


@pytest.mark.parametrize(
    ("name", "ascii_name"),
    [
        ("Åpning", "Aapning"),
        ("A\u030apning", "Aapning"),  # NFD, as macOS writes it
        ("sjøen_ved_Ærø", "sjoeen_ved_Aeroe"),
        ("kafé", "kafe"),
        ("havn", "havn"),
        ("På skolen/1", "Paa skolen/1"),  # only letters are rewritten
        ("сцена", "сцена"),
    ],
)
def test_letters_in_ascii(name: str, ascii_name: str) -> None:
    assert in_ascii_letters(name) == ascii_name


@pytest.mark.parametrize(
    ("scene", "folder"),
    [
        ("Kapittel 1", "Kapittel_1"),
        ("På  skolen", "Paa_skolen"),
        ("havn", "havn"),
        (" havn", " havn"),
        ("1: A", "1:_A"),
    ],
)
def test_folders_of_scenes(scene: str, folder: str) -> None:
    assert folder_of_scene(scene) == folder


@pytest.mark.parametrize("name", ["1e3", "1,00E+03", "1.5e-7"])
def test_ids_that_became_numbers(name: str) -> None:
    damage = damaged_id(name)
    assert damage is not None and "number" in damage[0]


@pytest.mark.parametrize("name", ["mai_12", "12", "1.2.12", "e3", "maiken.12", "marie-2", "linje-1"])
def test_ids_that_a_person_wrote(name: str) -> None:
    assert damaged_id(name) is None


def test_collisions_without_regard_to_case_and_form() -> None:
    assert collisions(["a", "B", "A", "b", "c", "a"]) == [(0, 2), (1, 3), (0, 5)]
    assert collisions(["\u00e5", "a\u030a"]) == [(0, 1)]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("karri", ["ola", "kari"], "kari"),
        ("KARI", ["ola", "kari"], "kari"),
        ("akri", ["ola", "kari"], "kari"),
        ("låst", ["cut", "låst"], "låst"),
        ("zebra", ["ola", "kari"], None),
        ("", ["ola"], None),
        ("ola", [], None),
    ],
)
def test_nearest(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected
