"""Pivot points and anchored averages, by the calendar of Python and of pandas."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd

from bench.references import Candles, Floats, Reference

#: High, low and close of a day.
Day = tuple[float, float, float]


def moments(candles: Candles) -> list[datetime]:
    return [datetime.fromtimestamp(time, UTC) for time in candles.time]


def level(of: Callable[[float, float, float], float], candles: Candles) -> Floats:
    """What `of` makes of high, low and close of the day before each candle, where all of that day is there."""
    opened = moments(candles)
    days: dict[object, Day] = {}
    for moment, high, low, close in zip(opened, candles.high, candles.low, candles.close, strict=True):
        most, least, _ = days.get(moment.date(), (high, low, close))
        days[moment.date()] = (max(most, high), min(least, low), close)
    if opened[0].time() != datetime.min.time():
        del days[opened[0].date()]
    before = [days.get(moment.date() - timedelta(days=1)) for moment in opened]
    return np.array([of(*day) if day else np.nan for day in before])


def pivot(high: float, low: float, close: float) -> float:
    return (high + low + close) / 3


def classic(place: int, high: float, low: float, close: float) -> float:
    """The level so many places above the pivot, or, when negative, below."""
    middle = pivot(high, low, close)
    return {
        1: 2 * middle - low,
        2: middle + high - low,
        3: high + 2 * (middle - low),
        -1: 2 * middle - high,
        -2: middle - high + low,
        -3: low - 2 * (high - middle),
    }[place]


def fibonacci(place: int, high: float, low: float, close: float) -> float:
    share = {1: 0.382, 2: 0.618, 3: 1}[abs(place)]
    return pivot(high, low, close) + np.sign(place) * share * (high - low)


def camarilla(place: int, high: float, low: float, close: float) -> float:
    return close + np.sign(place) * (high - low) * 1.1 / {1: 12, 2: 6, 3: 4, 4: 2}[abs(place)]


def pivot_rows(name: str, levels: int, formula: Callable[[int, float, float, float], float]) -> list[Reference]:
    places = [*range(1, levels + 1), *range(-1, -levels - 1, -1)]
    parts = {f"{'r' if place > 0 else 's'}{abs(place)}": partial(formula, place) for place in places}
    return [
        Reference(name, output, "definition", partial(level, of)) for output, of in [("pivot", pivot), *parts.items()]
    ]


def day(moment: datetime) -> Hashable:
    return moment.date()


def week(moment: datetime) -> Hashable:
    return moment.isocalendar()[:2]


def month(moment: datetime) -> Hashable:
    return moment.year, moment.month


def average(period: Callable[[datetime], Hashable], candles: Candles) -> Floats:
    """The volume-weighted mean since the period began, where it began within the candles."""
    opened = moments(candles)
    cut = period(opened[0]) if period(opened[0] - timedelta(seconds=1)) == period(opened[0]) else None
    values, weighted, volumes, current = [], 0.0, 0.0, None
    for step, moment in enumerate(opened):
        if period(moment) != current:
            weighted, volumes, current = 0.0, 0.0, period(moment)
        weighted += candles.volume[step] * (candles.high[step] + candles.low[step] + candles.close[step]) / 3
        volumes += candles.volume[step]
        values.append(weighted / volumes if volumes and current != cut else np.nan)
    return np.array(values)


def by_pandas_ta(anchor: str, candles: Candles) -> Floats:
    import pandas_ta_classic

    index = pd.to_datetime(candles.time, unit="s")
    columns = [pd.Series(one, index=index) for one in (candles.high, candles.low, candles.close, candles.volume)]
    return np.asarray(pandas_ta_classic.vwap(*columns, anchor=anchor), dtype=np.float64)


_PANDAS_TA = "Begins anew with each {0} as well, but also in the middle of one, where the candles begin."

ROWS: list[Reference] = [
    *pivot_rows("pivot_points", 3, classic),
    *pivot_rows("pivot_points_fibonacci", 3, fibonacci),
    *pivot_rows("pivot_points_camarilla", 4, camarilla),
    Reference("vwap", "value", "definition", partial(average, day)),
    Reference("vwap", "value", "pandas-ta-classic", partial(by_pandas_ta, "D"), note=_PANDAS_TA.format("day")),
    Reference("vwap_week", "value", "definition", partial(average, week)),
    Reference("vwap_week", "value", "pandas-ta-classic", partial(by_pandas_ta, "W"), note=_PANDAS_TA.format("week")),
    Reference("vwap_month", "value", "definition", partial(average, month)),
    Reference("vwap_month", "value", "pandas-ta-classic", partial(by_pandas_ta, "M"), note=_PANDAS_TA.format("month")),
]
