"""An answer's rows become checked candles or an error; only closed ones in the range asked for are used."""

import math
import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.sources.candles import checked_candles, closed_candles
from cryptowatch.sources.errors import BadAnswerError

MINUTE = INTERVALS["1m"]
NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
STEP = MINUTE.step_at(NOON)


def row(step: int = STEP, *, grid: Interval = MINUTE, **figures: object) -> list[object]:
    """A true row of one step, but for the figures given."""
    values: dict[str, object] = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 3.5, **figures}
    return [int(grid.open_time(step).timestamp()) * 1000, *values.values()]


def test_rows_in_any_order_become_candles_by_step_in_ascending_order() -> None:
    candles = checked_candles([row(STEP + 2), row(STEP), row(STEP + 1)], MINUTE)
    assert list(candles) == [STEP, STEP + 1, STEP + 2]
    assert candles[STEP] == (NOON, 10.0, 12.0, 9.0, 11.0, 3.5)


def test_the_same_row_twice_is_one_candle() -> None:
    assert list(checked_candles([row(), row()], MINUTE)) == [STEP]


def test_a_candle_of_no_volume_is_true() -> None:
    assert checked_candles([row(open=9.0, high=9.0, low=9.0, close=9.0, volume=0)], MINUTE)[STEP].volume == 0.0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row(close=11.5)], "two different candles of 2026-03-02T12:00:00.00:00"),
        ([row(close=math.nan)], "the close of 2026-03-02T12:00:00.00:00 is not a number: nan"),
        ([row(open=math.inf)], "the open of .* is not a number: inf"),
        ([row(volume=None)], "the volume of .* is not a number: None"),
        ([row(low="9")], "the low of .* is not a number: 9"),
        ([row(high=True)], "the high of .* is not a number: True"),
        ([row(open=10**400)], "the open of .* is not a number: 1000"),
        ([row(low=0)], "the low of .* is zero"),
        ([row(close=-11.0)], "the close of .* is negative"),
        ([row(volume=-0.1)], "the volume of .* is negative"),
        ([row(high=8.0)], "the high of .* is below its low"),
        ([row(open=12.1)], "the open of .* is outside its low and high"),
        ([row(close=8.9)], "the close of .* is outside its low and high"),
        ([[row()[0] + 1, *row()[1:]]], "a candle of 2026-03-02T12:00:00.001000.* is not on the grid of 1m"),
        ([[math.nan, *row()[1:]]], "not a candle: "),
        ([[10**30, *row()[1:]]], "not a candle's time: 1000"),
        ([row()[:5]], "not a candle: "),
        (["<html>"], "not a candle: <html>"),
        ([None], "not a candle: None"),
    ],
)
def test_one_false_row_makes_the_answer_an_error(rows: list[object], message: str) -> None:
    with pytest.raises(BadAnswerError, match=f"^{message}"):
        checked_candles([row(STEP - 1), *rows], MINUTE)


def test_weeks_that_do_not_start_on_monday_are_not_on_our_grid() -> None:
    thursday = [int(datetime.fromisoformat("2026-03-05T00:00:00+00:00").timestamp()) * 1000, 10, 12, 9, 11, 3]
    with pytest.raises(BadAnswerError, match="not on the grid of 1w"):
        checked_candles([thursday], INTERVALS["1w"])


def test_open_and_future_candles_and_those_out_of_range_are_left_out() -> None:
    candles = checked_candles([row(step) for step in range(STEP - 5, STEP + 5)], MINUTE)
    now = NOON + timedelta(seconds=59)
    closed = closed_candles(candles, range(STEP - 3, STEP + 5), MINUTE, now)
    assert [MINUTE.step_at(candle.open_time) for candle in closed] == [STEP - 3, STEP - 2, STEP - 1]


def test_a_candle_is_closed_from_its_close_time_on() -> None:
    candles = checked_candles([row()], MINUTE)
    steps = range(STEP, STEP + 1)
    assert closed_candles(candles, steps, MINUTE, NOON + timedelta(seconds=60)) == [candles[STEP]]
    assert closed_candles(candles, steps, MINUTE, NOON + timedelta(seconds=59, microseconds=999_999)) == []


PRICES = st.floats(min_value=1e-12, max_value=1e12)


@given(
    figures=st.dictionaries(
        st.integers(0, 10**5), st.tuples(st.lists(PRICES, min_size=4, max_size=4), st.floats(0, 1e12)), max_size=30
    ),
    grid=st.sampled_from(list(INTERVALS.values())),
    repeats=st.integers(1, 3),
    seed=st.integers(),
    ends=st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)),
    seconds=st.integers(0, 10**11),
)
def test_what_comes_out_is_closed_in_range_ascending_and_complete(
    figures: dict[int, tuple[list[float], float]],
    grid: Interval,
    repeats: int,
    seed: int,
    ends: tuple[int, int],
    seconds: int,
) -> None:
    rows = []
    for step, (prices, volume) in figures.items():
        low, one, other, high = sorted(prices)
        rows.append(row(step, grid=grid, open=one, high=high, low=low, close=other, volume=volume))
    rows *= repeats
    random.Random(seed).shuffle(rows)
    now = grid.open_time(0) + timedelta(seconds=seconds)
    wanted = range(min(ends), max(ends) + 1)
    closed = closed_candles(checked_candles(rows, grid), wanted, grid, now)
    assert [grid.step_at(candle.open_time) for candle in closed] == sorted(
        step for step in figures if step in wanted and grid.close_time(step) <= now
    )
    assert all(candle.low <= min(candle.open, candle.close) for candle in closed)
    assert all(candle.high >= max(candle.open, candle.close) for candle in closed)


@given(st.lists(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=7), max_size=5))
def test_garbage_gives_candles_or_a_bad_answer_and_no_other_error(rows: list[list[object]]) -> None:
    with suppress(BadAnswerError):
        checked_candles(rows, MINUTE)
