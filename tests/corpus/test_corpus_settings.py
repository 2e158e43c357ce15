"""What can be wrong before any job is started, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from corpus_project import EMBEDDED, PROJECT, CorpusProject

from replikk.corpus.embedded_source import list_sentences
from replikk.corpus.opening import open_corpus
from replikk.corpus.settings import Source, read_corpus_settings
from replikk.errors import ReplikkError

GOOD = {"name": "speech", "kind": "embedded"}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "corpus.sources: names no recordings"),
        ({"sources": [GOOD], "transcribre": "x"}, "did you mean 'transcriber'?"),
        ({"sources": [GOOD], "separator": "spleeter"}, "write none or embedded or demucs"),
        ({"sources": [GOOD, GOOD]}, "'speech' is there already"),
        ({"sources": [{**GOOD, "licence": "free for all"}]}, "is no known name of a licence"),
        ({"sources": [{"name": "own", "kind": "folder", "path": ".",}]}, "licence: is missing"),
        ({"sources": [{"name": "own", "kind": "folder", "licence": "own"}]}, "path: is missing"),
        ({"sources": [{"name": "own", "path": "nowhere", "licence": "own"}]}, "there is no folder 'nowhere'"),
        ({"sources": [{**GOOD, "name": "My Speech"}]}, "write a short name of small letters"),
        ({"sources": [{**GOOD, "shards": 0}]}, "write a whole number from 1 to 512"),
        ({"sources": [{**GOOD, "kind": "nst", "revision": "main"}]}, "write the 40 digits of a commit"),
        ({"sources": [GOOD], "limits": {"min_snr_db": "high"}}, "limits.min_snr_db: is 'high'"),
        ({"sources": [GOOD], "limits": {"min_duration_s": 9, "max_duration_s": 3}}, "nothing would be kept"),
        ({"sources": [GOOD], "held_out_share": 0.9}, "write a number from 0 to 0.5"),
    ],
)  # fmt: skip
def test_mistakes_name_the_setting_and_what_to_write(section: dict, message: str) -> None:
    with pytest.raises(ReplikkError) as raised:
        read_corpus_settings(section)
    assert message in str(raised.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ReplikkError) as raised:
        read_corpus_settings({"sources": [], "locale": "sv", "limits": {"max_mos": 1}})
    assert len(str(raised.value).splitlines()) == 3


def test_missing_models_are_told_before_any_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReplikkError) as raised:
        open_corpus({"corpus": {"sources": [GOOD], "separator": "demucs", "speaker_check": "pyannote"}})
    message = str(raised.value)
    for missing in ("demucs.yaml", "pyannote.yaml", "nb-whisper-large", "nb-wav2vec2-1b-bokmaal", "CosyVoice3"):
        assert missing in message
    assert not (tmp_path / "build").exists()


def test_a_licence_that_forbids_commercial_use_is_refused_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {"base": "build/small_model", "base_licence": "own", "adapter": "none"}
    content = {"models": models, "corpus": {"sources": [{**GOOD, "licence": "CC-BY-NC-4.0"}], **EMBEDDED}}
    with pytest.raises(ReplikkError, match="forbids commercial use"):
        open_corpus(content)
    assert open_corpus({**content, "commercial": False}).shards


def test_an_empty_folder_stops_at_once_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    project = CorpusProject(tmp_path, [{"name": "own", "kind": "folder", "path": "empty", "licence": "own"}])
    done = project.run()
    assert done.returncode != 0
    assert "empty: has no recordings; put WAV, FLAC, Ogg or MP3 files there" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_embedded_choices_need_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    models = {"base": "build/small_model", "base_licence": "own", "adapter": "none"}
    target = open_corpus({"models": models, "corpus": {"sources": [{**GOOD, "shards": 2}], **EMBEDDED}})
    assert target.shards == ("speech-00000", "speech-00001") and target.small_model


def test_the_mini_settings_need_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load((PROJECT / "config" / "mini.yaml").read_text(encoding="utf-8"))
    target = open_corpus(content)
    assert target.small_model and len(target.shards) == 2


def test_the_embedded_source_says_nothing_twice() -> None:
    rows = list_sentences(Source("speech", "embedded", "own", clips=280))
    assert len({row["text"] for row in rows}) == 280 and len({row["speaker"] for row in rows}) == 3
    with pytest.raises(ReplikkError, match="280 clips at most"):
        list_sentences(Source("speech", "embedded", "own", clips=281))
