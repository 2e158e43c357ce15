"""A plan made from remembered sheets is byte for byte the plan made of all sheets anew."""

import csv
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replikk.config import read_config
from replikk.dialogue.plan import open_plan
from replikk.errors import DialogueError

VOICES = {
    "kari": {"label": "Kari", "espeak": {"variant": "f2", "pitch": 55, "rate_wpm": 150, "word_gap": 2}},
    "ola": {"label": "Ola", "espeak": {"variant": "m3", "pitch": 40, "rate_wpm": 150, "word_gap": 2}},
}


class Folder:
    """A game's folder and its plans."""

    def __init__(self, root):
        self.dialogue, self.build = root / "dialogue", root / "build"
        self.dialogue.mkdir()
        self.voices = {name: {**voice} for name, voice in VOICES.items()}
        self.settings = {"dialogue_dir": str(self.dialogue), "build_dir": str(self.build)}
        self.sheets = {
            name: [
                {"id": f"{name}_{n}", "text": f"Dette er nummer {n}.", "voice": "kari", "status": ""} for n in range(3)
            ]
            for name in "abc"
        }
        self.save()

    def save(self):
        for sheet in self.dialogue.glob("*.csv"):
            sheet.unlink()
        for name, rows in self.sheets.items():
            self.write(f"{name}.csv", ["id", "text", "voice", "status"], rows)
        (self.dialogue / "voices.yaml").write_text(yaml.safe_dump({"voices": self.voices}), encoding="utf-8")

    def write(self, name, columns, rows):
        with (self.dialogue / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=";")
            writer.writeheader()
            writer.writerows(rows)

    def plan(self):
        """The plan of the folder as it is, or its problems."""
        try:
            return open_plan(read_config(self.settings)).path.read_bytes()
        except DialogueError as error:
            return str(error)

    def clean_plan(self):
        shutil.move(self.build, self.build.with_name("kept"))
        (self.build / "store").mkdir(parents=True)
        plan = self.plan()
        shutil.rmtree(self.build)
        shutil.move(self.build.with_name("kept"), self.build)
        return plan


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def remembered(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder.build / "plan" / "sheets").iterdir()}


def test_one_changed_sheet_is_planned_and_the_others_are_remembered(folder):
    folder.plan()
    before = remembered(folder)
    folder.sheets["b"][1]["text"] = "Noe helt annet."
    folder.save()
    assert folder.plan() == folder.clean_plan()
    assert len(remembered(folder).items() & before.items()) == 2


def test_a_sheet_with_a_decision_is_planned_anew_and_not_remembered(folder):
    folder.plan()
    row = {"id": "A_1", "take_key": "0" * 12, "decision": "accept"}
    folder.write("decisions.csv", ["id", "take_key", "decision"], [row])
    plan = folder.plan()
    assert plan == folder.clean_plan()
    assert b"was accepted, but the line has changed" in plan
    assert len(remembered(folder)) == 2


def test_a_double_id_is_found_between_a_new_and_a_remembered_sheet(folder):
    folder.plan()
    folder.sheets["c"][0]["id"] = "a_0"
    folder.save()
    assert "already" in folder.plan()
    assert folder.plan() == folder.clean_plan()


def test_a_damaged_memory_is_not_believed(folder):
    folder.plan()
    for path in (folder.build / "plan" / "sheets").iterdir():
        path.write_bytes(path.read_bytes().replace(b"nummer 1", b"nummer 7"))
    folder.sheets["b"][1]["text"] = "Noe helt annet."
    folder.save()
    assert folder.plan() == folder.clean_plan()


KINDS = ["text", "id", "voice", "status", "pitch", "add", "remove", "decide", "lexicon", "seed"]
EDITS = st.tuples(st.sampled_from(KINDS), st.integers(0, 8), st.integers(0, 5))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.lists(EDITS, min_size=1, max_size=6))
def test_whatever_is_edited_the_plan_is_that_of_all_sheets_anew(tmp_path_factory, edits):
    folder = Folder(tmp_path_factory.mktemp("game"))
    folder.plan()
    for kind, place, value in edits:
        rows = folder.sheets["abc"[place % 3]]
        row = rows[place // 3 % len(rows)]
        if kind == "text":
            row["text"] = f"Nå er det {value} igjen, {{navn}}." if value == 5 else f"Nå er det {value} igjen."
        elif kind == "id":
            row["id"] = f"{'ab'[value % 2]}_{value}"
        elif kind == "voice":
            row["voice"] = ["kari", "ola", "ukjent"][value % 3]
        elif kind == "status":
            row["status"] = ["", "cut", "locked", "external"][value % 4]
        elif kind == "pitch":
            folder.voices["ola"]["espeak"] = {**folder.voices["ola"]["espeak"], "pitch": 40 + value}
        elif kind == "add":
            rows.append({"id": f"ny_{place}_{value}", "text": "En ny.", "voice": "ola", "status": ""})
        elif kind == "remove" and len(rows) > 1:
            rows.remove(row)
        elif kind == "decide":
            decision = {"id": row["id"], "take_key": f"{value:012}", "decision": ["accept", "retake"][value % 2]}
            folder.write("decisions.csv", ["id", "take_key", "decision"], [decision])
        elif kind == "lexicon":
            (folder.dialogue / "lexicon.tsv").write_text(f"written\tspoken\nnummer\ttall {value}\n", encoding="utf-8")
        elif kind == "seed":
            folder.settings["seed"] = value
        folder.save()
        assert folder.plan() == folder.clean_plan()
