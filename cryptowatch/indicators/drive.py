"""The loop that runs a kernel over the markets of a panel. Importing this imports numba."""

import numpy as np
from numba import njit
from numba.extending import overload

from cryptowatch.indicators.kernel import Kernel
from cryptowatch.markets.panel import Bools, Floats

#: The largest number.
_MOST = np.finfo(np.float64).max


def drive(
    kernel: Kernel,
    series: tuple[Floats, ...],
    markets: int,
    steps: int,
    numbers: tuple[float, ...],
    outs: tuple[Floats, ...],
    kept: Bools,
) -> None:
    """Call the kernel for each stretch of known candles of each market; what `run.run` compiles.

    Args:
        series: each market after the other, as long as `markets * steps`.
        outs: as long, or, where not `kept`, as long as `steps`.
    """
    for market in range(markets):
        start = market * steps
        stop = start + steps
        whole = all_known(series, start, stop)
        if not whole:
            for out in cut_outs(outs, kept, 0, start, stop):
                forget(out)
        first = start
        while first < stop:
            last = stop
            if not whole:
                first = first_that_is(True, series, first, stop)
                last = first_that_is(False, series, first, stop)
            if first < last:
                parts = cut_outs(outs, kept, 0, first, last)
                for out in parts:
                    forget(out)
                kernel(*cut(series, first, last), *numbers, *parts)
                for place in range(len(parts)):
                    if kept[place]:
                        leave_no_infinity(parts[place])
            first = last


@njit(nogil=True)
def all_known(series: tuple[Floats, ...], start: int, stop: int) -> bool:
    """Whether every candle from `start` to `stop` is finite in each series."""
    known = True
    for one in series:
        known &= all_finite(one[start:stop])
    return known


@njit(nogil=True)
def all_finite(values: Floats) -> bool:
    """Whether all of these are; a loop of its own, or the compiler does not take several at a time."""
    unknown = False
    for step in range(len(values)):
        unknown |= not abs(values[step]) <= _MOST
    return not unknown


@njit(nogil=True)
def first_that_is(known: bool, series: tuple[Floats, ...], start: int, stop: int) -> int:
    """The first step that is known in each series, or that is not; `stop` when there is none."""
    for step in range(start, stop):
        finite = True
        for one in series:
            finite &= abs(one[step]) <= _MOST
        if finite == known:
            return step
    return stop


@njit(nogil=True)
def forget(values: Floats) -> None:
    """Make every value NaN."""
    for step in range(len(values)):
        values[step] = np.nan


@njit(nogil=True)
def leave_no_infinity(values: Floats) -> None:
    """Turn what is not finite into NaN."""
    for step in range(len(values)):
        value = values[step]
        values[step] = value if abs(value) <= _MOST else np.nan


def cut(series: tuple[Floats, ...], first: int, last: int) -> tuple[Floats, ...]:
    """The same stretch of each series."""
    raise TypeError("only compiled")


@overload(cut)
def _cut(series, first, last):  # type: ignore[no-untyped-def]
    # numba has no loop that makes a tuple: one array, and then the others.
    if len(series) == 1:
        return lambda series, first, last: (series[0][first:last],)
    return lambda series, first, last: (series[0][first:last], *cut(series[1:], first, last))


def cut_outs(outs: tuple[Floats, ...], kept: Bools, place: int, first: int, last: int) -> tuple[Floats, ...]:
    """The stretch of each out from `place` on, or, where it is not kept, as much room."""
    raise TypeError("only compiled")


@overload(cut_outs)
def _cut_outs(outs, kept, place, first, last):  # type: ignore[no-untyped-def]
    def one(outs, kept, place, first, last):  # type: ignore[no-untyped-def]
        return (outs[0][first:last] if kept[place] else outs[0][: last - first],)

    def more(outs, kept, place, first, last):  # type: ignore[no-untyped-def]
        mine = outs[0][first:last] if kept[place] else outs[0][: last - first]
        return (mine, *cut_outs(outs[1:], kept, place + 1, first, last))

    return one if len(outs) == 1 else more
