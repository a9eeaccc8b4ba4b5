"""Patterns of one and two candles, told with decimal numbers, as they are printed."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import numpy as np

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

#: Candles before a pattern that the trend and the usual body are taken from: the default.
LENGTH = 10
_SHORT = Decimal("0.1")


class Bar(NamedTuple):
    """One candle, in decimal numbers."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    @property
    def body(self) -> Decimal:
        return abs(self.close - self.open)

    @property
    def range(self) -> Decimal:
        return self.high - self.low

    @property
    def top(self) -> Decimal:
        return max(self.open, self.close)

    @property
    def bottom(self) -> Decimal:
        return min(self.open, self.close)

    @property
    def white(self) -> bool:
        return self.close > self.open

    @property
    def black(self) -> bool:
        return self.close < self.open


#: Whether some candles make a pattern, behind those before.
Told = Callable[[list[Bar], list[Bar]], bool]


def bars(candles: Candles) -> list[Bar]:
    """The candles; twelve digits, that what was multiplied in binary is decimal again."""
    columns = ([Decimal(f"{x:.12g}") for x in one] for one in (candles.open, candles.high, candles.low, candles.close))
    return [Bar(*row) for row in zip(*columns, strict=True)]


def flags(told: Told, size: int, length: int, candles: Candles) -> Floats:
    """1 where the last `size` candles make the pattern behind `length` others, 0 where not."""
    known = bars(candles)
    values = np.full(len(known), np.nan)
    for step in range(size + length - 1, len(known)):
        first = step - size + 1
        values[step] = told(known[first : step + 1], known[first - length : first])
    return values


def mean(numbers: list[Decimal]) -> Decimal:
    return sum(numbers, Decimal(0)) / len(numbers)


def fell(past: list[Bar]) -> bool:
    return past[-1].close < mean([bar.close for bar in past])


def rose(past: list[Bar]) -> bool:
    return past[-1].close > mean([bar.close for bar in past])


def long(bar: Bar, past: list[Bar]) -> bool:
    return bar.body > mean([one.body for one in past])


def is_doji(now: list[Bar], past: list[Bar]) -> bool:
    return now[0].range > 0 and now[0].body / now[0].range <= Decimal("0.05")


def hanging_shadow(bar: Bar) -> bool:
    return bar.body > 0 and (bar.bottom - bar.low) / bar.body >= 2 and (bar.high - bar.top) / bar.range <= _SHORT


def standing_shadow(bar: Bar) -> bool:
    return bar.body > 0 and (bar.high - bar.top) / bar.body >= 2 and (bar.bottom - bar.low) / bar.range <= _SHORT


def is_hammer(now: list[Bar], past: list[Bar]) -> bool:
    return hanging_shadow(now[0]) and fell(past)


def is_inverted_hammer(now: list[Bar], past: list[Bar]) -> bool:
    return standing_shadow(now[0]) and fell(past)


def is_shooting_star(now: list[Bar], past: list[Bar]) -> bool:
    return standing_shadow(now[0]) and rose(past)


def shaven(bar: Bar, past: list[Bar]) -> bool:
    most = Decimal("0.05") * bar.range
    return bar.high - bar.top <= most and bar.bottom - bar.low <= most and long(bar, past)


def is_white_marubozu(now: list[Bar], past: list[Bar]) -> bool:
    return now[0].white and shaven(now[0], past)


def is_black_marubozu(now: list[Bar], past: list[Bar]) -> bool:
    return now[0].black and shaven(now[0], past)


def covers(outer: Bar, inner: Bar) -> bool:
    return outer.top >= inner.top and outer.bottom <= inner.bottom and outer.body > inner.body


def is_bullish_engulfing(now: list[Bar], past: list[Bar]) -> bool:
    first, second = now
    return first.black and second.white and covers(second, first) and fell(past)


def is_bearish_engulfing(now: list[Bar], past: list[Bar]) -> bool:
    first, second = now
    return first.white and second.black and covers(second, first) and rose(past)


def inside(now: list[Bar], past: list[Bar]) -> bool:
    first, second = now
    small = second.body <= first.body / 2 and second.range > 0
    return small and covers(first, second) and long(first, past)


def is_bullish_harami(now: list[Bar], past: list[Bar]) -> bool:
    return now[0].black and inside(now, past) and fell(past)


def is_bearish_harami(now: list[Bar], past: list[Bar]) -> bool:
    return now[0].white and inside(now, past) and rose(past)


def is_piercing(now: list[Bar], past: list[Bar]) -> bool:
    first, second = now
    if not (first.black and long(first, past) and second.white and fell(past)):
        return False
    return second.open <= first.close and (first.open + first.close) / 2 < second.close < first.open


