"""A panel built of all markets at once is the panel built market by market, bit for bit."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.panel import Rows, build_panel

WIDTH = 12
NAMES = ("open", "high", "low", "close", "volume")


def one_by_one(
    rows: Mapping[int, Rows], unobtainable: Mapping[int, Sequence[tuple[int, int]]], settled: Mapping[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Steps 0 to `WIDTH`, step by step, as the definition says it."""
    values = np.full((5, len(rows), WIDTH), np.nan)
    filled = np.zeros((len(rows), WIDTH), dtype=np.bool_)
    for row, (market, stored) in enumerate(rows.items()):
        by_step = dict(zip(stored.steps.tolist(), stored.values, strict=True))
        last = np.nan if stored.close_before is None else stored.close_before
        for step in range(min(WIDTH, settled[market])):
            if step in by_step:
                values[:, row, step] = by_step[step]
                last = by_step[step][3]
            elif any(start <= step < stop for start, stop in unobtainable.get(market, ())):
                last = np.nan
            elif not np.isnan(last):
                values[:, row, step] = [last, last, last, last, 0.0]
                filled[row, step] = True
    return values, filled


PRICES = st.floats(-1e9, 1e9, allow_nan=False)


@st.composite
def markets(draw: st.DrawFn) -> tuple[dict[int, Rows], dict[int, list[tuple[int, int]]], dict[int, int]]:
    rows, lost, settled = {}, {}, {}
    for market in draw(st.lists(st.integers(1, 9), unique=True, max_size=4)):
        steps = sorted(draw(st.sets(st.integers(-2, WIDTH + 1))))
        values = np.array([draw(st.lists(PRICES, min_size=5, max_size=5)) for _ in steps]).reshape(-1, 5)
        rows[market] = Rows(np.array(steps, dtype=np.int64), values, draw(st.none() | PRICES))
        lost[market] = draw(st.lists(st.tuples(st.integers(-3, WIDTH + 2), st.integers(-3, WIDTH + 2)), max_size=2))
        settled[market] = draw(st.integers(-2, WIDTH + 3))
    return rows, lost, settled


@given(markets())
def test_all_markets_at_once_are_laid_and_filled_as_each_alone(case) -> None:
    rows, lost, settled = case
    panel = build_panel(INTERVALS["1m"], 0, WIDTH - 1, rows, lost, settled)
    values, filled = one_by_one(rows, lost, settled)
    for name, expected in zip(NAMES, values, strict=True):
        assert np.array_equal(getattr(panel, name).view(np.int64), expected.view(np.int64)), name
    np.testing.assert_array_equal(panel.filled, filled)
