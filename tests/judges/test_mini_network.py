"""The shipped weights and the network in numpy."""

import json
import shutil

import numpy as np
import pytest

from replikk.errors import JudgeError
from replikk.files import sha256_file
from replikk.judges.mini.description import WEIGHTS, trained_sha256
from replikk.judges.mini.features import MEL_BINS
from replikk.judges.mini.network import STRIDE, load_network
from replikk.judges.mini.text import SYMBOLS


@pytest.fixture
def copy(tmp_path):
    for path in (WEIGHTS, WEIGHTS.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return tmp_path / WEIGHTS.name


def test_the_shipped_weights_are_small_and_what_was_trained():
    assert WEIGHTS.stat().st_size <= 4_000_000
    assert sha256_file(WEIGHTS) == trained_sha256()


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 301])
def test_probabilities_for_every_third_frame(frames):
    scores = load_network().log_probabilities(np.random.default_rng(1).random((frames, MEL_BINS), np.float32))
    assert scores.shape == (-(-frames // STRIDE), len(SYMBOLS))
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5)


def test_a_changed_byte_is_noticed(copy):
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(bytes(data))
    with pytest.raises(JudgeError, match=r"mini\.safetensors: sha256 is .* trained"):
        load_network(copy)


def test_missing_weights_are_named(copy):
    copy.unlink()
    with pytest.raises(JudgeError, match=r"mini\.safetensors: .* cannot be read"):
        load_network(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sha256": 5, "architecture": {}}'])
def test_a_spoiled_description_is_named(copy, content):
    copy.with_suffix(".json").write_text(content)
    with pytest.raises(JudgeError, match=r"mini\.json: .* cannot be read"):
        load_network(copy)


def test_numpy_computes_what_torch_trained(tmp_path):
    torch = pytest.importorskip("torch")
    from replikk.judges.mini.train import Recogniser, export
    from replikk.judges.mini.training import TrainingSettings

    settings = TrainingSettings(channels=7, kernel=3, dilations=(1, 2))  # odd sizes show a transposed axis
    torch.manual_seed(3)
    model = Recogniser(settings)
    for _ in range(3):  # running means and variances that are not the initial ones
        model(torch.randn(4, MEL_BINS, 50), torch.ones(4, 1, 17))
    model.eval()
    export(model, settings, tmp_path / "mini.safetensors", {})
    features = np.random.default_rng(2).random((100, MEL_BINS), np.float32)
    with torch.no_grad():
        wanted = model(torch.from_numpy(features.T[None].copy()), torch.ones(1, 1, 34)).log_softmax(1)[0].T
    found = load_network(tmp_path / "mini.safetensors").log_probabilities(features)
    np.testing.assert_allclose(found, wanted, atol=0.01)  # fp16 weights
    assert json.loads((tmp_path / "mini.json").read_text())["training"]["channels"] == 7
