"""The recogniser's network in numpy: features in, symbol probabilities out.

Axes: time (one output per three feature frames, 23.9 ms), channels, symbols (``text.SYMBOLS``). A strided convolution,
residual blocks ``h += relu(conv(h))`` with dilations, a linear layer and a softmax. Batch normalisation is folded into
the weights on export, so this is all there is. Each clip goes through alone: its result never depends on other
clips, not even in the last bit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.errors import JudgeError
from replikk.files import sha256_file
from replikk.judges.mini.features import HOP_SAMPLES, SAMPLE_RATE_HZ

STRIDE = 3
FRAME_S = STRIDE * HOP_SAMPLES / SAMPLE_RATE_HZ  # 23.9 ms
WEIGHTS = Path(__file__).with_name("weights") / "mini.safetensors"


@dataclass(frozen=True)
class Convolution:
    """A convolution as a matrix: [kernel * inputs, outputs]."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    kernel: int
    dilation: int
    stride: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """[time, inputs] -> [ceil(time / stride), outputs], padded with zeros."""
        frames, channels = inputs.shape
        reach = self.dilation * (self.kernel // 2)
        padded = np.zeros((frames + 2 * reach, channels), np.float32)
        padded[reach : reach + frames] = inputs
        count = -(-frames // self.stride)
        columns = np.empty((count, self.kernel * channels), np.float32)
        for tap in range(self.kernel):
            start = tap * self.dilation
            stop = start + (count - 1) * self.stride + 1
            columns[:, tap * channels : (tap + 1) * channels] = padded[start : stop : self.stride]
        result = columns @ self.weight
        result += self.bias
        return result


@dataclass(frozen=True)
class Network:
    first: Convolution
    blocks: tuple[Convolution, ...]
    last: Convolution
    sha256: str

    def log_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """[frames, bins] -> natural logarithms [time, symbols]."""
        hidden = self.first(features)
        np.maximum(hidden, 0, out=hidden)
        for block in self.blocks:
            change = block(hidden)
            np.maximum(change, 0, out=change)
            hidden += change
        scores = self.last(hidden)
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return scores


_REMEDY = "get it back from the project (git checkout), or train it again: snakemake judge"


def _description(path: Path) -> dict[str, Any]:
    """The JSON beside the weights. Raises JudgeError naming the file."""
    description = path.with_suffix(".json")
    try:
        facts = json.loads(description.read_text(encoding="utf-8"))
        if not isinstance(facts["sha256"], str) or not isinstance(facts["architecture"]["dilations"], list):
            raise ValueError("it does not describe the weights")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JudgeError(f"{description}: the judge's description cannot be read ({error}); {_REMEDY}") from error
    return dict(facts)


def trained_sha256(path: Path = WEIGHTS) -> str:
    """SHA-256 (hex) that the weights must have. Raises JudgeError."""
    return str(_description(path)["sha256"])


@cache
def load_network(path: Path = WEIGHTS) -> Network:
    """Read and check the weights. Raises JudgeError naming the file when they are missing or not what was trained."""
    facts = _description(path)
    try:
        found = sha256_file(path)
    except OSError as error:
        raise JudgeError(f"{path}: the judge's weights cannot be read ({error.strerror}); {_REMEDY}") from error
    if found != facts["sha256"]:
        raise JudgeError(
            f"{path}: sha256 is {found[:12]}…, but {facts['sha256'][:12]}… was trained: the file is damaged or was "
            f"replaced; {_REMEDY}"
        )
    from safetensors.numpy import load_file

    tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}
    shape = facts["architecture"]

    def convolution(name: str, dilation: int = 1, stride: int = 1) -> Convolution:
        weight = tensors[f"{name}.weight"]  # [kernel, inputs, outputs]
        kernel, inputs, outputs = weight.shape
        return Convolution(weight.reshape(kernel * inputs, outputs), tensors[f"{name}.bias"], kernel, dilation, stride)

    return Network(
        convolution("first", stride=STRIDE),
        tuple(convolution(f"blocks.{number}", dilation) for number, dilation in enumerate(shape["dilations"])),
        convolution("last"),
        found,
    )
