"""Windows of the last `length` values, for one market.

They cost the same whatever their length, and never subtract what leaves them (a spike would stay behind as rounding
noise): the series is cut into blocks as long as the window, and each window is the end of one block joined with the
beginning of the next (van Herk 1992, Gil and Werman 1993). Sums are of distances from the first value of the newer
block, which is inside the window: nothing cancels beyond what the window holds itself, and a window of equal values
gives exactly that value.

In each of them `now` is a block, `before` the one before it, and `ends[place]` the sum of the latter from that place
on: NaN while there is none, which leaves the first candles unknown. Blocks are cut out as arrays of their own because
numba must else ask at each step whether an index counts from the end.
"""

import numpy as np

from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.markets.panel import Floats


@kernel
def mean(source: Series, length: int, value: Out) -> None:
    """The mean of each window."""
    ends = no_ends(length)
    for block in range(0, len(source), length):
        now, out = source[block : block + length], value[block : block + length]
        anchor = now[0]
        if block > 0:
            before = source[block - length : block]
            total = 0.0
            for place in range(length - 1, 0, -1):
                total += before[place] - anchor
                ends[place] = total
        total = 0.0
        for place in range(len(now)):
            total += now[place] - anchor
            out[place] = anchor + (total + ends[place + 1]) / length


@kernel
def no_ends(length: int) -> Floats:
    """Room for the sums of the block before by place, with 0 for what is behind its last."""
    ends = np.full(length + 1, np.nan)
    ends[length] = 0.0
    return ends


@kernel
def mean_and_deviation(source: Series, length: int, mean: Out, deviation: Out) -> None:
    """The mean and the population's standard deviation of each window."""
    ends, squared_ends = no_ends(length), no_ends(length)
    for block in range(0, len(source), length):
        now = source[block : block + length]
        totals, squares = mean[block : block + length], deviation[block : block + length]
        anchor = now[0]
        if block > 0:
            before = source[block - length : block]
            total = squared = 0.0
            for place in range(length - 1, 0, -1):
                distance = before[place] - anchor
                total += distance
                squared += distance * distance
                ends[place] = total
                squared_ends[place] = squared
        total = squared = 0.0
        for place in range(len(now)):
            distance = now[place] - anchor
            total += distance
            squared += distance * distance
            totals[place] = total + ends[place + 1]
            squares[place] = squared + squared_ends[place + 1]
    for step in range(len(source)):
        middle = mean[step] / length
        variance = deviation[step] / length - middle * middle
        mean[step] = middle
        deviation[step] = np.sqrt(variance if variance > 0 else variance * 0)
    for block in range(0, len(source), length):
        anchor = source[block]
        means = mean[block : block + length]
        for place in range(len(means)):
            means[place] += anchor


@kernel
def rising_mean(source: Series, length: int, value: Out) -> None:
    """The mean of each window in which the oldest value counts once, the next twice, the newest `length` times."""
    ends, weighted_ends = no_ends(length), no_ends(length)
    weights = length * (length + 1) / 2
    for block in range(0, len(source), length):
        now, out = source[block : block + length], value[block : block + length]
        anchor = now[0]
        if block > 0:
            before = source[block - length : block]
            total = weighted = 0.0
            for place in range(length - 1, 0, -1):
                distance = before[place] - anchor
                total += distance
                weighted += (place - length) * distance
                ends[place] = total
                weighted_ends[place] = weighted
        total = weighted = 0.0
        for place in range(len(now)):
            distance = now[place] - anchor
            total += distance
            weighted += place * distance
            both = (length - place) * (total + ends[place + 1]) + (weighted + weighted_ends[place + 1])
            out[place] = anchor + both / weights


