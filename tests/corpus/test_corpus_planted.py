"""The whole way from a folder of recordings to a corpus, through real Snakemake, with defects planted in it.

The recognisers are the embedded ones, which listen; nothing but the test knows what was planted where.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from corpus_project import PROJECT, CorpusProject

from replikk.audio.flac import decode_flac
from replikk.corpus.card_page import card_html
from replikk.corpus.manifest import read_summary
from replikk.corpus.tokens import HELD_OUT, TRAIN, read_corpus
from replikk.journal import Journal

Made = tuple[CorpusProject, dict[str, str]]
LEAST_FOUND, MOST_CLEAN_LOST = 0.95, 0.03


@pytest.mark.parametrize("kind", ["noise", "music", "clipped", "second", "wrong_text", "duplicate"])
def test_each_kind_of_defect_is_found(planted_corpus: Made, kind: str) -> None:
    project, planted = planted_corpus
    fate = project.fate()
    wanted = [path for path, what in planted.items() if what == kind]
    found = [path for path in wanted if fate[path]]
    assert wanted and len(found) >= LEAST_FOUND * len(wanted), set(wanted) - set(found)


def test_clean_clips_are_kept(planted_corpus: Made) -> None:
    project, planted = planted_corpus
    fate = project.fate()
    clean = [path for path, what in planted.items() if what == "clean"]
    lost = {path: fate[path] for path in clean if fate[path]}
    assert len(lost) <= MOST_CLEAN_LOST * len(clean), lost


def test_reasons_name_the_defect(planted_corpus: Made) -> None:
    project, planted = planted_corpus
    fate = project.fate()
    for kind, reason in (("clipped", "clipped"), ("wrong_text", "wrong_text"), ("duplicate", "duplicate")):
        assert {fate[path] for path, what in planted.items() if what == kind} == {reason}


def test_every_stage_counts_in_and_out(planted_corpus: Made) -> None:
    project, planted = planted_corpus
    before = len(planted)
    for stage in ("fetch", "separate", "speakers", "transcribe", "read_again", "filter", "deduplicate", "split"):
        counts = [read_summary(path) for path in sorted((project.corpus / stage).glob("*.jsonl"))]
        assert sum(count["in"] for count in counts) == before
        dropped = sum(sum(count["dropped"].values()) for count in counts)
        before = sum(count["out"] for count in counts)
        assert sum(count["in"] for count in counts) == before + dropped


def test_shards_are_webdataset_tars_of_flac(planted_corpus: Made) -> None:
    project, planted = planted_corpus
    rows = {row.id: row for row in project.rows("fetch")}
    seen = set()
    for path in sorted((project.corpus / "fetch").glob("*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            for audio, about in zip(members[::2], members[1::2], strict=True):
                key = audio.name.removesuffix(".flac")
                assert about.name == f"{key}.json"
                samples, rate = decode_flac(tar.extractfile(audio).read())  # type: ignore[union-attr]
                assert len(samples) / rate == pytest.approx(rows[key].duration_s, abs=1e-3)
                assert json.load(tar.extractfile(about))["text"] == rows[key].text  # type: ignore[arg-type]
                seen.add(key)
    assert len(seen) == len(planted)


def test_the_trainer_can_read_the_corpus_and_shares_no_speaker(planted_corpus: Made) -> None:
    project, planted = planted_corpus
    corpora = read_corpus(project.corpus / "tokens")
    assert sum(len(corpus) for corpus in corpora.values()) == sum(not why for why in project.fate().values())
    assert 20 * len(planted) > corpora[TRAIN].duration_s > corpora[HELD_OUT].duration_s > 0
    rows = {row.id: row for row in project.rows("split")}
    people = {split: {rows[name].speaker for name in corpus.ids} for split, corpus in corpora.items()}
    assert people[TRAIN] and people[HELD_OUT] and not people[TRAIN] & people[HELD_OUT]
    number = corpora[TRAIN].ids.index(sorted(corpora[TRAIN].ids)[0])
    assert len(corpora[TRAIN].speech_of(number)) == pytest.approx(
        25 * rows[corpora[TRAIN].ids[number]].duration_s, abs=2
    )


def test_speakers_are_hashes(planted_corpus: Made) -> None:
    project, _ = planted_corpus
    for row in project.rows("filter"):
        assert re.fullmatch(r"[0-9a-f]{12}", row.speaker)
    assert len({row.speaker for row in project.rows("fetch")}) == 4
    tokens = b"".join(path.read_bytes() for path in (project.corpus / "tokens").rglob("*.jsonl"))
    assert b"anna" not in tokens and b"carl" not in tokens


def test_the_card_tells_hours_and_has_clips_to_listen_to(planted_corpus: Made) -> None:
    project, _ = planted_corpus
    card = json.loads((project.corpus / "card" / "card.json").read_bytes())
    page = (project.corpus / "card" / "index.html").read_text(encoding="utf-8")
    assert card["speakers"][TRAIN] + card["speakers"][HELD_OUT] == 4
    assert card["hours"][TRAIN] + card["hours"][HELD_OUT] == pytest.approx(card["hours"]["kept"])
    assert card["licences"] == {"own": pytest.approx(card["hours"]["kept"])}
    clips = re.findall(r'src="(clips/[0-9a-f]+\.flac)"', page)
    assert len(clips) == len(set(clips)) == 20
    assert all(decode_flac(project.corpus / "card" / clip)[1] == 22_050 for clip in clips)
    assert "http" not in page.replace("http-equiv", "")  # it loads nothing


def test_what_recordings_say_of_themselves_is_escaped(planted_corpus: Made) -> None:
    project, _ = planted_corpus
    figures = json.loads((project.corpus / "card" / "card.json").read_bytes())
    clips = [{**figures.pop("clips")[0], "text": '<script>alert("hei")</script>', "first": "a & b"}]
    page = card_html(figures, clips)
    assert "<script" not in page and "&lt;script&gt;" in page and "a &amp; b" in page


def test_a_killed_reading_goes_on_and_reads_the_same(planted_corpus: Made, tmp_path: Path) -> None:
    project, _ = planted_corpus
    target, notes = tmp_path / "own-00000.jsonl", tmp_path / "own-00000.notes"
    command = [
        sys.executable, "-P", str(PROJECT / "scripts" / "transcribe_clips.py"),
        "--config", "build/plan/config.json", "--log", str(tmp_path / "log"), "--target", str(target),
        "--manifest", str(project.corpus / "speakers" / "own-00000.jsonl"),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=project.root)
    while not notes.is_file() or notes.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = notes.read_bytes()
    assert not target.exists()
    subprocess.run(command, cwd=project.root, check=True)
    assert notes.read_bytes().startswith(before[: before.rfind(b"\n")])  # what was read was not read again
    for path in (target, target.with_suffix(".json")):
        assert path.read_bytes() == (project.corpus / "transcribe" / path.name).read_bytes()


def test_a_killed_tokenising_goes_on_and_makes_the_same(planted_corpus: Made, tmp_path: Path) -> None:
    made, _ = planted_corpus
    root = shutil.copytree(made.root, tmp_path / "project", ignore=shutil.ignore_patterns("recordings", ".snakemake"))
    corpus = root / "build" / "corpus"
    target, notes = corpus / "tokenise" / "own-00000.json", corpus / "tokenise" / "own-00000.journal"

    def made_files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in [target, *(corpus / "tokens").rglob("own-00000*")]}

    wanted = made_files()
    whole = len(Journal(notes))
    target.unlink()
    notes.unlink()
    command = [
        sys.executable, "-P", str(PROJECT / "scripts" / "tokenise_clips.py"),
        "--config", "build/plan/config.json", "--log", str(tmp_path / "log"), "--shard", "own-00000",
        "--splits", str(corpus / "split" / "all.jsonl"), "--target", str(target),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=root)
    while not notes.is_file() or notes.read_bytes().count(b"\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = notes.read_bytes()
    assert not target.exists() and 3 <= before.count(b"\n") < whole
    subprocess.run(command, cwd=root, check=True)
    assert notes.read_bytes().startswith(before[: before.rfind(b"\n") + 1]), "what was tokenised was not done again"
    assert len(Journal(notes)) == notes.read_bytes().count(b"\n") == whole
    assert made_files() == wanted


def test_a_made_corpus_is_not_made_again_and_a_limit_listens_to_nothing_again(planted_corpus: Made) -> None:
    project, _ = planted_corpus
    assert "Nothing to be done" in project.make()
    source = {"name": "own", "kind": "folder", "path": "recordings", "licence": "own", "shards": 2}
    project.configure([source], held_out_share=0.2, limits={"max_text_cer": 0.14})
    planned = project.make("-n")
    assert "filter_clips" in planned and "transcribe_clips" not in planned
