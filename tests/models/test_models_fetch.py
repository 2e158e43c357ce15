"""Fetching models, against a real server on this machine that behaves as the Hugging Face hub does."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_hub import Repository, SmallHub, serve

from replikk.errors import ReplikkError
from replikk.models import fetch, hub
from replikk.models.catalogue import ModelFile, PublishedModel
from replikk.models.fetch import fetch_models
from replikk.models.licences import model_licence_problems, model_licences
from replikk.models.lock import read_lock
from replikk.models.present import missing_models, model_paths
from replikk.models.settings import ModelSettings

COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40
MEGABYTE = 1_000_000
VOICE = random.Random(3).randbytes(2 * MEGABYTE)
CONFIG = b'{"hidden_size": 64}\n'
BASE_CARD = b"---\nlicense: apache-2.0\nlanguage: [nb]\n---\n# A voice\n"
ADAPTER_CARD = b"---\ntags:\n- tts\nlicense: cc-by-nc-4.0\n---\n# An accent\n"
ADAPTER = random.Random(4).randbytes(MEGABYTE)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


BASE = PublishedModel(
    name="voice-0.5b",
    what="a voice",
    repository="maker/voice-0.5b",
    revision=COMMIT,
    licence="Apache-2.0",
    files=(
        ModelFile("voice.pt", len(VOICE), sha256(VOICE)),
        ModelFile("text/config.json", len(CONFIG), sha256(CONFIG)),
        ModelFile("README.md", len(BASE_CARD), sha256(BASE_CARD)),
    ),
    folders=("voice-0.5b", "my-voice", "."),
)
LORA = PublishedModel(
    name="accent",
    what="an accent of which neither revision nor hashes are known beforehand",
    repository="maker/accent",
    revision="",
    licence="CC-BY-NC-4.0",
    files=(ModelFile("accent.pt"), ModelFile("README.md")),
    folders=("accent", "."),
    main_file="accent.pt",
)


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, where models/ does not exist yet; interruptions are not waited for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100_000)


@pytest.fixture
def small_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    repositories = {
        BASE.repository: Repository(
            COMMIT, {"voice.pt": VOICE, "text/config.json": CONFIG, "README.md": BASE_CARD, "unused.pt": VOICE}
        ),
        LORA.repository: Repository(OTHER_COMMIT, {"accent.pt": ADAPTER, "README.md": ADAPTER_CARD}),
    }
    with serve(SmallHub(repositories)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def settings(models_dir: str = "models", adapter: PublishedModel | None = LORA) -> ModelSettings:
    return ModelSettings(Path(models_dir), BASE, adapter, 1.0)


def parts() -> list[Path]:
    return list(Path("models").rglob("*.part"))


def largest_part_bytes() -> int:
    """Of a fetch that goes on meanwhile: small files are whole, and renamed, while one looks."""
    try:
        return max((part.stat().st_size for part in parts()), default=0)
    except FileNotFoundError:
        return 0


def test_everything_that_is_used_is_fetched_and_nothing_else(small_hub: SmallHub) -> None:
    assert missing_models(settings())
    fetch_models(settings())
    assert missing_models(settings()) is None
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    assert Path("models/voice-0.5b/text/config.json").read_bytes() == CONFIG
    assert not Path("models/voice-0.5b/unused.pt").exists()
    paths = model_paths(settings())
    assert paths.base == Path("models/voice-0.5b")
    assert paths.adapter is not None and paths.adapter.read_bytes() == ADAPTER
    assert parts() == []


def test_the_lock_pins_revision_size_and_hash_of_every_file(small_hub: SmallHub) -> None:
    fetch_models(settings())
    lock = json.loads(Path("models/models.lock.json").read_text())["models"]
    assert lock["accent"]["revision"] == OTHER_COMMIT
    assert lock["accent"]["files"]["accent.pt"] == {"bytes": len(ADAPTER), "sha256": sha256(ADAPTER)}
    assert lock["accent"]["files"]["README.md"]["sha256"] == sha256(ADAPTER_CARD)  # the hub does not state this one
    assert set(lock["voice-0.5b"]["files"]) == {"voice.pt", "text/config.json", "README.md"}
    first = Path("models/models.lock.json").read_bytes()
    fetch_models(settings())
    assert Path("models/models.lock.json").read_bytes() == first


def test_what_is_here_and_right_asks_the_hub_for_nothing(small_hub: SmallHub) -> None:
    fetch_models(settings())
    small_hub.requests.clear()
    fetch_models(settings())
    assert small_hub.requests == []


def test_the_hub_is_asked_for_the_files_and_for_nothing_else(small_hub: SmallHub) -> None:
    fetch_models(settings())
    wanted = {*(file.path for file in BASE.files), *(file.path for file in LORA.files)}
    for _, path, _ in small_hub.requests:
        assert path.partition("/resolve/")[2].partition("/")[2] in wanted or path.partition("/content/")[2] in wanted


def test_licences_are_recorded(small_hub: SmallHub) -> None:
    fetch_models(settings())
    record = Path("models/LICENCES.md").read_text()
    assert f"https://huggingface.co/maker/voice-0.5b/tree/{COMMIT}" in record
    assert "Apache-2.0, which allows commercial use" in record
    assert "CC-BY-NC-4.0, which forbids commercial use" in record
    assert [(terms.part, terms.licence) for terms in model_licences(settings())] == [
        ("base", "Apache-2.0"),
        ("adapter", "CC-BY-NC-4.0"),
    ]


def test_a_card_that_forbids_commercial_use_wins_over_the_catalogue(small_hub: SmallHub) -> None:
    files = small_hub.repositories[LORA.repository].files
    files["README.md"] = b"---\nlicense: other\nlicense_name: studio-non-commercial\n---\n"
    open_lora = PublishedModel(**{**LORA.__dict__, "licence": "Apache-2.0"})
    assert model_licence_problems(settings(adapter=open_lora), commercial=True) == []
    fetch_models(settings(adapter=open_lora))
    (problem,) = model_licence_problems(settings(adapter=open_lora), commercial=True)
    assert "studio-non-commercial" in problem and "commercial: false" in problem


def test_a_model_without_a_card_is_fetched_with_a_warning(
    small_hub: SmallHub, caplog: pytest.LogCaptureFixture
) -> None:
    del small_hub.repositories[LORA.repository].files["README.md"]
    fetch_models(settings())
    assert "accent: has no model card" in caplog.text
    assert missing_models(settings()) is None


def test_a_cut_connection_is_continued_at_once(small_hub: SmallHub) -> None:
    small_hub.faults.cut_after["voice.pt"] = MEGABYTE
    fetch_models(settings())
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    first, second = small_hub.ranges("voice.pt")
    assert (first, second) == ("", "bytes=1000000-")


def test_the_run_after_one_that_failed_continues_the_file(small_hub: SmallHub) -> None:
    small_hub.faults.cut_after["voice.pt"] = MEGABYTE
    small_hub.faults.then_status = 503
    with pytest.raises(ReplikkError, match=r"voice\.pt: the hub answered with 503; .*what has arrived is kept"):
        fetch_models(settings())
    (part,) = parts()
    assert 0 < part.stat().st_size <= MEGABYTE
    assert "voice.pt" in (missing_models(settings()) or "")
    here = part.stat().st_size
    small_hub.faults.then_status = 0
    small_hub.requests.clear()
    fetch_models(settings())
    assert small_hub.ranges("voice.pt") == [f"bytes={here}-"]
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    assert parts() == []


def test_a_killed_run_is_continued(small_hub: SmallHub) -> None:
    """SIGKILL in the middle of a file: a real process, and nothing of ours runs any more."""
    small_hub.faults.stall_after["voice.pt"] = 1_500_000
    program = (
        "import huggingface_hub.constants as constants; constants.DOWNLOAD_CHUNK_SIZE = 100_000;"
        "from test_models_fetch import fetch_models, settings; fetch_models(settings())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, start_new_session=True)
    deadline_s = time.monotonic() + 60
    while largest_part_bytes() < 1_400_000:
        assert process.poll() is None and time.monotonic() < deadline_s
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    here = parts()[0].stat().st_size
    revision = read_lock(Path("models"))["accent"].revision
    fetch_models(settings())
    assert small_hub.ranges("voice.pt") == ["", f"bytes={here}-"]
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    assert revision == OTHER_COMMIT  # pinned before the download, so that a newer commit could not mix with this one


def test_a_server_without_ranges_sends_the_file_anew(small_hub: SmallHub) -> None:
    small_hub.faults.cut_after["voice.pt"] = MEGABYTE
    small_hub.faults.ignore_range = True
    fetch_models(settings())
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE


def test_other_bytes_than_promised_never_get_the_name(small_hub: SmallHub) -> None:
    small_hub.faults.other_content["voice.pt"] = VOICE[:-1] + b"x"
    with pytest.raises(ReplikkError, match=r"voice\.pt: what was fetched has the SHA-256 .*thrown away; run again"):
        fetch_models(settings())
    assert not Path("models/voice-0.5b/voice.pt").exists()
    assert parts() == []
    small_hub.faults.other_content.clear()
    fetch_models(settings())
    assert missing_models(settings()) is None


def test_an_offer_that_differs_from_the_pin_is_refused_before_a_byte_comes(small_hub: SmallHub) -> None:
    small_hub.repositories[BASE.repository].files["voice.pt"] = VOICE[:-1] + b"x"
    with pytest.raises(ReplikkError, match=r"voice\.pt: the hub offers another file .*SHA-256"):
        fetch_models(settings())
    assert small_hub.ranges("voice.pt") == []


def test_small_files_are_checked_although_the_hub_states_no_sha256_of_them(small_hub: SmallHub) -> None:
    small_hub.repositories[BASE.repository].files["text/config.json"] = CONFIG.replace(b"64", b"65")
    with pytest.raises(ReplikkError, match=r"config\.json: what was fetched has the SHA-256"):
        fetch_models(settings())


def test_the_lock_holds_against_a_repository_that_changed(small_hub: SmallHub) -> None:
    fetch_models(settings())
    shutil.rmtree("models/accent")
    small_hub.repositories[LORA.repository] = Repository("c" * 40, {"accent.pt": ADAPTER[::-1]})
    with pytest.raises(ReplikkError, match=f"no revision {OTHER_COMMIT}"):
        fetch_models(settings())
    # The same commit with other bytes: a mirror that lies.
    small_hub.repositories[LORA.repository] = Repository(OTHER_COMMIT, {"accent.pt": ADAPTER[::-1]})
    with pytest.raises(ReplikkError, match=r"accent\.pt: the hub offers another file"):
        fetch_models(settings())


@pytest.mark.parametrize(
    "content", [VOICE[:1000], b"", VOICE[:-1] + b"x"], ids=["truncated", "empty", "one byte wrong"]
)
def test_a_damaged_file_is_fetched_anew(small_hub: SmallHub, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    fetch_models(settings())
    Path("models/voice-0.5b/voice.pt").write_bytes(content)
    fetch_models(settings())
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    assert "voice.pt: is not the file that was published" in caplog.text


def test_a_file_put_here_by_hand_is_kept_when_it_is_what_the_hub_has(small_hub: SmallHub) -> None:
    Path("models/accent").mkdir(parents=True)
    Path("models/accent/accent.pt").write_bytes(ADAPTER)
    fetch_models(settings())
    assert small_hub.ranges("accent.pt") == []
    assert read_lock(Path("models"))["accent"].files["accent.pt"].sha256 == sha256(ADAPTER)


def test_parts_of_another_revision_are_not_continued(small_hub: SmallHub) -> None:
    Path("models/voice-0.5b").mkdir(parents=True)
    Path("models/voice-0.5b/voice.pt.0123456789ab.part").write_bytes(b"of another voice")
    fetch_models(settings())
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE
    assert parts() == []


def test_a_part_that_is_too_long_is_thrown_away(small_hub: SmallHub) -> None:
    Path("models/voice-0.5b").mkdir(parents=True)
    part = Path(f"models/voice-0.5b/voice.pt.{sha256(VOICE)[:12]}.part")
    part.write_bytes(VOICE + b"more")
    fetch_models(settings())
    assert Path("models/voice-0.5b/voice.pt").read_bytes() == VOICE


def test_a_full_disk_is_noticed_before_the_first_file(small_hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(".").free
    monkeypatch.setattr(fetch, "SPARE_BYTES", free)
    with pytest.raises(ReplikkError, match=r"models: 3\.00 MB must still come .* free, but only .*; make room"):
        fetch_models(settings())
    assert [request for request in small_hub.requests if request[0] == "GET"] == []


def test_room_is_counted_without_what_has_arrived(small_hub: SmallHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Path("models/voice-0.5b").mkdir(parents=True)
    Path(f"models/voice-0.5b/voice.pt.{sha256(VOICE)[:12]}.part").write_bytes(VOICE[:MEGABYTE])
    fetch_models(settings())
    assert "5 files to fetch, 2.00 MB;" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_disk_that_fills_up_on_the_way_is_one_sentence(small_hub: SmallHub) -> None:
    Path("models/voice-0.5b").mkdir(parents=True)
    Path(f"models/voice-0.5b/voice.pt.{sha256(VOICE)[:12]}.part").symlink_to("/dev/full")
    with pytest.raises(ReplikkError, match=r"voice\.pt: the disk is full; make room, then run again: what has arrived"):
        fetch_models(settings())


def test_progress_tells_file_whole_pace_and_time(
    small_hub: SmallHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(hub, "EVERY_S", 0.0)
    fetch_models(settings())
    line = next(record.message for record in caplog.records if record.message.startswith("voice.pt: 1.00 MB of 2.00"))
    assert " of 3.00 MB in all, " in line and " a second, about " in line


FAULTS = {
    "no repository": (lambda hub: hub.repositories.pop(BASE.repository), r"maker/voice-0\.5b: the hub has no such"),
    "gated": (lambda hub: hub.faults.gated.add(LORA.repository), r"maker/accent: its owner wants you to agree"),
    "revision gone": (
        lambda hub: setattr(hub.repositories[BASE.repository], "commit", OTHER_COMMIT),
        f"maker/voice-0\\.5b: the hub has no revision {COMMIT}",
    ),
    "file gone": (
        lambda hub: hub.repositories[BASE.repository].files.pop("voice.pt"),
        r"maker/voice-0\.5b: has no file voice\.pt at revision",
    ),
    "server error": (
        lambda hub: hub.faults.status.update({"accent.pt": 500}),
        r"maker/accent: accent\.pt: the hub answered with 500; wait a little",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_hub_refuses_is_one_sentence_with_a_remedy(small_hub: SmallHub, name: str) -> None:
    break_it, expected = FAULTS[name]
    break_it(small_hub)
    with pytest.raises(ReplikkError, match=expected) as caught:
        fetch_models(settings())
    assert "\n" not in str(caught.value)


def test_no_connection_is_one_sentence_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens on 'discard'
    with pytest.raises(ReplikkError, match=r"the connection to the hub failed .* --config models_dir="):
        fetch_models(settings())


def test_an_answer_that_is_no_hub_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login page of a hotel, a proxy, a plain file server."""
    with serve(SmallHub({BASE.repository: Repository(COMMIT, {"voice.pt": VOICE})})) as running:
        plain = f"{running.content_url}/{BASE.repository}/content/voice.pt"
        monkeypatch.setattr(hub, "_url", lambda *of: plain)
        with pytest.raises(ReplikkError, match="did not come from a Hugging Face hub; mend HF_ENDPOINT"):
            fetch_models(settings())


