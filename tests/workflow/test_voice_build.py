"""A voice beside its own lines, in whole builds: found, remembered, and the same however a build came about."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from stage_runner import Stages

from replikk.dialogue.plan import read_plan
from replikk.errors import ReplikkError
from replikk.files import read_jsonl
from replikk.stages.bench import open_bench, voice_fit
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


def outcomes(stages: Stages) -> dict[str, list[str]]:
    records = read_jsonl(stages.round(0, "verdicts.jsonl"))
    return {record["id"]: [reason["code"] for reason in record["reasons"]] for record in records}


def test_takes_far_from_their_voice_are_tried_again(game):
    write_lines(game)
    stages = Stages(game)
    stages.open()
    stages.speak(0)
    other = {one.line.id: one.takes[0] for one in read_plan(stages.plan).lines}
    ola, _ = Store(game.build).load_take(other["ola_003"])
    spoil(stages, "kari_003", lambda samples: ola)
    spoil(stages, "kari_005", lambda samples: np.round(samples / 4).astype(np.int16))
    stages.listen(0)
    stages.judge(0)
    found = outcomes(stages)
    assert "other_voice" in found["kari_003"]
    assert found["kari_005"] == ["level_outlier"]
    assert {line for line, codes in found.items() if codes} == {"kari_003", "kari_005"}


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


def test_traits_of_an_older_store_are_measured_without_listening(game):
    write_lines(game)
    stages = Stages(game)
    stages.all()
    before = stages.round(0, "verdicts.jsonl").read_bytes()
    for name in ("traits", "verdicts"):
        (game.build / "store" / f"{name}.journal").unlink()
    stages.judge(0)
    assert stages.round(0, "verdicts.jsonl").read_bytes() == before
    bench = open_bench(stages.config, read_plan(stages.plan))
    fit, traits = voice_fit(bench, bench.plan.lines[0], bench.plan.lines[0].takes[0])
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
