"""One mistake is told once, at the place where it is to be mended."""

from pathlib import Path

import pytest

from replikk.config import read_config
from replikk.dialogue.lines_of_rows import speak_text
from replikk.dialogue.plan import open_plan
from replikk.errors import DialogueError, Problem, ReplikkError

VOICES = "voices: {kari: {}}\ncharacters: {Ugla: kari}\n"


def problems(folder: Path, rows: str, voices: str = VOICES, placeholders: str = "") -> list[str]:
    """Everything that is said of a sheet of ``id;text;character`` rows, but for the heading."""
    dialogue = folder / "dialogue"
    dialogue.mkdir(exist_ok=True)
    (dialogue / "voices.yaml").write_text(voices, encoding="utf-8")
    (dialogue / "placeholders.yaml").write_text(placeholders, encoding="utf-8")
    (dialogue / "a.csv").write_text(f"id;text;character\n{rows}", encoding="utf-8")
    settings = {"dialogue_dir": str(dialogue), "build_dir": str(folder / "build")}
    with pytest.raises(DialogueError) as raised:
        open_plan(read_config(settings))
    return [line.replace(f"{dialogue}/", "") for line in str(raised.value).splitlines()]


def test_a_name_that_is_wrong_in_many_rows_is_told_once_with_all_its_places(tmp_path: Path) -> None:
    rows = "".join(f"a_{number};Hei på deg;Reven\n" for number in range(20)) + "b_1;;Ugla\n"
    assert problems(tmp_path, rows) == [
        "21 problems in the dialogue files:",
        "  a.csv:2 [a_0] character: character 'Reven' has no voice; give it one under 'characters' in voices.yaml",
        "    the same in 19 more rows: " + ", ".join(f"a.csv:{row}" for row in range(3, 13)) + " and 9 more",
        "  a.csv:22 [b_1] text: is empty; write the text, or set status to cut",
    ]


def test_a_copy_of_a_sheet_is_told_once_and_its_placeholders_add_nothing(tmp_path: Path) -> None:
    rows = "".join(f"a_{number};Hei, {{mc}};Ugla\n" for number in range(5))
    copy = tmp_path / "dialogue" / "a_copy.csv"
    copy.parent.mkdir()
    copy.write_text(f"id;text;character\n{rows}", encoding="utf-8")
    assert problems(tmp_path, rows, placeholders="mc: {values: [Nora, Emil]}\n") == [
        "5 problems in the dialogue files:",
        "  a_copy.csv:2 [a_0] id: this id is used already in a.csv; "
        "give one of the two lines another id; or is one of the two a copy? Then take it away",
        "    the same in 4 more rows: " + ", ".join(f"a_copy.csv:{row}" for row in range(3, 7)),
    ]


def test_columns_are_called_as_the_sheet_calls_them(tmp_path: Path) -> None:
    (tmp_path / "dialogue").mkdir()
    (tmp_path / "dialogue" / "b.csv").write_text(
        "Nøkkel;Replikk;Figur;Uttale\n"
        "b_1;Hei, {mc}!;Ugla;\n"
        "b_2;Hei.;Reven;\n"
        "b_3;Hei.;Ugla;Hei, {mc}!\n"
        "b_4;[ukjent]Hei;Ugla;\n"
        "b_5;…;Ugla;\n"
        "b_5;Hei.;Ugla;\n",
        encoding="utf-8",
    )
    told = problems(tmp_path, "a_1;Hei, {mc}!;Ugla\n")
    assert [line.split(":")[1].partition(" ")[2] for line in told[1:]] == [
        "[a_1] text",
        "[b_1] Replikk",
        "[b_2] Figur",
        "[b_3] Uttale",
        "[b_4] Replikk",
        "[b_5] Replikk",
        "[b_5] Nøkkel",
    ]


def test_a_locked_take_that_is_gone_is_told_where_it_was_locked(tmp_path: Path) -> None:
    dialogue = tmp_path / "dialogue"
    dialogue.mkdir()
    (dialogue / "decisions.csv").write_text(f"id;take_key;decision\na_1;{'ab' * 32};lock\n", encoding="utf-8")
    gone = (
        "the locked take abababababab of line {} is not in the store, and the line has changed since, so it cannot be "
        "made again; bring back build/store from a backup, or the old text, or take the lock away"
    )
    assert problems(tmp_path, "a_1;Hei!;Ugla\n")[1:] == [f"  decisions.csv:2 [a_1] decision: {gone.format('a_1')}"]
    (dialogue / "decisions.csv").unlink()
    store = tmp_path / "build" / "store"
    store.mkdir(parents=True)
    (store / "locks.json").write_text(f'{{"b_1": "{"ab" * 32}"}}', encoding="utf-8")
    (dialogue / "b.csv").write_text("id;text;character;status\nb_1;Hei!;Ugla;locked\n", encoding="utf-8")
    assert problems(tmp_path, "a_1;Hei!;Ugla\n")[1:] == [f"  b.csv:2 [b_1] status: {gone.format('b_1')}"]


