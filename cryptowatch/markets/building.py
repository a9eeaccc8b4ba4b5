"""Candles of an interval that an exchange lacks, from those of a shorter one that it has."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS, Interval


def part_for(interval: Interval, served: Collection[str]) -> Interval | None:
    """The longest shorter interval that is served and whose candles put together make those of `interval`; None when
    there is none, or `interval` itself is served.
    """
    if interval.name in served:
        return None
    shorter = (INTERVALS[name] for name in served if name in INTERVALS)
    return max((one for one in shorter if _tiles(interval, one)), key=lambda one: one.seconds, default=None)


def _tiles(interval: Interval, part: Interval) -> bool:
    same_grid = (interval.offset - part.offset) % part.seconds == 0
    return part.seconds < interval.seconds and interval.seconds % part.seconds == 0 and same_grid


def build(parts: Iterable[Candle], interval: Interval) -> Iterator[Candle]:
    """The candles that these parts make, ascending; from those of a candle's parts that had a trade.

    Volumes are added up exactly and rounded once, so that whoever builds the same candle gets the same bits.

    Args:
        parts: ascending; all there are of each candle to be built.
    """
    group: list[Candle] = []
    for part in parts:
        if group and interval.step_at(part.open_time) != interval.step_at(group[0].open_time):
            yield _one(group, interval)
            group = []
        group.append(part)
    if group:
        yield _one(group, interval)


def _one(parts: Sequence[Candle], interval: Interval) -> Candle:
    return Candle(
        interval.open_time(interval.step_at(parts[0].open_time)),
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        math.fsum(part.volume for part in parts),
    )
