"""The language model: a Qwen2 decoder that reads text and speech tokens and says the next speech token.

    text ids ----E_t--+
                      +--> embeddings [.., hidden] --> {attention, SwiGLU} x layers --> norm --> head [.., speech_head]
    speech ids --E_s--+

One body serves three uses, which differ in how attention finds its keys:

- ``hidden``: whole sequences at once, causal, nothing kept (training, scoring). Padding on the right needs no mask,
  because no position looks at a later one;
- ``prefill``: the same for what a line starts with, keys and values kept in the cache;
- ``step``: one position of every slot of a batch, each line at its own position.

On the CPU a step attends line by line, over exactly the positions that the line has: faster than a masked batch there,
and a line's sums cannot depend on how long its neighbours are. On CUDA it is one masked call of fixed shape, which a
CUDA graph can hold.

Precision: the residual stream, norms, rotary embedding and the head are float32 whatever the weights are; with bfloat16
weights the matrix products and the cache are bfloat16. The head's 24 MB stay float32 because rounding its logits
to 8 bits would make ties among the best candidates. The published file's ``lm_head`` (text logits) is neither loaded
nor computed.

Projections that read the same input are stored as one (``qkv``, ``gate_up``): fewer, larger products.
``published_keys`` says which published keys a parameter is made of; loading and gradients by published name use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from replikk.engines.cosyvoice3.key_value_cache import KeyValueCache
from replikk.engines.cosyvoice3.projection import Projection
from replikk.engines.cosyvoice3.sizes import LLM_LAYERS_PREFIX, LanguageModelSizes
from replikk.errors import EngineError

Part = tuple[Literal["text", "speech"], Sequence[int]]
"""Ids of one embedding table; a prefix is a list of them."""

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, queries, keys, values) -> context, all [..., heads, head_dim] as the use needs them."""


class DecoderLayer(nn.Module):
    """Attention with grouped keys, then SwiGLU, each on a normed copy that is added to the residual stream."""

    def __init__(self, sizes: LanguageModelSizes) -> None:
        super().__init__()
        self.sizes = sizes
        queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
        self.attention_norm = nn.Parameter(torch.empty(sizes.hidden, device="meta"))
        self.qkv = Projection(queries + 2 * keys, sizes.hidden, bias=True)
        self.output = Projection(sizes.hidden, queries, bias=False)
        self.feed_forward_norm = nn.Parameter(torch.empty(sizes.hidden, device="meta"))
        self.gate_up = Projection(2 * sizes.intermediate, sizes.hidden, bias=False)
        self.down = Projection(sizes.hidden, sizes.intermediate, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], number: int, attend: Attend) -> Tensor:
        sizes = self.sizes
        normed = functional.rms_norm(x, (sizes.hidden,), self.attention_norm, sizes.rms_eps)
        heads = self.qkv(normed).unflatten(-1, (-1, sizes.head_dim))  # [.., heads + 2 kv_heads, head_dim]
        turning, values = heads.split((sizes.heads + sizes.kv_heads, sizes.kv_heads), dim=-2)
        queries, keys = rotated(turning, rotation).split((sizes.heads, sizes.kv_heads), dim=-2)
        context = attend(number, queries, keys, values)
        x = x + self.output(context.flatten(-2))
        normed = functional.rms_norm(x, (sizes.hidden,), self.feed_forward_norm, sizes.rms_eps)
        gate, up = self.gate_up(normed).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)


