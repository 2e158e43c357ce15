"""The flow against the published code's vectors, and lines in a batch against lines alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from cosyvoice3_small import small_states
from golden_cases import GoldenCase, golden_cases, read_case
from torch import Tensor

from replikk.engines.cosyvoice3.flow import Flow, SolverStep, solver_times
from replikk.engines.cosyvoice3.flow_conditioning import line_conditions
from replikk.engines.cosyvoice3.flow_training import TrainingBatch, TrainingDraws, draw, flow_loss
from replikk.engines.cosyvoice3.flow_transformer import attention_mask
from replikk.engines.cosyvoice3.records import ReferenceFeatures
from replikk.engines.cosyvoice3.sizes import flow_sizes
from replikk.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")

ALONE_AND_TOGETHER = 1e-5  # float32 on a CPU; mel values reach about 6 here


def build(state: dict[str, Tensor], **settings: Any) -> Flow:
    flow = Flow(flow_sizes(state), **settings)
    flow.load_state(state, keep_time_weights=True)
    return flow


def golden_flow(case: GoldenCase) -> Flow:
    model = read_case("flow", "model")
    settings = {"block_frames": model.facts["static_chunk_size"]}
    if "n_timesteps" in case.facts:
        settings |= {"solver_steps": case.facts["n_timesteps"], "guidance": case.facts["cfg"]}
    return build(model.tensors, **settings)


def frames_first(x: Tensor) -> Tensor:
    """The vectors have [lines, bins, frames]; this project has frames before bins."""
    return x.transpose(1, 2)


# --- the published code's vectors ---


@golden_cases("flow", "dit_*")
def test_golden_one_evaluation_of_a_padded_batch(name: str) -> None:
    case = read_case("flow", name)
    given, lengths = case.group("in"), case.group("in")["mask"][:, 0].sum(-1).int().tolist()
    noisy, reference, means = (frames_first(given[key]) for key in ("x", "cond", "mu"))
    inputs = torch.cat((noisy, reference, means, given["spks"][:, None].expand_as(means)), dim=-1)
    flow = golden_flow(case)
    together = flow.velocity(inputs, given["t"], lengths, case.facts["streaming"])
    published = frames_first(case.group("out")["v"])
    for row, frames in enumerate(lengths):
        only = slice(row, row + 1)
        alone = flow.velocity(inputs[only, :frames], given["t"][only], [frames], case.facts["streaming"])
        torch.testing.assert_close(together[row, :frames], published[row, :frames], atol=1e-4, rtol=0)
        torch.testing.assert_close(alone[0], published[row, :frames], atol=1e-4, rtol=0)


def reference_of(case: GoldenCase) -> ReferenceFeatures:
    given = case.group("in")
    return ReferenceFeatures(given["prompt_token"][0], given["prompt_feat"][0], given["embedding"][0], "")


@golden_cases("flow", "infer_*")
def test_golden_solver(name: str) -> None:
    case = read_case("flow", name)
    given, between = case.group("in"), case.group("mid")
    flow, reference = golden_flow(case), reference_of(case)
    conditions = line_conditions(
        flow.conditioning,
        [torch.cat((given["prompt_token"][0], given["token"][0]))],
        [reference.mel],
        [reference.speaker],
        case.facts["finalize"],
    )
    torch.testing.assert_close(conditions.means, frames_first(between["mu"]), atol=1e-5, rtol=0)
    torch.testing.assert_close(conditions.speaker, between["spks"], atol=1e-5, rtol=0)
    torch.testing.assert_close(flow.times, between["t"], atol=1e-6, rtol=0)
    steps: list[SolverStep] = list(flow.solver(conditions, case.facts["streaming"]))
    torch.testing.assert_close(steps[0].state, frames_first(given["noise"]), atol=1e-6, rtol=0)
    for key, value in between.items():
        what, _, number = key.partition("_step")
        if what == "v":
            torch.testing.assert_close(steps[int(number)].velocity, frames_first(value), atol=1e-4, rtol=0)
        elif what == "x":
            torch.testing.assert_close(steps[int(number)].state, frames_first(value), atol=1e-4, rtol=0)


@golden_cases("flow", "infer_*")
@pytest.mark.parametrize("company", ["alone", "among longer and shorter lines"])
def test_golden_mel(name: str, company: str) -> None:
    case = read_case("flow", name)
    token, reference = case.group("in")["token"][0], reference_of(case)
    lines = [token] if company == "alone" else [token.flip(0).repeat(2), token, token[:-7], token[:-1]]
    mels = golden_flow(case).mels(
        lines,
        [reference] * len(lines),
        streaming=case.facts["streaming"],
        final=case.facts["finalize"],
        most_frames=10_000,
        largest_padding=0.9,
    )
    published = frames_first(case.group("out")["mel"])[0]
    torch.testing.assert_close(mels[0 if company == "alone" else 1], published, atol=1e-4, rtol=0)


@golden_cases("flow", "train*")
def test_golden_training_loss(name: str) -> None:
    case = read_case("flow", name)
    given, drawn = case.group("in"), case.group("rand")
    batch = TrainingBatch(
        tokens=given["speech_token"],
        token_counts=given["speech_token_len"],
        mel=given["speech_feat"],
        frame_counts=given["speech_feat_len"],
        speakers=given["embedding"],
    )
    shown = frames_first(case.group("mid")["cond"]).abs().sum(-1) > 0
    draws = TrainingDraws(
        times=drawn["t"].flatten(),
        noise=frames_first(drawn["z"]),
        untold=drawn["cfg_u"],
        reference_frames=shown.sum(1).tolist(),
        streaming=case.facts["streaming"],
    )
    loss = flow_loss(golden_flow(case), batch, draws)
    torch.testing.assert_close(loss, case.group("out")["loss"], rtol=1e-5, atol=0)


# --- a small random model ---


@cache
def small_flow(matmul_dtype: torch.dtype = torch.float32) -> Flow:
    return build(small_states().flow, matmul_dtype=matmul_dtype)


def some_tokens(count: int, seed: int = 0) -> Tensor:
    return torch.randint(6561, (count,), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)


def some_reference(tokens: int, seed: int = 0) -> ReferenceFeatures:
    draws = torch.Generator().manual_seed(seed)
    mel, speaker = torch.randn(2 * tokens, 80, generator=draws) - 5, torch.randn(192, generator=draws)
    return ReferenceFeatures(some_tokens(tokens, seed + 1), mel, speaker, "Hei.")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("final", [False, True])
def test_a_line_is_the_same_alone_and_among_others(streaming: bool, final: bool) -> None:
    lines = [some_tokens(count, count) for count in (30, 4, 51, 50, 29)]
    voices = [some_reference(count, count) for count in (10, 20, 5, 6, 10)]
    flow = small_flow()
    together = flow.mels(lines, voices, streaming=streaming, final=final, most_frames=10_000, largest_padding=0.9)
    for line, voice, mel in zip(lines, voices, together, strict=True):
        [alone] = flow.mels([line], [voice], streaming=streaming, final=final)
        assert mel.shape == (2 * len(line) - (0 if final else 6), 80)
        torch.testing.assert_close(mel, alone, atol=ALONE_AND_TOGETHER, rtol=0)


def test_small_batches_and_large_ones_agree() -> None:
    lines = [some_tokens(20 + i % 3, i) for i in range(6)]
    voices = [some_reference(8)] * 6
    flow = small_flow()
    large, small = (flow.mels(lines, voices, most_frames=frames) for frames in (10_000, 1))
    for one, other in zip(large, small, strict=True):
        torch.testing.assert_close(one, other, atol=ALONE_AND_TOGETHER, rtol=0)


def test_streaming_frames_do_not_change_when_more_comes() -> None:
    """Frames whose block of 50 is complete (tokens and three of look-ahead) are final."""
    flow, line, voice = small_flow(), some_tokens(80), some_reference(10)
    [whole] = flow.mels([line], [voice], streaming=True)
    [begun] = flow.mels([line[: 40 + 3]], [voice], streaming=True, final=False)  # 100 frames with the reference
    torch.testing.assert_close(begun, whole[:80], atol=ALONE_AND_TOGETHER, rtol=0)


@pytest.mark.parametrize(("final", "tokens"), [(True, 0), (False, 0), (False, 3)])
def test_no_tokens_are_no_frames(final: bool, tokens: int) -> None:
    mels = small_flow().mels([some_tokens(tokens), some_tokens(9)], [some_reference(4)] * 2, final=final)
    assert mels[0].shape == (0, 80) and len(mels[1]) == (18 if final else 12)


@pytest.mark.parametrize("token", [-1, 6561, 6562])
def test_a_stop_token_is_refused(token: int) -> None:
    with pytest.raises(EngineError, match=r"outside 0\.\.6560"):
        small_flow().mels([torch.tensor([5, token])], [some_reference(4)])


def test_more_than_300_s_is_refused() -> None:
    with pytest.raises(EngineError, match="cut the line into shorter pieces"):
        small_flow().mels([some_tokens(7_497)], [some_reference(4)])


def test_equal_lengths_need_no_mask() -> None:
    lengths = torch.tensor([7, 7])
    assert attention_mask(lengths, 7, padded=False) is None
    streaming = attention_mask(lengths, 7, 3, padded=False)
    assert streaming is not None and streaming.shape == (1, 1, 7, 7)
    assert streaming[0, 0].sum(-1).tolist() == [3, 3, 3, 6, 6, 6, 7]
    padded = attention_mask(torch.tensor([7, 4]), 7)
    assert padded is not None and padded[:, 0, 0].sum(-1).tolist() == [7, 4]


def test_solver_times_are_the_published_ones() -> None:
    times, durations = solver_times(10)
    rounded = [0, 0.012312, 0.048943, 0.108993, 0.190983, 0.292893, 0.412215, 0.546009, 0.690983, 0.843566]
    assert times.tolist() == pytest.approx(rounded, abs=1e-6)
    assert (times[-1] + durations[-1]).item() == pytest.approx(1, abs=1e-6)


def test_settings_are_the_published_ones_unless_said_otherwise() -> None:
    flow = small_flow()
    assert (flow.solver_steps, flow.guidance, flow.block_frames) == (10, 0.7, 50)


def test_the_solvers_modulations_are_those_of_its_times() -> None:
    flow = small_flow()
    again = flow.modulation(flow.times)
    torch.testing.assert_close(flow._steps.blocks, again.blocks, atol=1e-6, rtol=0)
    torch.testing.assert_close(flow._steps.final, again.final, atol=1e-6, rtol=0)


def test_layers_for_other_moments_are_let_go_unless_asked_for() -> None:
    flow = Flow(flow_sizes(small_states().flow))
    flow.load_state(small_states().flow)
    assert len(flow.mels([some_tokens(3)], [some_reference(4)])[0]) == 6
    with pytest.raises(EngineError, match=r"flow\.pt"):
        flow.modulation(torch.tensor([0.5]))


@pytest.mark.parametrize(
    ("matmul_dtype", "largest", "mean_square_root"),
    [(torch.bfloat16, 0.05, 0.007), (torch.float16, 0.006, 0.001)],  # the spread of the mel is 1.6 here
)
def test_error_of_reduced_precision(matmul_dtype: torch.dtype, largest: float, mean_square_root: float) -> None:
    lines, voices = [some_tokens(40, 1), some_tokens(37, 2)], [some_reference(12)] * 2
    exact, reduced = (torch.cat(flow.mels(lines, voices)) for flow in (small_flow(), small_flow(matmul_dtype)))
    assert reduced.dtype == torch.float32
    error = reduced - exact
    assert 0 < error.abs().max() < largest
    assert error.square().mean().sqrt() < mean_square_root


# --- training ---


def some_batch() -> TrainingBatch:
    draws = torch.Generator().manual_seed(3)
    counts = torch.tensor([12, 7])
    return TrainingBatch(
        tokens=torch.randint(6561, (2, 12), generator=draws),
        token_counts=counts,
        mel=torch.randn(2, 24, 80, generator=draws),
        frame_counts=2 * counts,
        speakers=torch.randn(2, 192, generator=draws),
    )


def test_training_loss_does_not_see_padding() -> None:
    batch, flow = some_batch(), small_flow()
    draws = draw(batch, torch.Generator().manual_seed(1))
    loss = flow_loss(flow, batch, draws)
    batch.mel[1, 14:] = 99.0
    batch.tokens[1, 7:] = 3
    draws.noise[1, 14:] = -99.0
    torch.testing.assert_close(flow_loss(flow, batch, draws), loss, rtol=1e-6, atol=0)


def test_draws_are_distributed_as_published() -> None:
    batch, generator = some_batch(), torch.Generator().manual_seed(5)
    draws = [draw(batch, generator) for _ in range(400)]
    shown = [frames for one in draws for frames in one.reference_frames]
    assert 0.4 < sum(one.streaming for one in draws) / 400 < 0.6
    assert {one.reference_frames[0] for one in draws} == set(range(7))  # below 0.3 * 24 frames
    # Half have none by choice, and a seventh or a quarter of the others drew 0.
    assert 0.5 < sum(frames == 0 for frames in shown) / 800 < 0.7


def test_half_a_token_of_mel_is_refused() -> None:
    batch = some_batch()
    batch.frame_counts[0] -= 1
    with pytest.raises(EngineError, match="two mel frames a token"):
        flow_loss(small_flow(), batch, draw(batch, torch.Generator()))
