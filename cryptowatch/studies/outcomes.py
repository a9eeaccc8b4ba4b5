"""What the price did after each candle of a market: bought at the next candle's open, sold some candles later."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cryptowatch.markets.panel import Bools, Floats


@dataclass(frozen=True, eq=False)
class Outcomes:
    """By candle, float64, shape `(time,)`; NaN where the candles it takes are not known.

    Args:
        gain: relative, from the next candle's open to the close `after` candles later.
        worst: relative, the lowest low on the way against that open; never above 0 but by the open's own gap.
    """

    gain: Floats
    worst: Floats


def outcomes(open_: Floats, low: Floats, close: Floats, after: int) -> Outcomes:
    """What followed each candle within `after` candles.

    Args:
        open_, low, close: of one market on its grid, float64, shape `(time,)`, NaN where unknown.
    """
    entry = pd.Series(open_).shift(-1)
    exit_ = pd.Series(close).shift(-after)
    lowest = pd.Series(low).rolling(after).min().shift(-after)
    return Outcomes(gain=(exit_ / entry - 1).to_numpy(), worst=(lowest / entry - 1).to_numpy())


def apart(signals: Bools, after: int) -> Bools:
    """The signals that count as events of their own: none that comes within `after` candles of the one before it.

    Args:
        signals: by candle, shape `(time,)`.
    """
    kept = np.zeros_like(signals)
    free_from = 0
    for at in np.flatnonzero(signals):
        if at >= free_from:
            kept[at] = True
            free_from = int(at) + after
    return kept
