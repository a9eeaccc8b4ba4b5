from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.interval import CHUNK, INTERVALS, UnknownIntervalError, interval_named
from cryptowatch.markets.loads import last_closed_steps, load_start, load_starts

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
intervals = st.sampled_from(list(INTERVALS.values()))
times = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))


def test_weeks_begin_on_monday() -> None:
    week = INTERVALS["1w"]
    assert week.open_time(week.step_at(NOON)) == datetime(2026, 3, 2, tzinfo=UTC)


def test_days_begin_at_midnight_utc() -> None:
    day = INTERVALS["1d"]
    assert day.open_time(day.step_at(NOON)) == datetime(2026, 3, 4, tzinfo=UTC)


def test_a_candle_has_closed_from_its_close_time_on() -> None:
    hour = INTERVALS["1h"]
    step = hour.step_at(NOON)
    assert hour.last_closed(NOON) == step - 1
    assert hour.last_closed(NOON - timedelta(microseconds=1)) == step - 2


def test_an_unknown_interval_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownIntervalError, match="'2m': one of 1m, 5m"):
        interval_named("2m")


@given(intervals, times)
def test_every_time_lies_in_exactly_one_step(interval, time) -> None:
    step = interval.step_at(time)
    assert interval.open_time(step) <= time < interval.close_time(step)
    assert interval.is_on_grid(interval.open_time(step))


@given(st.integers(1, 5000), st.integers(0, 10**7))
def test_a_load_starts_on_a_chunk_boundary_and_holds_the_look_back(look_back, step) -> None:
    start = load_start(look_back, step)
    assert start % CHUNK == 0
    assert look_back <= step - start + 1 <= look_back + 2 * CHUNK


@given(st.integers(1, 5000), st.integers(0, 10**6))
def test_all_moments_of_a_chunk_share_their_load(look_back, chunk) -> None:
    starts = {load_start(look_back, chunk * CHUNK + within) for within in (0, 1, CHUNK - 1)}
    assert len(starts) == 1


def test_a_higher_interval_is_read_up_to_its_last_closed_candle() -> None:
    minute, hour = INTERVALS["1m"], INTERVALS["1h"]
    step = minute.step_at(NOON - timedelta(minutes=1))  # closes at noon sharp
    last = last_closed_steps({"1m": 10, "1h": 10}, minute, step)
    assert hour.close_time(last["1h"]) == NOON
    assert last_closed_steps({"1h": 10}, minute, step - 1)["1h"] == last["1h"] - 1
    assert load_starts({"1h": 10}, minute, step)["1h"] == last["1h"] // CHUNK * CHUNK - CHUNK
