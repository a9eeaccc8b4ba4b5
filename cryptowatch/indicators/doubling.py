"""Windows of the last candles made of narrower ones: the passes of the means, deviations and sums in `windows`.

What is known of windows of `width` values gives that of windows twice as wide, which are two of them, one after the
other. Means are made of distances from the newest value: an older window knows those from its own newest, and all of
its values are farther by the way from there to the newest of both. Each pass treats all candles alike, so that the
processor takes several at a time. What they write is defined from the first full window on.
"""

from cryptowatch.indicators.kernel import Out, Series, kernel
from cryptowatch.markets.panel import Floats


@kernel
def halvings(length: int, most: int) -> int:
    """How often a window is halved, rounded down, until it has `most` values or fewer."""
    count = 0
    while length >> count > most:
        count += 1
    return count


@kernel
def earlier(source: Series, width: int, back: int) -> Floats:
    """The value `back` candles before the newest of each window; the newest itself where the window has none there."""
    return source[width - 1 - back if back < width else width - 1 :]


@kernel
def begin_distances(source: Series, width: int, value: Out) -> None:
    """The sum of the distances from the newest value of each window of up to 3."""
    now, out = source[width - 1 :], value[width - 1 :]
    one, two = earlier(source, width, 1), earlier(source, width, 2)
    for step in range(len(out)):
        out[step] = (one[step] - now[step]) + (two[step] - now[step])


@kernel
def double_distances(source: Series, distances: Out, width: int, odd: int, value: Out) -> None:
    """The sum of the distances from the newest value of windows twice as wide, and one value more where `odd` is 1."""
    first = 2 * width - 1 + odd
    now, out = source[first:], value[first:]
    middle, oldest = source[first - width :], source[0 if odd else first :]
    newer, older = distances[first:], distances[first - width :]
    times = float(width)
    for step in range(len(out)):
        way = times * (middle[step] - now[step])
        out[step] = (newer[step] + older[step]) + (way + (oldest[step] - now[step]))


@kernel
def begin_squares(source: Series, width: int, value: Out, squares: Out) -> None:
    """`begin_distances`, for windows of up to 5, and the sum of their squares."""
    now, out, squared = source[width - 1 :], value[width - 1 :], squares[width - 1 :]
    one, two = earlier(source, width, 1), earlier(source, width, 2)
    three, four = earlier(source, width, 3), earlier(source, width, 4)
    for step in range(len(out)):
        here = now[step]
        a, b, c, d = one[step] - here, two[step] - here, three[step] - here, four[step] - here
        out[step] = (a + b) + (c + d)
        squared[step] = (a * a + b * b) + (c * c + d * d)


@kernel
def double_squares(
    source: Series, distances: Out, squares: Out, width: int, odd: int, value: Out, squared: Out
) -> None:
    """`double_distances`, and the sum of their squares."""
    first = 2 * width - 1 + odd
    now, out, squared_out = source[first:], value[first:], squared[first:]
    middle, oldest = source[first - width :], source[0 if odd else first :]
    newer, older = distances[first:], distances[first - width :]
    newer_squares, older_squares = squares[first:], squares[first - width :]
    times = float(width)
    for step in range(len(out)):
        apart, last = middle[step] - now[step], oldest[step] - now[step]
        way = times * apart
        out[step] = (newer[step] + older[step]) + (way + last)
        farther = apart * (2.0 * older[step] + way)
        squared_out[step] = (newer_squares[step] + older_squares[step]) + (farther + last * last)


@kernel
def double_sums(source: Series, total: Series, width: int, odd: int, value: Out) -> None:
    """The sum of windows twice as wide, and one value more where `odd` is 1."""
    first = 2 * width - 1 + odd
    newer, older, out = total[first:], total[first - width :], value[first:]
    if odd:
        for step in range(len(out)):
            out[step] = (newer[step] + older[step]) + source[step]
    else:
        for step in range(len(out)):
            out[step] = newer[step] + older[step]
