"""Three-valued logic: the tables, and what makes a rule unknown."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.panel import Panel
from cryptowatch.rules import Evaluation, compile_rule
from cryptowatch.rules.truth import compare

MINUTE = INTERVALS["1m"]
NAN = np.nan
T, U, F = 1, -1, 0


def evaluate(text: str, closes: list[float], filled: list[int] = (), **series: list[float]) -> Evaluation:
    """The rule on one market with these closes, at every candle."""
    row = np.array([closes])
    columns = {name: np.array([series.get(name, closes)]) for name in ("open", "high", "low", "close", "volume")}
    marks = np.zeros(row.shape, dtype=np.bool_)
    marks[0, list(filled)] = True
    panel = Panel(MINUTE, 0, (1,), **columns, filled=marks)
    return compile_rule(text, MINUTE).evaluate({"1m": panel}, 0, len(closes) - 1)


def truth(text: str, closes: list[float], filled: list[int] = (), **series: list[float]) -> list[int]:
    return evaluate(text, closes, filled, **series).truth[0].tolist()


AND = {(T, T): T, (T, U): U, (T, F): F, (U, U): U, (U, F): F, (F, F): F}
OR = {(T, T): T, (T, U): T, (T, F): T, (U, U): U, (U, F): U, (F, F): F}
#: A series that makes `> 0` so.
GIVES = {T: 1.0, U: NAN, F: -1.0}


@pytest.mark.parametrize(("a", "b"), list(itertools.product((T, U, F), repeat=2)))
def test_and_or(a, b) -> None:
    series = {"open": [GIVES[a]], "high": [GIVES[b]]}
    pair = (a, b) if (a, b) in AND else (b, a)
    assert truth("open > 0 and high > 0", [1.0], **series) == [AND[pair]]
    assert truth("open > 0 or high > 0", [1.0], **series) == [OR[pair]]


@pytest.mark.parametrize(("of", "expected"), [(T, F), (F, T), (U, U)])
def test_not(of, expected) -> None:
    assert truth("not open > 0", [1.0], open=[GIVES[of]]) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close > open", [F, F, T, U]),
        ("close >= open", [F, T, T, U]),
        ("close < open", [T, F, F, U]),
        ("close <= open", [T, T, F, U]),
        ("0 < close < 3", [T, T, F, U]),
        ("5 < close < open", [F, F, F, U]),
    ],
)
def test_comparisons(text, expected) -> None:
    assert truth(text, [1.0, 2.0, 3.0, NAN], open=[2.0, 2.0, 2.0, 2.0]) == expected


def test_a_chain_with_one_false_link_is_false_whatever_the_unknown_one_is() -> None:
    assert truth("close < open < high", [NAN], open=[5.0], high=[4.0]) == [F]


def test_division_by_zero_and_overflow_are_unknown() -> None:
    assert truth("1 / open > 0", [1.0, 1.0], open=[0.0, 2.0]) == [U, T]
    assert truth("open / open > 0", [1.0], open=[0.0]) == [U]
    assert truth("open * open > 0", [1.0], open=[1e200]) == [U]
    assert truth("open * open - open * open < 1", [1.0], open=[1e200]) == [U]
    assert truth("bollinger(2).percent > 0", [1.0, 1.0, 2.0]) == [U, U, T]


def test_unknown_while_an_indicator_warms_up_and_anew_behind_a_gap() -> None:
    closes = [1.0, 2.0, 3.0, NAN, 4.0, 5.0, 6.0]
    assert truth("close > sma(2)", closes) == [U, T, T, U, U, T, T]
    assert truth("ema(3) > 0", closes) == [U, U, T, U, U, U, T]


def test_a_flat_stretch_is_neither_above_nor_below_its_average() -> None:
    closes = [7.1, 3.3, *[0.1] * 30]
    assert truth("close > sma(20)", closes)[21:] == [F] * 11
    assert truth("close < sma(20)", closes)[21:] == [F] * 11
    assert truth("close < bollinger(20, 2).lower", closes)[21:] == [F] * 11


def test_compare_takes_arrays_of_one_shape_or_a_constant() -> None:
    sides = np.array([[1.0, 2.0]]), np.float64(1.5)
    assert compare(">", *sides).tolist() == [[0, 2]]


# Functions of the last candles.


@pytest.mark.parametrize(
    ("text", "closes", "expected"),
    [
        ("crosses_above(close, 2)", [1.0, 3.0, 4.0, 2.0, 3.0, NAN, 3.0], [F, T, F, F, T, F, U]),
        ("crosses_below(close, 2)", [3.0, 1.0, 2.0, 1.0], [F, T, F, T]),
        ("crosses_above(close, 2)", [2.0, 2.5, 3.0], [F, T, F]),
        ("crosses_above(close, 2)", [3.0, 3.0], [U, F]),
        ("rising(close, 2)", [1.0, 2.0, 3.0, 3.0, 4.0, 5.0], [U, U, T, F, F, T]),
        ("falling(close, 2)", [3.0, 2.0, 1.0, 1.0], [U, U, T, F]),
        ("rising(close, 2)", [1.0, NAN, 3.0, 2.0, 4.0], [U, U, U, F, F]),
        ("rising(close, 1)", [1.0, 1.5, 1.5], [U, T, F]),
        ("close.rising(1)", [1.0, 1.5, 1.5], [U, T, F]),
        ("ago(close, 2) < 2", [1.0, 2.0, 3.0, 4.0], [U, U, T, F]),
        ("change(close, 1) > 1", [1.0, 3.0, 4.0], [U, T, F]),
        ("highest(close, 2) > 2", [1.0, 2.0, 3.0, 1.0, 1.0], [U, F, T, T, F]),
        ("lowest(close, 3) < 2", [1.0, 2.0, 3.0, 4.0, NAN, 5.0, 6.0, 7.0], [U, U, T, F, U, U, U, F]),
        ("highest(close, 5) > 0", [1.0], [U]),
        ("highest(close, 1) > 0", [1.0], [T]),
        ("any(close > 2, 2)", [1.0, 3.0, 1.0, 1.0, NAN, 1.0, 3.0], [U, T, T, F, U, U, T]),
        ("all(close > 2, 2)", [3.0, 3.0, 1.0, 3.0, NAN, 3.0, 3.0], [U, T, F, F, U, U, T]),
        ("count(close > 2, 3) >= 2", [3.0, 1.0, 3.0, 1.0, 3.0, NAN, 3.0], [U, U, T, F, T, U, U]),
        ("bars_since(close > 2, 3) < 2", [1.0, 3.0, 1.0, 1.0, NAN, 3.0], [U, T, T, F, U, T]),
    ],
)
def test_functions_of_the_last_candles(text, closes, expected) -> None:
    assert truth(text, closes) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(close, open) > 2", [F, T, U, T]),
        ("min(close, open, 5) > 2", [F, F, U, T]),
        ("abs(close - open) > 1.5", [F, T, U, F]),
        ("log(close) > 1", [F, T, U, T]),
        ("log(close - 3) > -99", [U, U, U, T]),
        ("sqrt(close) >= 2", [F, F, U, T]),
        ("sqrt(close - 3.5) > 0", [U, U, U, T]),
        ("when(close > open, close, -1) > 2", [F, T, U, F]),
        ("when(close > open, 3, 4) > 3", [T, F, U, T]),
    ],
)
def test_functions_of_one_candle(text, expected) -> None:
    assert truth(text, [1.0, 3.0, NAN, 4.0], open=[2.0, 1.0, 1.0, 4.5]) == expected


def test_when_takes_the_number_of_a_condition_that_is_known_whatever_the_other_one_is() -> None:
    assert truth("when(close > 2, 1, open) > 0", [3.0, 1.0], open=[NAN, NAN]) == [T, U]


def test_hour_and_weekday_are_those_of_the_open_time_in_utc() -> None:
    hour = INTERVALS["1h"]
    first = hour.step_at(datetime(2026, 11, 22, 22, tzinfo=UTC))  # a Sunday
    ones = np.ones((1, 4))
    panel = Panel(hour, first, (1,), *[ones] * 5, filled=np.zeros((1, 4), dtype=np.bool_))
    said = compile_rule("hour >= 0 and weekday >= 0", hour).evaluate({"1h": panel}, first, first + 3).figures
    assert said["hour"].tolist() == [[22, 23, 0, 1]]
    assert said["weekday"].tolist() == [[6, 6, 0, 0]]


@pytest.mark.parametrize("candles", [1, 2, 3, 7, 50])
def test_highest_lowest_and_rising_are_those_of_the_definition(candles) -> None:
    closes = np.round(np.random.default_rng(candles).normal(size=40), 1).tolist()
    figures = evaluate(f"highest(close, {candles}) > lowest(close, {candles})", closes).figures
    rising = truth(f"rising(close, {candles})", closes)
    for step in range(len(closes)):
        window = closes[max(0, step - candles + 1) : step + 1]
        full = step >= candles - 1
        np.testing.assert_equal(figures[f"highest(close, {candles})"][0, step], max(window) if full else NAN)
        np.testing.assert_equal(figures[f"lowest(close, {candles})"][0, step], min(window) if full else NAN)
        moves = [closes[at] > closes[at - 1] for at in range(max(1, step - candles + 1), step + 1)]
        expected = F if not all(moves) else T if len(moves) == candles else U
        assert rising[step] == expected


# Filled candles.


def test_more_than_half_of_the_look_back_filled_is_unknown() -> None:
    closes = [5.0] * 30
    assert truth("sma(20) > 1", closes, filled=range(20, 30))[29] == T
    assert truth("sma(20) > 1", closes, filled=range(19, 30))[29] == U
    assert truth("sma(20) > 1", closes, filled=range(9, 20))[28:] == [U, T]


def test_a_single_filled_candle_does_not_make_a_short_look_back_unknown() -> None:
    assert truth("close > 1", [5.0] * 12, filled=[11])[11] == T
    assert truth("close > 1", [5.0] * 12, filled=range(6, 12))[11] == U


def test_candles_before_the_first_one_do_not_count() -> None:
    closes = [NAN] * 30 + [5.0] * 4
    assert truth("close > 1", closes, filled=[31, 32])[30:] == [T, T, U, T]
