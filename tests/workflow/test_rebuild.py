"""An incremental build ends in the same tree as a clean build of the same inputs, whatever was edited before.

Random edits, built through real Snakemake after every step, compared byte for byte with a clean build in another
folder. And no take is made that need not be: a step makes exactly the takes that its rounds asked for and the store
lacked, and never touches one that is there.
"""

import json
import random
import shutil

import pytest
from game_folder import Game
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = [
    "månen",
    "steinen",
    "havna",
    "skogen",
    "fisken",
    "båten",
    "lykta",
    "sanden",
    "tårnet",
    "brua",
    "elva",
    "stien",
    "hagen",
    "porten",
    "kista",
    "kartet",
]
STYLES = ["", "stille", "med entusiasme", "hvisker", "trist"]
EDITS = [
    "change", "revert", "rename", "reorder", "add", "cut", "voice", "voice_settings", "lexicon", "style", "threshold",
    "add_scene", "remove_scene", "note", "same_text", "word_files", "loudness", "pause_first", "character",
]  # fmt: skip


class Writer:
    """Somebody who edits a game without end. All choices come from one random generator."""

    def __init__(self, game: Game, rng: random.Random) -> None:
        self.game, self.rng = game, rng
        self.scenes: dict[str, list[dict]] = {}
        self.history: list[str] = []
        self.lexicon: dict[str, str] = {}
        self.count = 0
        for _ in range(2):
            self.add_scene()
        self.save()

    def text(self) -> str:
        a, b = self.rng.sample(WORDS, 2)
        return self.rng.choice([f"Vi finner {a} bak {b}.", f"Hvem tok {a}?", f"Se, der er {a} og {b}, kom fort!"])

    def row(self) -> dict:
        self.count += 1
        return {
            "id": f"r{self.count:03}", "text": self.text(), "voice": self.rng.choice(["kari", "ola"]),
            "style": self.rng.choice(STYLES), "status": "", "notes": "",
        }  # fmt: skip

    def add_scene(self) -> None:
        self.count += 1
        self.scenes[f"scene{self.count}"] = [self.row() for _ in range(self.rng.randint(2, 4))]

    def any_row(self) -> dict:
        return self.rng.choice([row for rows in self.scenes.values() for row in rows])

    def edit(self, kind: str) -> None:
        self.history.append(json.dumps([self.scenes, self.lexicon]))
        row = self.any_row()
        if kind == "change":
            row["text"] = self.text()
        elif kind == "revert":
            self.scenes, self.lexicon = json.loads(self.rng.choice(self.history))
        elif kind == "rename":
            self.count += 1
            row["id"] = f"r{self.count:03}"
        elif kind == "reorder":
            self.rng.shuffle(self.rng.choice(list(self.scenes.values())))
        elif kind == "add":
            self.rng.choice(list(self.scenes.values())).append(self.row())
        elif kind == "cut":
            row["status"] = "" if row["status"] else "cut"
        elif kind == "voice":
            row["voice"] = "ola" if row["voice"] == "kari" else "kari"
        elif kind == "voice_settings":
            self.game.voices["ola"]["espeak"]["pitch"] = self.rng.choice([35, 40, 45])
        elif kind == "lexicon":
            self.lexicon[self.rng.choice(WORDS)] = self.rng.choice(["lanterna", "kjøkkenet", "himmelen"])
        elif kind == "style":
            row["style"] = self.rng.choice(STYLES)
        elif kind == "threshold":
            self.game.settings["thresholds"] = {"default": {"max_wer": self.rng.choice([0.1, 0.2, 0.3])}}
        elif kind == "add_scene":
            self.add_scene()
        elif kind == "remove_scene" and len(self.scenes) > 1:
            del self.scenes[self.rng.choice(list(self.scenes))]
        elif kind == "note":
            row["notes"] = f"merknad {self.rng.random()}"
        elif kind == "word_files":
            switches = {"word_times": self.rng.random() < 0.7, "mouth_cues": self.rng.random() < 0.5}
            self.game.settings["delivery"] = {**self.game.settings.get("delivery", {}), **switches}
        elif kind == "loudness":
            louder = {"target_lufs": self.rng.choice([-23, -18, -16]), "keep_head_ms": self.rng.choice([10, 30, 60])}
            self.game.settings["delivery"] = {**self.game.settings.get("delivery", {}), **louder}
        elif kind == "pause_first":
            row["text"] = f"[pause={self.rng.choice([200, 600])}/]{self.text()}"
        elif kind == "character":
            row["character"] = self.rng.choice(["Fiskeren", "Havfrua"])
        elif kind == "same_text":
            other = self.any_row()
            row.update({name: other[name] for name in ("text", "voice", "style")})
        self.save()

    def save(self) -> None:
        for sheet in self.game.dialogue.glob("*.csv"):
            sheet.unlink()
        if all(row["status"] == "cut" for rows in self.scenes.values() for row in rows):
            self.any_row()["status"] = ""
        for name, rows in self.scenes.items():
            self.game.write_sheet(f"{name}.csv", rows)
        entries = [f"{written}\t{spoken}" for written, spoken in self.lexicon.items()]
        (self.game.dialogue / "lexicon.tsv").write_text("\n".join(["written\tspoken", *entries]), encoding="utf-8")
        self.game.write_voices()
        self.game.configure()