class LanguageModel(nn.Module):
    """The network of the given sizes; it has no weights until ``load_state``.

    ``dtype`` is what the matrix products run in: float32, or bfloat16.
    """

    def __init__(
        self, sizes: LanguageModelSizes, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__()
        self.sizes, self.dtype, self.device = sizes, dtype, torch.device(device)
        self.text_embedding = nn.Parameter(torch.empty(sizes.text_vocabulary, sizes.hidden, device="meta"))
        self.speech_embedding = nn.Parameter(torch.empty(sizes.speech_head, sizes.hidden, device="meta"))
        self.layers = nn.ModuleList(DecoderLayer(sizes) for _ in range(sizes.layers))
        self.norm = nn.Parameter(torch.empty(sizes.hidden, device="meta"))
        self.head = Projection(sizes.speech_head, sizes.hidden, bias=False)
        self.agreeing_rows: dict[tuple[int, int], bool] = {}
        """What ``exact_rows`` has measured for the weights as they lie now: (rows, threads) -> as exact as others."""

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Takes the weights of the published keys (``llm.model.lm_head.weight`` and others are not looked at).

        A tensor that needs no change of type, place or layout is used as it is, not copied, so that a memory-mapped
        file is read only where it is needed. Raises EngineError naming the key that is missing or has another shape.
        """
        self.agreeing_rows.clear()
        for name, keys in published_keys(self.sizes).items():
            parts = [_weight(state, key) for key in keys]
            module, _, leaf = name.rpartition(".")
            owner = self.get_submodule(module)
            expected = (
                owner.shape if isinstance(owner, Projection) and leaf == "weight" else tuple(getattr(owner, leaf).shape)
            )
            tensor = (parts[0] if len(parts) == 1 else torch.cat(parts)).detach()
            if tuple(tensor.shape) != expected:
                raise EngineError(
                    f"{keys[0]}: the weights are {list(tensor.shape)}, and this model needs {list(expected)}; "
                    "take llm.pt and CosyVoice-BlankEN/config.json from the same download"
                )
            if isinstance(owner, Projection):
                owner.packed = None  # new weights for a packed model: packed anew by whoever packed it
            setattr(owner, leaf, nn.Parameter(tensor.to(self.device, self._storage_dtype(name))))

    def pack(self) -> LanguageModel:
        """Lays the weights out for decoding on the CPU, where that is possible; no training after that."""
        self.agreeing_rows.clear()
        for module in self.modules():
            if isinstance(module, Projection):
                module.pack()
        return self

    def published_parts(self) -> Iterator[tuple[str, nn.Parameter, slice]]:
        """Every published key with the parameter that holds it and its rows there; not for a packed model."""
        for name, keys in published_keys(self.sizes).items():
            parameter = self.get_parameter(name)
            first = 0
            for key, rows in zip(keys, row_counts(self.sizes, name, len(parameter)), strict=True):
                yield key, parameter, slice(first, first + rows)
                first += rows

    def embed(self, parts: Sequence[Part]) -> Tensor:
        """Embeddings of ids of both tables in their order, float32 [length, hidden]."""
        rows = []
        for kind, ids in parts:
            table = self.text_embedding if kind == "text" else self.speech_embedding
            index = torch.as_tensor(ids, dtype=torch.int64).to(self.device, non_blocking=True)
            rows.append(table[index].float())
        return torch.cat(rows)

    def embed_speech(self, ids: Tensor) -> Tensor:
        """Embeddings of speech ids that are on the device already, float32 [.., hidden]."""
        return self.speech_embedding[ids].float()

    def hidden(self, embeddings: Tensor) -> Tensor:
        """Final normed states of whole sequences [lines, length, hidden]; what lies right of a position is not seen."""
        return self._body(embeddings, torch.arange(embeddings.shape[1], device=self.device), _attend_causally)

    def prefill(self, embeddings: Tensor, slots: Tensor, cache: KeyValueCache) -> None:
        """Puts the keys and values of what lines start with into their slots.

        ``embeddings`` [lines, length, hidden], padded on the right with anything finite; ``slots`` int64 [lines].
        """

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            cache.write_prefixes(layer, slots, keys.transpose(1, 2), values.transpose(1, 2))
            return _attend_causally(layer, queries, keys, values)

        self._body(embeddings, torch.arange(embeddings.shape[1], device=self.device), attend)

    def step(self, embeddings: Tensor, positions: Tensor, cache: KeyValueCache, extent: int | None = None) -> Tensor:
        """One position of every slot: ``embeddings`` [slots, hidden], ``positions`` int64 [slots] -> [slots, hidden].

        With ``extent`` attention is one masked call over that many cached positions, which must include every position;
        without it, line by line over exactly the positions that a line has (reads ``positions`` on the host).
        """
        if extent is None:
            attend = self.attend_by_line(positions, cache)
        else:
            attend = self._attend_masked(positions, cache, extent)
        return self._body(embeddings, positions, attend)

    def log_probs(self, hidden: Tensor) -> Tensor:
        """Log-probabilities of the next speech id, float32 [.., speech_head]."""
        return functional.log_softmax(self.head(hidden), dim=-1)

    def _body(self, x: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        rotation = rotary_angles(self.sizes, positions)
        for number, layer in enumerate(self.layers):
            x = layer(x, rotation, number, attend)
        return functional.rms_norm(x, (self.sizes.hidden,), self.norm, self.sizes.rms_eps)

    def attend_by_line(self, positions: Tensor, cache: KeyValueCache) -> Attend:
        lengths = [position + 1 for position in positions.tolist()]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            cache.write_step(layer, positions, keys, values)
            grouped = self._grouped(queries)  # [slots, kv_heads, group, head_dim]
            all_keys, all_values = cache.keys[layer], cache.values[layer]
            context = [
                functional.scaled_dot_product_attention(
                    grouped[slot : slot + 1],
                    all_keys[slot : slot + 1, :, :length],
                    all_values[slot : slot + 1, :, :length],
                )
                for slot, length in enumerate(lengths)
            ]
            return torch.cat(context).flatten(1, 2)

        return attend

    def _attend_masked(self, positions: Tensor, cache: KeyValueCache, extent: int) -> Attend:
        seen = torch.arange(extent, device=positions.device) <= positions[:, None]  # [slots, extent]
        mask = seen[:, None, None, :]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            cache.write_step(layer, positions, keys, values)
            context = functional.scaled_dot_product_attention(
                self._grouped(queries), cache.keys[layer][:, :, :extent], cache.values[layer][:, :, :extent], mask
            )
            return context.flatten(1, 2)

        return attend

    def _grouped(self, queries: Tensor) -> Tensor:
        """Query heads that share a key head become positions of it, so that keys are never repeated in memory."""
        return queries.to(self.dtype).unflatten(1, (self.sizes.kv_heads, -1))

    def _storage_dtype(self, name: str) -> torch.dtype:
        if name.endswith("norm") or name in ("speech_embedding", "head.weight"):
            return torch.float32
        return self.dtype


def rotary_angles(sizes: LanguageModelSizes, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding at some positions, float32 [positions, 1, head_dim / 2]."""
    exponents = torch.arange(0, sizes.head_dim, 2, dtype=torch.float32, device=positions.device) / sizes.head_dim
    angles = positions[:, None].float() * (1.0 / sizes.rope_theta**exponents)
    return angles.cos()[:, None], angles.sin()[:, None]


def rotated(heads: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary embedding of [.., positions, heads, head_dim]: channel i and i + head_dim/2 turn together."""
    cosines, sines = rotation
    first, second = heads.float().chunk(2, dim=-1)
    turned = torch.cat((first * cosines - second * sines, second * cosines + first * sines), dim=-1)
    return turned.to(heads.dtype)


def _attend_causally(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Whole sequences [lines, length, heads, head_dim]; every position sees itself and what is before it."""
    context = functional.scaled_dot_product_attention(
        queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2), is_causal=True, enable_gqa=True
    )
    return context.transpose(1, 2)


def published_keys(sizes: LanguageModelSizes) -> dict[str, tuple[str, ...]]:
    """Parameter of ``LanguageModel`` -> the published keys whose rows it is made of, in their order."""
    backbone = LLM_LAYERS_PREFIX.removesuffix("layers.")
    names: dict[str, tuple[str, ...]] = {
        "text_embedding": (backbone + "embed_tokens.weight",),
        "speech_embedding": ("speech_embedding.weight",),
        "norm": (backbone + "norm.weight",),
        "head.weight": ("llm_decoder.weight",),
    }
    for number in range(sizes.layers):
        ours, theirs = f"layers.{number}.", f"{LLM_LAYERS_PREFIX}{number}."
        names |= {
            ours + "attention_norm": (theirs + "input_layernorm.weight",),
            ours + "qkv.weight": tuple(f"{theirs}self_attn.{part}_proj.weight" for part in "qkv"),
            ours + "qkv.bias": tuple(f"{theirs}self_attn.{part}_proj.bias" for part in "qkv"),
            ours + "output.weight": (theirs + "self_attn.o_proj.weight",),
            ours + "feed_forward_norm": (theirs + "post_attention_layernorm.weight",),
            ours + "gate_up.weight": (theirs + "mlp.gate_proj.weight", theirs + "mlp.up_proj.weight"),
            ours + "down.weight": (theirs + "mlp.down_proj.weight",),
        }
    return names


def row_counts(sizes: LanguageModelSizes, name: str, rows: int) -> list[int]:
    """How many of a parameter's rows each of its published keys has."""
    if ".qkv." in name:
        keys = sizes.kv_heads * sizes.head_dim
        return [rows - 2 * keys, keys, keys]
    return [rows // 2] * 2 if ".gate_up." in name else [rows]


def _weight(state: Mapping[str, Tensor], key: str) -> Tensor:
    if key not in state:
        raise EngineError(f"{key}: these weights are missing; take llm.pt from the published download")
    return state[key]
