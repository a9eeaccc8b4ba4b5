"""`cryptowatch.indicators.evaluate`: indicators in a notebook."""

import doctest

import numpy as np
import pandas as pd
import pytest

from cryptowatch.indicators import catalogue, evaluate, expression, find
from cryptowatch.indicators.expression import BadCandlesError
from cryptowatch.rules import RuleError

RANDOM = np.random.default_rng(3)
CLOSE = 100 + np.cumsum(RANDOM.normal(size=(3, 200)), axis=1)
HIGH, LOW = CLOSE + RANDOM.random((3, 200)), CLOSE - RANDOM.random((3, 200))


@pytest.mark.parametrize("module", [catalogue, expression])
def test_the_examples_of_the_docstrings_are_so(module) -> None:
    assert doctest.testmod(module).attempted > 0
    assert doctest.testmod(module).failed == 0


def test_a_market_by_itself_has_the_values_it_has_in_a_panel() -> None:
    together = evaluate("macd(12, 26, 9).signal", close=CLOSE)
    assert together.shape == CLOSE.shape
    for market, closes in enumerate(CLOSE):
        assert evaluate("macd(12, 26, 9).signal", close=closes).tobytes() == together[market].tobytes()


def test_an_output_is_what_the_catalogue_computes() -> None:
    entry = find("macd")
    expected = entry.compute(CLOSE, parameters=entry.bind((5, 10, 3), {}))["histogram"]
    np.testing.assert_array_equal(evaluate("macd(5, 10, signal=3).histogram", close=CLOSE), expected)


def test_expressions_are_made_of_indicators_series_and_numbers() -> None:
    values = evaluate("(high - low) / sma(high - low, 5) * 100", high=HIGH, low=LOW)
    np.testing.assert_array_equal(values, (HIGH - LOW) / evaluate("sma(high - low, 5)", high=HIGH, low=LOW) * 100)
    assert evaluate("ema(rsi(14), 9)", close=CLOSE[0]).shape == (200,)
    assert evaluate("hl2 - 1", high=[3.0], low=[1.0]).tolist() == [1.0]


def test_a_data_frame_gives_a_series_with_its_index() -> None:
    index = pd.date_range("2026-01-01", periods=200, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"close": CLOSE[0], "ignored": "x"}, index=index)
    values = evaluate("rsi(14)", frame)
    assert values.name == "rsi(14)"
    assert values.index is frame.index or values.index.equals(index)
    np.testing.assert_array_equal(values, evaluate("rsi(14)", close=CLOSE[0]))


def test_the_day_of_a_data_frame_is_a_day_of_utc() -> None:
    index = pd.date_range("2026-01-01 01:00", periods=72, freq="h", tz="Europe/Berlin")
    columns = {name: np.arange(72.0) for name in ("open", "high", "low", "close", "volume")}
    values = evaluate("pivot_points", pd.DataFrame(columns, index=index))
    assert values.first_valid_index() == index[24], "the first day in UTC is over an hour later than in Berlin"
    assert values.iloc[24] == pytest.approx((23 + 0 + 23) / 3)


