"""Oscillators."""

from cryptowatch.indicators import kernels
from cryptowatch.indicators.averages import LONGEST
from cryptowatch.indicators.catalogue import Parameter, Parameters, forgets, indicator
from cryptowatch.markets.panel import Floats


@indicator(
    "rsi",
    Parameter("length", 14, 2, LONGEST),
    warm_up=lambda p: int(p["length"]),
    look_back=lambda p: int(p["length"]) + 1 + forgets(1 / p["length"]),
    formula="100 - 100 / (1 + average gain / average loss), Wilder's averages begun with the mean of the first "
    "`length` changes; 100 when the average loss is 0",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.rsi",
)
def rsi(source: Floats, p: Parameters) -> dict[str, Floats]:
    return {"value": kernels.rsi(source, int(p["length"]))}
