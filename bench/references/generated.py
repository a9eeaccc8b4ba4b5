"""Made-up candles for tests: consistent, with ties, stretches without a trade, spikes and calm."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from bench.references import Candles
from cryptowatch.indicators import Indicator
from cryptowatch.markets.panel import Bools, Floats

#: 15 November 2023, midnight UTC.
MIDNIGHT = 1_700_006_400
#: How prices of a generated market move. `ticks`: in quarters, which scale and shift exactly; `smooth`: any float;
#: `wild`: each price anywhere from 1e-12 to 1e9; `still`: not at all, without a trade.
STYLES = ("ticks", "smooth", "wild", "still")


def market(length: int, seed: int = 0, style: str = "ticks", seconds: int = 60, idle: float = 0.1) -> Candles:
    """One market.

    Args:
        seconds: the interval.
        idle: the share of candles without a trade: they repeat the close and have no volume. Where it is not 0, there
            is a stretch of 12 of them as well.
    """
    random = np.random.default_rng(seed)
    if style == "wild":
        open_, close = 10 ** random.uniform(-12, 9, (2, length))
        high = np.maximum(open_, close) * 10 ** random.uniform(0, 1, length)
        low = np.minimum(open_, close) * 10 ** -random.uniform(0, 1, length)
    else:
        open_, high, low, close = _walk(random, length, exact=style == "ticks")
        if style == "still":
            open_, high, low, close = (np.full(length, 10 ** random.uniform(-12, 9)) for _ in range(4))
    volume = random.integers(1, 4000, length) / 4
    if style == "wild":
        volume = 10 ** random.uniform(-12, 9, length)
    quiet = random.random(length) < (1 if style == "still" else idle)
    if idle:
        quiet[length // 3 : length // 3 + 12] = True
    return _fill(Candles(open_, high, low, close, volume, _times(length, seconds)), quiet)


def _walk(random: np.random.Generator, length: int, exact: bool) -> tuple[Floats, Floats, Floats, Floats]:
    if exact:
        moves, gap = random.integers(-6, 7, length) / 4, random.choice([-0.25, 0, 0, 0, 0.25], length)
        up, down = random.integers(0, 5, (2, length)) / 4
    else:
        moves, gap = random.normal(size=(2, length)) * np.array([[1.0], [0.1]])
        up, down = random.gamma(1.0, 0.5, (2, length))
    close = np.cumsum(moves)
    open_ = close - moves + gap
    high, low = np.maximum(open_, close) + up, np.minimum(open_, close) - down
    base = 400 - min(0.0, float(low.min(initial=0)))
    return open_ + base, high + base, low + base, close + base


def _times(length: int, seconds: int) -> Floats:
    return MIDNIGHT + seconds * np.arange(length, dtype=np.float64)


def _fill(candles: Candles, quiet: Bools) -> Candles:
    """Candles without a trade repeat the close before."""
    last = np.maximum.accumulate(np.where(quiet, 0, np.arange(len(candles))))
    close = candles.close[last]
    open_, high, low = (np.where(quiet, close, one) for one in (candles.open, candles.high, candles.low))
    return Candles(open_, high, low, close, np.where(quiet, 0.0, candles.volume), candles.time)


def flat(length: int, price: float, volume: float = 0.0) -> Candles:
    """Candles that repeat one price."""
    return Candles(*(np.full(length, price) for _ in range(4)), np.full(length, volume), _times(length, 60))


def join(*parts: Candles) -> Candles:
    """One after the other, on one grid of minutes."""
    columns = [np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Candles)]
    return Candles(*columns[:5], _times(len(columns[0]), 60))


def cut(candles: Candles, first: int, stop: int | None = None) -> Candles:
    """The candles from `first` on, before `stop`."""
    return Candles(*(getattr(candles, one.name)[first:stop] for one in fields(Candles)))


def rescale(candles: Candles, price: float = 1.0, volume: float = 1.0, shift: float = 0.0) -> Candles:
    """Prices times `price` plus `shift`, volumes times `volume`."""
    prices = {name: getattr(candles, name) * price + shift for name in ("open", "high", "low", "close")}
    return replace(candles, **prices, volume=candles.volume * volume)


def panel(entry: Indicator, *markets: Candles) -> list[Floats]:
    """What the entry reads of these markets, of shape `(market, time)`."""
    return [np.array([getattr(one, name) for one in markets]) for name in entry.series]


def values(
    entry: Indicator, parameters: dict[str, float], *markets: Candles, outputs: list[str] | None = None
) -> dict[str, Floats]:
    """The entry's outputs for these markets, of shape `(market, time)`."""
    return entry.compute(*panel(entry, *markets), parameters=parameters, outputs=outputs)


def defaults(entry: Indicator) -> dict[str, float]:
    """The entry's default parameters."""
    return entry.bind((), {})


def short(entry: Indicator) -> dict[str, float]:
    """Parameters with which the entry is soon defined: whole ones near their least, others as they are by default."""
    chosen: dict[str, float] = {}
    for place, one in enumerate(entry.parameters):
        chosen[one.name] = min(one.default, one.least + 2 + place) if one.whole else one.default
    for less, more in pairwise(entry.ascending):
        if chosen[more] <= chosen[less]:
            chosen[more] = chosen[less] + 1
    return entry.bind((), chosen)


def mixed(entry: Indicator, seed: int = 7, most: int = 40) -> dict[str, float]:
    """Parameters anywhere in their ranges, whole ones up to `most` where they may."""
    random = np.random.default_rng(seed)
    chosen: dict[str, float] = {}
    for one in entry.parameters:
        whole = float(random.integers(int(one.least), int(max(one.least, min(one.most, most))) + 1))
        some = float(random.choice([one.least, one.default, min(2 * one.default, one.most)]))
        chosen[one.name] = whole if one.whole else some
    chosen |= dict(zip(entry.ascending, sorted(chosen[name] for name in entry.ascending), strict=True))
    for less, more in pairwise(entry.ascending):
        chosen[more] = max(chosen[more], chosen[less] + 1)
    return entry.bind((), chosen)


@st.composite
def markets(draw: st.DrawFn, least: int = 0, most: int = 90) -> list[Candles]:
    """One to four markets on one grid."""
    length = draw(st.integers(least, most))
    seconds = draw(st.sampled_from([60, 3600, 28800]))
    kinds = draw(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(STYLES)), min_size=1, max_size=4))
    return [market(length, seed, style, seconds) for seed, style in kinds]


def walk(length: int = 2500, seed: int = 0) -> Candles:
    """A generated market at 5m with prices in cents, that an indicator is compared with others on."""
    return rescale(market(length, seed, "ticks", 300, idle=0.05), price=0.04)
