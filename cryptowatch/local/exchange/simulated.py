"""Markets that never were: plausible, endless, and the same whenever they are asked for."""

import hashlib
import math

import numpy as np

from cryptowatch.local.exchange.path import LEVELS, Character, nodes
from cryptowatch.local.exchange.record import MINUTE, NO_CANDLES, Candles, Record, aggregate, longest_part, part_steps
from cryptowatch.markets.interval import Interval

#: Base currency and its usual price in US dollars.
_PRICES = {
    "BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "XRP": 0.6, "ADA": 0.45, "DOGE": 0.12, "LTC": 80.0, "LINK": 15.0,
    "DOT": 6.0, "AVAX": 30.0, "ATOM": 8.0, "UNI": 9.0, "XLM": 0.11, "TRX": 0.12, "NEAR": 5.0, "ALGO": 0.2,
    "FIL": 5.5, "AAVE": 95.0, "MKR": 2_500.0, "CRV": 0.4,
}  # fmt: skip
#: Quote currency and its price in US dollars.
_QUOTE_PRICES = {"USD": 1.0, "EUR": 1.08, "USDT": 1.0005, "USDC": 0.9998}
_QUOTES = {"kraken": ("USD", "EUR"), "coinbase": ("USD", "EUR"), "binance": ("USDT", "USDC", "EUR")}

#: Of thinly traded markets, the share of minutes without a trade.
_THIN = {"FIL": 0.04, "AAVE": 0.08, "MKR": 0.2, "CRV": 0.1}
#: The coin without any trade from 00:00 to 16:00 UTC.
_RESTING = "CRV"

#: US dollars traded in a usual minute.
_MINUTE_TURNOVER = 200_000.0
#: The smallest piece of volume, a power of two: sums of volumes are exact, and it has no more than eight decimals.
_UNIT = 1 / 256
#: Decimals of prices: as many as give seven figures.
_FIGURES = 7


class SimulatedRecord(Record):
    """The same markets for the same seed.

    Twenty coins on Kraken, Coinbase and Binance, in trends, ranges and storms, with bursts, jumps and gaps. Candles of
    longer intervals are exactly what their minutes add up to, and cost no more.

    Args:
        seed: any whole number; another one gives other markets.
    """

    shows_quiet = True

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed

    def symbols(self, source: str) -> list[str]:
        return [f"{base}/{quote}" for base in _PRICES for quote in _QUOTES.get(source, ())]

    def decimals(self, source: str, symbol: str) -> int:
        return min(8, _FIGURES - 1 - math.floor(math.log10(_price(source, symbol))))

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        level = longest_part(interval, LEVELS)
        if level is None or last < first:
            return NO_CANDLES
        first, last = part_steps(interval, level, first, last)
        found = nodes(self._character(source, symbol), LEVELS.index(level), first, last)
        traded = found.volume > 0
        steps = first + np.flatnonzero(traded)
        logarithms = np.stack([found.open, found.high, found.low, found.close], axis=1)[traded]
        prices = np.round(_price(source, symbol) * np.exp(logarithms), self.decimals(source, symbol))
        volume = found.volume[traded, None] * _UNIT
        return aggregate(Candles(steps, np.concatenate([prices, volume], axis=1)), level, interval)

    def _character(self, source: str, symbol: str) -> Character:
        base = symbol.partition("/")[0]
        units = _MINUTE_TURNOVER / _PRICES[base] / _UNIT * LEVELS[0].seconds / MINUTE.seconds
        return Character(
            key=_hashed(f"{self._seed}:{base}"),
            own_key=_hashed(f"{self._seed}:{source}:{symbol}"),
            week_units=round(units),
            gaps=_THIN.get(base, 0.0),
            rests=base == _RESTING,
        )


def _price(source: str, symbol: str) -> float:
    """The market's usual price; exchanges differ a little from each other."""
    base, quote = symbol.split("/")
    differs = 0.0004 * (_hashed(f"{source}:{symbol}") / 2**64 - 0.5)
    return _PRICES[base] / _QUOTE_PRICES[quote] * (1 + differs)


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
