"""Oscillators: how fast, and how far, prices have moved."""

import numpy as np

from cryptowatch.indicators.catalogue import forgets, indicator, length
from cryptowatch.indicators.kernel import Out, Series, kernel

#: `forgets`, for kernels.
candles_to_forget = kernel(forgets)


def wilder_look_back(candles: int) -> int:
    """Candles after which Wilder's average of this length has forgotten its start."""
    return candles + forgets(1 / candles)


@indicator(
    "Relative strength index",
    length(14, least=2),
    outputs={"value": "percent"},
    warm_up=lambda length: length,
    look_back=lambda length: wilder_look_back(length) + 1,
    levels=(30, 70),
    formula="100 - 100 / (1 + average gain / average loss), Wilder's averages begun with the mean of the first "
    "`length` changes; 100 when the average loss is 0",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.rsi",
    notes="A candle without a change leaves it exactly as it was: both averages shrink alike. It is unknown when "
    "nothing has moved within its look-back, or yet: charts draw 100 there, other libraries 0; neither says anything.",
)
@kernel
def rsi(source: Series, length: int, value: Out) -> None:
    if len(source) <= length:
        return
    gain = loss = 0.0
    still = 0  # candles in a row without a change
    for step in range(1, length + 1):
        change = source[step] - source[step - 1]
        gain += max(change, 0.0)
        loss += max(-change, 0.0)
        still = still + 1 if change == 0 else 0
    gain /= length
    loss /= length
    strength = 100.0 * gain / (gain + loss)
    value[length] = strength
    weight = 1.0 / length
    remembered = length + candles_to_forget(weight)
    for step in range(length + 1, len(source)):
        change = source[step] - source[step - 1]
        gain += weight * (max(change, 0.0) - gain)
        loss += weight * (max(-change, 0.0) - loss)
        if change != 0:
            still = 0
            strength = 100.0 * gain / (gain + loss)
        else:
            still += 1
        value[step] = strength if still < remembered else np.nan
