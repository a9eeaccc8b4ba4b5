"""Windows of the last `length` values, for one market.

They cost the same whatever their length, and never subtract what leaves them (a spike would stay behind as rounding
noise): the series is cut into blocks as long as the window, and each window is the end of one block joined with the
beginning of the next (van Herk 1992, Gil and Werman 1993). Sums are of distances from the first value of the newer
block, which is inside the window: nothing cancels beyond what the window holds itself, and a window of equal values
gives exactly that value.
"""

import numpy as np

from cryptowatch.indicators.kernel import Out, Series, kernel


@kernel
def mean(source: Series, length: int, value: Out) -> None:
    """The mean of each window."""
    steps = len(source)
    ends = np.full(length + 1, np.nan)  # by place: the sum from there to the end of the block before
    ends[length] = 0.0
    for block in range(0, steps, length):
        anchor = source[block]
        if block > 0:
            total = 0.0
            for place in range(length - 1, 0, -1):
                total += source[block - length + place] - anchor
                ends[place] = total
        total = 0.0
        for place in range(min(length, steps - block)):
            total += source[block + place] - anchor
            value[block + place] = anchor + (total + ends[place + 1]) / length


@kernel
def mean_and_deviation(source: Series, length: int, mean: Out, deviation: Out) -> None:
    """The mean and the population's standard deviation of each window."""
    steps = len(source)
    ends = np.full(length + 1, np.nan)
    squared_ends = np.full(length + 1, np.nan)
    ends[length] = squared_ends[length] = 0.0
    for block in range(0, steps, length):
        anchor = source[block]
        if block > 0:
            total = squares = 0.0
            for place in range(length - 1, 0, -1):
                distance = source[block - length + place] - anchor
                total += distance
                squares += distance * distance
                ends[place] = total
                squared_ends[place] = squares
        stop = min(length, steps - block)
        total = squares = 0.0
        for place in range(stop):
            distance = source[block + place] - anchor
            total += distance
            squares += distance * distance
            mean[block + place] = total + ends[place + 1]
            deviation[block + place] = squares + squared_ends[place + 1]
        for step in range(block, block + stop):
            middle = mean[step] / length
            variance = deviation[step] / length - middle * middle
            mean[step] = anchor + middle
            deviation[step] = np.sqrt(variance if variance > 0 else variance * 0)


@kernel
def greatest(source: Series, length: int, value: Out) -> None:
    """The greatest value of each window."""
    steps = len(source)
    ends = np.empty(length + 1)
    ends[length] = -np.inf
    for block in range(0, steps, length):
        if block > 0:
            most = -np.inf
            for place in range(length - 1, 0, -1):
                past = source[block - length + place]
                most = past if past > most else most
                ends[place] = most
        most = -np.inf
        for place in range(min(length, steps - block)):
            now = source[block + place]
            most = now if now > most else most
            if block > 0 or place == length - 1:
                before = ends[place + 1]
                value[block + place] = before if before > most else most


@kernel
def least(source: Series, length: int, value: Out) -> None:
    """The least value of each window."""
    steps = len(source)
    ends = np.empty(length + 1)
    ends[length] = np.inf
    for block in range(0, steps, length):
        if block > 0:
            most = np.inf
            for place in range(length - 1, 0, -1):
                past = source[block - length + place]
                most = past if past < most else most
                ends[place] = most
        most = np.inf
        for place in range(min(length, steps - block)):
            now = source[block + place]
            most = now if now < most else most
            if block > 0 or place == length - 1:
                before = ends[place + 1]
                value[block + place] = before if before < most else most
