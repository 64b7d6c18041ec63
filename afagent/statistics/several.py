"""Several questions at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that all of them may be read at one level (Holm 1979), in the given order.

    The chance that any true null hypothesis is rejected stays below the level, however the tests depend on each other.

    Raises:
        ValueError: a p-value that is not between 0 and 1.
    """
    if not all(0 <= value <= 1 for value in p_values):
        raise ValueError(f"p-values lie between 0 and 1, got {list(p_values)}")
    if len(p_values) < 2:
        return list(p_values)
    from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]  # noqa: PLC0415

    return [float(value) for value in multipletests(list(p_values), method="holm")[1]]
