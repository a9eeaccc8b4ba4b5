"""Candles on the grid: what is filled, what stays unknown."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.panel import Panel, Rows, build_panel

MINUTE = INTERVALS["1m"]
NAN = np.nan


def rows(closes: dict[int, float], close_before: float | None = None) -> Rows:
    steps = np.array(sorted(closes), dtype=np.int64)
    values = [[closes[step], closes[step] + 1, closes[step] - 1, closes[step], 5.0] for step in sorted(closes)]
    return Rows(steps, np.array(values).reshape(-1, 5), close_before)


def panel(
    closes: dict[int, float],
    first: int = 0,
    last: int = 5,
    close_before: float | None = None,
    lost: tuple[tuple[int, int], ...] = (),
    settled_before: int = 100,
) -> Panel:
    stored = {7: rows(closes, close_before)}
    return build_panel(MINUTE, first, last, stored, {7: lost}, {7: settled_before})


def test_a_missing_candle_repeats_the_close_with_no_volume_and_is_marked() -> None:
    one = panel({0: 10.0, 2: 12.0}, last=2)
    assert [series[0, 1] for series in (one.open, one.high, one.low, one.close, one.volume)] == [10, 10, 10, 10, 0]
    np.testing.assert_array_equal(one.filled, [[False, True, False]])
    assert one.high[0, 2] == 13, "a stored candle is left as it is"


def test_nothing_is_known_before_the_first_candle() -> None:
    one = panel({2: 10.0}, last=3)
    np.testing.assert_array_equal(one.close, [[NAN, NAN, 10, 10]])
    np.testing.assert_array_equal(one.filled, [[False, False, False, True]])


def test_the_close_before_the_load_fills_its_beginning() -> None:
    np.testing.assert_array_equal(panel({2: 10.0}, last=3, close_before=9.0).close, [[9, 9, 10, 10]])


def test_an_unobtainable_step_stays_unknown_and_no_fill_reaches_across_it() -> None:
    one = panel({0: 10.0, 5: 15.0}, last=6, lost=((2, 4),))
    np.testing.assert_array_equal(one.close, [[10, 10, NAN, NAN, NAN, 15, 15]])
    np.testing.assert_array_equal(one.filled, [[False, True, False, False, False, False, True]])


def test_a_hole_over_the_beginning_of_the_load_is_cut_to_it() -> None:
    one = panel({4: 14.0}, first=2, last=5, close_before=9.0, lost=((0, 3),))
    np.testing.assert_array_equal(one.close, [[NAN, NAN, 14, 14]])


def test_a_candle_that_came_back_into_a_hole_is_known() -> None:
    np.testing.assert_array_equal(panel({0: 10.0, 2: 12.0}, last=4, lost=((1, 4),)).close, [[10, NAN, 12, NAN, NAN]])


def test_what_is_not_settled_stays_unknown_even_if_it_is_stored() -> None:
    one = panel({0: 10.0, 3: 13.0}, last=4, settled_before=2)
    np.testing.assert_array_equal(one.close, [[10, 10, NAN, NAN, NAN]])
    assert panel({0: 10.0}, settled_before=-3).filled.any() == np.False_


def test_markets_keep_the_order_they_came_in() -> None:
    one = build_panel(MINUTE, 0, 1, {9: rows({0: 1.0}), 3: rows({0: 2.0}), 5: rows({})}, {}, {9: 2, 3: 1, 5: 2})
    assert one.market_ids == (9, 3, 5)
    np.testing.assert_array_equal(one.close, [[1, 1], [2, NAN], [NAN, NAN]])
    assert (one.width, one.last_step) == (2, 1)


def test_an_empty_range_and_no_markets_make_an_empty_panel() -> None:
    assert panel({0: 1.0}, first=4, last=3).close.shape == (1, 0)
    assert build_panel(MINUTE, 0, 4, {}, {}, {}).close.shape == (0, 5)


@given(
    st.dictionaries(st.integers(0, 39), st.floats(1, 100)),
    st.integers(0, 39),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 6)), max_size=3),
)
def test_a_later_load_start_sees_the_same_candles(closes, first, holes) -> None:
    lost = tuple((start, start + length) for start, length in holes)
    whole = panel(closes, last=39, lost=lost)
    before = [step for step in closes if step < first]
    # The reader leaves the close before a load out where a hole lies between.
    reachable = before and not any(start < first and stop > max(before) + 1 for start, stop in lost)
    late = panel(closes, first=first, last=39, lost=lost, close_before=closes[max(before)] if reachable else None)
    np.testing.assert_array_equal(late.close, whole.close[:, first:])
    np.testing.assert_array_equal(late.filled, whole.filled[:, first:])
