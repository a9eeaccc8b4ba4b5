"""Candle patterns, drawn by hand: what is one, and what is not quite one."""

import numpy as np
import pytest

from bench.references import RECORDS, load
from bench.references.patterns import TALIB, both
from cryptowatch.indicators import CATALOGUE, find, patterns, star_patterns

#: Open, high, low and close.
Bar = tuple[float, float, float, float]

#: Ten candles with bodies of 1, down to 100 or up to it, and ten that did not move.
FALL: list[Bar] = [(close + 1, close + 1.5, close - 0.5, close) for close in np.arange(109.0, 99, -1)]
RISE: list[Bar] = [(close - 1, close + 0.5, close - 1.5, close) for close in np.arange(91.0, 101)]
STILL: list[Bar] = [(100, 100, 100, 100)] * 10

#: Indicator and output, the candles before, those of the pattern, and whether it is one.
DRAWN: list[tuple[str, str, list[Bar], list[Bar], bool]] = [
    ("doji", "value", [], [(100, 102, 98, 100.2)], True),
    ("doji", "value", [], [(100, 102, 98, 100)], True),
    ("doji", "value", [], [(100, 102, 98, 100.3)], False),
    ("doji", "value", [], [(100, 100, 100, 100)], False),
    # A white body and a black one; too short a shadow; too long a one above; no body; not after a fall.
    ("hammer", "value", FALL, [(99, 100.2, 96.8, 100)], True),
    ("hammer", "value", FALL, [(100, 100.2, 96.8, 99)], True),
    ("hammer", "value", FALL, [(99, 100, 97, 100)], True),
    ("hammer", "value", FALL, [(99, 100, 97.1, 100)], False),
    ("hammer", "value", FALL, [(99, 100.5, 96.8, 100)], False),
    ("hammer", "value", FALL, [(99, 99, 97, 99)], False),
    ("hammer", "value", FALL, [(99, 99, 99, 99)], False),
    ("hammer", "value", RISE, [(99, 100.2, 96.8, 100)], False),
    ("hammer", "value", STILL, [(99, 100.2, 96.8, 100)], False),
    ("inverted_hammer", "value", FALL, [(100, 103.2, 99.9, 101)], True),
    ("inverted_hammer", "value", FALL, [(101, 103.2, 99.9, 100)], True),
    ("inverted_hammer", "value", FALL, [(100, 102.9, 99.9, 101)], False),
    ("inverted_hammer", "value", FALL, [(100, 103.2, 99.5, 101)], False),
    ("inverted_hammer", "value", RISE, [(100, 103.2, 99.9, 101)], False),
    ("shooting_star", "value", RISE, [(100, 103.2, 99.9, 101)], True),
    ("shooting_star", "value", RISE, [(100, 102.9, 99.9, 101)], False),
    ("shooting_star", "value", FALL, [(100, 103.2, 99.9, 101)], False),
    # After whatever; not with a shadow, nor when no longer than others.
    ("marubozu", "bullish", FALL, [(100, 103.05, 99.95, 103)], True),
    ("marubozu", "bullish", RISE, [(100, 103.05, 99.95, 103)], True),
    ("marubozu", "bullish", FALL, [(100, 103.5, 100, 103)], False),
    ("marubozu", "bullish", FALL, [(100, 101, 100, 101)], False),
    ("marubozu", "bullish", FALL, [(100, 101.1, 100, 101.1)], True),
    ("marubozu", "bullish", FALL, [(103, 103.05, 99.95, 100)], False),
    ("marubozu", "bullish", STILL, [(100, 100, 100, 100)], False),
    # Covered on both sides, or on one; as long; not covered; the wrong colours; the wrong trend.
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (98.9, 101, 98.5, 100.5)], True),
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (99, 101, 98.5, 100.5)], True),
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (98.9, 101, 98.5, 100)], True),
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (99, 100.2, 98.8, 100)], False),
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (98.9, 100, 98.5, 99.9)], False),
    ("engulfing", "bullish", FALL, [(100, 100.2, 98.8, 99), (99.1, 101, 98.5, 100.5)], False),
    ("engulfing", "bullish", FALL, [(99, 100.2, 98.8, 100), (98.9, 101, 98.5, 100.5)], False),
    ("engulfing", "bullish", FALL, [(99, 99, 99, 99), (98.9, 101, 98.5, 100.5)], False),
    ("engulfing", "bullish", RISE, [(100, 100.2, 98.8, 99), (98.9, 101, 98.5, 100.5)], False),
    # Of either colour, or a doji; without a trade; more than half; outside; the first is not long, or white.
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (98.5, 99.2, 98.3, 99)], True),
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (99, 99.2, 97.5, 98)], True),
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (98.5, 99, 98.3, 98.5)], True),
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (98.5, 98.5, 98.5, 98.5)], False),
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (98.5, 99.7, 98.3, 99.6)], False),
    ("harami", "bullish", FALL, [(100, 100.2, 97.8, 98), (97.9, 98.7, 97.8, 98.5)], False),
    ("harami", "bullish", FALL, [(100, 100.2, 98.9, 99), (99.2, 99.7, 99.1, 99.5)], False),
    ("harami", "bullish", FALL, [(98, 100.2, 97.8, 100), (98.5, 99.2, 98.3, 99)], False),
    ("harami", "bullish", RISE, [(100, 100.2, 97.8, 98), (98.5, 99.2, 98.3, 99)], False),
    # Beyond the middle, or just to it; opens at the close, or above; ends at the open; the first is not long.
    ("piercing", "value", FALL, [(100, 100.2, 97.8, 98), (97.9, 99.6, 97.5, 99.2)], True),
    ("piercing", "value", FALL, [(100, 100.2, 97.8, 98), (98, 99.6, 97.5, 99.2)], True),
    ("piercing", "value", FALL, [(100, 100.2, 97.8, 98), (97.9, 99.6, 97.5, 99)], False),
    ("piercing", "value", FALL, [(100, 100.2, 97.8, 98), (98.1, 99.6, 97.5, 99.2)], False),
    ("piercing", "value", FALL, [(100, 100.2, 97.8, 98), (97.9, 100.6, 97.5, 100)], False),
    ("piercing", "value", FALL, [(100, 100.2, 98.8, 99), (98.9, 99.8, 98.5, 99.8)], False),
    ("piercing", "value", RISE, [(100, 100.2, 97.8, 98), (97.9, 99.6, 97.5, 99.2)], False),
    # A star of either colour; a doji; to the middle, or not; a long one, one without a trade, one high up.
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (96.9, 97.3, 96.2, 96.6), (96.7, 99, 96.5, 98.6)], True),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (97, 97.6, 96.7, 97.5), (97.5, 99, 97, 98.6)], True),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (96.9, 97.3, 96.2, 96.9), (96.7, 99, 96.5, 98.5)], True),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (96.9, 97.3, 96.2, 96.6), (96.7, 99, 96.5, 98.4)], False),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (96.9, 97.3, 95.7, 95.9), (96.7, 99, 96.5, 98.6)], False),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (96.9, 96.9, 96.9, 96.9), (96.7, 99, 96.5, 98.6)], False),
    ("morning_star", "value", FALL, [(100, 100, 96.8, 97), (98.2, 98.5, 98.1, 98.4), (98.3, 99, 96.5, 98.9)], False),
    ("morning_star", "value", FALL, [(100, 100, 98.8, 99), (98.9, 99, 98.6, 98.8), (98.9, 100, 98.5, 99.9)], False),
    ("morning_star", "value", RISE, [(100, 100, 96.8, 97), (96.9, 97.3, 96.2, 96.6), (96.7, 99, 96.5, 98.6)], False),
]

