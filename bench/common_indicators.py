"""The 25 common indicators, and how each library computes them for one market.

Each function gives the same outputs under the same names, `indicator.output`, with the same parameters.
"""

import contextlib
import io
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import ta
import talib

from cryptowatch.indicators import Indicator, find
from cryptowatch.indicators.catalogue import Parameters
from cryptowatch.markets.panel import Floats

with contextlib.redirect_stdout(io.StringIO()):
    import pandas_ta_classic as pt

#: The indicators, and which of their outputs are compared: what all of the libraries give.
COMMON: dict[str, tuple[str, ...]] = {
    "sma": ("value",),
    "ema": ("value",),
    "wma": ("value",),
    "kama": ("value",),
    "bollinger": ("middle", "upper", "lower"),
    "macd": ("macd", "signal", "histogram"),
    "ppo": ("ppo", "signal", "histogram"),
    "rsi": ("value",),
    "stoch": ("k", "d"),
    "stochrsi": ("k",),
    "williams_r": ("value",),
    "cci": ("value",),
    "roc": ("value",),
    "adx": ("adx", "plus_di", "minus_di"),
    "aroon": ("up", "down"),
    "atr": ("value",),
    "psar": ("value",),
    "obv": ("value",),
    "adl": ("value",),
    "mfi": ("value",),
    "trix": ("value",),
    "ultimate_oscillator": ("value",),
    "donchian": ("upper", "middle", "lower"),
    "awesome": ("value",),
    "keltner": ("middle", "upper", "lower"),
}
#: Where two libraries mean different things by one name, and are not compared.
NOT_COMPARED = {
    ("TA-Lib", "psar.value"): "it turns when the price only touches; TradingView, and this, when it is crossed",
    ("pandas-ta-classic", "psar.value"): "as TA-Lib",
    ("ta", "psar.value"): "its first trend is another",
    ("pandas-ta-classic", "keltner.upper"): "its range is another average",
    ("pandas-ta-classic", "keltner.lower"): "its range is another average",
}


class Candles(NamedTuple):
    """float64 arrays of one shape: `(market, time)`, or `(time,)` for one market."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def made_up(markets: int, candles: int, seed: int = 1) -> Candles:
    """A random walk in each market, of shape `(market, time)`."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.003, (markets, candles)), axis=1))
    opened = np.concatenate([np.full((markets, 1), 100.0), close[:, :-1]], axis=1)
    spread = close * random.random((2, markets, candles)) * 0.004
    high, low = np.maximum(opened, close) + spread[0], np.minimum(opened, close) - spread[1]
    return Candles(opened, high, low, close, 1 + 1000 * random.random((markets, candles)))


@cache
def _bound(name: str) -> tuple[Indicator, Parameters]:
    """The entry and its defaults, looked up once, as for a rule."""
    entry = find(name)
    return entry, entry.bind((), {})


def ours(candles: Candles) -> dict[str, Floats]:
    """Ours, for a whole panel at once."""
    found = {}
    for name, outputs in COMMON.items():
        entry, parameters = _bound(name)
        series = [getattr(candles, one) for one in entry.series]
        for output, values in entry.compute(*series, parameters=parameters, outputs=outputs).items():
            found[f"{name}.{output}"] = values
    return found