def test_two_fetches_at_once_are_refused(small_hub: SmallHub) -> None:
    Path("models").mkdir()
    with fetch._only_one(Path("models")), pytest.raises(ReplikkError, match="another run is fetching"):
        fetch_models(settings())


def test_an_own_copy_is_checked_without_network_and_left_alone(
    small_hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_models(settings())
    shutil.copytree("models", "copy")
    shutil.move("copy/voice-0.5b", "copy/my-voice")
    small_hub.requests.clear()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    before = {path: path.stat().st_mtime_ns for path in Path("copy").rglob("*")}
    fetch_models(settings("copy"))
    assert missing_models(settings("copy")) is None
    assert model_paths(settings("copy")).base == Path("copy/my-voice")
    assert {path: path.stat().st_mtime_ns for path in Path("copy").rglob("*")} == before
    assert small_hub.requests == []


def test_everything_wrong_with_an_own_copy_is_said_at_once(small_hub: SmallHub) -> None:
    fetch_models(settings())
    shutil.move("models", "copy")
    Path("copy/voice-0.5b/voice.pt").write_bytes(VOICE[:-1] + b"x")
    Path("copy/voice-0.5b/text/config.json").unlink()
    Path("copy/accent/accent.pt").write_bytes(ADAPTER[:100])
    with pytest.raises(ReplikkError) as caught:
        fetch_models(settings("copy"))
    hash_line, missing_line, short_line = str(caught.value).splitlines()
    assert "voice.pt: has the SHA-256" in hash_line
    assert "config.json: is not there" in missing_line
    assert f"accent.pt: has 100 of {len(ADAPTER)} bytes" in short_line


def test_an_own_copy_without_a_lock_says_what_nobody_could_check(
    small_hub: SmallHub, caplog: pytest.LogCaptureFixture
) -> None:
    fetch_models(settings())
    shutil.move("models", "copy")
    Path("copy/models.lock.json").unlink()
    fetch_models(settings("copy"))
    assert "accent.pt: is here, but nobody has pinned its SHA-256" in caplog.text


def test_an_empty_own_folder_is_one_line_per_model() -> None:
    Path("copy").mkdir()
    with pytest.raises(ReplikkError) as caught:
        fetch_models(settings("copy"))
    assert [line.split(";")[0] for line in str(caught.value).splitlines()] == [
        "copy: has no voice-0.5b",
        "copy: has no accent",
    ]
