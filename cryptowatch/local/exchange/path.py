"""The made-up price of one coin: a tree of candles, each split into shorter ones that add up to it exactly.

Weeks are a closed form of time. A week is split into days, those into four hours, and so on down to minutes; a split
depends on nothing but the candle itself and hashed numbers, so any candle, of any length and time, is reached through
its few parents. A split shares out the volume (trade comes in bursts), lets the price wander from open to close like
a random walk that has both ends given, runs on volume instead of time, and keeps within low and high, and gives the
parent's extremes to the children that come nearest to them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryptowatch.local.exchange.record import part_steps
from cryptowatch.markets.interval import INTERVALS, Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The intervals of the tree, from its root on; each is split into candles of the next.
LEVELS: list[Interval] = sorted(INTERVALS.values(), key=lambda one: -one.seconds)
_FOUR_HOURS = LEVELS.index(INTERVALS["4h"])
_FIFTEEN_MINUTES = LEVELS.index(INTERVALS["15m"])

#: Lengths, in weeks, of the waves that the weeks' opens follow, and how far each moves the price's logarithm.
_WAVES = ((3.1, 0.02), (7.3, 0.04), (19.0, 0.08), (53.0, 0.16), (187.0, 0.30))
#: How far beyond open and close a week reaches, in the price's logarithm: calm, usual and stormy weeks.
_REACHES = np.array([0.015, 0.03, 0.03, 0.07])
#: How far children reach of the way their parent leaves them: trends, usual ways, swings.
_LIVELINESS = np.array([0.3, 0.9, 0.9, 0.95])
#: The longest wick of a child that does not reach the parent's extremes: a share of the parent's height, and of the
#: square root of its share of the volume. Without them calm stretches would hardly move at all.
_WICK = 0.4
#: Standard deviation of the logarithm of a child's share of the volume.
_BURSTS = 0.4
#: The day's first four-hour candles in which a resting market has no trade: 16 hours.
_RESTS = 4


@dataclass(frozen=True)
class Character:
    """What makes one market differ from another.

    Args:
        key: seed of the coin's path, the same on every exchange.
        own_key: seed of the market's own path, within 15 minutes.
        week_units: usual volume of a week, in its smallest unit.
        gaps: share of the minutes without a trade, 0 to 1.
        rests: whether it has no trade in the first 16 hours of each day.
    """

    key: int
    own_key: int
    week_units: int
    gaps: float = 0.0
    rests: bool = False


@dataclass(frozen=True)
class Nodes:
    """Candles in a row, from step `first` on: logarithms of prices `(n,)`, and volume in units, 0 without a trade."""

    first: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Ints

    def between(self, first: int, last: int) -> "Nodes":
        """Those of the steps `first` to `last`, both inclusive."""
        part = slice(first - self.first, last + 1 - self.first)
        prices = (self.open[part], self.high[part], self.low[part], self.close[part])
        return Nodes(first, *prices, self.volume[part])


def nodes(character: Character, level: int, first: int, last: int) -> Nodes:
    """The candles of `LEVELS[level]` from step `first` to `last`, both inclusive."""
    if level == 0:
        return _weeks(character, first, last)
    parent, interval = LEVELS[level - 1], LEVELS[level]
    start, end = (
        (step * interval.seconds + interval.offset - parent.offset) // parent.seconds for step in (first, last)
    )
    return _split(nodes(character, level - 1, start, end), level, character).between(first, last)


def _weeks(character: Character, first: int, last: int) -> Nodes:
    weeks = np.arange(first, last + 2, dtype=np.int64)
    phases = 2 * np.pi * _uniform(np.arange(len(_WAVES), dtype=np.int64), character.key, 0, 1)
    edges = 0.03 * (2 * _uniform(weeks, character.key, 0, 2) - 1)
    for (length, size), phase in zip(_WAVES, phases, strict=True):
        edges += size * np.sin(2 * np.pi * weeks / length + phase)
    weeks, opens, closes = weeks[:-1], edges[:-1], edges[1:]
    reach = _pick(_REACHES, weeks, character.key, 0, 3)
    high = np.maximum(opens, closes) + reach * (0.2 + _uniform(weeks, character.key, 0, 4))
    low = np.minimum(opens, closes) - reach * (0.2 + _uniform(weeks, character.key, 0, 5))
    volume = character.week_units * np.exp(0.4 * _normal(weeks, character.key, 0, 6))
    return Nodes(first, opens, high, low, closes, np.rint(volume).astype(np.int64))


def _split(parent: Nodes, level: int, character: Character) -> Nodes:
    """All children of `parent`, in a row; arrays in here are `(parent, child)`."""
    count = len(parent.open)
    key = character.key if level <= _FIFTEEN_MINUTES else character.own_key
    first, last = part_steps(LEVELS[level - 1], LEVELS[level], parent.first, parent.first + count - 1)
    steps = np.arange(first, last + 1, dtype=np.int64).reshape(count, -1)
    opened, high, low, closed, whole = (
        column[:, None] for column in (parent.open, parent.high, parent.low, parent.close, parent.volume)
    )

    until = np.rint(whole * _shares(steps, level, key, character)).astype(np.int64)
    volume = np.diff(until, axis=1, prepend=0)
    traded = volume > 0
    whole = np.maximum(whole, 1)

    walk = np.cumsum(_normal(steps, key, level, 1) * np.sqrt(volume / whole), axis=1)
    passed = until / whole
    away = walk - passed * walk[:, -1:]
    straight = opened + (closed - opened) * passed
    room = np.where(away > 0, high - straight, straight - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        farthest = np.min(np.where(np.abs(away) > 1e-12, room / np.abs(away), np.inf), axis=1, keepdims=True)
    lively = _pick(_LIVELINESS, steps[:, :1], key, level, 3) + 0.1 * (_uniform(steps[:, :1], key, level, 4) - 0.5)
    way = straight + np.where(np.isfinite(farthest), farthest, 0.0) * lively * away
    closes = np.clip(way, low, high)
    # Before the first trade and after the last the price is the parent's own, to the last bit.
    closes = np.where(until == 0, opened, np.where(until == until[:, -1:], closed, closes))
    opens = np.concatenate([opened, closes[:, :-1]], axis=1)

    top, bottom = np.maximum(opens, closes), np.minimum(opens, closes)
    wick = _WICK * (high - low) * np.sqrt(volume / whole)
    highs = np.minimum(top + wick * _uniform(steps, key, level, 5), high)
    lows = np.maximum(bottom - wick * _uniform(steps, key, level, 6), low)
    row = np.arange(count)
    highs[row, np.argmax(np.where(traded, top, -np.inf), axis=1)] = parent.high
    lows[row, np.argmin(np.where(traded, bottom, np.inf), axis=1)] = parent.low
    return Nodes(first, opens.ravel(), highs.ravel(), lows.ravel(), closes.ravel(), volume.ravel())


def _shares(steps: Ints, level: int, key: int, character: Character) -> Floats:
    """How much of the parent's volume has been traded at the end of each child: ascending to 1."""
    shares = np.exp(_BURSTS * _normal(steps, key, level, 7))
    if character.rests and level == _FOUR_HOURS:
        shares[:, :_RESTS] = 0.0
    if character.gaps and level == len(LEVELS) - 1:
        shares[_uniform(steps, key, level, 8) < character.gaps] = 0.0
        empty = ~shares.any(axis=1)
        shares[empty, -1] = 1.0
    shares = np.cumsum(shares, axis=1)
    return shares / shares[:, -1:]


def _pick(choices: Floats, numbers: Ints, key: int, level: int, use: int) -> Floats:
    return choices[(_uniform(numbers, key, level, use) * len(choices)).astype(np.int64)]


def _normal(numbers: Ints, key: int, level: int, use: int) -> Floats:
    """Hashed numbers of the standard normal distribution (Box and Muller, 1958)."""
    radius: Floats = np.sqrt(-2 * np.log(1 - _uniform(numbers, key, level, use)))
    return radius * np.cos(2 * np.pi * _uniform(numbers, key, level, use + 64))


def _uniform(numbers: Ints, key: int, level: int, use: int) -> Floats:
    """Hashed numbers from [0, 1), for one use at one level: splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    seed = (key + (level * 128 + use) * 0xD1B54A32D192ED03) % 2**64
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2**53
