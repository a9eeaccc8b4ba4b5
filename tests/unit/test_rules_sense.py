"""Comparisons that hardly mean anything."""

import pytest

from cryptowatch.indicators import CATALOGUE, find
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import compile_rule
from cryptowatch.rules.sense import RANGES

HOUR = INTERVALS["1h"]


def warnings(text: str) -> list[str]:
    return [one.message for one in compile_rule(text, HOUR).warnings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("close > rsi(14)", "close is a price and rsi(14) is a percentage or a ratio"),
        ("volume > close", "volume is a volume and close is a price"),
        ("crosses_above(sma(20), rsi(14))", "sma(20) is a price and rsi(14) is a percentage or a ratio"),
        ("sma(volume, 20) < close", "sma(volume, 20) is a volume and close is a price"),
        ("close - open > roc(3)", "close - open is a price and roc(3) is a percentage or a ratio"),
        ("count(close > open, 5) > close", "count(close > open, 5) is a number of candles and close is a price"),
        ("rsi(14) > 100", "rsi(14) > 100 is always false"),
        ("rsi(14) >= 0", "rsi(14) >= 0 is always true"),
        ("-100 <= williams_r(14) < 50", "williams_r(14) < 50 is always true"),
        ("close < 0", "close < 0 is always false"),
        ("volume >= 0", "volume >= 0 is always true"),
        ("close > close", "close > close is always false"),
        ("sma(20) <= sma(20)", "sma(20) <= sma(20) is always true"),
        ("hour > 23 and close > open", "hour > 23 is always false"),
        ("count(close > open, 5) > 5", "count(close > open, 5) > 5 is always false"),
        ('rsi(14, interval="4h") > 101', 'rsi(14, interval="4h") > 101 is always false'),
    ],
)
def test_it_is_warned_of_what_can_hardly_be_meant(text, said) -> None:
    assert said in warnings(text)


@pytest.mark.parametrize(
    "text",
    [
        "close > sma(20)",
        "close - ago(close, 3) > 2 * atr(14)",
        "close / sma(200) > 1.1",
        "close / open > bollinger.percent",
        "rsi(14) > sma(rsi(14), 9)",
        "volume > 2 * sma(volume, 20)",
        "close * volume > 1e6",
        "rsi(14) > 99.5",
        "close > 0",
        "hour < 23",
        "close * 1.02 > high",
        "when(close > open, close, open) > sma(20)",
        "max(close, open) > high - atr(14)",
        "count(close > open, 5) > bars_since(close > open)",
    ],
)
def test_nothing_is_said_of_what_means_something(text) -> None:
    assert warnings(text) == []


def test_every_range_is_of_an_output_that_there_is() -> None:
    for name, output in RANGES:
        assert output in find(name).outputs, name
    assert len(CATALOGUE) > 80
