"""Moving averages, and what is made of them.

Kernels are imported where they are used: reading a rule needs the catalogue, and only evaluating it needs numba.
"""

from cryptowatch.indicators.catalogue import Parameter, Parameters, forgets, indicator
from cryptowatch.markets.panel import Floats

#: The longest window a rule may ask for, in candles.
LONGEST = 2000


def _ema_look_back(length: float) -> int:
    return int(length) + forgets(2 / (length + 1))


@indicator(
    "sma",
    Parameter("length", 20, 1, LONGEST),
    warm_up=lambda p: int(p["length"]) - 1,
    look_back=lambda p: int(p["length"]),
    formula="mean of the last `length` values",
    source="TradingView, ta.sma",
)
def sma(close: Floats, p: Parameters) -> dict[str, Floats]:
    from cryptowatch.indicators import kernels

    return {"value": kernels.sma(close, int(p["length"]))}


@indicator(
    "ema",
    Parameter("length", 20, 1, LONGEST),
    warm_up=lambda p: int(p["length"]) - 1,
    look_back=lambda p: _ema_look_back(p["length"]),
    formula="average + 2 / (length + 1) * (value - average), begun with the mean of the first `length` values",
    source="TradingView, ta.ema",
)
def ema(close: Floats, p: Parameters) -> dict[str, Floats]:
    from cryptowatch.indicators import kernels

    return {"value": kernels.ema(close, int(p["length"]))}


@indicator(
    "bollinger",
    Parameter("length", 20, 2, LONGEST),
    Parameter("deviations", 2, 0.1, 10, whole=False),
    outputs=("middle", "upper", "lower", "width", "percent"),
    warm_up=lambda p: int(p["length"]) - 1,
    look_back=lambda p: int(p["length"]),
    formula="middle: sma; upper and lower: middle ± deviations * population standard deviation; "
    "width: (upper - lower) / middle; percent: (value - lower) / (upper - lower)",
    source="John Bollinger, Bollinger on Bollinger Bands (2001); TradingView, ta.bb",
)
def bollinger(close: Floats, p: Parameters) -> dict[str, Floats]:
    from cryptowatch.indicators import kernels

    length = int(p["length"])
    middle = kernels.sma(close, length)
    half = p["deviations"] * kernels.deviation(close, length)
    upper, lower = middle + half, middle - half
    return {
        "middle": middle,
        "upper": upper,
        "lower": lower,
        "width": (upper - lower) / middle,
        "percent": (close - lower) / (upper - lower),
    }


def _macd_warm_up(p: Parameters) -> dict[str, int]:
    line, signal = int(p["slow"]) - 1, int(p["slow"] + p["signal"]) - 2
    return {"macd": line, "signal": signal, "histogram": signal}


@indicator(
    "macd",
    Parameter("fast", 12, 1, LONGEST),
    Parameter("slow", 26, 2, LONGEST),
    Parameter("signal", 9, 1, LONGEST),
    outputs=("macd", "signal", "histogram"),
    warm_up=_macd_warm_up,
    look_back=lambda p: _ema_look_back(p["slow"]) + _ema_look_back(p["signal"]),
    formula="macd: ema(fast) - ema(slow); signal: ema of macd; histogram: macd - signal",
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005); TradingView, ta.macd",
)
def macd(close: Floats, p: Parameters) -> dict[str, Floats]:
    from cryptowatch.indicators import kernels

    line = kernels.ema(close, int(p["fast"])) - kernels.ema(close, int(p["slow"]))
    signal = kernels.ema(line, int(p["signal"]))
    return {"macd": line, "signal": signal, "histogram": line - signal}
