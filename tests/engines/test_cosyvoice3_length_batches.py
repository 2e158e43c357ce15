"""Lines of similar length share a batch, and nothing is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.engines.cosyvoice3.length_batches import batches_of_similar_length


@pytest.mark.parametrize(
    ("lengths", "most", "batches"),
    [
        ([], 100, []),
        ([10, 10, 10], 100, [[0, 1, 2]]),
        ([10, 10, 10], 20, [[0, 1], [2]]),
        ([10, 0, 9], 100, [[0, 2]]),  # nothing to do for an empty line
        ([10, 100, 95], 1000, [[1, 2], [0]]),  # ten frames beside a hundred would be padding
        ([500], 100, [[0]]),  # a long line is a batch of its own, never refused
    ],
)
def test_examples(lengths: list[int], most: int, batches: list[list[int]]) -> None:
    assert batches_of_similar_length(lengths, most) == batches


@given(
    st.lists(st.integers(0, 1000), max_size=60),
    st.integers(1, 5000),
    st.floats(0, 0.9),
)
def test_every_line_once_within_the_bounds(lengths: list[int], most: int, padding: float) -> None:
    batches = batches_of_similar_length(lengths, most, padding)
    assert sorted(i for batch in batches for i in batch) == [i for i, length in enumerate(lengths) if length]
    for batch in batches:
        padded = max(lengths[i] for i in batch) * len(batch)
        own = sum(lengths[i] for i in batch)
        assert len(batch) == 1 or padded <= most
        assert padded - own <= padding * padded + 1e-9
