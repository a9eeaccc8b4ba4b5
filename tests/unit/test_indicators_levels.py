"""Pivot points and anchored averages, worked by hand, and the calendar they go by."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.references import Candles
from bench.references.generated import cut, market, values
from cryptowatch.indicators import find
from cryptowatch.indicators.levels import DAY, MONTH, WEEK, start_of
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.panel import Floats

PIVOTS = ("pivot_points", "pivot_points_fibonacci", "pivot_points_camarilla")
AVERAGES = ("vwap", "vwap_week", "vwap_month")


def candles(start: str, hours: float, *rows: tuple[float, float, float, float]) -> Candles:
    """Candles of so many hours from a moment in UTC on: high, low, close and volume each."""
    high, low, close, volume = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    first = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()
    return Candles(close, high, low, close, volume, first + hours * 3600 * np.arange(len(rows)))


def traded(start: str, hours: float, *rows: tuple[float, float]) -> Candles:
    """The same, of a price and a volume each."""
    return candles(start, hours, *((price, price, price, volume) for price, volume in rows))


def one(name: str, known: Candles) -> dict[str, Floats]:
    return {output: rows[0] for output, rows in values(find(name), {}, known).items()}


#: A day with high 12, low 6 and close 10.5, and two candles of the next.
TWO_DAYS = candles("2024-05-01", 8, (12, 9, 9, 1), (10, 6, 7, 1), (11, 7, 10.5, 1), (99, 1, 50, 1), (99, 1, 50, 1))


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("pivot_points", {"pivot": 9.5, "r1": 13, "r2": 15.5, "r3": 19, "s1": 7, "s2": 3.5, "s3": 1}),
        (
            "pivot_points_fibonacci",
            {"pivot": 9.5, "r1": 11.792, "r2": 13.208, "r3": 15.5, "s1": 7.208, "s2": 5.792, "s3": 3.5},
        ),
        (
            "pivot_points_camarilla",
            {"pivot": 9.5, "r1": 11.05, "r2": 11.6, "r3": 12.15, "r4": 13.8}
            | {"s1": 9.95, "s2": 9.4, "s3": 8.85, "s4": 7.2},
        ),
    ],
)
def test_pivot_points_are_those_of_the_day_before_on_every_candle_of_a_day(name, levels) -> None:
    found = one(name, TWO_DAYS)
    assert set(found) == set(levels)
    for output, expected in levels.items():
        np.testing.assert_allclose(found[output], [np.nan] * 3 + [expected] * 2, rtol=1e-14)


@pytest.mark.parametrize("name", PIVOTS)
def test_a_day_that_the_candles_begin_in_the_middle_of_gives_no_levels(name) -> None:
    known = market(9, 1, seconds=28800)
    late = one(name, cut(known, 1))
    for output, whole in one(name, known).items():
        assert np.isnan(late[output][:5]).all(), "two candles of the first day, three of the first whole one"
        np.testing.assert_array_equal(late[output][5:], whole[6:])


def test_on_candles_of_a_day_the_levels_are_of_the_candle_before_and_on_longer_ones_unknown() -> None:
    rows = [(12, 6, 10.5, 1), (9, 3, 6, 1), (99, 1, 50, 1)]
    np.testing.assert_array_equal(one("pivot_points", candles("2024-05-01", 24, *rows))["pivot"], [np.nan, 9.5, 6])
    assert np.isnan(one("pivot_points", candles("2024-05-06", 168, *rows))["pivot"]).all()


def test_a_day_that_is_missing_altogether_gives_no_levels_to_the_next() -> None:
    parts = cut(TWO_DAYS, 0, 3), candles("2024-05-03", 8, (9, 3, 6, 1), (9, 3, 6, 1), (9, 3, 6, 1), (8, 2, 5, 1))
    joined = Candles(*(np.concatenate([getattr(part, name) for part in parts]) for name in Candles.__annotations__))
    np.testing.assert_array_equal(one("pivot_points", joined)["pivot"], [np.nan] * 6 + [6])


def test_the_average_is_weighted_by_volume_and_begins_anew_each_day() -> None:
    known = candles("2024-05-01", 8, (9, 3, 6, 1), (10, 8, 9, 2), (8, 8, 8, 0), (6, 2, 4, 5))
    np.testing.assert_array_equal(one("vwap", known)["value"], [6, 8, 8, 4])
    assert find("vwap_day") is find("vwap")


def test_the_average_is_unknown_until_a_period_begins_and_something_is_traded() -> None:
    late = traded("2024-05-01T16:00", 8, (5, 1), (7, 0), (8, 0), (9, 3))
    np.testing.assert_array_equal(one("vwap", late)["value"], [np.nan, np.nan, np.nan, 9])


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("vwap_week", "2024-05-03", [np.nan, np.nan, np.nan, 9, 12.5]),  # a Friday
        ("vwap_week", "2024-05-06", [1, 1.5, 3, 4.5, 6.8]),  # a Monday
        ("vwap_month", "2024-02-27", [np.nan, np.nan, np.nan, 9, 12.5]),  # in a leap year
        ("vwap_month", "2023-02-27", [np.nan, np.nan, 6, 7.5, 31 / 3]),
        ("vwap_month", "2024-05-06", [np.nan] * 5),
    ],
)
def test_a_week_begins_on_monday_and_a_month_on_its_first(name, start, expected) -> None:
    known = traded(start, 24, (1, 2), (2, 2), (6, 2), (9, 2), (16, 2))
    np.testing.assert_allclose(one(name, known)["value"], expected, rtol=1e-15)


def test_a_week_that_reaches_into_a_month_counts_where_it_opens() -> None:
    known = traded("2024-04-22", 168, (1, 1), (2, 1), (4, 1), (6, 1))
    np.testing.assert_array_equal(one("vwap_month", known)["value"], [np.nan, np.nan, 4, 5])


@pytest.mark.parametrize("price", [1e-12, 0.1, 101.3, 12345.678, 1e9])
def test_while_one_price_is_paid_the_average_is_exactly_that_one(price) -> None:
    known = traded("2024-01-01", 1, (1e9, 0), *((price, 0.1 * volume) for volume in range(1, 24)))
    for name in AVERAGES:
        assert (one(name, known)["value"][1:] == price).all()


@given(st.integers(-(10**10), 10**11), st.sampled_from([DAY, WEEK, MONTH]))
def test_periods_begin_where_the_calendar_says(second, period) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    midnight = (epoch + timedelta(seconds=second)).replace(hour=0, minute=0, second=0)
    back = {DAY: 0, WEEK: midnight.weekday(), MONTH: midnight.day - 1}[period]
    expected = (midnight - timedelta(days=back) - epoch).total_seconds()
    assert start_of(float(second), period) == expected


@pytest.mark.parametrize("name", [*PIVOTS, *AVERAGES])
@pytest.mark.parametrize("interval", ["1h", "4h", "1d", "1w"])
def test_behind_the_look_back_of_the_interval_the_start_changes_no_bit(name, interval) -> None:
    seconds = INTERVALS[interval].seconds
    look_back = find(name).look_back({}, seconds)
    known = market(look_back + 60, 3, "smooth", seconds)
    for skipped in range(1, 40, 3):
        late = one(name, cut(known, skipped))
        for output, early in one(name, known).items():
            np.testing.assert_array_equal(late[output][look_back - 1 :], early[skipped + look_back - 1 :])


@pytest.mark.parametrize(
    ("name", "interval", "candles"),
    [
        ("pivot_points", "1m", 2 * 1440 + 1),
        ("pivot_points", "1h", 2 * 24 + 1),
        ("pivot_points", "1d", 3),
        ("vwap", "1m", 1440 + 1),
        ("vwap_week", "1m", 7 * 1440 + 1),
        ("vwap_month", "1m", 31 * 1440 + 1),
        ("vwap_month", "1d", 31 + 1),
        ("vwap_month", "1w", 5 + 1),
    ],
)
def test_the_look_back_is_as_many_candles_as_the_days_hold(name, interval, candles) -> None:
    assert find(name).look_back({}, INTERVALS[interval].seconds) == candles


def test_the_first_levels_come_when_a_day_that_began_at_midnight_is_over() -> None:
    assert find("pivot_points").warm_up({}, "r1", 60) == 1440
    assert find("pivot_points").warm_up({}, "r1", 3600) == 24
    assert find("pivot_points").warm_up({}, "r1", 86400) == 1
    found = one("pivot_points", market(30, 1, seconds=3600))["r1"]
    assert list(np.isnan(found)) == [True] * 24 + [False] * 6
