"""Trend: whether there is one, which way it goes and how strong it is."""

import math

import numpy as np

from cryptowatch.indicators.averages import wilder_look_back
from cryptowatch.indicators.catalogue import forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import rsi_look_back, standstill_of
from cryptowatch.indicators.windows import greatest, least, mean, true_ranges

#: Candles whose deviations `cci` sums at a time; they stay in the fastest cache.
_TILE = 128


def _adx_warm_up(length: int, smoothing: int) -> dict[str, int]:
    return {"adx": length + smoothing - 1, "plus_di": length, "minus_di": length}


@indicator(
    "Average directional index",
    length(14),
    length(14, "smoothing"),
    outputs={"adx": "percent", "plus_di": "percent", "minus_di": "percent"},
    warm_up=_adx_warm_up,
    look_back=lambda length, smoothing: rsi_look_back(length) + wilder_look_back(smoothing),
    levels=(20, 25),
    formula="a rise of the high that exceeds the fall of the low is upward movement, and the other way round; plus_di "
    "and minus_di: 100 * Wilder's average of upward and of downward movement / of the true range, over `length`; "
    "adx: Wilder's average over `smoothing` of 100 * |plus_di - minus_di| / (plus_di + minus_di)",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.dmi",
    notes="Averages begin with a mean, as on TradingView; TA-Lib and ta begin theirs otherwise: they agree after the "
    "look-back. Where nothing moves up or down, adx averages 0, as on "
    "TradingView. plus_di and minus_di stay exactly as they were while a price stands still. All three are "
    "unknown when it has stood still for ten lengths (1000 candles at most); adx then starts anew.",
    aliases=("dmi",),
)
@kernel
def adx(
    high: Series, low: Series, close: Series, length: int, smoothing: int, adx: Out, plus_di: Out, minus_di: Out
) -> None:
    remembered = standstill_of(length)
    true_ranges(high, low, close, adx)
    adx[0] = np.nan
    plus = minus = reach = up = down = strength = trend = 0.0
    still = quiet = 0  # candles in a row without a true range, and without movement up or down
    seen = 0  # candles in a row that had a strength
    for step in range(1, len(high)):
        true_range = adx[step]
        adx[step] = np.nan
        rise = high[step] - high[step - 1]
        fall = low[step - 1] - low[step]
        upward = rise if rise > fall and rise > 0 else 0.0
        downward = fall if fall > rise and fall > 0 else 0.0
        still = still + 1 if true_range == 0 else 0
        quiet = quiet + 1 if upward == downward else 0
        weight = 1.0 / min(step, length)
        plus = plus + weight * (upward - plus) if quiet < remembered else 0.0
        minus = minus + weight * (downward - minus) if quiet < remembered else 0.0
        reach = reach + weight * (true_range - reach) if still < remembered else 0.0
        if reach == 0:
            seen = 0
        elif step >= length:
            if still == 0 or step == length:
                up = 100.0 * (plus / reach)
                down = 100.0 * (minus / reach)
                total = plus + minus
                strength = 100.0 * (abs(plus - minus) / total) if total > 0 else 0.0
            plus_di[step] = up
            minus_di[step] = down
            seen += 1
            trend += 1.0 / min(seen, smoothing) * (strength - trend)
            adx[step] = trend if seen >= smoothing else np.nan


