"""Which models a build wants (config.yaml: models_dir, models), under which terms, and whether they are here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from replikk.dialogue.licences import licence_problem
from replikk.errors import ReplikkError
from replikk.models.catalogue import ADAPTERS, BASE, BASES, CARD, NORWEGIAN_LORA, spell_bytes
from replikk.models.licences import card_licence, model_licence_problems, model_licences
from replikk.models.lock import LockedFile, LockedModel, locked, pinned, read_lock, write_lock
from replikk.models.present import FETCH_COMMAND, missing_models, model_paths, require_models
from replikk.models.settings import DEFAULTS, ModelSettings, OwnModel, read_model_settings

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(section: dict | None = None, models_dir: object = "models") -> ModelSettings:
    settings, problems = read_model_settings(models_dir, section or {})
    assert problems == []
    return settings


def put_models(folder: Path, *, adapter: bool = True) -> None:
    """Files of the right names and sizes: sparse, they take no room."""
    for file in BASE.files:
        path = folder / BASE.folders[0] / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as opened:
            opened.truncate(file.bytes or 1)
    if adapter:
        path = folder / NORWEGIAN_LORA.folders[0] / NORWEGIAN_LORA.main_file
        path.parent.mkdir(parents=True)
        path.write_bytes(b"weights")


# The catalogue


@pytest.mark.parametrize("model", [*BASES.values(), *ADAPTERS.values()], ids=lambda model: model.name)
def test_the_catalogue_is_sound(model) -> None:
    assert licence_problem(model.licence) is None
    assert len(model.revision) in (0, 40) and set(model.revision) <= set("0123456789abcdef")
    names = [file.path for file in model.files]
    assert len(set(names)) == len(names) and CARD in names
    assert model.main_file == "" or model.main_file in names
    for file in model.files:
        assert not Path(file.path).is_absolute() and ".." not in Path(file.path).parts
        assert len(file.sha256) in (0, 64) and set(file.sha256) <= set("0123456789abcdef")
        assert (file.bytes is None) == (file.sha256 == "")


def test_the_base_model_is_pinned_in_full() -> None:
    assert BASE.revision and all(file.sha256 for file in BASE.files)


@pytest.mark.parametrize(
    ("count", "spelt"), [(0, "0 bytes"), (999, "999 bytes"), (6_934, "6.93 kB"), (83_202_622, "83 MB"),
                         (2_024_669_519, "2.02 GB"), (12_000_000_000, "12 GB")],
)  # fmt: skip
def test_sizes_are_spelt_as_disks_count_them(count: int, spelt: str) -> None:
    assert spell_bytes(count) == spelt


# Settings


def test_without_settings_it_is_the_base_model_with_the_norwegian_adapter() -> None:
    assert read() == DEFAULTS
    assert not DEFAULTS.is_local_copy


def test_a_folder_of_ones_own_is_a_local_copy() -> None:
    assert read(models_dir="/data/models").is_local_copy
    assert not read(models_dir="models/").is_local_copy


def test_an_own_adapter_says_its_licence_and_strength() -> None:
    settings = read({"adapter": "loras/kari.safetensors", "adapter_licence": "own", "adapter_strength": 0.5})
    assert settings.adapter == OwnModel(Path("loras/kari.safetensors"), "own")
    assert settings.adapter_strength == 0.5
    assert settings.published == (BASE,)


def test_no_adapter_at_all() -> None:
    assert read({"adapter": "none"}).adapter is None
    assert read({"adapter": "NONE"}).published == (BASE,)


def test_names_are_compared_without_regard_to_case() -> None:
    assert read({"base": "fun-cosyvoice3-0.5b-2512"}).base is BASE


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"adaptor": "none"}, "models.adaptor: is not a setting; did you mean 'adapter'?"),
        ({"adapter": "cosyvoice3-norwegan-lora"}, "models.adapter: there is no model 'cosyvoice3-norwegan-lora'; did"),
        ({"adapter": "x"}, "write cosyvoice3-norwegian-lora or none, or the path of your own"),
        ({"base": "none"}, "models.base: there is no model 'none'"),
        ({"adapter": None}, "models.adapter: is None; write a name"),
        ({"adapter": ""}, "models.adapter: is ''; write a name"),
        ({"adapter": ["a"]}, "models.adapter: is ['a']; write a name"),
        ({"adapter": "my/lora.pt"}, "models.adapter_licence: is missing, and 'my/lora.pt' is a model of your own"),
        ({"adapter": "lora.pt", "adapter_licence": "frei"}, "models.adapter_licence: 'frei' is no known name"),
        ({"adapter_licence": "own"}, "models.adapter_licence: is for a model of your own; leave it out"),
        ({"adapter": "none", "adapter_licence": "own"}, "models.adapter_licence: is for a model of your own"),
        ({"adapter_strength": 0}, "models.adapter_strength: is 0; write a number above 0 and up to 2"),
        ({"adapter_strength": -1}, "models.adapter_strength: is -1"),
        ({"adapter_strength": float("nan")}, "models.adapter_strength: is nan"),
        ({"adapter_strength": True}, "models.adapter_strength: is True"),
        ({"adapter_strength": "much"}, "models.adapter_strength: is 'much'"),
        ({"base": "../voice"}, "models.base_licence: is missing"),
    ],
)
def test_mistakes_name_the_setting_and_the_remedy(section: dict, expected: str) -> None:
    _, problems = read_model_settings("models", section)
    assert len(problems) == 1
    assert expected in problems[0]


def test_all_mistakes_are_said_at_once() -> None:
    _, problems = read_model_settings(7, {"adapter": 1, "adapter_strength": 9, "strength": 1})
    assert len(problems) == 4
    assert "models_dir: is 7; write the path of a folder" in problems[0]


# Licences


def test_a_non_commercial_adapter_stops_a_commercial_build() -> None:
    (problem,) = model_licence_problems(DEFAULTS, commercial=True)
    assert problem.startswith("config.yaml: models.adapter: 'cosyvoice3-norwegian-lora' is under CC-BY-NC-4.0")
    assert "commercial: false" in problem
    assert model_licence_problems(DEFAULTS, commercial=False) == []
    assert model_licence_problems(read({"adapter": "none"}), commercial=True) == []


@pytest.mark.parametrize(("licence", "stops"), [("own", False), ("CC-BY-NC-SA-4.0", True), ("Apache-2.0", False)])
def test_own_models_have_the_licence_that_their_owner_states(licence: str, stops: bool) -> None:
    settings = read({"base": "my/base", "base_licence": licence, "adapter": "none"})
    assert bool(model_licence_problems(settings, commercial=True)) == stops
    (terms,) = model_licences(settings)
    assert (terms.part, terms.name, terms.licence) == ("base", "base", licence)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("---\r\nlanguage: nb\r\nlicense: 'cc-by-nc-4.0'\r\n---\r\n# Title", "cc-by-nc-4.0"),
        ("---\nlicense: other\nlicense_name: my-terms\n---\n", "my-terms"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense:\n- mit\n---\n", ""),
        ("# Title\nlicense: mit\n", ""),
        ("---\nlicense: mit\n", ""),
        ("", ""),
    ],
)
def test_the_licence_that_a_card_names_in_its_head(card: str, licence: str) -> None:
    Path("README.md").write_bytes(card.encode())
    assert card_licence(Path("README.md")) == licence


# Whether they are here


def test_without_the_models_the_build_says_the_command_that_fetches_them() -> None:
    message = missing_models(DEFAULTS)
    assert message is not None and "\n" not in message
    assert message.startswith("models/Fun-CosyVoice3-0.5B-2512/cosyvoice3.yaml: is not there")
    assert "(6.46 GB)" in message
    assert message.endswith(f"with: {FETCH_COMMAND}")
    with pytest.raises(ReplikkError, match="snakemake --cores 1 models"):
        require_models(DEFAULTS, commercial=False)
    with pytest.raises(ReplikkError, match=r"models\.adapter: .* forbids commercial use"):
        require_models(DEFAULTS, commercial=True)


def test_with_the_models_the_build_starts() -> None:
    put_models(Path("models"))
    assert missing_models(DEFAULTS) is None
    require_models(DEFAULTS, commercial=False)
    paths = model_paths(DEFAULTS)
    assert paths.base == Path("models/Fun-CosyVoice3-0.5B-2512")
    assert paths.adapter == Path("models/cosyvoice3-norwegian-lora/model_20880_ema.pt")
    assert paths.adapter_strength == 1.0


def test_a_model_card_is_not_needed() -> None:
    put_models(Path("models"))
    (Path("models") / BASE.folders[0] / CARD).unlink()
    assert missing_models(DEFAULTS) is None


def test_a_truncated_file_is_named_with_its_sizes() -> None:
    put_models(Path("models"))
    (Path("models") / BASE.folders[0] / "flow.pt").write_bytes(b"half")
    message = missing_models(DEFAULTS) or ""
    assert message.startswith("models/Fun-CosyVoice3-0.5B-2512/flow.pt: has 4 of 1329116148 bytes; fetch")


def test_the_lock_knows_the_size_of_what_the_catalogue_does_not() -> None:
    put_models(Path("models"))
    files = {NORWEGIAN_LORA.main_file: LockedFile(8, "0" * 64)}
    write_lock(
        Path("models"),
        {NORWEGIAN_LORA.name: LockedModel(NORWEGIAN_LORA.repository, "a" * 40, "CC-BY-NC-4.0", "", files)},
    )
    assert "model_20880_ema.pt: has 7 of 8 bytes" in (missing_models(DEFAULTS) or "")


@pytest.mark.parametrize("folder", BASE.folders)
def test_an_own_copy_may_have_the_names_that_people_use(folder: str) -> None:
    put_models(Path("models"))
    target = Path("copy") / folder
    target.parent.mkdir(parents=True, exist_ok=True)
    (Path("models") / BASE.folders[0]).rename(target)
    (Path("models") / NORWEGIAN_LORA.folders[0]).rename(Path("copy/cosyvoice3-norwegian-lora"))
    settings = read(models_dir="copy")
    assert missing_models(settings) is None
    assert model_paths(settings).base == target


def test_an_own_copy_is_never_fetched_into() -> None:
    message = missing_models(read(models_dir="/nowhere/models")) or ""
    assert "which is never fetched into" in message and "leave models_dir out" in message


def test_an_own_model_that_is_not_there() -> None:
    settings = read({"adapter": "loras/kari.pt", "adapter_licence": "own"})
    assert missing_models(settings) == (
        "loras/kari.pt: is not there; put the model there, or mend models.adapter in config.yaml"
    )


# The lock


def test_a_lock_of_another_revision_says_nothing_about_this_one() -> None:
    entry = LockedModel(BASE.repository, "b" * 40, "Apache-2.0", "", {"llm.pt": LockedFile(1, "0" * 64)})
    assert locked(BASE, {BASE.name: entry}) is None
    assert pinned(BASE, {BASE.name: entry}) == BASE.files


def test_a_lock_comes_back_as_it_was_written() -> None:
    entry = LockedModel("a/b", "b" * 40, "MIT", "mit", {"x/y.pt": LockedFile(1, "0" * 64)})
    write_lock(Path("models"), {"b": entry})
    assert read_lock(Path("models")) == {"b": entry}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'{"format": 1}', b'{"format": 2, "models": {}}', b'{"format": 1, "models": []}',
        b'{"format": 1, "models": {"a": {"repository": "a/a", "revision": "main", "licence": "", "card_licence": "",'
        b' "files": {}}}}',
        b'{"format": 1, "models": {"a": {"files": {"x": {"bytes": "many", "sha256": ""}}}}}',
    ],
)  # fmt: skip
def test_a_damaged_lock_is_named(content: bytes) -> None:
    Path("models").mkdir()
    Path("models/models.lock.json").write_bytes(content)
    with pytest.raises(ReplikkError, match=r"models/models\.lock\.json: is no lock file .* version control, or delete"):
        missing_models(DEFAULTS)


# What the project ships


def test_a_build_that_looks_for_its_models_loads_nothing_that_could_use_the_network() -> None:
    program = (
        "import sys; from replikk.models.settings import DEFAULTS; from replikk.models.present import missing_models;"
        "print(missing_models(DEFAULTS));"
        "sys.exit(any(name in sys.modules for name in ('huggingface_hub', 'ssl', 'http.client', 'torch', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ready_settings_turn_to_the_real_voice() -> None:
    ready = yaml.safe_load((PROJECT / "config" / "norsk.yaml").read_text(encoding="utf-8"))
    assert ready["engine"] == "cosyvoice3"
    assert ready["commercial"] is False
    assert read(ready["models"]) == DEFAULTS
    assert model_licence_problems(DEFAULTS, commercial=ready["commercial"]) == []
