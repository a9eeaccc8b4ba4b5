"""What was traded of a market in the last 24 hours, as exchanges tell it of all their markets at once."""

from typing import NamedTuple

from cryptowatch.local.exchange.view import View
from cryptowatch.markets.interval import INTERVALS

_HOUR = INTERVALS["1h"]


class Day(NamedTuple):
    """The last price, its highest and lowest, and the volume, in the base and in the quote currency."""

    last: float
    high: float
    low: float
    volume: float
    quote_volume: float


def last_day(view: View, symbol: str) -> Day | None:
    """Of the open hour and the 23 before it; None when there was no candle."""
    newest = _HOUR.step_at(view.now)
    values = view.candles(symbol, _HOUR, newest - 23, newest).values
    if not len(values):
        return None
    traded = float(values[:, 4].sum())
    quote = float((values[:, 3] * values[:, 4]).sum())
    return Day(float(values[-1, 3]), float(values[:, 1].max()), float(values[:, 2].min()), traded, quote)
