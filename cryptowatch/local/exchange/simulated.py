"""Markets that never were: plausible, endless, and the same whenever they are asked for.

A market's price is a closed form of time, so any range of years can be given without walking there: waves of many
lengths, whose strength changes slowly (trends, ranges and storms), levels that jump now and then, and hashed noise.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from cryptowatch.local.exchange.record import MINUTE, Candles, aggregate
from cryptowatch.markets.interval import Interval

#: Base currency and its usual price in US dollars.
_PRICES = {
    "BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "XRP": 0.6, "ADA": 0.45, "DOGE": 0.12, "LTC": 80.0, "LINK": 15.0,
    "DOT": 6.0, "AVAX": 30.0, "ATOM": 8.0, "UNI": 9.0, "XLM": 0.11, "TRX": 0.12, "NEAR": 5.0, "ALGO": 0.2,
    "FIL": 5.5, "AAVE": 95.0, "MKR": 2_500.0, "CRV": 0.4,
}  # fmt: skip
_QUOTES = {"kraken": ("USD", "EUR"), "coinbase": ("USD", "EUR"), "binance": ("USDT", "USDC", "EUR")}

#: Of thinly traded markets, the share of minutes without a trade; the last one also rests for 14 hours of each day.
_THIN = {"FIL": 0.04, "AAVE": 0.08, "MKR": 0.2, "CRV": 0.1}
_RESTING = "CRV"
_REST_MINUTES = 14 * 60

#: Lengths of the waves, in minutes, and how far each moves the price, as a share of it.
_WAVES = [(11.0, 0.0016), (23.0, 0.0022), (57.0, 0.0030), (151.0, 0.0045), (487.0, 0.008), (1_733.0, 0.014)]
_WAVES += [(7_919.0, 0.03), (43_201.0, 0.07), (301_303.0, 0.18)]
#: Minutes between possible jumps, and their size.
_JUMP_EVERY, _JUMP = 389, 0.006


class SimulatedRecord:
    """The same markets for the same seed.

    Args:
        seed: any whole number; another one gives other markets.
    """

    shows_quiet = True

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed

    def symbols(self, source: str) -> list[str]:
        return [f"{base}/{quote}" for base in _PRICES for quote in _QUOTES[source]]

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        ratio = interval.seconds // MINUTE.seconds
        start = first * ratio + interval.offset // MINUTE.seconds
        minutes = np.arange(start, start + (last - first + 1) * ratio, dtype=np.int64)
        fine = self._minutes(source, symbol, minutes)
        return fine if ratio == 1 else aggregate(fine, MINUTE, interval)

    def _minutes(self, source: str, symbol: str, minutes: NDArray[np.int64]) -> Candles:
        base = symbol.partition("/")[0]
        key = int.from_bytes(hashlib.sha256(f"{self._seed}:{symbol}".encode()).digest()[:7], "big")
        # The same coin moves alike on every exchange; what differs is a little noise.
        place = int.from_bytes(hashlib.sha256(source.encode()).digest()[:7], "big")
        edges = _price(np.append(minutes, minutes[-1] + 1) if len(minutes) else minutes, key, place, _PRICES[base])
        opens, closes = edges[:-1], edges[1:]
        wick = 0.0006 * _uniform(minutes, key ^ 0x51) ** 3
        high = np.maximum(opens, closes) * (1 + wick)
        low = np.minimum(opens, closes) * (1 - 0.0006 * _uniform(minutes, key ^ 0x52) ** 3)
        volume = 20_000 / _PRICES[base] * (0.2 + _uniform(minutes, key ^ 0x53) ** 4 * 8)
        traded = _uniform(minutes, key ^ 0x54) >= _THIN.get(base, 0.0)
        if base == _RESTING:
            traded &= minutes % 1440 >= _REST_MINUTES
        values = np.stack([opens, high, low, closes, volume], axis=1)
        return Candles(minutes[traded], np.round(values[traded], 10))


def _price(minutes: NDArray[np.int64], key: int, place: int, level: float) -> NDArray[np.float64]:
    phases = 2 * np.pi * _uniform(np.arange(2 * len(_WAVES), dtype=np.int64), key)
    moved = np.zeros(len(minutes))
    for index, (length, size) in enumerate(_WAVES):
        angle = 2 * np.pi * minutes / length
        strength = 0.6 + 0.4 * np.sin(angle / 17.3 + phases[2 * index])
        moved += size * strength * np.sin(angle + phases[2 * index + 1])
    moved += _JUMP * (2 * _uniform(minutes // _JUMP_EVERY, key ^ 0x55) - 1)
    moved += 0.0012 * (_uniform(minutes, key ^ 0x56) - 0.5) + 0.0002 * (_uniform(minutes, key ^ place) - 0.5)
    return level * np.exp(moved)


def _uniform(numbers: NDArray[np.int64], key: int) -> NDArray[np.float64]:
    """Hashed numbers from [0, 1): splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key & (2**63 - 1))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2**53
