"""Windows of the last `length` values, for one market.

They never subtract what leaves them (a spike would stay behind as rounding noise), and a window of equal values gives
exactly that value.

Plain means, deviations and sums are put together from windows half as long: see `doubling`.

For the others the series is cut into blocks as long as the window, and each window is the end of one block
joined with the beginning of the next (van Herk 1992, Gil and Werman 1993). Sums are of distances from the first value
of the newer block, which is inside the window. In each of these `now` is a block, `before` the one before it, and
`ends[place]` the sum of the latter from that place on: NaN while there is none, which leaves the first candles unknown.

Arrays are cut out so that each loop begins at 0, because numba must else ask at each step whether an index counts from
the end.
"""

import numpy as np

from cryptowatch.indicators.doubling import (
    begin_distances,
    begin_squares,
    double_distances,
    double_squares,
    double_sums,
    halvings,
)
from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.markets.panel import Floats


@kernel
def mean(source: Series, length: int, value: Out) -> None:
    """The mean of each window."""
    steps = len(source)
    value[: length - 1] = np.nan
    if steps < length:
        return
    rooms = np.empty((2, steps))
    distances, room = rooms[0], rooms[1]
    left = halvings(length, 3)
    width = length >> left
    begin_distances(source, width, distances)
    while left > 0:
        left -= 1
        odd = length >> left & 1
        double_distances(source, distances, width, odd, room)
        distances, room = room, distances
        width = 2 * width + odd
    now, total, out = source[length - 1 :], distances[length - 1 :], value[length - 1 :]
    share = 1.0 / length
    for step in range(len(out)):
        out[step] = now[step] + total[step] * share


@kernel
def sums(source: Series, length: int) -> Floats:
    """By step: the sum of each window. The first `length` - 1 are not to be used.

    Only for what is never negative, or rounding makes of it more than the window holds.
    """
    rooms = np.empty((2, len(source)))
    total, out, spare = source, rooms[0], rooms[1]
    left, width = halvings(length, 1), 1
    while left > 0:
        left -= 1
        odd = length >> left & 1
        double_sums(source, total, width, odd, out)
        total, out, spare = out, spare, out
        width = 2 * width + odd
    return total


@kernel
def no_ends(length: int) -> Floats:
    """Room for the sums of the block before by place, with 0 for what is behind its last."""
    ends = np.full(length + 1, np.nan)
    ends[length] = 0.0
    return ends


@kernel
def mean_and_deviation(source: Series, length: int, mean: Out, deviation: Out) -> None:
    """The mean and the population's standard deviation of each window."""
    steps = len(source)
    mean[: length - 1] = np.nan
    deviation[: length - 1] = np.nan
    if steps < length:
        return
    rooms = np.empty((4, steps))
    distances, squares, room, square_room = rooms[0], rooms[1], rooms[2], rooms[3]
    left = halvings(length, 5)
    width = length >> left
    begin_squares(source, width, distances, squares)
    while left > 0:
        left -= 1
        odd = length >> left & 1
        double_squares(source, distances, squares, width, odd, room, square_room)
        distances, squares, room, square_room = room, square_room, distances, squares
        width = 2 * width + odd
    now, out, spread = source[length - 1 :], mean[length - 1 :], deviation[length - 1 :]
    total, squared = distances[length - 1 :], squares[length - 1 :]
    share = 1.0 / length
    for step in range(len(out)):
        middle = total[step] * share
        variance = squared[step] * share - middle * middle
        out[step] = now[step] + middle
        spread[step] = np.sqrt(variance if variance > 0 else variance * 0)


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
def mean_of_three(high: float, low: float, close: float) -> float:
    """The typical price: exactly the close of a flat candle, which a third of three times it need not be."""
    return close + ((high - close) + (low - close)) / 3.0


@kernel
def true_ranges(high: Series, low: Series, close: Series, value: Out) -> None:
    """How far each candle reaches, the way from the close before it included; the first one has none before it."""
    value[0] = high[0] - low[0]
    highs, lows, out = high[1:], low[1:], value[1:]
    for step in range(len(out)):
        above = abs(highs[step] - close[step])
        below = abs(lows[step] - close[step])
        reach = highs[step] - lows[step]
        farther = above if above > below else below
        out[step] = farther if farther > reach else reach


@kernel
def add_up(source: Series, value: Out) -> None:
    """The sum of all values so far; `value` may be the same array."""
    # Each step would wait for the one before: four are added to the sum before them instead.
    total = 0.0
    whole = len(source) // 4 * 4
    for step in range(0, whole, 4):
        one, two = source[step], source[step] + source[step + 1]
        three = two + source[step + 2]
        four = three + source[step + 3]
        value[step] = total + one
        value[step + 1] = total + two
        value[step + 2] = total + three
        total += four
        value[step + 3] = total
    some = 0.0
    for step in range(whole, len(source)):
        some += source[step]
        value[step] = total + some