def by_talib(candles: Candles) -> dict[str, Floats]:
    _, high, low, close, volume = candles
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    ppo = talib.PPO(close, 12, 26, 1)
    ppo_signal = talib.EMA(ppo, 9)
    k, d = talib.STOCHF(high, low, close, 14, 3)
    down, up = talib.AROON(high, low, 25)
    top, bottom = talib.MAX(high, 20), talib.MIN(low, 20)
    _, stochrsi_k = talib.STOCHRSI(close, 14, 14, 3)
    median = talib.MEDPRICE(high, low)
    average, reach = talib.EMA(close, 20), 2 * talib.ATR(high, low, close, 10)
    return {
        "sma.value": talib.SMA(close, 20),
        "ema.value": talib.EMA(close, 20),
        "wma.value": talib.WMA(close, 20),
        "kama.value": talib.KAMA(close, 10),
        "bollinger.middle": middle,
        "bollinger.upper": upper,
        "bollinger.lower": lower,
        "macd.macd": macd,
        "macd.signal": signal,
        "macd.histogram": histogram,
        "ppo.ppo": ppo,
        "ppo.signal": ppo_signal,
        "ppo.histogram": ppo - ppo_signal,
        "rsi.value": talib.RSI(close, 14),
        "stoch.k": k,
        "stoch.d": d,
        "stochrsi.k": stochrsi_k,
        "williams_r.value": talib.WILLR(high, low, close, 14),
        "cci.value": talib.CCI(high, low, close, 20),
        "roc.value": talib.ROC(close, 12),
        "adx.adx": talib.ADX(high, low, close, 14),
        "adx.plus_di": talib.PLUS_DI(high, low, close, 14),
        "adx.minus_di": talib.MINUS_DI(high, low, close, 14),
        "aroon.up": up,
        "aroon.down": down,
        "atr.value": talib.ATR(high, low, close, 14),
        "psar.value": talib.SAR(high, low, 0.02, 0.2),
        "obv.value": talib.OBV(close, volume),
        "adl.value": talib.AD(high, low, close, volume),
        "mfi.value": talib.MFI(high, low, close, volume, 14),
        "trix.value": talib.TRIX(close, 15),
        "ultimate_oscillator.value": talib.ULTOSC(high, low, close, 7, 14, 28),
        "donchian.upper": top,
        "donchian.middle": (top + bottom) / 2,
        "donchian.lower": bottom,
        "awesome.value": talib.SMA(median, 5) - talib.SMA(median, 34),
        "keltner.middle": average,
        "keltner.upper": average + reach,
        "keltner.lower": average - reach,
    }


def by_ta(candles: Candles) -> dict[str, Any]:
    _, high, low, close, volume = (pd.Series(one) for one in candles)
    bands = ta.volatility.BollingerBands(close, 20, 2)
    macd = ta.trend.MACD(close, 26, 12, 9)
    ppo = ta.momentum.PercentagePriceOscillator(close, 26, 12, 9)
    stoch = ta.momentum.StochasticOscillator(high, low, close, 14, 3)
    adx = ta.trend.ADXIndicator(high, low, close, 14)
    aroon = ta.trend.AroonIndicator(high, low, 25)
    donchian = ta.volatility.DonchianChannel(high, low, close, 20)
    keltner = ta.volatility.KeltnerChannel(high, low, close, 20, 10, original_version=False)
    return {
        "sma.value": ta.trend.SMAIndicator(close, 20).sma_indicator(),
        "ema.value": ta.trend.EMAIndicator(close, 20).ema_indicator(),
        "wma.value": ta.trend.WMAIndicator(close, 20).wma(),
        "kama.value": ta.momentum.KAMAIndicator(close, 10, 2, 30).kama(),
        "bollinger.middle": bands.bollinger_mavg(),
        "bollinger.upper": bands.bollinger_hband(),
        "bollinger.lower": bands.bollinger_lband(),
        "macd.macd": macd.macd(),
        "macd.signal": macd.macd_signal(),
        "macd.histogram": macd.macd_diff(),
        "ppo.ppo": ppo.ppo(),
        "ppo.signal": ppo.ppo_signal(),
        "ppo.histogram": ppo.ppo_hist(),
        "rsi.value": ta.momentum.RSIIndicator(close, 14).rsi(),
        "stoch.k": stoch.stoch(),
        "stoch.d": stoch.stoch_signal(),
        "stochrsi.k": ta.momentum.StochRSIIndicator(close, 14, 3, 3).stochrsi_k() * 100,
        "williams_r.value": ta.momentum.WilliamsRIndicator(high, low, close, 14).williams_r(),
        "cci.value": ta.trend.CCIIndicator(high, low, close, 20).cci(),
        "roc.value": ta.momentum.ROCIndicator(close, 12).roc(),
        "adx.adx": adx.adx(),
        "adx.plus_di": adx.adx_pos(),
        "adx.minus_di": adx.adx_neg(),
        "aroon.up": aroon.aroon_up(),
        "aroon.down": aroon.aroon_down(),
        "atr.value": ta.volatility.AverageTrueRange(high, low, close, 14).average_true_range(),
        "psar.value": ta.trend.PSARIndicator(high, low, close).psar(),
        "obv.value": ta.volume.OnBalanceVolumeIndicator(close, volume).on_balance_volume(),
        "adl.value": ta.volume.AccDistIndexIndicator(high, low, close, volume).acc_dist_index(),
        "mfi.value": ta.volume.MFIIndicator(high, low, close, volume, 14).money_flow_index(),
        "trix.value": ta.trend.TRIXIndicator(close, 15).trix(),
        "ultimate_oscillator.value": ta.momentum.UltimateOscillator(high, low, close).ultimate_oscillator(),
        "donchian.upper": donchian.donchian_channel_hband(),
        "donchian.middle": donchian.donchian_channel_mband(),
        "donchian.lower": donchian.donchian_channel_lband(),
        "awesome.value": ta.momentum.AwesomeOscillatorIndicator(high, low, 5, 34).awesome_oscillator(),
        "keltner.middle": keltner.keltner_channel_mband(),
        "keltner.upper": keltner.keltner_channel_hband(),
        "keltner.lower": keltner.keltner_channel_lband(),
    }


