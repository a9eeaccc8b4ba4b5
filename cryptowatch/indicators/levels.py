"""Levels of UTC days, weeks and months: pivot points of the day before, and the volume-weighted average price.

A day, week or month is known to be whole when its first candle opens at its very start, or when the candle before lies
in an earlier one. The one that the stretch begins in the middle of is left out: what came of it would depend on where
the stretch begins.
"""

import math

import numpy as np

from cryptowatch.indicators.catalogue import Unit, indicator
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import mean_of_three

#: Seconds in a day.
DAY_S = 86400
#: Days in a period, at most.
DAY, WEEK, MONTH = 1, 7, 31
#: Days from 1 March of the year 0 to 1 January 1970.
_SINCE_MARCH_0 = 719468
#: Days in 400 years, after which the calendar repeats itself.
_CYCLE = 146097

_THREE: dict[str, Unit] = dict.fromkeys(("pivot", "r1", "r2", "r3", "s1", "s2", "s3"), "price")
_FOUR: dict[str, Unit] = dict.fromkeys(("pivot", "r1", "r2", "r3", "r4", "s1", "s2", "s3", "s4"), "price")
_OF_A_DAY = (
    "Of the UTC day before, from 00:00 to 00:00; the same on every candle of a day, and unknown until a whole day is "
    "known: the first value is that of a market that begins at midnight. On 1d, of the candle before; unknown on "
    "longer candles, which do not show what a single day did."
)


