"""Oscillators of where a value lies in its range of late."""

import numpy as np

from cryptowatch.indicators.catalogue import forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import rsi, rsi_look_back
from cryptowatch.indicators.windows import greatest_and_least, mean

#: Weights of the newest value in the two averages of the Fisher transform.
FISHER_PLACE = 0.33
FISHER_RESULT = 0.5


@indicator(
    "Stochastic oscillator",
    length(14),
    length(1, "smooth_k"),
    length(3, "smooth_d"),
    outputs={"k": "percent", "d": "percent"},
    warm_up=lambda length, smooth_k, smooth_d: {"k": length + smooth_k - 2, "d": length + smooth_k + smooth_d - 3},
    look_back=lambda length, smooth_k, smooth_d: length + smooth_k + smooth_d - 2,
    levels=(20, 80),
    formula="k: sma(`smooth_k`) of 100 * (close - lowest low) / (highest high - lowest low) of the last `length` "
    "candles; d: sma(`smooth_d`) of k",
    source="George C. Lane, Lane's Stochastics (Technical Analysis of Stocks & Commodities 2:3, 1984); "
    "TradingView, Stochastic",
    notes="The fast stochastic: (14, 1, 3). The slow one of others, TA-Lib's default among them, smooths k by 3 as "
    "well. Unknown where the market has not moved for `length` candles.",
    aliases=("stochastic",),
)
@kernel
def stoch(high: Series, low: Series, close: Series, length: int, smooth_k: int, smooth_d: int, k: Out, d: Out) -> None:
    place = k if smooth_k == 1 else d  # both have room, and d comes last
    place_in_range(high, low, close, length, place)
    if smooth_k > 1:
        mean(place, smooth_k, k)
    mean(k, smooth_d, d)


@kernel
def place_in_range(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    """Where the close lies in each window, from 0, its lowest low, to 100, its highest high; NaN without a range."""
    top, bottom = np.empty(len(close)), np.empty(len(close))
    greatest_and_least(high, low, length, top, bottom)
    first = length - 1
    now, upper, lower, out = close[first:], top[first:], bottom[first:], value[first:]
    for step in range(len(out)):
        out[step] = 100.0 * ((now[step] - lower[step]) / (upper[step] - lower[step]))


@kernel
def first_unknown(source: Series, first: int) -> int:
    """The first value, from `first` on, that is not finite; without one, the end."""
    step = first
    while step < len(source) and np.isfinite(source[step]):
        step += 1
    return step


def _stochrsi_warm_up(rsi_length: int, length: int, smooth_k: int, smooth_d: int) -> dict[str, int]:
    raw = rsi_length + length - 1
    return {"k": raw + smooth_k - 1, "d": raw + smooth_k + smooth_d - 2, "raw": raw}


@indicator(
    "Stochastic RSI",
    length(14, "rsi_length", 2),
    length(14, least=2),
    length(3, "smooth_k"),
    length(3, "smooth_d"),
    outputs={"k": "percent", "d": "percent", "raw": "percent"},
    optional=("d",),
    warm_up=_stochrsi_warm_up,
    look_back=lambda rsi_length, length, smooth_k, smooth_d: (
        rsi_look_back(rsi_length) + length + smooth_k + smooth_d - 1
    ),
    levels=(20, 80),
    formula="raw: 100 * (rsi - its lowest) / (its highest - its lowest) of the last `length` values of "
    "rsi(`rsi_length`); k: sma(`smooth_k`) of raw; d: sma(`smooth_d`) of k",
    source="Tushar Chande and Stanley Kroll, The New Technical Trader (1994); TradingView, Stochastic RSI",
    notes="`ta` gives k, d and raw as ratios from 0 to 1. TA-Lib's k is this raw. Unknown where the rsi has not moved "
    "for `length` candles.",
    aliases=("stoch_rsi",),
)
@kernel
def stochrsi(
    source: Series, rsi_length: int, length: int, smooth_k: int, smooth_d: int, k: Out, d: Out, raw: Out
) -> None:
    strength = np.full(len(source), np.nan)
    rsi(source, rsi_length, strength)
    first = 0
    while first < len(source):
        last = first_unknown(strength, first)
        if last - first >= length:
            known = strength[first:last]
            place_in_range(known, known, known, length, raw[first:last])
        first = last + 1
    mean(raw, smooth_k, k)
    if len(d):
        mean(k, smooth_d, d)


@indicator(
    "Williams %R",
    length(14),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(-80, -20),
    formula="-100 * (highest high - close) / (highest high - lowest low) of the last `length` candles: from -100 to 0",
    source="Larry Williams, How I Made One Million Dollars Last Year Trading Commodities (1973); TradingView, ta.wpr",
    notes="Unknown where the market has not moved for `length` candles.",
    aliases=("willr", "wpr"),
)
@kernel
def williams_r(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    place_in_range(high, low, close, length, value)
    for step in range(len(value)):
        value[step] -= 100.0


@indicator(
    "Fisher transform",
    length(9, least=2),
    outputs={"fisher": "ratio", "trigger": "ratio"},
    warm_up=lambda length: {"fisher": length - 1, "trigger": length},
    look_back=lambda length: length + forgets(FISHER_PLACE) + forgets(FISHER_RESULT) + 1,
    levels=(-1.5, 0, 1.5),
    formula="place: 0.66 * (where (high + low) / 2 lies in its range of the last `length` candles, from -0.5 to 0.5) + "
    "0.67 * the place before, and never beyond 0.999; fisher: 0.5 * ln((1 + place) / (1 - place)) + 0.5 * the fisher "
    "before; trigger: the fisher before",
    source="John F. Ehlers, Using the Fisher Transform (Technical Analysis of Stocks & Commodities 20:11, 2002); "
    "TradingView, Fisher Transform",
    notes="Unknown where the market has not moved for `length` candles; it begins anew, from 0, behind that.",
    aliases=("fisher_transform",),
)
@kernel
def fisher(high: Series, low: Series, length: int, fisher: Out, trigger: Out) -> None:
    middle = np.empty(len(high))
    for step in range(len(high)):
        middle[step] = (high[step] + low[step]) / 2
    place_in_range(middle, middle, middle, length, trigger)
    place = last = 0.0
    known = False  # whether there is a last one
    for step in range(length - 1, len(high)):
        here = trigger[step]
        trigger[step] = last if known else np.nan
        known = np.isfinite(here)
        if known:
            place = 0.66 * (here / 100.0 - 0.5) + (1.0 - FISHER_PLACE) * place
            if abs(place) > 0.99:
                place = 0.999 if place > 0 else -0.999
            last = 0.5 * np.log((1.0 + place) / (1.0 - place)) + (1.0 - FISHER_RESULT) * last
            fisher[step] = last
        else:
            place = last = 0.0