def test_few_rows_with_one_mistake_are_each_told_with_their_id(tmp_path: Path) -> None:
    told = problems(tmp_path, "a_1;Hei {mc}!;Ugla\na_2;Ja, {mc}.;Ugla\n")
    assert [line.split(" text:")[0] for line in told[1:]] == ["  a.csv:2 [a_1]", "  a.csv:3 [a_2]"]
    assert "write in placeholders.yaml beside the sheets  mc: {substitute:" in told[1]


def test_problems_that_are_alike_count_each_when_too_many_are_told() -> None:
    alike = [Problem("a.csv", row, "", "text", "is wrong", "mend it") for row in range(2000)]
    others = [Problem("b.csv", row, "", "text", f"is wrong in way {row}", "mend it") for row in range(2000)]
    lines = str(DialogueError([*alike, *others])).splitlines()
    assert lines[0].startswith("4000 problems") and "the same in 1999 more rows" in lines[2]
    assert lines[-1] == "  … and 1001 more" and len(lines) == 1000 + 3


def test_a_character_with_a_voice_that_is_not_there_is_a_mistake_of_the_voices_and_of_no_row(tmp_path: Path) -> None:
    rows = "a_1;Hei.;Ugla\na_2;Ja.;UGLA\n"
    [heading, told] = problems(tmp_path, rows, voices="voices: {kari: {}}\ncharacters: {Ugla: kri}\n")
    assert told.startswith("  voices.yaml:2 characters.Ugla: there is no voice 'kri'")
    assert heading == "1 problem in the dialogue files:"


def test_a_placeholder_whose_entry_is_wrong_is_a_mistake_of_that_entry_and_of_no_row(tmp_path: Path) -> None:
    rows = "a_1;Hei {mc}!;Ugla\na_2;Ja, {mc}.;Ugla\na_3;Og {hun}?;Ugla\n"
    [heading, missing, broken] = problems(tmp_path, rows, placeholders="mc: [Kari, Ola]\n")
    assert heading == "2 problems in the dialogue files:"
    assert missing.startswith("  a.csv:4 [a_3] text: placeholder '{hun}' has no value; ")
    assert broken.startswith("  placeholders.yaml placeholders.mc: does not say what to speak; ")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("mc: {substitute: Kari\n", "placeholders.yaml:2: is not YAML here"),
        ("- mc\n- Kari\n", "placeholders.yaml placeholders: is not a mapping; write  name: {substitute: venn}"),
    ],
)
def test_a_file_of_placeholders_that_cannot_be_read_is_one_mistake(tmp_path: Path, written: str, told: str) -> None:
    rows = "a_1;Hei {mc}!;Ugla\na_2;Ja, {mc}.;Ugla\na_3;Hei.;Reven\n"
    [heading, row, of_file] = problems(tmp_path, rows, placeholders=written)
    assert heading == "2 problems in the dialogue files:"
    assert row.startswith("  a.csv:4 [a_3] character: ") and of_file.startswith(f"  {told}")


def test_a_broken_entry_is_told_where_nothing_else_tells_of_it(tmp_path: Path) -> None:
    dialogue = tmp_path / "dialogue"
    dialogue.mkdir()
    (dialogue / "placeholders.yaml").write_text("mc: [Kari, Ola]\n", encoding="utf-8")
    config = read_config({"dialogue_dir": str(dialogue), "build_dir": str(tmp_path / "build")})
    told = r"text: placeholder '\{mc\}' has a value that cannot be used; mend its entry in placeholders\.yaml"
    with pytest.raises(ReplikkError, match=told):
        speak_text(config, "Hei {mc}!", "nb", "kari")


def test_what_is_empty_is_told_once(tmp_path: Path) -> None:
    told = problems(tmp_path, "a_1;;Ugla\na_2;…;Ugla\n")
    assert told[1:] == [
        "  a.csv:2 [a_1] text: is empty; write the text, or set status to cut",
        "  a.csv:3 [a_2] text: holds nothing that can be spoken; write words, or give the row the status cut",
    ]