def test_times_may_be_datetimes_or_seconds() -> None:
    columns = {name: np.arange(72.0) for name in ("high", "low", "close", "volume")}
    seconds = np.arange(72) * 3600
    by_seconds = evaluate("vwap", time=seconds, **columns)
    np.testing.assert_array_equal(evaluate("vwap", time=seconds.astype("datetime64[s]"), **columns), by_seconds)
    assert not np.isnan(by_seconds[24])


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("rsi(14)", {}, "rsi(14) reads close, which was not given"),
        ("hour", {"time": [0, 60]}, "no candles: give the series that the expression reads, like close="),
        ("rsi(14)", {"close": ["a"]}, "close is not an array of numbers"),
        ("rsi(14)", {"open": [1.0]}, "rsi(14) reads close, which was not given"),
        ("hl2", {"high": [1.0]}, "hl2 reads low, which was not given"),
        ("close - open", {"close": [1.0], "open": [1.0, 2.0]}, "the arrays must have one shape"),
        ("rsi(14)", {"close": [[[1.0]]]}, "an array of candles has the shape (time,) or (market, time), not (1, 1, 1)"),
        ("rsi(14)", {"close": [1.0], "price": [1.0]}, "unknown series 'price'"),
        ("vwap", {name: [1.0] for name in ("high", "low", "close", "volume")}, "vwap needs the time of each candle"),
        ("hour + close", {"close": [1.0, 2.0], "time": [0, 61]}, "time: no interval is 61 seconds long"),
        ("hour + close", {"close": [1.0, 2.0, 3.0], "time": [0, 60, 180]}, "time must be a regular grid"),
        ("hour + close", {"close": [1.0, 2.0], "time": [30, 90]}, "time must be a regular grid"),
        ("hour + close", {"close": [1.0, 2.0], "time": [60, 0]}, "time must ascend"),
        ("hour + close", {"close": [1.0, 2.0], "time": [0, 3_600_000]}, "time must be in seconds, not in milliseconds"),
        ("hour + close", {"close": [1.0], "time": ["noon-ish"]}, "time is neither datetimes nor seconds"),
        ("hour + close", {"close": [1.0], "time": [0, 60]}, "time must have the shape (1,), not (2,)"),
    ],
)
def test_arrays_that_are_no_candles_are_told(text, columns, message) -> None:
    with pytest.raises(BadCandlesError) as raised:
        evaluate(text, **columns)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rsi(14) < 30", "a number is needed here"),
        ("rsii(14)", "unknown name 'rsii'"),
        ("rsi(1)", "rsi: length must be a whole number from 2 to 2000, not 1"),
        ('sma(20, interval="4h")', "interval= is for rules"),
    ],
)
def test_an_expression_that_is_none_is_told_like_a_rule(text, message) -> None:
    with pytest.raises(RuleError) as raised:
        evaluate(text, close=CLOSE)
    assert message in str(raised.value)


def test_a_frame_and_arrays_together_are_refused() -> None:
    with pytest.raises(BadCandlesError, match="not both"):
        evaluate("close", pd.DataFrame({"close": [1.0]}), close=[1.0])


@pytest.mark.parametrize("index", [["2026-01-01", "2026-01-05"], ["2026-01-02"], []])
def test_gaps_in_an_index_do_not_matter_where_no_time_is_read(index) -> None:
    frame = pd.DataFrame({"close": np.arange(float(len(index)))}, index=pd.DatetimeIndex(index))
    assert evaluate("sma(1)", frame).tolist() == frame["close"].tolist()


def test_hour_and_weekday_are_those_of_a_frames_index() -> None:
    index = pd.date_range("2026-11-22 22:00", periods=4, freq="h", tz="UTC")
    frame = pd.DataFrame({"close": np.ones(4)}, index=index)
    assert evaluate("hour", frame).tolist() == [22, 23, 0, 1]
    assert evaluate("weekday", frame).tolist() == [6, 6, 0, 0]
    zoned = [moment.tz_convert("Asia/Tokyo") for moment in index]
    assert evaluate("hour + 0 * close", close=np.ones(4), time=zoned).tolist() == [22, 23, 0, 1]


def test_a_column_that_is_not_read_may_hold_anything() -> None:
    frame = pd.DataFrame({"close": [1.0, 2.0], "volume": ["x", "y"]})
    assert evaluate("close", frame).tolist() == [1.0, 2.0]


def test_a_masked_candle_is_unknown() -> None:
    closes = np.ma.masked_equal([1.0, -1.0, 3.0], -1.0)
    np.testing.assert_array_equal(evaluate("close", close=closes), [1.0, np.nan, 3.0])


def test_no_candles_and_no_markets_give_none() -> None:
    assert evaluate("rsi(14)", close=[]).shape == (0,)
    assert evaluate("rsi(14)", close=np.ones((0, 5))).shape == (0, 5)


def test_something_else_in_place_of_a_frame_is_told() -> None:
    with pytest.raises(BadCandlesError, match="a frame of pandas is needed, not ndarray"):
        evaluate("close", np.ones(3))


def test_what_it_reads_is_left_as_it_was() -> None:
    closes = CLOSE.copy()
    evaluate("close", close=closes)[:] = 0
    np.testing.assert_array_equal(closes, CLOSE)
