"""A voice beside its own lines, in whole builds: found, remembered, and the same however a build came about."""

from __future__ import annotations

import logging
from pathlib import Path
from random import Random

import numpy as np
import pytest
from stage_runner import Stages

from replikk.dialogue.plan import read_plan
from replikk.errors import ReplikkError
from replikk.files import read_jsonl
from replikk.judges.verdict import badness, decide
from replikk.stages.bench import known_verdict, open_bench, read_evidence, verdict_record
from replikk.stages.opening import open_build
from replikk.store import Store

TEXTS = (
    "Velkommen til den gamle havna.", "Har du sett nøkkelen min?", "Her er det mørkt og kaldt.", "Vi må hjem nå.",
    "Båten ligger ved brygga.", "Kan du høre bølgene slå?", "Jeg fant et kart i sekken.", "Nå tenner vi lykta sammen.",
    "Det regner hele dagen.", "Bestemor venter på oss der.",
)  # fmt: skip


def write_lines(game, texts=TEXTS):
    rows = [
        {"id": f"{voice}_{number:03}", "text": text, "voice": voice}
        for voice in ("kari", "ola")
        for number, text in enumerate(texts)
    ]
    game.write_sheet("a.csv", rows)


def spoil(stages: Stages, line_id: str, change) -> None:
    """Overwrite the first take of a line in the store, as an engine with a bad day would have made it."""
    planned = {one.line.id: one for one in read_plan(stages.plan).lines}[line_id]
    store = Store(stages.game.build)
    samples, rate = store.load_take(planned.takes[0])
    store.put_take(planned.takes[0], change(samples), rate)
    stages.speak(0)  # the manifest of the takes notes its size and hash


def judged_with_a_quiet_take(game) -> Stages:
    """The sheet's lines spoken and judged; one of them is much quieter than its voice."""
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    spoil(stages, "kari_005", lambda samples: np.round(samples / 4).astype(np.int16))
    stages.listen(0)
    stages.judge(0)
    return stages


def outcomes(stages: Stages) -> dict[str, list[str]]:
    records = read_jsonl(stages.round(0, "verdicts.jsonl"))
    return {record["id"]: [reason["code"] for reason in record["reasons"]] for record in records}


def test_takes_far_from_their_voice_wait_for_a_person(game):
    """They are not spoken again: that other lines are otherwise is no proof that this one is wrong."""
    write_lines(game)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    other = {one.line.id: one.takes[0] for one in read_plan(stages.plan).lines}
    ola, _ = Store(game.build).load_take(other["ola_003"])
    spoil(stages, "kari_003", lambda samples: ola)
    spoil(stages, "kari_005", lambda samples: np.round(samples / 4).astype(np.int16))
    stages.all()
    found = outcomes(stages)
    assert "other_voice" in found["kari_003"]
    assert found["kari_005"] == ["level_outlier"]
    assert {line for line, codes in found.items() if codes} == {"kari_003", "kari_005"}
    assert stages.round(0, "retries.jsonl").read_bytes() == b""
    chosen = game.selection()
    assert {line for line, record in chosen.items() if record["state"] == "flagged"} == {"kari_003", "kari_005"}
    assert chosen["kari_003"]["take"] == other["kari_003"]


