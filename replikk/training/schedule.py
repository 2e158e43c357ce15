"""How the learning rate and the moving average follow from the number of the step; no state of their own."""

from __future__ import annotations


def learning_rate(step: int, peak: float, warm_up_steps: int) -> float:
    """Of step 1, 2, …: rises in a line to ``peak``, then falls with the square root of the step (Noam)."""
    return peak * min(step / warm_up_steps, (warm_up_steps / step) ** 0.5)


def ema_decay(step: int, most: float) -> float:
    """How much of the moving average is kept at step 1, 2, …

    It starts low and rises to ``most``: with 0.999 from the start, the first thousand steps of the average would still
    be mostly the untrained adapter, and a gate would look at nothing.
    """
    return min(most, (1 + step) / (10 + step))