@kernel
def mean_by_weight(source: Series, weight: Series, length: int, value: Out) -> None:
    """The mean of each window in which each value counts as much as its weight, which is not negative."""
    ends, weights_ends = no_ends(length), no_ends(length)
    for block in range(0, len(source), length):
        now, out = source[block : block + length], value[block : block + length]
        weights_now = weight[block : block + length]
        anchor = now[0]
        if block > 0:
            before, weights_before = source[block - length : block], weight[block - length : block]
            total = weights = 0.0
            for place in range(length - 1, 0, -1):
                total += weights_before[place] * (before[place] - anchor)
                weights += weights_before[place]
                ends[place] = total
                weights_ends[place] = weights
        total = weights = 0.0
        for place in range(len(now)):
            total += weights_now[place] * (now[place] - anchor)
            weights += weights_now[place]
            out[place] = anchor + (total + ends[place + 1]) / (weights + weights_ends[place + 1])


@kernel
def line(source: Series, length: int, slope: Out, end: Out) -> None:
    """The straight line of least squares through each window, for a `length` of at least 2.

    Args:
        slope: its rise from one candle to the next.
        end: its value at the window's last candle.
    """
    ends, weighted_ends = no_ends(length), no_ends(length)
    last = (length - 1) / 2  # the last candle's place, from the middle of the window on
    spread = length * (length * length - 1.0) / 12  # sum of the squares of all these places
    for block in range(0, len(source), length):
        now = source[block : block + length]
        totals, moments = end[block : block + length], slope[block : block + length]
        anchor = now[0]
        if block > 0:
            before = source[block - length : block]
            total = weighted = 0.0
            for place in range(length - 1, 0, -1):
                distance = before[place] - anchor
                total += distance
                weighted += (place - length) * distance
                ends[place] = total
                weighted_ends[place] = weighted
        total = weighted = 0.0
        for place in range(len(now)):
            distance = now[place] - anchor
            total += distance
            weighted += place * distance
            totals[place] = total + ends[place + 1]
            moments[place] = weighted + weighted_ends[place + 1] - (place - last) * totals[place]
    for step in range(len(source)):
        slope[step] /= spread
        end[step] = end[step] / length + slope[step] * last
    for block in range(0, len(source), length):
        anchor = source[block]
        last_values = end[block : block + length]
        for place in range(len(last_values)):
            last_values[place] += anchor


@kernel
def greatest(source: Series, length: int, value: Out) -> None:
    """The greatest value of each window."""
    ends = np.empty(length + 1)
    ends[length] = -np.inf
    for block in range(0, len(source), length):
        now, out = source[block : block + length], value[block : block + length]
        if block > 0:
            before = source[block - length : block]
            most = -np.inf
            for place in range(length - 1, 0, -1):
                most = before[place] if before[place] > most else most
                ends[place] = most
        most = -np.inf
        for place in range(len(now)):
            most = now[place] if now[place] > most else most
            if block > 0 or place == length - 1:
                past = ends[place + 1]
                out[place] = past if past > most else most


@kernel
def least(source: Series, length: int, value: Out) -> None:
    """The least value of each window."""
    ends = np.empty(length + 1)
    ends[length] = np.inf
    for block in range(0, len(source), length):
        now, out = source[block : block + length], value[block : block + length]
        if block > 0:
            before = source[block - length : block]
            most = np.inf
            for place in range(length - 1, 0, -1):
                most = before[place] if before[place] < most else most
                ends[place] = most
        most = np.inf
        for place in range(len(now)):
            most = now[place] if now[place] < most else most
            if block > 0 or place == length - 1:
                past = ends[place + 1]
                out[place] = past if past < most else most


@kernel
def greatest_and_least(high: Series, low: Series, length: int, top: Out, bottom: Out) -> None:
    """The greatest of `high` and the least of `low` in each window."""
    greatest(high, length, top)
    least(low, length, bottom)


@kernel
def true_ranges(high: Series, low: Series, close: Series, value: Out) -> None:
    """How far each candle reaches, the way from the close before it included; the first one has none before it."""
    value[0] = high[0] - low[0]
    for step in range(1, len(high)):
        before = close[step - 1]
        above = abs(high[step] - before)
        below = abs(low[step] - before)
        reach = high[step] - low[step]
        farther = above if above > below else below
        value[step] = farther if farther > reach else reach