@indicator(
    "Aroon",
    length(25),
    outputs={"up": "percent", "down": "percent", "oscillator": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(30, 70),
    formula="up: 100 * (`length` - candles since the highest high of this candle and the `length` before it) / "
    "`length`; down: the same for the lowest low; oscillator: up - down",
    source="Tushar Chande, A Time Price Oscillator, Technical Analysis of Stocks & Commodities (1995); "
    "TradingView, ta.highestbars and ta.lowestbars",
    notes="Of equal highs, or lows, the newest counts, as in TA-Lib and pandas-ta; ta takes the oldest. So all three "
    "say 100, 100 and 0 where a price stands still. TradingView and TA-Lib take 14 candles by default; Chande 25.",
)
@kernel
def aroon(high: Series, low: Series, length: int, up: Out, down: Out, oscillator: Out) -> None:
    candles_since_extreme(high, 1.0, length + 1, up)
    candles_since_extreme(low, -1.0, length + 1, down)
    share = 100.0 / length
    for step in range(length, len(high)):
        up[step] = share * (length - up[step])
        down[step] = share * (length - down[step])
        oscillator[step] = up[step] - down[step]


@kernel
def candles_since_extreme(source: Series, sign: float, length: int, value: Out) -> None:
    """Candles since the greatest value of each window, or, where `sign` is -1, the least; of equals, the newest."""
    steps = len(source)
    ends = np.empty(length + 1)  # by place: the greatest from there to the end of the block before
    places = np.zeros(length + 1)  # where that is, counted from the beginning of the block
    ends[length] = -np.inf
    for block in range(0, steps, length):
        most = -np.inf
        where = 0.0
        if block > 0:
            for place in range(length - 1, 0, -1):
                past = sign * source[block - length + place]
                newer = past > most
                most = past if newer else most
                where = place - length if newer else where
                ends[place] = most
                places[place] = where
        most = -np.inf
        for place in range(min(length, steps - block)):
            now = sign * source[block + place]
            newer = now >= most
            most = now if newer else most
            where = place if newer else where
            if block > 0 or place == length - 1:
                value[block + place] = place - (places[place + 1] if ends[place + 1] > most else where)


@indicator(
    "Commodity channel index",
    length(20, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(-100, 100),
    formula="(typical price - its sma) / (0.015 * mean distance of the last `length` typical prices from that sma), "
    "with the typical price (high + low + close) / 3",
    source="Donald Lambert, Commodity Channel Index, Commodities (1980); TradingView, ta.cci",
    notes="Unknown where the typical price has not moved for `length` candles, as on TradingView and in ta; TA-Lib "
    "says 0 there.",
)
@kernel
def cci(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    steps = len(high)
    typical = np.empty(steps)
    for step in range(steps):
        typical[step] = (high[step] + low[step] + close[step]) / 3.0
    mean(typical, length, value)
    distances = np.empty(_TILE)
    for start in range(length - 1, steps, _TILE):
        stop = min(start + _TILE, steps)
        middle = value[start:stop]
        distances[:] = 0.0
        for lag in range(length):  # candle by candle each sum keeps its order, while neighbours are added at once
            past = typical[start - lag : stop - lag]
            for place in range(stop - start):
                distances[place] += abs(past[place] - middle[place])
        now = typical[start:stop]
        for place in range(stop - start):
            middle[place] = (now[place] - middle[place]) * length / (0.015 * distances[place])


@indicator(
    "Vortex",
    length(14, least=2),
    outputs={"plus": "ratio", "minus": "ratio", "difference": "ratio"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(1,),
    formula="over the last `length` candles, plus: sum of |high - low before| / sum of true ranges; minus: sum of "
    "|low - high before| / sum of true ranges; difference: plus - minus",
    source="Etienne Botes and Douglas Siepman, The Vortex Indicator, Technical Analysis of Stocks & Commodities (2010)",
    notes="Unknown where a price has stood still for `length` candles.",
)
@kernel
def vortex(high: Series, low: Series, close: Series, length: int, plus: Out, minus: Out, difference: Out) -> None:
    steps = len(high)
    ranges = np.empty(steps)
    upward = np.empty(steps)
    downward = np.empty(steps)
    true_ranges(high, low, close, ranges)
    for step in range(1, steps):
        upward[step] = abs(high[step] - low[step - 1])
        downward[step] = abs(low[step] - high[step - 1])
    mean(ranges[1:], length, difference[1:])
    mean(upward[1:], length, plus[1:])
    mean(downward[1:], length, minus[1:])
    for step in range(length, steps):
        plus[step] /= difference[step]
        minus[step] /= difference[step]
        difference[step] = plus[step] - minus[step]


def _ichimoku_warm_up(conversion: int, base: int, span: int) -> dict[str, int]:
    lines = {"conversion": conversion - 1, "base": base - 1, "span_a": base - 1, "span_b": span - 1}
    return lines | {"cloud_a": 2 * (base - 1), "cloud_b": span + base - 2}


@indicator(
    "Ichimoku",
    length(9, "conversion"),
    length(26, "base"),
    length(52, "span"),
    ascending=("conversion", "base", "span"),
    outputs={
        "conversion": "price",
        "base": "price",
        "span_a": "price",
        "span_b": "price",
        "cloud_a": "price",
        "cloud_b": "price",
    },
    warm_up=_ichimoku_warm_up,
    look_back=lambda conversion, base, span: span + base - 1,
    drawn="price",
    formula="conversion, base and span_b: middle between the highest high and the lowest low of the last `conversion`, "
    "`base` and `span` candles; span_a: middle between conversion and base; cloud_a and cloud_b: span_a and span_b of "
    "`base` - 1 candles ago, which is what a chart draws at this candle",
    source="Goichi Hosoda (Ichimoku Sanjin), Ichimoku Kinko Hyo (1969); TradingView, Ichimoku Cloud",
    notes="Charts draw the spans `base` - 1 candles ahead: the cloud around a price is cloud_a and cloud_b, span_a and "
    "span_b are the cloud to come. The lagging span is the close itself, drawn further back. ta gives span_a and "
    "span_b; its visual mode moves them by one candle more and fills the beginning with a mean of all candles.",
)
@kernel
def ichimoku(
    high: Series,
    low: Series,
    conversion: int,
    base: int,
    span: int,
    conversion_: Out,
    base_: Out,
    span_a: Out,
    span_b: Out,
    cloud_a: Out,
    cloud_b: Out,
) -> None:
    middles(high, low, conversion, cloud_a, conversion_)
    middles(high, low, base, cloud_a, base_)
    middles(high, low, span, cloud_a, span_b)
    ahead = base - 1
    cloud_a[:ahead] = np.nan
    for step in range(len(high)):
        span_a[step] = (conversion_[step] + base_[step]) / 2.0
    for step in range(ahead, len(high)):
        cloud_a[step] = span_a[step - ahead]
        cloud_b[step] = span_b[step - ahead]


@kernel
def middles(high: Series, low: Series, length: int, scratch: Out, value: Out) -> None:
    """The middle between the highest high and the lowest low of each window."""
    greatest(high, length, scratch)
    least(low, length, value)
    for step in range(length - 1, len(high)):
        value[step] = (scratch[step] + value[step]) / 2.0


@indicator(
    "Choppiness index",
    length(14, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length + 1,
    levels=(38.2, 61.8),
    formula="100 * log(sum of the last `length` true ranges / (highest high - lowest low)) / log(`length`): 100 when "
    "prices only went back and forth, 0 when each candle took them further",
    source="E. W. (Bill) Dreiss; TradingView, Choppiness Index",
    notes="Unknown where highs and lows have not moved for `length` candles. The first candle's true range is its "
    "range, as on TradingView. Some charts take the close before the window into the highest and lowest price.",
    aliases=("chop",),
)
@kernel
def choppiness(high: Series, low: Series, close: Series, length: int, value: Out) -> None:
    ranges = np.empty(len(high))
    lowest = np.empty(len(high))
    true_ranges(high, low, close, value)
    mean(value, length, ranges)
    value[: length - 1] = np.nan
    greatest(high, length, value)
    least(low, length, lowest)
    scale = 100.0 / math.log(length)
    for step in range(length - 1, len(high)):
        value[step] = scale * math.log(length * ranges[step] / (value[step] - lowest[step]))


@indicator(
    "Heikin-Ashi candles",
    outputs={"open": "price", "high": "price", "low": "price", "close": "price"},
    warm_up=lambda: 0,
    look_back=lambda: forgets(1 / 2) + 2,
    drawn="price",
    formula="close: (open + high + low + close) / 4; open: middle of the Heikin-Ashi candle before, begun with "
    "(open + close) / 2; high and low: the farthest of the candle's own and of this open and close",
    source="Dan Valcu, Using the Heikin-Ashi Technique, Technical Analysis of Stocks & Commodities (2004); "
    "TradingView, Heikin Ashi charts",
)
@kernel
def heikin_ashi(
    open: Series, high: Series, low: Series, close: Series, open_: Out, high_: Out, low_: Out, close_: Out
) -> None:
    begin = (open[0] + close[0]) / 2.0
    for step in range(len(close)):
        end = ((open[step] + close[step]) + (high[step] + low[step])) / 4.0  # in pairs: exact where all are equal
        open_[step] = begin
        close_[step] = end
        high_[step] = max(high[step], max(begin, end))
        low_[step] = min(low[step], min(begin, end))
        begin = (begin + end) / 2.0