def _candles(days: int, interval_s: int) -> int:
    """Candles that open within so many days, at most."""
    return -(-days * DAY_S // interval_s)


def _pivot_warm_up(interval_s: int = 60) -> int:
    return _candles(DAY, interval_s)


def _pivot_look_back(interval_s: int = 60) -> int:
    # Today, the day before, and the candle before that one.
    return 2 * _candles(DAY, interval_s) + 1


@indicator(
    "Pivot points",
    outputs=_THREE,
    warm_up=_pivot_warm_up,
    look_back=_pivot_look_back,
    longest_interval_s=DAY_S,
    drawn="price",
    formula="of the day before: pivot: (high + low + close) / 3; r1: 2 * pivot - low; s1: 2 * pivot - high; r2 and s2: "
    "pivot ± (high - low); r3: high + 2 * (pivot - low); s3: low - 2 * (high - pivot)",
    source="John L. Person, A Complete Guide to Technical Trading Tactics (2004); TradingView, ta.pivot_point_levels, "
    "type Traditional",
    notes=f"{_OF_A_DAY} Others, as TradingView's type Classic, have r3 and s3 at pivot ± 2 * (high - low).",
)
@kernel
def pivot_points(
    high: Series, low: Series, close: Series, time: Series,
    pivot: Out, r1: Out, r2: Out, r3: Out, s1: Out, s2: Out, s3: Out,
) -> None:  # fmt: skip
    of_the_day_before(high, low, close, time, r1, s1, pivot)
    for step in range(len(time)):
        top, bottom, last = r1[step], s1[step], pivot[step]
        middle = mean_of_three(top, bottom, last)
        pivot[step] = middle
        r1[step] = middle + (middle - bottom)
        s1[step] = middle - (top - middle)
        r2[step] = middle + (top - bottom)
        s2[step] = middle - (top - bottom)
        r3[step] = top + 2.0 * (middle - bottom)
        s3[step] = bottom - 2.0 * (top - middle)


@indicator(
    "Fibonacci pivot points",
    outputs=_THREE,
    warm_up=_pivot_warm_up,
    look_back=_pivot_look_back,
    longest_interval_s=DAY_S,
    drawn="price",
    formula="of the day before: pivot: (high + low + close) / 3; r1 and s1: pivot ± 0.382 * (high - low); r2 and s2: "
    "pivot ± 0.618 * (high - low); r3 and s3: pivot ± (high - low)",
    source="TradingView, ta.pivot_point_levels, type Fibonacci",
    notes=_OF_A_DAY,
)
@kernel
def pivot_points_fibonacci(
    high: Series, low: Series, close: Series, time: Series,
    pivot: Out, r1: Out, r2: Out, r3: Out, s1: Out, s2: Out, s3: Out,
) -> None:  # fmt: skip
    of_the_day_before(high, low, close, time, r1, s1, pivot)
    for step in range(len(time)):
        middle = mean_of_three(r1[step], s1[step], pivot[step])
        whole = r1[step] - s1[step]
        pivot[step] = middle
        r1[step] = middle + 0.382 * whole
        s1[step] = middle - 0.382 * whole
        r2[step] = middle + 0.618 * whole
        s2[step] = middle - 0.618 * whole
        r3[step] = middle + whole
        s3[step] = middle - whole


@indicator(
    "Camarilla pivot points",
    outputs=_FOUR,
    warm_up=_pivot_warm_up,
    look_back=_pivot_look_back,
    longest_interval_s=DAY_S,
    drawn="price",
    formula="of the day before: pivot: (high + low + close) / 3; r1 and s1: close ± 1.1 * (high - low) / 12; r2 and "
    "s2: the same with 6; r3 and s3: with 4; r4 and s4: with 2",
    source="Nick Scott's Camarilla equation (1989), as in TradingView, ta.pivot_point_levels, type Camarilla",
    notes=f"{_OF_A_DAY} A fifth level, for which there are several formulas, is left out.",
)
@kernel
def pivot_points_camarilla(
    high: Series, low: Series, close: Series, time: Series,
    pivot: Out, r1: Out, r2: Out, r3: Out, r4: Out, s1: Out, s2: Out, s3: Out, s4: Out,
) -> None:  # fmt: skip
    of_the_day_before(high, low, close, time, r1, s1, pivot)
    for step in range(len(time)):
        last = pivot[step]
        wide = 1.1 * (r1[step] - s1[step])
        pivot[step] = mean_of_three(r1[step], s1[step], last)
        r1[step] = last + wide / 12.0
        s1[step] = last - wide / 12.0
        r2[step] = last + wide / 6.0
        s2[step] = last - wide / 6.0
        r3[step] = last + wide / 4.0
        s3[step] = last - wide / 4.0
        r4[step] = last + wide / 2.0
        s4[step] = last - wide / 2.0


@kernel
def of_the_day_before(high: Series, low: Series, close: Series, time: Series, top: Out, bottom: Out, last: Out) -> None:
    """High, low and close of the UTC day before each candle's own; left alone where it is not known as a whole."""
    begin = start_of(time[0], DAY)
    whole = time[0] == begin  # whether all of the day was seen
    day_high, day_low = high[0], low[0]
    before_high = before_low = before_close = np.nan
    for step in range(len(time)):
        if time[step] >= begin + DAY_S:
            today = start_of(time[step], DAY)
            known = whole and today == begin + DAY_S
            before_high = day_high if known else np.nan
            before_low = day_low if known else np.nan
            before_close = close[step - 1] if known else np.nan
            begin, whole = today, True
            day_high, day_low = high[step], low[step]
        day_high = high[step] if high[step] > day_high else day_high
        day_low = low[step] if low[step] < day_low else day_low
        top[step] = before_high
        bottom[step] = before_low
        last[step] = before_close


def _vwap_look_back(days: int, interval_s: int) -> int:
    # What opens within the period, and the candle before.
    return _candles(days, interval_s) + 1


_VWAP_SOURCE = (
    "Stephen Berkowitz, Dennis Logue and Eugene Noser, The Total Cost of Transactions on the NYSE (1988); "
    "TradingView, ta.vwap"
)
_VWAP_NOTES = (
    "In UTC; a candle belongs where it opens. Unknown until a {0} begins within the candles that are known, and while "
    "nothing has been traded since. The first value is that of a market that begins with the {0}."
)


@indicator(
    "Volume-weighted average price of the day",
    outputs={"value": "price"},
    warm_up=lambda: 0,
    look_back=lambda interval_s=60: _vwap_look_back(DAY, interval_s),
    drawn="price",
    formula="sum of volume * (high + low + close) / 3 since 00:00, divided by the sum of volume",
    source=_VWAP_SOURCE,
    notes=_VWAP_NOTES.format("day"),
    aliases=("vwap_day",),
)
@kernel
def vwap(high: Series, low: Series, close: Series, volume: Series, time: Series, value: Out) -> None:
    average_since(DAY, high, low, close, volume, time, value)


@indicator(
    "Volume-weighted average price of the week",
    outputs={"value": "price"},
    warm_up=lambda: 0,
    look_back=lambda interval_s=60: _vwap_look_back(WEEK, interval_s),
    drawn="price",
    formula="sum of volume * (high + low + close) / 3 since Monday, 00:00, divided by the sum of volume",
    source=_VWAP_SOURCE,
    notes=_VWAP_NOTES.format("week"),
)
@kernel
def vwap_week(high: Series, low: Series, close: Series, volume: Series, time: Series, value: Out) -> None:
    average_since(WEEK, high, low, close, volume, time, value)


@indicator(
    "Volume-weighted average price of the month",
    outputs={"value": "price"},
    warm_up=lambda: 0,
    look_back=lambda interval_s=60: _vwap_look_back(MONTH, interval_s),
    drawn="price",
    formula="sum of volume * (high + low + close) / 3 since the first of the month, 00:00, divided by the sum of "
    "volume",
    source=_VWAP_SOURCE,
    notes=_VWAP_NOTES.format("month"),
)
@kernel
def vwap_month(high: Series, low: Series, close: Series, volume: Series, time: Series, value: Out) -> None:
    average_since(MONTH, high, low, close, volume, time, value)


@kernel
def average_since(
    period: int, high: Series, low: Series, close: Series, volume: Series, time: Series, value: Out
) -> None:
    """The volume-weighted mean of each candle's mean price since its day, week or month began.

    Prices are summed as distances from the first that was paid in the period: while one price is paid, it is exactly
    that one.
    """
    begin = start_of(time[0], period)
    end = start_of(begin + period * DAY_S, period)
    begun = time[0] == begin
    anchor = traded = turnover = 0.0
    for step in range(len(time)):
        if time[step] >= end:
            end = start_of(start_of(time[step], period) + period * DAY_S, period)
            begun = True
            traded = turnover = 0.0
        if not begun:
            continue
        if volume[step] > 0:
            price = mean_of_three(high[step], low[step], close[step])
            anchor = price if traded == 0 else anchor
            traded += volume[step]
            turnover += volume[step] * (price - anchor)
        if traded > 0:
            value[step] = anchor + turnover / traded


@kernel
def start_of(time: float, period: int) -> float:
    """When the UTC day, week or month began that a moment lies in; all in seconds since 1970."""
    day = math.floor(time / DAY_S)
    if period == WEEK:
        day -= (day + 3) % 7  # 1970 began on a Thursday
    elif period == MONTH:
        day -= day_of_month(day)
    return float(day) * DAY_S


@kernel
def day_of_month(day: int) -> int:
    """The day of the month, from 0, of a day since 1970: Howard Hinnant, Low-Level Date Algorithms (2013).

    Years are counted from March on, so that a leap day is their last, and in cycles of 400 years.
    """
    of_cycle = (day + _SINCE_MARCH_0) % _CYCLE
    year = (of_cycle - of_cycle // 1460 + of_cycle // 36524 - of_cycle // 146096) // 365
    of_year = of_cycle - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return of_year - (153 * month + 2) // 5