def is_dark_cloud(now: list[Bar], past: list[Bar]) -> bool:
    first, second = now
    if not (first.white and long(first, past) and second.black and rose(past)):
        return False
    return second.open >= first.close and first.open < second.close < (first.open + first.close) / 2


#: By indicator and output: the function above, and how many candles it looks at.
TOLD: dict[tuple[str, str], tuple[Told, int]] = {
    ("doji", "value"): (is_doji, 1),
    ("hammer", "value"): (is_hammer, 1),
    ("inverted_hammer", "value"): (is_inverted_hammer, 1),
    ("shooting_star", "value"): (is_shooting_star, 1),
    ("marubozu", "bullish"): (is_white_marubozu, 1),
    ("marubozu", "bearish"): (is_black_marubozu, 1),
    ("engulfing", "bullish"): (is_bullish_engulfing, 2),
    ("engulfing", "bearish"): (is_bearish_engulfing, 2),
    ("harami", "bullish"): (is_bullish_harami, 2),
    ("harami", "bearish"): (is_bearish_harami, 2),
    ("piercing", "value"): (is_piercing, 2),
    ("dark_cloud", "value"): (is_dark_cloud, 2),
}

#: By indicator and output: TA-Lib's function, and how many candles of the recorded markets it marks, we mark and both
#: mark. It looks at no trend, and measures bodies and shadows by the ten candles before where we take shares of their
#: own range; without a range, a candle is a doji to it.
TALIB: dict[tuple[str, str], tuple[str, int, int, int]] = {
    ("doji", "value"): ("CDLDOJI", 12017, 5661, 5589),
    ("hammer", "value"): ("CDLHAMMER", 1566, 1691, 426),
    ("inverted_hammer", "value"): ("CDLINVERTEDHAMMER", 726, 1488, 208),
    ("shooting_star", "value"): ("CDLSHOOTINGSTAR", 331, 1295, 84),
    ("marubozu", "bullish"): ("CDLMARUBOZU", 2827, 2375, 2345),
    ("marubozu", "bearish"): ("CDLMARUBOZU", 2898, 2447, 2423),
    ("engulfing", "bullish"): ("CDLENGULFING", 2058, 1053, 1053),
    ("engulfing", "bearish"): ("CDLENGULFING", 3304, 1046, 1046),
    ("harami", "bullish"): ("CDLHARAMI", 2396, 938, 870),
    ("harami", "bearish"): ("CDLHARAMI", 2314, 845, 783),
    ("piercing", "value"): ("CDLPIERCING", 27, 308, 12),
    ("dark_cloud", "value"): ("CDLDARKCLOUDCOVER", 25, 268, 7),
    ("morning_star", "value"): ("CDLMORNINGSTAR", 60, 225, 19),
    ("evening_star", "value"): ("CDLEVENINGSTAR", 61, 196, 14),
    ("three_white_soldiers", "value"): ("CDL3WHITESOLDIERS", 174, 30, 8),
    ("three_black_crows", "value"): ("CDL3BLACKCROWS", 7, 24, 2),
}
#: Functions of TA-Lib that mark their pattern with negative numbers.
_NEGATIVE = ("CDLSHOOTINGSTAR", "CDLDARKCLOUDCOVER", "CDLEVENINGSTAR", "CDL3BLACKCROWS")


def by_talib(function: str, output: str, candles: Candles) -> Floats:
    """TA-Lib's marks of this kind: 1 or 0."""
    import talib

    marks = getattr(talib, function)(candles.open, candles.high, candles.low, candles.close)
    negative = output == "bearish" or function in _NEGATIVE
    return np.asarray(marks < 0 if negative else marks > 0, dtype=np.float64)


def both(indicator: str, output: str, function: str, candles: Candles) -> tuple[int, int, int]:
    """How many candles TA-Lib's function marks, how many we mark, and how many both."""
    entry = find(indicator)
    series = [getattr(candles, name)[np.newaxis] for name in entry.series]
    ours = entry.compute(*series, parameters=entry.bind((), {}))[output][0]
    known = ~np.isnan(ours)
    theirs = by_talib(function, output, candles)[known] > 0
    mine = ours[known] > 0
    return int(theirs.sum()), int(mine.sum()), int((theirs & mine).sum())


def rows(told: dict[tuple[str, str], tuple[Told, int]]) -> list[Reference]:
    made = []
    for (name, output), (function, size) in told.items():
        length = 0 if name == "doji" else LENGTH
        theirs, marked, ours, shared = TALIB[name, output]
        note = f"Of the {marked:,} candles that TA-Lib's {theirs} marks, we mark {shared:,}, of {ours:,} in all."
        made.append(Reference(name, output, "definition", partial(flags, function, size, length), note=note))
    return made


ROWS: list[Reference] = rows(TOLD)
