"""YAML that people write, and YAML that was made to hurt."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.yaml_files import MAX_BYTES, read_yaml, read_yaml_lines


def read(tmp_path: Path, content: str | bytes) -> tuple[object, list[str]]:
    path = tmp_path / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    data, problems = read_yaml(path)
    return data, [str(problem).removeprefix(str(path)) for problem in problems]


def test_plain_data_with_the_line_of_each_value(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "# stemmer\nvoices:\n  kari:\n    pitch: 50\n  ola: {rate: 1.5, on: yes}\nnames: [Ylva,\n  Åse]\n",
        encoding="utf-8",
    )
    data, lines, problems = read_yaml_lines(path)
    assert problems == []
    assert data == {"voices": {"kari": {"pitch": 50}, "ola": {"rate": 1.5, "on": True}}, "names": ["Ylva", "Åse"]}
    assert lines["voices", "kari", "pitch"] == 4
    assert lines["voices", "ola", "rate"] == 5
    assert lines["names", 1] == 7


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("007", "007"),
        ("1.5", 1.5),
        ("1:30", "1:30"),
        ("2026-11-20", "2026-11-20"),
        ("true", True),
        ("no", False),
        ("'no'", "no"),
        ("~", None),
        ("", None),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 500, "9" * 500),
        ("A\u030ase", "Åse"),
        ("0x10", "0x10"),
    ],
)
def test_values(tmp_path: Path, text: str, value: object) -> None:
    assert read(tmp_path, f"a: {text}\n") == ({"a": value}, [])


def test_keys_are_text_as_written(tmp_path: Path) -> None:
    assert read(tmp_path, "No: 1\n0: 2\n1.0: 3\n~: 4\n") == ({"No": 1, "0": 2, "1.0": 3, "~": 4}, [])


@pytest.mark.parametrize("content", ["", "# bare merknad\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_nothing(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == (None, [])


def test_other_encodings(tmp_path: Path) -> None:
    assert read(tmp_path, "a: Åse\n".encode("utf-8-sig")) == ({"a": "Åse"}, [])
    assert read(tmp_path, "a: Åse\n".encode("utf-16")) == ({"a": "Åse"}, [])
    assert read(tmp_path, "x: 1\na: Åse\n".encode("cp1252")) == (
        None,
        [":2: has letters that are not UTF-8; save the file as UTF-8"],
    )


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: 'a' stands here twice (first in line 1); keep one of the two"),
        ("v:\n  a: 1\n  a: 2\n", ":3 v: 'a' stands here twice (first in line 2)"),
        (
            "a: !!python/object/apply:os.system ['true']\n",
            ":1 a: has a tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("a: !!str 1\n", ":1 a: has a tag"),
        ("a: !ukjent {b: 1}\n", ":1 a: has a tag '!ukjent'"),
        (BOMB, ":2 b: '*a' refers to another place; write the value out here"),
        ("a: &a [*a]\n", ":1 a: '*a' refers to another place"),
        ("a: 1\n---\nb: 2\n", ":2: a second document starts here"),
        ("a:\n\tb: 1\n", ":2: is not YAML here"),
        ("a: [1\n", "is not YAML here"),
        ("a: 'x\n", "is not YAML here"),
        ("a: b: c\n", ":1: is not YAML here"),
        ("{a: 1}: 2\n", ":1: a mapping or list stands where a name should"),
        ("? [a]\n: 2\n", ":1: a mapping or list stands where a name should"),
        ("[" * 100_000, "is nested more than 16 deep; write it flatter"),
        ("{a: " * 100_000, ":1 a.a"),
        ("a: \x01\n", "is not YAML here"),
        ('a: "\\ud800"\n', ":1"),
        ("x" * (MAX_BYTES + 1), ": is larger than 1000 kB"),
    ],
)
def test_what_is_wrong_or_hostile_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    data, problems = read(tmp_path, content)
    assert len(problems) == 1 and message in problems[0], problems
    if "twice" not in message:
        assert data is None


def test_tabs_are_explained(tmp_path: Path) -> None:
    assert "indent with spaces" in read(tmp_path, "a:\n\tb: 1\n")[1][0]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read" in str(read_yaml(tmp_path / "none.yaml")[1][0])
    assert "cannot be read" in str(read_yaml(tmp_path)[1][0])


def shape(data: object) -> object:
    """Keys and structure, without what the values mean."""
    if isinstance(data, dict):
        return {unicodedata.normalize("NFC", key): shape(value) for key, value in data.items()}
    return [shape(value) for value in data] if isinstance(data, list) else "value"


@settings(deadline=None)  # the machine may be busy
@given(content=st.text(st.sampled_from("ab:-[]{},&*!?|>'\"# \n\t%@`1.~<\u00e5")) | st.text())
def test_any_text_is_a_problem_or_the_data_that_yaml_says(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    data = content.encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    read_data, problems = read_yaml(path)
    if problems:
        assert all(problem.what and problem.instead for problem in problems)
    else:
        assert shape(read_data) == shape(yaml.load(data, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))
