"""What recursive averages are after their first value, for one market and for four candles at a time."""

from cryptowatch.indicators.kernel import Out, Series, kernel


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
