"""Is a rule any good? What followed its signals, beside what followed any candle of the same time.

Method and limits: docs/track-record.md. Shares of rises are compared by a block bootstrap: the time is cut into blocks
longer than what is looked ahead, and whole blocks, with all markets in them, are drawn again, so that neither the
overlap of neighbouring outcomes nor markets that move together make it surer than it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cryptowatch.markets.panel import Bools, Floats, Steps
from cryptowatch.studies.outcomes import apart, outcomes

#: Fewer events than this, or in fewer blocks of time, say nothing.
FEWEST_EVENTS = 20
FEWEST_BLOCKS = 10
#: Blocks that the time is cut into, unless what is looked ahead is longer.
BLOCKS = 100
#: A block is this many times as long as what is looked ahead.
_LOOKS_AHEAD_A_BLOCK = 2
RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Past:
    """One market's candles on its grid and the signals of a watch on them, all of shape `(time,)`.

    Args:
        steps: grid steps, ascending without a hole.
        signals: whether the watch fired on that candle.
        known: whether its rule was known there: any other candle is not one that it could have fired on.
    """

    steps: Steps
    open: Floats
    low: Floats
    close: Floats
    signals: Bools
    known: Bools


@dataclass(frozen=True)
class Spread:
    """How a set of outcomes lies, relative; None where there is none.

    Args:
        count: outcomes.
        rose: share above 0.
        lower, median, upper: quartiles of the gain.
        worst: median of the worst excursions.
    """

    count: int
    rose: float | None
    lower: float | None
    median: float | None
    upper: float | None
    worst: float | None


@dataclass(frozen=True)
class Record:
    """What followed within `after` candles.

    Args:
        signals: after the watch's signals, overlapping ones counted once.
        any: after any candle on which its rule was known.
        low, high: between them lies the difference of the two shares of rises, with `CONFIDENCE`; None: too few to say.
    """

    after: int
    signals: Spread
    any: Spread
    low: float | None
    high: float | None


def track_record(pasts: Sequence[Past], after: int) -> Record:
    """The record of one watch over some markets, pooled, on the same grid.

    Args:
        after: candles to look ahead.
    """
    gains: list[Floats] = []
    worsts: list[Floats] = []
    events: list[Bools] = []
    steps: list[Steps] = []
    for past in pasts:
        found = outcomes(past.open, past.low, past.close, after)
        counted = past.known & ~np.isnan(found.gain) & ~np.isnan(found.worst)
        events.append(apart(past.signals & counted, after)[counted])
        gains.append(found.gain[counted])
        worsts.append(found.worst[counted])
        steps.append(past.steps[counted])
    gain, worst, event, step = (_joined(parts) for parts in (gains, worsts, events, steps))
    low, high = _interval(step.astype(np.int64), gain > 0, event.astype(np.bool_), after)
    return Record(after, _spread(gain[event > 0], worst[event > 0]), _spread(gain, worst), low, high)


def _joined(parts: Iterable[NDArray[np.generic]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *parts])


def _spread(gain: Floats, worst: Floats) -> Spread:
    if not len(gain):
        return Spread(0, None, None, None, None, None)
    lower, median, upper = (float(value) for value in np.quantile(gain, [0.25, 0.5, 0.75]))
    return Spread(len(gain), float(np.mean(gain > 0)), lower, median, upper, float(np.median(worst)))


def _interval(step: Steps, rose: Bools, event: Bools, after: int) -> tuple[float | None, float | None]:
    """The bounds of the difference of shares; None twice where there is too little to say."""
    if event.sum() < FEWEST_EVENTS:
        return None, None
    length = max(_LOOKS_AHEAD_A_BLOCK * after, -(-int(step.max() - step.min() + 1) // BLOCKS))
    block = (step - step.min()) // length
    if len(np.unique(block[event])) < FEWEST_BLOCKS:
        return None, None
    size = int(block.max()) + 1
    columns = [
        np.bincount(block, weights=weight.astype(np.float64), minlength=size)
        for weight in (event, event & rose, np.ones_like(event), rose)
    ]
    found = stats.bootstrap(
        columns,
        _difference,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _difference(events: Floats, risen: Floats, all_: Floats, all_risen: Floats, axis: int = -1) -> Floats:
    """The share of rises after events less that after any candle; blocks lie along `axis`."""
    events, all_ = np.maximum(events.sum(axis), 1), np.maximum(all_.sum(axis), 1)
    difference: Floats = risen.sum(axis) / events - all_risen.sum(axis) / all_
    return difference


def in_words(record: Record, span: str) -> str:
    """One honest line.

    Args:
        span: how long `after` candles are, like 24h.
    """
    signals, any_ = record.signals, record.any
    if not signals.count:
        return "no signal yet"
    said = f"{signals.count} signal{'s' if signals.count > 1 else ''}"
    if record.low is None or record.high is None or signals.rose is None or any_.rose is None:
        return f"{said}: too few to say"
    compared = f"{said}: {signals.rose:.0%} rose within {span}, any moment {any_.rose:.0%}"
    if record.low > 0:
        return f"{compared}: more often than chance"
    if record.high < 0:
        return f"{compared}: less often than chance"
    return f"{compared}: within chance"