EDITS = (
    lambda rows, place: rows[place].update(text=f"Nå går {('Nora', 'Emil', 'vi')[place % 3]} ut i regnet."),
    lambda rows, place: rows[place].update(style="rop" if rows[place]["style"] == "" else ""),
    lambda rows, place: rows[place].update(voice="ola"),
    lambda rows, place: rows.append({**rows[place], "id": f"ny_{len(rows)}", "text": f"Hysj, du! Nummer {len(rows)}."}),
    lambda rows, place: rows.pop(place),
    lambda rows, place: rows.insert(0, rows.pop(place)),
)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_changed_line_has_no_other_line_spoken_anew(game, seed):
    """Random edits: an untouched line keeps takes, choice and clip; what other lines do to its verdict is shown."""
    draw = Random(seed)
    rows = [{"id": f"a_{place}", "text": text, "voice": "kari", "style": ""} for place, text in enumerate(TEXTS)]
    game.write_sheet("a.csv", rows)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    # Takes at the edge of what is usual: their verdicts hang on the other lines.
    for line_id, gain in (("a_7", 0.38), ("a_8", 0.4), ("a_9", 2.4)):
        spoil(stages, line_id, lambda samples, gain=gain: np.round(samples * gain).clip(-32_767, 32_767).astype("i2"))
    stages.all()
    for edit in draw.choices(EDITS, k=4):
        before, clips, untouched = game.selection(), game.modified_ns(), {row["id"]: dict(row) for row in rows}
        edit(rows, draw.randrange(7))
        game.write_sheet("a.csv", rows)
        stages.all()
        after, shown = game.selection(), {line["id"]: line["state"] for line in game.report()["lines"]}
        for line_id in [row["id"] for row in rows if untouched.get(row["id"]) == row]:
            was, now = before[line_id], after[line_id]
            assert [take["take"] for take in now["takes"]] == [take["take"] for take in was["takes"]]
            assert now["take"] == was["take"]
            assert game.modified_ns()[f"nb/a/{line_id}.ogg"] == clips[f"nb/a/{line_id}.ogg"]
            assert now["outcome"] == was["outcome"] or {now["outcome"], was["outcome"]} == {"pass", "human"}
            assert (now["outcome"] == "pass") == (shown[line_id] != "flagged")


@pytest.mark.parametrize("seed", range(3))
def test_verdicts_that_were_taken_over_are_those_of_a_build_without_memory(game, seed):
    """Random edits of two voices that are known by nearly all of their takes; some takes lie at the edge."""
    draw = Random(seed)
    rows = [
        {"id": f"{voice}_{place:03}", "text": text, "voice": voice, "style": ""}
        for voice in ("kari", "ola")
        for place, text in enumerate(TEXTS)
    ]
    game.write_sheet("a.csv", rows)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    for line_id, gain in (("kari_007", 0.38), ("kari_008", 0.4), ("kari_009", 2.4), ("ola_008", 0.3)):
        spoil(stages, line_id, lambda samples, gain=gain: np.round(samples * gain).clip(-32_767, 32_767).astype("i2"))
    memory, verdicts = game.build / "store" / "judged-0.rows", stages.round(0, "verdicts.jsonl")
    told = set()
    for edit in (None, *draw.choices(EDITS, k=10)):
        if edit is not None:
            edit(rows, draw.randrange(len(rows)))
            game.write_sheet("a.csv", rows)
        stages.open()
        stages.speak(0)
        stages.listen(0)
        stages.judge(0)
        taken_over, remembered = verdicts.read_bytes(), memory.read_bytes()
        told |= {(line, *codes) for line, codes in outcomes(stages).items() if codes}
        memory.unlink()
        stages.judge(0)
        assert verdicts.read_bytes() == taken_over
        memory.write_bytes(remembered)
    assert len(told) > 1, "nothing lay at the edge"


def test_what_other_lines_do_to_a_finished_line_is_shown_and_costs_no_take(game):
    """With seven lines a voice is not known, with ten it is: a quiet take is flagged, or not, and stays as it is."""
    rows = [{"id": f"a_{place}", "text": text, "voice": "kari"} for place, text in enumerate(TEXTS)]
    game.write_sheet("a.csv", rows)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    spoil(stages, "a_8", lambda samples: np.round(samples / 4).astype(np.int16))
    clip, seen = game.build / "assets" / "nb" / "a" / "a_8.ogg", []
    for kept in (rows, rows[3:], rows):
        game.write_sheet("a.csv", kept)
        stages.all()
        (shown,) = [line for line in game.report()["lines"] if line["id"] == "a_8"]
        seen.append((shown["state"], game.selection()["a_8"]["take"], len(game.takes()), clip.stat().st_mtime_ns))
    assert [state for state, *_ in seen] == ["flagged", "passed", "flagged"]
    assert len({rest[1:] for rest in seen}) == 1


