"""The GPU that is not there refuses what CUDA refuses; otherwise the tests that run on it would prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pretend_gpu import GPU, pretend_gpu  # noqa: E402


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    with pretend_gpu():
        yield


def on_gpu() -> torch.Tensor:
    return torch.arange(6.0, device="cuda").reshape(2, 3)


def on_cpu() -> torch.Tensor:
    return torch.arange(6.0).reshape(2, 3)


def test_tensors_lie_where_they_were_sent() -> None:
    assert on_gpu().device == GPU and on_cpu().to("cuda").device == GPU
    assert (on_gpu() * 2).device == GPU and torch.empty_like(on_gpu()).device == GPU
    assert on_gpu().cpu().device.type == "cpu" and torch.zeros(3).device.type == "cpu"
    assert torch.nn.Linear(2, 3).to("cuda").weight.device == GPU


@pytest.mark.parametrize(
    "mix",
    [
        lambda: on_gpu() + on_cpu(),
        lambda: on_gpu() @ on_cpu().T,
        lambda: torch.cat([on_gpu(), on_cpu()]),
        lambda: torch.nn.functional.embedding(torch.tensor([1]), on_gpu()),
        lambda: torch.where(on_cpu() > 2, on_gpu(), 0.0),
        lambda: on_gpu().masked_fill_(on_cpu() > 2, 0.0),
        lambda: on_gpu().gather(1, torch.zeros(2, 1, dtype=torch.int64)),
        lambda: torch.nn.Linear(3, 2)(on_gpu()),
    ],
    ids=["sum", "product", "cat", "embedding", "where", "masked_fill", "gather", "module"],
)
def test_two_devices_in_one_operation_are_refused(mix: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="two devices"):
        mix()


def test_what_pytorch_allows_between_devices_is_allowed() -> None:
    tensor = on_gpu()
    assert (tensor + torch.tensor(1.0)).device == GPU
    assert tensor[:, torch.tensor([0, 2])].device == GPU
    tensor[torch.tensor([0])] = 7.0
    tensor[1].copy_(torch.ones(3))
    assert tensor.cpu().tolist() == [[7.0, 7.0, 7.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("look", [lambda: on_gpu().numpy(), lambda: np.asarray(on_gpu())])
def test_numpy_sees_only_what_was_brought_back(look: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="to copy it first"):
        look()
    assert np.asarray(on_gpu().cpu()).sum() == 15


def test_gradients_flow_through_the_device() -> None:
    factor = torch.nn.Parameter(on_gpu())
    (factor.to("cpu") * on_cpu()).sum().backward()
    assert factor.grad is not None and factor.grad.device == GPU
    assert factor.grad.cpu().tolist() == on_cpu().tolist()


def captured(work: Callable[[], object]) -> torch.cuda.CUDAGraph:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph


def test_a_capture_leaves_no_trace_and_a_replay_does_the_work_again() -> None:
    total, step = torch.zeros(2, device="cuda"), torch.ones(2, device="cuda")
    graph = captured(lambda: total.add_(step * 2))
    assert total.tolist() == [0, 0]
    graph.replay()
    step.fill_(5.0)
    graph.replay()
    assert total.tolist() == [12, 12]


def test_a_graph_does_not_follow_the_host() -> None:
    """What was decided while it was captured stays decided, and a tensor that was replaced is not looked at."""
    total, step, count = torch.zeros(1, device="cuda"), torch.ones(1, device="cuda"), 0
    graph = captured(lambda: total.add_(step + count))
    step, count = torch.full((1,), 100.0, device="cuda"), 100
    graph.replay()
    assert total.item() == 1


@pytest.mark.parametrize(
    "look",
    [
        lambda tensor: tensor.sum().item(),
        lambda tensor: tensor.cpu(),
        lambda tensor: tensor.copy_(torch.ones(2, 3)),
        lambda tensor: torch.ones(2, 3).to("cuda"),
        lambda tensor: tensor[tensor > 2],
        lambda tensor: tensor.tolist(),
    ],
    ids=["item", "cpu", "copy_", "to", "mask", "tolist"],
)
def test_the_host_cannot_look_while_a_graph_is_captured(look: Callable[[torch.Tensor], object]) -> None:
    tensor = on_gpu()
    with pytest.raises(RuntimeError, match="when stream is capturing"):
        captured(lambda: look(tensor))
    assert tensor.sum().item() == 15  # and the device goes on
