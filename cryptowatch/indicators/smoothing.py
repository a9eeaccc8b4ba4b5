"""What recursive averages are after their first value, and where nothing moves any more.

A recursive average comes ever closer to a value that is always the same, and may never reach it. A load that begins
there has exactly this value, an older one a rest of the move before: the two would not compare alike. So an average is
exactly the value once it has been the same for as long as the average remembers.
"""

import numpy as np

from cryptowatch.indicators.catalogue import forgets
from cryptowatch.indicators.kernel import Out, Series, kernel

#: `forgets`, for kernels.
forgets_of = kernel(forgets)


def standstill(length: int) -> int:
    """Candles without a move after which what divides two averages of this length is unknown.

    Both averages shrink alike while nothing moves: their ratio stays, and is made of ever older candles.
    """
    return min(10 * length, 1000)


#: `standstill`, for kernels.
standstill_of = kernel(standstill)


@kernel
def next_repeat(source: Series, begin: int, count: int) -> int:
    """The first candle from `begin` on that ends `count` equal values in a row, at least 2; the end if none does.

    Of that many in a row, one that equals the one before is always among each `count` - 1: only there does it look.
    """
    for seen in range(begin + count - 1, len(source), count - 1):
        if source[seen] == source[seen - 1]:
            first = seen - 1
            while first > begin and source[first - 1] == source[seen]:
                first -= 1
            last = seen
            while last < first + count - 1 and last + 1 < len(source) and source[last + 1] == source[seen]:
                last += 1
            if last == first + count - 1:
                return last
    return len(source)


@kernel
def next_standstill(moves: Series, begin: int, remembered: int) -> int:
    """The first candle from `begin` on that ends `remembered` moves of 0 in a row; the end if none does."""
    found: int = next_repeat(moves, begin, remembered)
    while found < len(moves) and moves[found] != 0:
        found = next_repeat(moves, found + 1, remembered)
    return found


@kernel
def go_on_and_settle(source: Series, begin: int, weight: float, value: Out) -> None:
    """The averages that follow the one at the candle `begin`, which is in `value` already.

    Where the value has been the same for as long as the average remembers, it is exactly that, until it changes.
    `source` is known from its first candle on; `begin` comes before so many could be the same.
    """
    steps, moved = len(source), begin
    count = forgets_of(weight)
    settled = next_repeat(source, 0, count) if count > 1 else steps
    while moved < steps:
        go_on(source[moved:settled], weight, value[moved:settled])
        if settled == steps:
            return
        if np.isnan(value[settled - 1]):
            value[settled:] = np.nan  # behind an unknown value
            return
        still, moved = source[settled], settled
        while moved < steps and source[moved] == still:
            value[moved] = still
            moved += 1
        if moved < steps:
            value[moved] = still + weight * (source[moved] - still)
        settled = next_repeat(source, moved, count)


@kernel
def go_on(source: Series, weight: float, value: Out) -> None:
    """The averages that follow the first one, which is in `value` already.

    They are computed as distances from the values: such a distance is `rest` times the one before it less the move
    between the two, and exactly 0 while nothing moves. Each would wait for the one before. So moves are joined by
    fours first, several candles at a time, and a distance then follows from the one four candles before.
    """
    steps = len(source)
    rest = 1.0 - weight
    value[0] -= source[0]
    for step in range(1, min(steps, 4)):
        value[step] = rest * (value[step - 1] - (source[step] - source[step - 1]))
    if steps > 4:
        third, second, first, now, out = source[1:], source[2:], source[3:], source[4:], value[4:]
        for step in range(len(out)):
            before = (second[step] - third[step]) + rest * (third[step] - source[step])
            out[step] = rest * ((now[step] - first[step]) + rest * ((first[step] - second[step]) + rest * before))
    by_fours(source, rest * rest * rest * rest, value)


@kernel
def by_fours(source: Series, weight: float, value: Out) -> None:
    """Turn `value` into the averages: of the first four candles it has the distances, of others what they lack of
    `weight` times the distance four candles before.
    """
    begin = min(4, len(value))  # where there are fewer, the others are not used
    one, two, three, four = value[0], value[1 % begin], value[2 % begin], value[3 % begin]
    for step in range(begin):
        value[step] += source[step]
    now, out = source[4:], value[4:]
    whole = len(out) // 4 * 4
    for step in range(0, whole, 4):
        one = weight * one - out[step]
        two = weight * two - out[step + 1]
        three = weight * three - out[step + 2]
        four = weight * four - out[step + 3]
        out[step] = now[step] + one
        out[step + 1] = now[step + 1] + two
        out[step + 2] = now[step + 2] + three
        out[step + 3] = now[step + 3] + four
    left = len(out) - whole
    if left > 0:
        out[whole] = now[whole] + (weight * one - out[whole])
    if left > 1:
        out[whole + 1] = now[whole + 1] + (weight * two - out[whole + 1])
    if left > 2:
        out[whole + 2] = now[whole + 2] + (weight * three - out[whole + 2])
