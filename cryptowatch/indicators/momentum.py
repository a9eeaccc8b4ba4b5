"""Oscillators."""

from cryptowatch.indicators.averages import LONGEST
from cryptowatch.indicators.catalogue import Parameter, Parameters, forgets, indicator
from cryptowatch.markets.panel import Floats


def _rsi_look_back(p: Parameters) -> int:
    return int(p["length"]) + 1 + forgets(1 / p["length"])


@indicator(
    "rsi",
    Parameter("length", 14, 2, LONGEST),
    warm_up=lambda p: int(p["length"]),
    look_back=_rsi_look_back,
    formula="100 - 100 / (1 + average gain / average loss), Wilder's averages begun with the mean of the first "
    "`length` changes; 100 when the average loss is 0; unknown when nothing has moved for its whole look-back, or yet",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TradingView, ta.rsi",
)
def rsi(close: Floats, p: Parameters) -> dict[str, Floats]:
    from cryptowatch.indicators import kernels

    return {"value": kernels.rsi(close, int(p["length"]), _rsi_look_back(p) - 1)}
