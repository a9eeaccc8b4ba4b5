"""Stochastics: what others compute."""

from functools import partial

import numpy as np
import pandas as pd
import pandas_ta_classic as pandas_ta
import talib
from ta.momentum import StochasticOscillator, StochRSIIndicator, WilliamsRIndicator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find

_STOCHRSI = find("stochrsi").look_back({"rsi_length": 14, "length": 14, "smooth_k": 3, "smooth_d": 3})
_FISHER = find("fisher").look_back({"length": 9})
_STILL = "ours is unknown, theirs 0, where nothing has moved"


def _stoch(candles: Candles, output: str) -> Floats:
    frame = candles.frame
    lines = StochasticOscillator(frame.high, frame.low, frame.close, 14, 3)
    return (lines.stoch() if output == "k" else lines.stoch_signal()).to_numpy()


def _stoch_by_talib(candles: Candles, output: str) -> Floats:
    k, d = talib.STOCH(candles.high, candles.low, candles.close, 14, 1, 0, 3, 0)
    return k if output == "k" else d


def _williams(candles: Candles) -> Floats:
    frame = candles.frame
    return WilliamsRIndicator(frame.high, frame.low, frame.close, 14).williams_r().to_numpy()


def _stochrsi(candles: Candles, output: str) -> Floats:
    """From TA-Lib's rsi, window by window; unknown where no close of the window differs from the one before."""
    strength = talib.RSI(candles.close, 14)
    still = candles.frame.close.diff().ne(0).rolling(13).max() == 0  # no rsi of the window differs but by rounding
    values = np.full(len(candles), np.nan)
    for step in range(27, len(candles)):
        window = strength[step - 13 : step + 1]
        if not still[step]:
            values[step] = 100 * (window[-1] - window.min()) / (window.max() - window.min())
    smooth = pd.Series(values).rolling(3).apply(np.mean, raw=True)
    return {"raw": values, "k": smooth.to_numpy(), "d": smooth.rolling(3).apply(np.mean, raw=True).to_numpy()}[output]


def _stochrsi_by_ta(candles: Candles, output: str) -> Floats:
    lines = StochRSIIndicator(candles.frame.close, 14, 3, 3)
    values = {"raw": lines.stochrsi, "k": lines.stochrsi_k, "d": lines.stochrsi_d}
    return 100 * values[output]().to_numpy()


def _fisher(candles: Candles, output: str) -> Floats:
    """Candle by candle, begun with 0 at the first, and behind each without a range."""
    middle = (candles.high + candles.low) / 2
    values, triggers = np.full(len(candles), np.nan), np.full(len(candles), np.nan)
    place, last = 0.0, np.nan
    for step in range(8, len(candles)):
        window = middle[step - 8 : step + 1]
        triggers[step] = last
        if window.max() == window.min():
            place, last = 0.0, np.nan
            continue
        share = (middle[step] - window.min()) / (window.max() - window.min())
        place = 0.66 * (share - 0.5) + 0.67 * place
        place = float(np.sign(place)) * 0.999 if abs(place) > 0.99 else place
        last = np.arctanh(place) + 0.5 * (0.0 if np.isnan(last) else last)
        values[step] = last
    return values if output == "fisher" else triggers


def _fisher_by_pandas_ta(candles: Candles, output: str) -> Floats:
    """Their values, without those that remember a window without a range; their least range of 0.001 is kept away."""
    unit = 1e9 / candles.close.mean()
    lines = pandas_ta.fisher(pd.Series(candles.high * unit), pd.Series(candles.low * unit), length=9, signal=1)
    middle = pd.Series(candles.high + candles.low)
    still = middle.rolling(9).max() == middle.rolling(9).min()
    lines = lines.mask(still.rolling(_FISHER, min_periods=1).max() > 0)
    return lines.iloc[:, 0 if output == "fisher" else 1].to_numpy()


def _stochrsi_rows(output: str) -> list[Reference]:
    return [
        Reference(
            "stochrsi",
            output,
            "definition",
            partial(_stochrsi, output=output),
            after=_STOCHRSI,
            note="made of TA-Lib's rsi",
        ),
        Reference(
            "stochrsi",
            output,
            "ta",
            partial(_stochrsi_by_ta, output=output),
            after=_STOCHRSI,
            note="ratios times 100; averages begin otherwise: the same after the look-back",
        ),
    ]


ROWS = [
    *(
        Reference("stoch", output, by, partial(compute, output=output), note=note)
        for output in ("k", "d")
        for by, compute, note in (("TA-Lib", _stoch_by_talib, _STILL), ("ta", _stoch, ""))
    ),
    *(row for output in ("k", "d", "raw") for row in _stochrsi_rows(output)),
    Reference(
        "williams_r",
        "value",
        "TA-Lib",
        lambda candles: talib.WILLR(candles.high, candles.low, candles.close, 14),
        note=_STILL,
    ),
    Reference("williams_r", "value", "ta", _williams),
    *(
        row
        for output in ("fisher", "trigger")
        for row in (
            Reference("fisher", output, "definition", partial(_fisher, output=output)),
            Reference(
                "fisher",
                output,
                "pandas-ta-classic",
                partial(_fisher_by_pandas_ta, output=output),
                after=_FISHER,
                note="begins a candle later; has a value without a range, and goes on from it: left out",
            ),
        )
    ),
]
