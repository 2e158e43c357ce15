"""How good a take sounds to people who do not know the text: DNSMOS P.835, from the package ``speechmos``. Optional.

The package (MIT, by Microsoft) carries the weights. Only its file is used, not its code: that would load librosa,
pandas and a web client for what is one call of onnxruntime. Scores are mean opinions from 1 to 5 of people who heard
clips of noise suppressors, in English for the most part; they rank takes, and say little as absolute numbers.

    Reddy, Gopal, Cutler: DNSMOS P.835, ICASSP 2022.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # builds that judge from memory never load numpy
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000
_WINDOW_SAMPLES = 144_160
"""9.01 s, the network's fixed input; shorter clips are repeated, longer ones heard second by second."""
_MOST_WINDOWS = 12
# The published fit from the network's raw scores to people's: DNS-Challenge, "dnsmos_local.py", not personalised.
_OVERALL_FIT = (-0.06766283, 1.11546468, 0.04602535)
_BACKGROUND_FIT = (-0.13166888, 1.60915514, -0.39604546)


class Naturalness(NamedTuple):
    """Mean opinions, 1 to 5."""

    overall: float
    background: float
    """5: no noise at all."""


def weights_path() -> Path | None:
    """Where the network's weights are; None when ``speechmos`` or onnxruntime is not installed."""
    package = find_spec("speechmos")
    if package is None or not package.submodule_search_locations or find_spec("onnxruntime") is None:
        return None
    path = Path(next(iter(package.submodule_search_locations))) / "dnsmos_models" / "sig_bak_ovr.onnx"
    return path if path.is_file() else None


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Names the weights; empty when there are none."""
    path = weights_path()
    return "" if path is None else f"dnsmos 1 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


@lru_cache(maxsize=1)
def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # takes are many and short; the build shares out the cores
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def naturalness(wave: NDArray[np.float32]) -> Naturalness | None:
    """Of a clip at 16 kHz, [samples] from -1 to 1; None for an empty one, or without the weights."""
    import numpy as np

    path = weights_path()
    if path is None or not len(wave):
        return None
    if len(wave) < _WINDOW_SAMPLES:
        wave = np.tile(wave, -(-_WINDOW_SAMPLES // len(wave)))[:_WINDOW_SAMPLES]
    most = (len(wave) - _WINDOW_SAMPLES) // RATE_HZ + 1
    starts = np.linspace(0, most - 1, min(most, _MOST_WINDOWS)).round().astype(int) * RATE_HZ
    session = _session(path)
    name = session.get_inputs()[0].name
    raw = np.concatenate(
        [session.run(None, {name: wave[None, at : at + _WINDOW_SAMPLES].astype(np.float32)})[0] for at in starts]
    )  # [windows, 3]: speech, background, overall
    overall = float(np.polyval(_OVERALL_FIT, raw[:, 2]).mean())
    background = float(np.polyval(_BACKGROUND_FIT, raw[:, 1]).mean())
    return Naturalness(round(overall, 3), round(background, 3))