def take_times(game: Game) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (game.build / "store" / "takes").glob("??/*.flac")}


def asked_for(game: Game) -> set[str]:
    """The takes that the rounds of the last build asked for."""
    manifests = (game.build / "rounds").glob("*/takes.*.jsonl")
    return {json.loads(line)["key"] for path in manifests for line in path.read_text().splitlines()}


def verdicts(game: Game) -> dict[str, bytes]:
    rounds = game.build / "rounds"
    found = {path.relative_to(rounds).as_posix(): path.read_bytes() for path in rounds.glob("*/verdicts.jsonl")}
    return {**found, "selection": (game.build / "selection.jsonl").read_bytes()}


def edit_and_compare(root, edits, seed, engine):
    game = Game(root / "incremental")
    game.configure(**engine)
    writer = Writer(game, random.Random(seed))
    game.make()
    for kind in edits:
        writer.edit(kind)
        before = take_times(game)
        game.make()
        after = take_times(game)
        assert {key: after[key] for key in before} == before, f"{kind}: touched a take that was there"
        assert set(after) - set(before) <= asked_for(game), f"{kind}: made a take that nobody asked for"

        clean = Game(root / "clean")
        shutil.rmtree(clean.dialogue)
        shutil.copytree(game.dialogue, clean.dialogue)
        clean.settings = dict(game.settings)
        clean.configure()
        clean.make()
        assert game.assets() == clean.assets(), f"{kind}: other assets or manifest than a clean build"
        assert verdicts(game) == verdicts(clean), f"{kind}: other verdicts than a clean build"
        assert asked_for(game) == asked_for(clean)
        shutil.rmtree(clean.root)
    shutil.rmtree(game.root)


def test_a_build_folder_that_was_copied_without_snakemakes_memory_is_brought_up_to_date(small_game):
    """A cache of build/ between machines, or a deleted .snakemake: settings and sheets are compared all the same."""
    small_game.make()
    old = small_game.assets()
    shutil.rmtree(small_game.root / ".snakemake")
    assert "Nothing to be done" in small_game.make()
    sheet = small_game.dialogue / "skog.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("kaldt", "varmt"), encoding="utf-8")
    shutil.rmtree(small_game.root / ".snakemake", ignore_errors=True)
    small_game.make()
    assert small_game.clips()["skog_001"]["spoken"] == "Her er det mørkt og varmt."
    shutil.rmtree(small_game.root / ".snakemake", ignore_errors=True)
    small_game.configure(delivery={"target_lufs": -23})
    small_game.make()
    assert small_game.assets() != old
    assert small_game.manifest()["delivery"]["target_lufs"] == -23


ENGINES = {
    "espeak": {"engine": "espeak"},
    "faulty": {
        "engine": "faulty",
        "engines": {"faulty": {"faults": {"drop_words": 0.3, "stop_early": 0.2, "crash": 0.1}, "timeout_s": 5}},
    },
}
SLOW_ON_PURPOSE = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("engine", ENGINES)
@settings(SLOW_ON_PURPOSE, max_examples=2)
@given(seed=st.integers(0, 2**32), order=st.permutations(EDITS))
def test_random_edits_end_in_the_tree_of_a_clean_build(tmp_path_factory, engine, seed, order):
    edits = [*order[:5], "pause_first", "word_files"]  # the files beside clips depend on most of what can be edited
    edit_and_compare(tmp_path_factory.mktemp("edits"), edits, seed, ENGINES[engine])


@pytest.mark.soak
@settings(SLOW_ON_PURPOSE, max_examples=10)
@given(seed=st.integers(0, 2**32), edits=st.lists(st.sampled_from(EDITS), min_size=10, max_size=25))
def test_random_edits_for_long(tmp_path_factory, seed, edits):
    edit_and_compare(tmp_path_factory.mktemp("edits"), edits, seed, ENGINES["faulty"])