def test_a_changed_line_leaves_the_verdicts_of_a_clean_build(game):
    write_lines(game)
    stages = Stages(game)
    stages.all()
    write_lines(game, ("Velkommen til den nye havna, alle sammen.", *TEXTS[1:]))
    stages.all()
    incremental = stages.round(0, "verdicts.jsonl").read_bytes()
    game.forget_build()
    stages.all()
    assert stages.round(0, "verdicts.jsonl").read_bytes() == incremental


def test_only_doubts_are_drawn_anew_for_untouched_lines(game):
    """A changed line may change what its voice is known by: the others' own verdicts are not made again."""
    write_lines(game)
    stages = Stages(game)
    stages.all()
    journal = game.build / "store" / "verdicts.journal"
    path = game.build / "store" / "judged-0.rows"
    before, memory = journal.read_bytes().count(b"\n"), path.read_bytes()
    write_lines(game, ("Velkommen til den nye havna, alle sammen.", *TEXTS[1:]))
    stages.all()
    assert journal.read_bytes().count(b"\n") == before + 2, "of the changed line, in two voices"
    known_by = [next(row for row in rows.split(b"\n")[1:] if len(row) == 129) for rows in (memory, path.read_bytes())]
    assert known_by[0] != known_by[1], "the voices are known by other takes"
    assert set(memory.split(b"\n")) & set(path.read_bytes().split(b"\n")), "the others' rows stand"


@pytest.mark.parametrize("damage", [b"", b"{}", b"00000000 " + b"0" * 64 + b"\n{}\n"])
def test_a_damaged_memory_of_verdicts_is_made_again(game, damage):
    write_lines(game)
    stages = judged_with_a_quiet_take(game)
    path = game.build / "store" / "judged-0.rows"
    before = (stages.round(0, "verdicts.jsonl").read_bytes(), path.read_bytes())
    path.write_bytes(damage)
    stages.judge(0)
    assert (stages.round(0, "verdicts.jsonl").read_bytes(), path.read_bytes()) == before


def cut_short(stages: Stages, line_id: str) -> None:
    """Damage the first take of a line on the disk, as a power cut may."""
    key = next(one.takes[0] for one in read_plan(stages.plan).lines if one.line.id == line_id)
    path = Store(stages.game.build).take_path(key)
    path.write_bytes(path.read_bytes()[:-20])


def test_doubts_that_could_not_be_drawn_are_drawn_in_the_next_build(game):
    """A take that the voice is known by can neither be measured nor remembered while a new line is judged."""
    rows = [{"id": f"kari_{number:03}", "text": text, "voice": "kari"} for number, text in enumerate(TEXTS)]
    game.write_sheet("a.csv", rows)
    stages = judged_with_a_quiet_take(game)
    assert outcomes(stages)["kari_005"] == ["level_outlier"]
    game.write_sheet("a.csv", [*rows, {**rows[5], "id": "kari_new"}])
    stages.open()
    stages.speak(0)
    (game.build / "store" / "traits.journal").unlink()
    cut_short(stages, "kari_002")
    stages.judge(0)
    assert outcomes(stages)["kari_new"] == [], "nothing is known to hold it against"
    stages.speak(0)
    stages.listen(0)
    stages.judge(0)
    assert outcomes(stages)["kari_005"] == outcomes(stages)["kari_new"] == ["level_outlier"]


def test_doubts_stand_until_others_can_be_drawn(game):
    """A line comes while a take that the voice is known by cannot be measured: nobody is let through for that."""
    rows = [{"id": f"kari_{number:03}", "text": text, "voice": "kari"} for number, text in enumerate(TEXTS)]
    game.write_sheet("a.csv", rows)
    stages = judged_with_a_quiet_take(game)
    game.write_sheet("a.csv", [*rows, {**rows[5], "id": "kari_new", "text": "Nå er alle kommet hjem."}])
    stages.open()
    stages.speak(0)
    stages.listen(0)
    (game.build / "store" / "traits.journal").unlink()
    cut_short(stages, "kari_002")
    stages.judge(0)
    assert outcomes(stages)["kari_005"] == ["level_outlier"]


