"""The recogniser's network in numpy: features in, symbol probabilities out.

Axes: time (one output per three feature frames, 23.9 ms), channels, symbols (``text.SYMBOLS``). A strided convolution,
residual blocks ``h += relu(conv(h))`` with dilations, a linear layer and a softmax. Batch normalisation is folded into
the weights on export, so this is all there is. Each clip goes through alone: its result never depends on other
clips, not even in the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replikk.errors import JudgeError
from replikk.files import sha256_file
from replikk.judges.mini.description import REMEDY, WEIGHTS, read_description
from replikk.judges.mini.features import HOP_SAMPLES, SAMPLE_RATE_HZ

STRIDE = 3
FRAME_S = STRIDE * HOP_SAMPLES / SAMPLE_RATE_HZ  # 23.9 ms


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


@cache
def load_network(path: Path = WEIGHTS) -> Network:
    """Read and check the weights. Raises JudgeError naming the file when they are missing or not what was trained."""
    facts = read_description(path)
    try:
        found = sha256_file(path)
    except OSError as error:
        raise JudgeError(f"{path}: the judge's weights cannot be read ({error.strerror}); {REMEDY}") from error
    if found != facts["sha256"]:
        raise JudgeError(
            f"{path}: sha256 is {found[:12]}…, but {facts['sha256'][:12]}… was trained: the file is damaged or was "
            f"replaced; {REMEDY}"
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
