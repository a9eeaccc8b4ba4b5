"""The candle, and the name of the market it belongs to."""

from datetime import datetime
from typing import NamedTuple


class Market(NamedTuple):
    """One symbol on one exchange, written `kraken:BTC/USD`."""

    source: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.source}:{self.symbol}"

    @classmethod
    def parse(cls, text: str) -> "Market":
        """Read `source:SYMBOL`. The symbol may hold a colon of its own (`binance:BTC/USDT:USDT`).

        Raises:
            ValueError: the text has no colon, or nothing on one side of it.
        """
        source, colon, symbol = text.partition(":")
        if not (source and colon and symbol):
            raise ValueError(f"a market is written source:SYMBOL, like kraken:BTC/USD, not {text!r}")
        return cls(source, symbol)


class Candle(NamedTuple):
    """Open, high, low, close (quote currency) and volume (base currency) of one market over one interval.

    Named by its `open_time`: UTC, aware, on the interval's grid.
    """

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