#: The second of three soldiers, and what may be wrong with it.
SECOND: list[tuple[Bar, bool]] = [
    ((101.5, 103.6, 101.3, 103.5), True),
    ((102.2, 103.6, 101.3, 103.5), True),  # a little above the close before
    ((102.4, 103.6, 101.3, 103.5), False),  # more than a little
    ((99.9, 103.6, 99.5, 103.5), False),  # below the body before
    ((101.5, 104.4, 101.3, 103.5), False),  # with a shadow
    ((102.1, 103.1, 101.3, 103.1), False),  # not long
    ((100.5, 102.1, 100.3, 102), False),  # not higher
    ((103.5, 103.6, 101.3, 101.5), False),  # black
]
SOLDIERS = [([(100, 102.1, 99.9, 102), second, (103, 105.3, 102.9, 105)], is_one) for second, is_one in SECOND]
DRAWN += [("three_white_soldiers", "value", FALL, bars, is_one) for bars, is_one in SOLDIERS]
DRAWN += [
    ("three_white_soldiers", "value", STILL, *SOLDIERS[0]),
    ("three_white_soldiers", "value", RISE, SOLDIERS[0][0], False),
]

#: What a pattern is called upside down.
MIRRORED = {
    "hammer": "shooting_star",
    "shooting_star": "hammer",
    "piercing": "dark_cloud",
    "morning_star": "evening_star",
    "three_white_soldiers": "three_black_crows",
    "bullish": "bearish",
}


