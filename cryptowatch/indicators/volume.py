"""What trades with the price: volume added up along its moves, and prices and moves weighted with it."""

import numpy as np

from cryptowatch.indicators.averages import ema_look_back, smooth
from cryptowatch.indicators.catalogue import indicator, length, number
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.windows import add_up, mean, mean_by_weight, mean_of_three, sums

#: Share of a sum of prices that is no move, but what adding three decimals has left behind: a few times 2**-53.
ROUNDING = 2.0**-48


@kernel
def places_of_close(high: Series, low: Series, close: Series, value: Out) -> None:
    """Where each candle closes in its range: 1 at the high, -1 at the low, 0 when it has none."""
    for step in range(len(value)):
        reach = high[step] - low[step]
        place = ((close[step] - low[step]) - (high[step] - close[step])) / reach
        value[step] = place if reach > 0 else 0.0


@indicator(
    "On-balance volume",
    outputs={"value": "volume"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    cumulative=True,
    formula="volume of candles that closed higher than the one before, less that of those that closed lower, added up",
    source="Joseph E. Granville, Granville's New Key to Stock Market Profits (1963); TradingView, ta.obv",
    notes="It begins with 0 at the first known candle; TA-Lib and ta begin with that candle's volume. "
    "A candle with the same close leaves it as it is; ta adds its volume.",
)
@kernel
def obv(close: Series, volume: Series, value: Out) -> None:
    value[0] = 0.0
    now, traded, out = close[1:], volume[1:], value[1:]
    for step in range(len(out)):
        fallen = -traded[step] if now[step] < close[step] else 0.0
        out[step] = traded[step] if now[step] > close[step] else fallen
    add_up(value, value)


@indicator(
    "Accumulation/distribution line",
    outputs={"value": "volume"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    cumulative=True,
    formula="volume * ((close - low) - (high - close)) / (high - low), added up",
    source="Steven B. Achelis, Technical Analysis from A to Z (1995), after Marc Chaikin; TradingView, ta.accdist",
    notes="It begins with the first known candle. A candle whose high is its low adds nothing.",
    aliases=("accumulation_distribution", "ad"),
)
@kernel
def adl(high: Series, low: Series, close: Series, volume: Series, value: Out) -> None:
    places_of_close(high, low, close, value)
    for step in range(len(value)):
        value[step] *= volume[step]
    add_up(value, value)


@indicator(
    "Chaikin money flow",
    length(20),
    outputs={"value": "ratio"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(0,),
    formula="sum of volume * ((close - low) - (high - close)) / (high - low) over the last `length` candles, divided "
    "by the sum of their volumes",
    source="Steven B. Achelis, Technical Analysis from A to Z (1995), after Marc Chaikin; "
    "TradingView, Chaikin Money Flow",
    notes="From -1 to 1. A candle whose high is its low counts as 0. Unknown when nothing was traded in the window.",
    aliases=("chaikin_money_flow",),
)
@kernel
def cmf(high: Series, low: Series, close: Series, volume: Series, length: int, value: Out) -> None:
    places = np.empty(len(close))
    places_of_close(high, low, close, places)
    mean_by_weight(places, volume, length, value)


@indicator(
    "Money flow index",
    length(14),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(20, 80),
    formula="share of rising flow in the rising and falling flow of the last `length` candles, where a candle's flow "
    "is volume * (high + low + close) / 3, rising or falling as that mean price moved from the candle before",
    source="Gene Quong and Avrum Soudack, Volume-weighted RSI: Money Flow, Stocks & Commodities (1989); "
    "TradingView, ta.mfi",
    notes="Unknown when the window holds no flow. TA-Lib gives 0 where the flow of a window is less than 1 in whatever "
    "currency the prices are, which in bitcoin is common. In ta rounding decides whether a mean price that did "
    "not move has risen or fallen; it counts the first candle as one that did not move.",
    aliases=("money_flow_index",),
)
@kernel
def mfi(high: Series, low: Series, close: Series, volume: Series, length: int, value: Out) -> None:
    steps = len(close)
    if steps <= length:
        return
    prices, flow, rising = np.empty(steps), np.empty(steps - 1), np.empty(steps - 1)
    for step in range(steps):
        prices[step] = high[step] + low[step] + close[step]  # a third of it would weigh the same
    now, traded = prices[1:], volume[1:]
    for step in range(len(flow)):
        move = now[step] - prices[step]
        moved = abs(move) > ROUNDING * now[step]
        flow[step] = now[step] * traded[step] if moved else 0.0
        rising[step] = flow[step] if move > 0 else 0.0
    all_flow, rising_flow = sums(flow, length)[length - 1 :], sums(rising, length)[length - 1 :]
    out = value[length:]
    for step in range(len(out)):
        out[step] = 100.0 * (rising_flow[step] / all_flow[step])


@indicator(
    "Force index",
    length(13),
    outputs={"value": "turnover"},
    warm_up=lambda length: length,
    look_back=lambda length: ema_look_back(length) + 1,
    levels=(0,),
    formula="ema over `length` candles of volume * (close - the close before)",
    source="Alexander Elder, Trading for a Living (1993); TradingView, Elder Force Index",
    notes="The average begins with the mean of the first `length` values; that of ta begins with the first one.",
    aliases=("fi", "elder_force_index"),
)
@kernel
def force_index(close: Series, volume: Series, length: int, value: Out) -> None:
    force = np.empty(len(close))
    force[0] = np.nan
    for step in range(1, len(close)):
        force[step] = volume[step] * (close[step] - close[step - 1])
    smooth(force, length, 2.0 / (length + 1), value)


@indicator(
    "Ease of movement",
    length(14),
    number("divisor", 10_000, 1, 1e12),
    outputs={"value": "change", "average": "change"},
    warm_up=lambda length, divisor: {"value": 1, "average": length},
    look_back=lambda length, divisor: length + 1,
    levels=(0,),
    formula="value: `divisor` * (high - low) / volume * the move of (high + low) / 2 from the candle before; "
    "average: sma of value over `length` candles",
    source="Steven B. Achelis, Technical Analysis from A to Z (1995), after Richard W. Arms; "
    "TradingView, Ease of Movement",
    notes="TradingView's divisor is 10,000, and its line is `average`; StockCharts, ta and pandas-ta-classic use "
    "100,000,000: pass it to get their numbers. It only sets the scale: square of a price by volume, so it says "
    "something across markets only by its sign. A candle without a trade counts as 0; ta has none there, and no "
    "average as long as it is in the window.",
    aliases=("eom", "emv"),
)
@kernel
def ease_of_movement(
    high: Series, low: Series, volume: Series, length: int, divisor: float, value: Out, average: Out
) -> None:
    highs, lows, traded, out = high[1:], low[1:], volume[1:], value[1:]
    for step in range(len(out)):
        move = 0.5 * ((highs[step] + lows[step]) - (high[step] + low[step]))
        ease = divisor * (highs[step] - lows[step]) * move / traded[step]
        out[step] = ease if traded[step] > 0 else 0.0
    mean(value[1:], length, average[1:])


@indicator(
    "Volume-price trend",
    outputs={"value": "volume"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    cumulative=True,
    formula="volume * (close - the close before) / the close before, added up",
    source="Steven B. Achelis, Technical Analysis from A to Z (1995); TradingView, ta.pvt",
    notes="It begins with 0 at the first known candle; ta has its first value one candle later and the same from there "
    "on; pandas-ta-classic gives 100 times as much.",
    aliases=("volume_price_trend", "pvt"),
)
@kernel
def vpt(close: Series, volume: Series, value: Out) -> None:
    value[0] = 0.0
    now, traded, out = close[1:], volume[1:], value[1:]
    for step in range(len(out)):
        out[step] = traded[step] * ((now[step] - close[step]) / close[step])
    add_up(value, value)


@indicator(
    "Negative volume index",
    outputs={"value": "ratio"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    cumulative=True,
    formula="begins with 1000; on a candle with less volume than the one before it grows and shrinks as the close does",
    source="Norman G. Fosback, Stock Market Logic (1976); TradingView, ta.nvi",
    notes="TradingView begins with 1 and ta, as here, with 1000. StockCharts and pandas-ta-classic add the percent "
    "that the close moved instead. A filled candle has no volume: the move of the candle behind it is left out.",
    aliases=("negative_volume_index",),
)
@kernel
def nvi(close: Series, volume: Series, value: Out) -> None:
    level = 1000.0
    value[0] = level
    for step in range(1, len(close)):
        if volume[step] < volume[step - 1]:
            level *= close[step] / close[step - 1]
        value[step] = level


@indicator(
    "Relative volume",
    length(20),
    outputs={"value": "ratio"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    levels=(1,),
    formula="volume / mean of the last `length` volumes",
    source="TradingView, volume / ta.sma(volume, length)",
    notes="This candle's volume is part of the mean, as on most charts: it cannot exceed `length`. Unknown when "
    "nothing was traded in the window.",
    aliases=("rvol",),
)
@kernel
def relative_volume(volume: Series, length: int, value: Out) -> None:
    mean(volume, length, value)
    for step in range(len(volume)):
        value[step] = volume[step] / value[step]


@indicator(
    "Rolling volume-weighted average price",
    length(14),
    outputs={"value": "price"},
    warm_up=lambda length: length - 1,
    look_back=lambda length: length,
    drawn="price",
    formula="mean of (high + low + close) / 3 over the last `length` candles, each counting as much as its volume",
    source="TradingView, ta.vwma(hlc3, length)",
    notes="ta calls it VWAP; a VWAP that begins anew each day, week or month is another indicator. Unknown when "
    "nothing was traded in the window.",
)
@kernel
def rolling_vwap(high: Series, low: Series, close: Series, volume: Series, length: int, value: Out) -> None:
    typical = np.empty(len(close))
    for step in range(len(close)):
        typical[step] = mean_of_three(high[step], low[step], close[step])
    mean_by_weight(typical, volume, length, value)