def by_pandas_ta_classic(candles: Candles) -> dict[str, Any]:
    """Its own Python code, not TA-Lib, which it would hand some of them to."""
    _, high, low, close, volume = (pd.Series(one) for one in candles)
    bands = pt.bbands(close, 20, 2, ddof=0, talib=False)
    macd = pt.macd(close, 12, 26, 9, talib=False)
    ppo = pt.ppo(close, 12, 26, 9, mamode="ema", talib=False)
    stoch = pt.stoch(high, low, close, 14, 3, 1, talib=False)
    adx = pt.adx(high, low, close, 14, talib=False)
    aroon = pt.aroon(high, low, 25, talib=False)
    donchian = pt.donchian(high, low, 20, 20)
    keltner = pt.kc(high, low, close, 20, 2, talib=False)
    psar = pt.psar(high, low, close)
    columns = {
        "sma.value": pt.sma(close, 20, talib=False),
        "ema.value": pt.ema(close, 20, talib=False),
        "wma.value": pt.wma(close, 20, talib=False),
        "kama.value": pt.kama(close, 10, 2, 30),
        "rsi.value": pt.rsi(close, 14, talib=False),
        "stochrsi.k": pt.stochrsi(close, 14, 14, 3, 3).iloc[:, 0],
        "williams_r.value": pt.willr(high, low, close, 14, talib=False),
        "cci.value": pt.cci(high, low, close, 20, talib=False),
        "roc.value": pt.roc(close, 12, talib=False),
        "atr.value": pt.atr(high, low, close, 14, talib=False),
        "psar.value": psar.iloc[:, 0].fillna(psar.iloc[:, 1]),
        "obv.value": pt.obv(close, volume, talib=False),
        "adl.value": pt.ad(high, low, close, volume, talib=False),
        "mfi.value": pt.mfi(high, low, close, volume, 14, talib=False),
        "trix.value": pt.trix(close, 15, talib=False).iloc[:, 0],
        "ultimate_oscillator.value": pt.uo(high, low, close, talib=False),
        "awesome.value": pt.ao(high, low, 5, 34),
    }
    tables = {
        "bollinger": (bands, {"lower": 0, "middle": 1, "upper": 2}),
        "macd": (macd, {"macd": 0, "histogram": 1, "signal": 2}),
        "ppo": (ppo, {"ppo": 0, "histogram": 1, "signal": 2}),
        "stoch": (stoch, {"k": 0, "d": 1}),
        "adx": (adx, {"adx": 0, "plus_di": 1, "minus_di": 2}),
        "aroon": (aroon, {"down": 0, "up": 1}),
        "donchian": (donchian, {"lower": 0, "middle": 1, "upper": 2}),
        "keltner": (keltner, {"lower": 0, "middle": 1, "upper": 2}),
    }
    for name, (table, places) in tables.items():
        columns |= {f"{name}.{output}": table.iloc[:, place] for output, place in places.items()}
    return columns
