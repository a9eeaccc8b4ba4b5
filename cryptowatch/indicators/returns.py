"""How much prices have gained or lost, in percent."""

import numpy as np

from cryptowatch.indicators.catalogue import indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.indicators.momentum import changes_in_percent


@indicator(
    "Change in percent",
    length(1),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: length + 1,
    levels=(0,),
    formula="100 * (value - value `length` candles ago) / value `length` candles ago",
    source="TradingView, 100 * ta.change(source, length) / source[length]",
    notes="Unknown when the value then was 0. The same as `roc`, for one candle by default.",
    aliases=("pct_change",),
)
@kernel
def change_pct(source: Series, length: int, value: Out) -> None:
    changes_in_percent(source, length, value)


@indicator(
    "Daily return",
    outputs={"value": "percent"},
    warm_up=lambda: 1,
    look_back=lambda: 2,
    levels=(0,),
    formula="100 * (close - the close before) / the close before",
    source="ta, DailyReturnIndicator",
    notes="The name is that of ta: it is the return of one candle, whatever the interval.",
)
@kernel
def daily_return(close: Series, value: Out) -> None:
    changes_in_percent(close, 1, value)


@indicator(
    "Daily logarithmic return",
    outputs={"value": "percent"},
    warm_up=lambda: 1,
    look_back=lambda: 2,
    levels=(0,),
    formula="100 * natural logarithm of close / the close before",
    source="ta, DailyLogReturnIndicator",
    notes="The name is that of ta: it is the return of one candle, whatever the interval.",
)
@kernel
def daily_log_return(close: Series, value: Out) -> None:
    for step in range(1, len(close)):
        before = close[step - 1]
        value[step] = 100.0 * np.log1p((close[step] - before) / before)


@indicator(
    "Cumulative return",
    outputs={"value": "percent"},
    warm_up=lambda: 0,
    look_back=lambda: 2,
    cumulative=True,
    levels=(0,),
    formula="100 * (close - the first close) / the first close",
    source="ta, CumulativeReturnIndicator",
    notes="The first close is that of the first known candle that was loaded.",
)
@kernel
def cumulative_return(close: Series, value: Out) -> None:
    first = close[0]
    for step in range(len(close)):
        value[step] = 100.0 * ((close[step] - first) / first)