def test_a_verdict_without_the_voice_is_not_remembered(game):
    """A take that cannot be measured may be unlike its reference, or sound bad: its verdict waits for that."""
    write_lines(game)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    stages.listen(0)
    (game.build / "store" / "traits.journal").unlink()
    cut_short(stages, "kari_002")
    stages.judge(0)
    bench = open_bench(stages.config, read_plan(stages.plan))
    unknown = [one.line.id for one in bench.plan.lines if known_verdict(bench, one, one.takes[0]) is None]
    assert unknown == ["kari_002"]
    stages.speak(0)
    stages.listen(0)
    stages.judge(0)
    bench = open_bench(stages.config, read_plan(stages.plan))
    assert all(known_verdict(bench, one, one.takes[0]) for one in bench.plan.lines)


def test_the_manifest_says_what_evidence_and_voice_say(game):
    """Verdicts and doubts are made apart; together they are the verdict on all that is known of a take."""
    write_lines(game)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    spoil(stages, "kari_005", lambda samples: np.round(samples / 4).astype(np.int16))
    spoil(stages, "ola_002", lambda samples: samples[: len(samples) // 2])
    stages.listen(0)
    stages.judge(0)
    bench = open_bench(stages.config, read_plan(stages.plan))
    manifest = {record["id"]: record for record in read_jsonl(stages.round(0, "verdicts.jsonl"))}
    for planned in bench.plan.lines:
        take = planned.takes[0]
        evidence = read_evidence(bench, planned, take)
        verdict = decide(evidence, bench.thresholds, *bench.voices.fit(planned, take))
        told = verdict_record(verdict, badness(evidence, verdict))
        assert {name: manifest[planned.line.id][name] for name in told} == told
    assert {record["outcome"] for record in manifest.values()} == {"pass", "human", "retry"}


def test_traits_of_an_older_store_are_measured_without_listening(game):
    write_lines(game)
    stages = Stages(game)
    stages.all()
    before = stages.round(0, "verdicts.jsonl").read_bytes()
    for name in ("traits", "verdicts"):
        (game.build / "store" / f"{name}.journal").unlink()
    (game.build / "store" / "judged-0.rows").unlink()
    stages.judge(0)
    assert stages.round(0, "verdicts.jsonl").read_bytes() == before
    bench = open_bench(stages.config, read_plan(stages.plan))
    fit, traits = bench.voices.fit(bench.plan.lines[0], bench.plan.lines[0].takes[0])
    assert fit is not None and traits is not None and fit.takes == len(TEXTS)


def test_what_is_not_installed_is_left_out_with_a_warning(game, monkeypatch, caplog):
    from replikk.judges import naturalness
    from replikk.stages import voice_traits

    monkeypatch.setattr(naturalness, "find_spec", lambda name: None)
    naturalness.fingerprint.cache_clear()
    voice_traits._tools.cache_clear()
    game.configure(evidence={"naturalness": "dnsmos"})
    write_lines(game, TEXTS[:2])
    with caplog.at_level(logging.WARNING):
        Stages(game).all()
    assert "evidence.naturalness: left out" in caplog.text
    assert {record["state"] for record in game.selection().values()} == {"passed"}
    naturalness.fingerprint.cache_clear()
    voice_traits._tools.cache_clear()


def test_unknown_evidence_stops_the_build(game):
    game.configure(evidence={"naturalnes": "dnsmos"})
    write_lines(game)
    with pytest.raises(ReplikkError, match="naturalnes"):
        open_build(Stages(game).settings, Path(__file__).parents[2] / "scripts")
