"""Moving averages, and what is made of them."""

from cryptowatch.indicators import kernels
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
def sma(source: Floats, p: Parameters) -> dict[str, Floats]:
    return {"value": kernels.sma(source, int(p["length"]))}


@indicator(
    "ema",
    Parameter("length", 20, 1, LONGEST),
    warm_up=lambda p: int(p["length"]) - 1,
    look_back=lambda p: _ema_look_back(p["length"]),
    formula="average + 2 / (length + 1) * (value - average), begun with the mean of the first `length` values",
    source="TradingView, ta.ema",
)
def ema(source: Floats, p: Parameters) -> dict[str, Floats]:
    return {"value": kernels.ema(source, int(p["length"]))}


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
def bollinger(source: Floats, p: Parameters) -> dict[str, Floats]:
    length = int(p["length"])
    middle = kernels.sma(source, length)
    half = p["deviations"] * kernels.deviation(source, length)
    upper, lower = middle + half, middle - half
    return {
        "middle": middle,
        "upper": upper,
        "lower": lower,
        "width": (upper - lower) / middle,
        "percent": (source - lower) / (upper - lower),
    }


@indicator(
    "macd",
    Parameter("fast", 12, 1, LONGEST),
    Parameter("slow", 26, 2, LONGEST),
    Parameter("signal", 9, 1, LONGEST),
    outputs=("macd", "signal", "histogram"),
    warm_up=lambda p: int(p["slow"]) - 1,
    look_back=lambda p: _ema_look_back(p["slow"]) + _ema_look_back(p["signal"]),
    formula="macd: ema(fast) - ema(slow); signal: ema of macd; histogram: macd - signal",
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005); TradingView, ta.macd",
)
def macd(source: Floats, p: Parameters) -> dict[str, Floats]:
    line = kernels.ema(source, int(p["fast"])) - kernels.ema(source, int(p["slow"]))
    signal = kernels.ema(line, int(p["signal"]))
    return {"macd": line, "signal": signal, "histogram": line - signal}
