"""Convergence: what others compute."""

from functools import partial

import pandas_ta_classic as pandas_ta
import talib
from ta.momentum import AwesomeOscillatorIndicator, PercentagePriceOscillator, PercentageVolumeOscillator
from ta.trend import MACD, TRIXIndicator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_LINES = find("macd").look_back({"fast": 12, "slow": 26, "signal": 9})
_TRIX = find("trix").look_back({"length": 15})
_SEEDS = "averages begin otherwise: the same after the look-back"


def _macd(candles: Candles, output: str) -> Floats:
    lines = MACD(candles.frame.close, 26, 12, 9)
    return {"macd": lines.macd, "signal": lines.macd_signal, "histogram": lines.macd_diff}[output]().to_numpy()


def _macd_by_talib(candles: Candles, output: str) -> Floats:
    line, signal, histogram = talib.MACD(candles.close, 12, 26, 9)
    return {"macd": line, "signal": signal, "histogram": histogram}[output]


def _ppo(candles: Candles, output: str) -> Floats:
    lines = PercentagePriceOscillator(candles.frame.close, 26, 12, 9)
    return {"ppo": lines.ppo, "signal": lines.ppo_signal, "histogram": lines.ppo_hist}[output]().to_numpy()


def _pvo(candles: Candles, output: str) -> Floats:
    lines = PercentageVolumeOscillator(candles.frame.volume, 26, 12, 9)
    return {"pvo": lines.pvo, "signal": lines.pvo_signal, "histogram": lines.pvo_hist}[output]().to_numpy()


def _pvo_by_pandas_ta(candles: Candles, output: str) -> Floats:
    lines = pandas_ta.pvo(candles.frame.volume, 12, 26, 9)
    return lines.iloc[:, ["pvo", "histogram", "signal"].index(output)].to_numpy()


def _trix(candles: Candles) -> Floats:
    return TRIXIndicator(candles.frame.close, 15).trix().to_numpy()


def _awesome(candles: Candles) -> Floats:
    return AwesomeOscillatorIndicator(candles.frame.high, candles.frame.low, 5, 34).awesome_oscillator().to_numpy()


def _awesome_by_talib(candles: Candles) -> Floats:
    middle = talib.MEDPRICE(candles.high, candles.low)
    return talib.SMA(middle, 5) - talib.SMA(middle, 34)


ROWS = [
    *(
        Reference("macd", output, by, partial(compute, output=output), after=_LINES, note=_SEEDS)
        for output in ("macd", "signal", "histogram")
        for by, compute in (("TA-Lib", _macd_by_talib), ("ta", _macd))
    ),
    Reference("ppo", "ppo", "TA-Lib", lambda candles: talib.PPO(candles.close, 12, 26, 1), after=_LINES, note=_SEEDS),
    *(
        Reference("ppo", output, "ta", partial(_ppo, output=output), after=_LINES, note=_SEEDS)
        for output in ("ppo", "signal", "histogram")
    ),
    *(
        Reference("pvo", output, by, partial(compute, output=output), after=_LINES, note=_SEEDS)
        for output in ("pvo", "signal", "histogram")
        for by, compute in (("ta", _pvo), ("pandas-ta-classic", _pvo_by_pandas_ta))
    ),
    Reference("trix", "value", "TA-Lib", lambda candles: talib.TRIX(candles.close, 15)),
    Reference("trix", "value", "ta", _trix, after=_TRIX, note=_SEEDS),
    Reference("awesome", "value", "TA-Lib", _awesome_by_talib, note="made of its MEDPRICE and SMA"),
    Reference("awesome", "value", "ta", _awesome),
]
