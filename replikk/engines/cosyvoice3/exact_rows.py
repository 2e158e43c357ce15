"""How many rows a decoding step must have, so that a row's result does not depend on the number of rows.

A matrix product of 1 row and one of 8 rows go through different kernels, which add the same numbers in another
order; the last bits differ, and where two tokens are nearly as probable, a line would say another word because it had
neighbours. Kernels are not documented in this respect and differ from processor to processor, so it is measured, once
per model, on the model's own first layer and head: rows of a step with few rows are compared bit for bit with the same
rows among REFERENCE_ROWS. (Where this was written, 1 row differs from 8, while 2 to 64 agree, and 4 rows take no more
time than 2: reading the weights is what takes time.)

Decoding then uses row counts of ``ROW_COUNTS`` that agree, and fills up with idle rows. The CPU only: on CUDA products
of different size may differ, and tokens are the same as long as the number of slots is.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.key_value_cache import KeyValueCache
from replikk.engines.cosyvoice3.language_model import LanguageModel, rotary_angles

log = logging.getLogger(__name__)

ROW_COUNTS = (4, 8, 16, 32, 64)
REFERENCE_ROWS = 8
PROBE_POSITIONS = 96
"""Keys that the probe attends over; each row over another number of them."""


def step_rows(model: LanguageModel, lines: int, most: int) -> int:
    """Rows for decoding that many lines at once when there may be ``most``; fewer than ``lines`` if that must be.

    On the CPU a number from ROW_COUNTS whose rows have the bits of REFERENCE_ROWS rows; elsewhere always ``most``.
    A processor that has no such number is warned of in the log.
    """
    if model.device.type != "cpu":
        return most
    agreeing = [rows for rows in ROW_COUNTS if rows_agree(model, rows)]
    enough = [rows for rows in agreeing if rows >= lines]
    return enough[0] if enough else agreeing[-1]


def rows_agree(model: LanguageModel, rows: int) -> bool:
    """Whether rows of a step with that many rows have the bits that they have among REFERENCE_ROWS, at any place."""
    known, key = model.agreeing_rows, (rows, torch.get_num_threads())
    if key not in known:
        known[key] = _compare(model, rows)
        log.debug("steps with %d rows have the bits of %d rows: %s", rows, REFERENCE_ROWS, known[key])
        if rows == REFERENCE_ROWS and not known[key]:
            log.warning(
                "on this processor a line's tokens can depend on the lines beside it, where two are as probable"
            )
            known[key] = True  # there is nothing better
    return known[key]


@torch.inference_mode()
def _compare(model: LanguageModel, rows: int) -> bool:
    generator = torch.Generator().manual_seed(rows)
    count = max(rows, REFERENCE_ROWS)
    states = torch.randn(count, model.sizes.hidden, generator=generator)
    lengths = torch.randint(1, PROBE_POSITIONS, (count,), generator=generator)
    past = torch.randn(2, count, model.sizes.kv_heads, PROBE_POSITIONS, model.sizes.head_dim, generator=generator)
    whole = _first_layer_and_head(model, states[:rows], lengths[:rows], past[:, :rows])
    for start in range(0, rows, REFERENCE_ROWS):
        # The reference has the compared rows at other places, so that a place that matters is found, too.
        chosen = (torch.arange(REFERENCE_ROWS) + start + 3) % count
        part = _first_layer_and_head(model, states[chosen], lengths[chosen], past[:, chosen])
        inside = chosen < rows
        if not torch.equal(whole[chosen[inside]], part[inside]):
            return False
    return True


def _first_layer_and_head(model: LanguageModel, states: Tensor, lengths: Tensor, past: Tensor) -> Tensor:
    """One layer and the head for some rows: every kind of product and reduction that a step has."""
    cache = KeyValueCache(model.sizes, len(states), PROBE_POSITIONS, model.dtype, model.device)
    cache.keys[0][:, :, :PROBE_POSITIONS] = past[0].to(model.dtype)
    cache.values[0][:, :, :PROBE_POSITIONS] = past[1].to(model.dtype)
    attend = model.attend_by_line(lengths, cache)
    return model.log_probs(model.layers[0](states, rotary_angles(model.sizes, lengths), 0, attend))