def found(name: str, output: str, bars: list[Bar], factor: float = 1.0) -> float:
    """The flag on the last candle."""
    columns = dict(zip(("open", "high", "low", "close"), np.array(bars, dtype=np.float64).T * factor, strict=True))
    entry = find(name)
    series = [columns[one][np.newaxis] for one in entry.series]
    return entry.compute(*series, parameters=entry.bind((), {}))[output][0, -1]


@pytest.mark.parametrize(("name", "output", "past", "bars", "is_one"), DRAWN)
@pytest.mark.parametrize("factor", [1.0, 0.1, 0.7, 1e-8, 1e-12, 3.3e6])
def test_a_pattern_is_found_where_it_is_drawn_and_only_there(name, output, past, bars, is_one, factor) -> None:
    assert found(name, output, past + bars, factor) == is_one


@pytest.mark.parametrize(("name", "output", "past", "bars", "is_one"), DRAWN)
def test_upside_down_it_is_its_opposite(name, output, past, bars, is_one) -> None:
    upside_down = [(200 - open_, 200 - low, 200 - high, 200 - close) for open_, high, low, close in past + bars]
    if name != "inverted_hammer":
        assert found(MIRRORED.get(name, name), MIRRORED.get(output, output), upside_down) == is_one
    if output == "bullish" and is_one:
        assert found(name, "bearish", past + bars) == 0


ENTRIES = [entry for entry in CATALOGUE.values() if entry.group in ("patterns", "star_patterns")]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_every_pattern_is_a_flag_over_the_candles_with_the_numbers_it_uses(entry) -> None:
    assert set(entry.outputs.values()) == {"flag"}
    assert entry.drawn == "price"
    assert entry.source == patterns.NISON == star_patterns.NISON
    assert all(f"`{one.name}`" in entry.formula for one in entry.parameters)
    assert (entry.name, next(iter(entry.outputs))) in TALIB


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_candles_that_only_repeat_the_close_are_no_pattern(entry) -> None:
    for past in (FALL, RISE, STILL):
        bars = past + [(past[-1][3],) * 4] * 3
        assert {found(entry.name, output, bars) for output in entry.outputs} == {0.0}


def test_the_numbers_are_parameters() -> None:
    bars = [*FALL, (99, 100.2, 96.8, 100)]
    open_, high, low, close = np.array(bars).T[:, np.newaxis]
    entry = find("hammer")
    for numbers, expected in (((10, 2.2), 1), ((10, 2.3), 0), ((10, 2, 0.05), 0), ((10, 2, 0.06), 1)):
        values = entry.compute(open_, high, low, close, parameters=entry.bind(numbers, {}))["value"][0]
        assert np.isnan(values[:10]).all()
        assert values[10] == expected
    assert find("dark_cloud_cover") is find("dark_cloud")


@pytest.mark.parametrize(("name", "output"), TALIB)
def test_the_accuracy_table_tells_how_often_talib_sees_the_same(recorded, name, output) -> None:
    function, *told = TALIB[name, output]
    counts = np.sum([both(name, output, function, load(record)) for record in RECORDS], axis=0)
    assert list(counts) == told
