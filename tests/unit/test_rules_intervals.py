"""What counts around `interval=`: the candles of the higher interval, or the watch's own."""

import numpy as np
import pytest

from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.markets.panel import Panel
from cryptowatch.rules import Memo, compile_rule

MINUTE, FIVE, QUARTER = INTERVALS["1m"], INTERVALS["5m"], INTERVALS["15m"]
FIRST, WIDTH = 1000, 300


def panel(interval: Interval, first: int, width: int, markets: int = 2) -> Panel:
    chance = np.random.default_rng(interval.seconds)
    close = 100 + chance.integers(-8, 9, (markets, width)) / 4
    low, high = close - chance.integers(0, 3, close.shape), close + chance.integers(0, 3, close.shape)
    volume = chance.integers(1, 9, close.shape) / 2
    return Panel(
        interval, first, tuple(range(markets)), low, high, low, close, volume, np.zeros(close.shape, dtype=np.bool_)
    )


PANELS = {
    one.name: panel(one, FIRST * 60 // one.seconds - 40, WIDTH * 60 // one.seconds + 40) for one in (FIVE, QUARTER)
}
PANELS["1m"] = panel(MINUTE, FIRST, WIDTH)


def truth(text: str, interval: Interval = MINUTE) -> np.ndarray:
    rule = compile_rule(text, interval)
    panels = {name: PANELS[name] for name in rule.look_back}
    base = panels[interval.name]
    return rule.evaluate(panels, base.first_step, base.first_step + base.width - 1).truth


def brought_to_minutes(values: np.ndarray) -> np.ndarray:
    """What is known at each five minutes' close, at each minute from then on."""
    minutes = np.arange(FIRST, FIRST + WIDTH)
    return values[:, (minutes + 1) // 5 - 1 - PANELS["5m"].first_step]


@pytest.mark.parametrize(
    ("on_five", "text"),
    [
        ("sma(rsi(3), 5) > 50", 'sma(rsi(3, interval="5m"), 5) > 50'),
        ("ema(sma(rsi(3), 5), 3) > 50", 'ema(sma(rsi(3, interval="5m"), 5), 3) > 50'),
        ("vwma(sma(2), 5) > 100", 'vwma(sma(2, interval="5m"), 5) > 100'),
        ("sma(2 * rsi(3) - sma(3), 4) > 0", 'sma(2 * rsi(3, interval="5m") - sma(3, interval="5m"), 4) > 0'),
        ("sma(ago(rsi(3), 2), 4) > 50", 'sma(ago(rsi(3, interval="5m"), 2), 4) > 50'),
        ("bars_since(rsi(3) < 30) < 3", 'bars_since(rsi(3, interval="5m") < 30) < 3'),
        ("bars_since(20 < rsi(3) < 50) < 3", 'bars_since(20 < rsi(3, interval="5m") < 50) < 3'),
        (
            "bars_since(rsi(3) < 50 and not sma(2) > 100) < 3",
            'bars_since(rsi(3, interval="5m") < 50 and not sma(2, interval="5m") > 100) < 3',
        ),
        ("any(rsi(3) < 30 or rsi(4) > 70, 4)", 'any(rsi(3, interval="5m") < 30 or rsi(4, interval="5m") > 70, 4)'),
        ("bollinger(rsi(3), 5, 1).percent > 0.5", 'bollinger(rsi(3, interval="5m"), 5, 1).percent > 0.5'),
    ],
)
def test_an_indicator_of_a_higher_intervals_source_counts_its_candles(on_five, text) -> None:
    expected = brought_to_minutes(truth(on_five, FIVE))
    assert set(np.unique(expected)) >= {0, 1}
    np.testing.assert_array_equal(truth(text), expected)


def test_an_interval_of_its_own_counts_that_ones() -> None:
    inside = 'sma(rsi(3, interval="5m"), 5{}) > 50'
    inherited, on_minutes = truth(inside.format("")), truth(inside.format(', interval="1m"'))
    assert (inherited != on_minutes).any()
    np.testing.assert_array_equal(inherited, truth('sma(rsi(3), 5, interval="5m") > 50'))
    np.testing.assert_array_equal(inherited, truth(inside.format(', interval="5m"')))
    rule = compile_rule('sma(sma(1, interval="15m"), 3, interval="5m") > 100', MINUTE)
    assert rule.look_back == {"1m": 1, "5m": 3, "15m": 2}


def test_a_plain_series_inside_has_the_watchs_own_candles_counted() -> None:
    mixed = 'bars_since(rsi(3, interval="5m") < 50 and close > 0, 50) < 3'
    on_minutes = 'bars_since(rsi(3, interval="5m") < 50, 50, interval="1m") < 3'
    np.testing.assert_array_equal(truth(mixed), truth(on_minutes))
    assert (truth(mixed) != truth('bars_since(rsi(3, interval="5m") < 50, 50) < 3')).any()


def test_two_that_differ_by_an_interval_have_figures_of_their_own() -> None:
    rule = compile_rule('sma(rsi(3, interval="5m"), 5) > sma(rsi(3, interval="5m"), 5, interval="1m")', MINUTE)
    figures = rule.evaluate(PANELS, FIRST, FIRST + WIDTH - 1).figures
    assert list(figures) == ['sma(rsi(3, interval="5m"), 5)', 'sma(rsi(3, interval="5m"), 5, interval="1m")']


def test_a_flat_candles_means_are_its_close() -> None:
    closes = np.random.default_rng(1).uniform(1e-6, 1e6, (1, 100_000))
    flat = Panel(MINUTE, 0, (1,), closes, closes, closes, closes, closes, np.zeros(closes.shape, dtype=np.bool_))
    for name in ("hl2", "hlc3", "ohlc4"):
        assert (
            not compile_rule(f"{name} < close or {name} > close", MINUTE).evaluate({"1m": flat}, 0, 99_999).truth.any()
        )


def test_the_means_of_a_candle_are_what_their_names_say() -> None:
    rule = compile_rule("hl2 > 0 and hlc3 > 0 and ohlc4 > 0", MINUTE)
    figures = rule.evaluate(PANELS, FIRST, FIRST + WIDTH - 1).figures
    one = PANELS["1m"]
    np.testing.assert_allclose(figures["hl2"], (one.high + one.low) / 2, rtol=1e-15)
    np.testing.assert_allclose(figures["hlc3"], (one.high + one.low + one.close) / 3, rtol=1e-15)
    np.testing.assert_allclose(figures["ohlc4"], (one.open + one.high + one.low + one.close) / 4, rtol=1e-15)


def test_a_memo_counts_each_array_once_and_none_of_the_panels() -> None:
    of_floats, of_truth = PANELS["1m"].close.nbytes, 2 * WIDTH
    memo = Memo()
    compile_rule("close > open", MINUTE).evaluate(PANELS, FIRST, FIRST, memo)
    assert memo.size == of_truth
    compile_rule("sma(3) > close", MINUTE).evaluate(PANELS, FIRST, FIRST, memo)
    assert memo.size == of_floats + 2 * of_truth
    compile_rule("sma(3) < open", MINUTE).evaluate(PANELS, FIRST, FIRST, memo)
    assert memo.size == of_floats + 3 * of_truth
    compile_rule("hour < close", MINUTE).evaluate(PANELS, FIRST, FIRST, memo)
    assert memo.size == of_floats + 4 * of_truth + 8 * WIDTH
