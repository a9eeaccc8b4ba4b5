"""Stop and reverse: what others compute."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find


def _stops(candles: Candles, step: float, most: float) -> Iterator[tuple[float, bool, bool]]:
    """From the second candle on: the stop, whether it is below the price, and whether it has just changed sides."""
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    long = close[1] > close[0]
    stop, extreme, pace = (low[0], high[1], step) if long else (high[0], low[1], step)
    for now in range(1, len(close)):
        last_two = slice(max(now - 2, 0), now)
        stop = stop + pace * (extreme - stop)
        turned = low[now] < stop if long else high[now] > stop
        if turned and long:
            long, stop, extreme, pace = False, max(extreme, high[now]), low[now], step
        elif turned:
            long, stop, extreme, pace = True, min(extreme, low[now]), high[now], step
        elif long and high[now] > extreme:
            extreme, pace = high[now], min(pace + step, most)
        elif not long and low[now] < extreme:
            extreme, pace = low[now], min(pace + step, most)
        stop = min(stop, *low[last_two]) if long else max(stop, *high[last_two])
        yield stop, long, turned


def _psar(candles: Candles, output: str, step: float, most: float) -> Floats:
    stop, long, turned = np.array([(np.nan,) * 3, *_stops(candles, step, most)]).T
    values = {
        "value": stop,
        "long": long,
        "up": np.where(long == 1, stop, np.nan),
        "down": np.where(long == 0, stop, np.nan),
        "up_signal": turned * long,
        "down_signal": turned * (1 - long),
    }
    return values[output]


def _supertrend(candles: Candles, output: str, length: int, multiplier: float) -> Floats:
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    values = {"value": np.full(len(close), np.nan), "long": np.full(len(close), np.nan)}
    reaches = [high[0] - low[0]]
    for now in range(1, len(close)):
        reaches.append(max(high[now], close[now - 1]) - min(low[now], close[now - 1]))
    average = sum(reaches[:length]) / length
    upper, lower, long = float("inf"), float("-inf"), False
    for now in range(length - 1, len(close)):
        if now >= length:
            average = (average * (length - 1) + reaches[now]) / length
        new_upper = (high[now] + low[now]) / 2 + multiplier * average
        new_lower = (high[now] + low[now]) / 2 - multiplier * average
        upper = new_upper if close[now - 1] > upper else min(upper, new_upper)
        lower = new_lower if close[now - 1] < lower else max(lower, new_lower)
        if now < length or (long and close[now] < lower):
            long = False
        elif not long and close[now] > upper:
            long = True
        values["value"][now] = lower if long else upper
        values["long"][now] = long
    return values[output]


def _psar_rows(step: float, most: float, parameters: tuple[float, ...] = ()) -> list[Reference]:
    note = "the rules of TradingView's ta.sar; TA-Lib's differ, see the indicator's notes"
    return [
        Reference(
            "psar",
            output,
            "definition",
            partial(_psar, output=output, step=step, most=most),
            parameters=parameters,
            note=note,
        )
        for output in find("psar").outputs
    ]


def _supertrend_rows(length: int, multiplier: float, parameters: tuple[float, ...] = ()) -> list[Reference]:
    note = "the rules of TradingView's ta.supertrend"
    return [
        Reference(
            "supertrend",
            output,
            "definition",
            partial(_supertrend, output=output, length=length, multiplier=multiplier),
            parameters=parameters,
            note=note,
        )
        for output in find("supertrend").outputs
    ]


ROWS: list[Reference] = [
    *_psar_rows(0.02, 0.2),
    *_psar_rows(0.01, 0.1, (0.01, 0.1)),
    *_supertrend_rows(10, 3),
    *_supertrend_rows(14, 2, (14, 2)),
]
