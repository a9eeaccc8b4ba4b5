"""One answer's rows to closed candles, or to an error: nothing false gets by, nothing of a false answer is used."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import Interval
from cryptowatch.sources.errors import BadAnswerError

_NAMES = ("open", "high", "low", "close", "volume")


def closed_candles(
    rows: Sequence[Sequence[object]], interval: Interval, first_step: int, last_step: int, now: datetime
) -> list[Candle]:
    """The candles of an answer within `first_step` to `last_step` that have closed at `now`, ascending.

    Args:
        rows: as ccxt gives them: milliseconds, open, high, low, close, volume; in any order, repeats allowed.
        now: the source's own time; a candle that closes later is left out.

    Raises:
        BadAnswerError: a row is not a candle: a figure missing, not finite, zero or negative, a high below the low, a
            time off the grid, or two rows of one time that differ.
    """
    found: dict[datetime, Candle] = {}
    for row in rows:
        candle = _candle(row, interval)
        step = interval.step_at(candle.open_time)
        if not first_step <= step <= last_step or interval.close_time(step) > now:
            continue
        if found.setdefault(candle.open_time, candle) != candle:
            raise BadAnswerError(f"two different candles of {candle.open_time.isoformat()}")
    return [found[time] for time in sorted(found)]


def _candle(row: Sequence[object], interval: Interval) -> Candle:
    if len(row) < 6 or not isinstance(row[0], int | float) or not math.isfinite(row[0]):
        raise BadAnswerError(f"not a candle: {str(row)[:120]}")
    open_time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(row[0]))
    when = open_time.isoformat()
    if not interval.is_on_grid(open_time):
        raise BadAnswerError(f"a candle of {when} is not on the grid of {interval}")
    figures: list[float] = []
    for name, value in zip(_NAMES, row[1:6], strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadAnswerError(f"{name} of {when} is not a number: {str(value)[:40]}")
        if value < 0 or (value == 0 and name != "volume"):
            raise BadAnswerError(f"{name} of {when} is {'zero' if value == 0 else 'negative'}")
        figures.append(float(value))
    open_, high, low, close, _ = figures
    if high < low:
        raise BadAnswerError(f"high of {when} is below its low")
    if not (low <= open_ <= high and low <= close <= high):
        raise BadAnswerError(f"open or close of {when} is outside its low and high")
    return Candle(open_time, *figures)
