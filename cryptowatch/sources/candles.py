"""One answer's rows to candles, or to an error: nothing false gets by, and nothing of a false answer is used."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import Interval
from cryptowatch.sources.errors import BadAnswerError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = ("open", "high", "low", "close", "volume")


def checked_candles(rows: Sequence[object], interval: Interval) -> dict[int, Candle]:
    """All candles of an answer by their step, ascending; the open and future ones too: see `closed_candles`.

    Args:
        rows: milliseconds since the epoch, open, high, low, close (quote currency), volume (base currency); in any
            order, and the same row may come more than once.

    Raises:
        BadAnswerError: a row is not a candle: a figure missing or not finite, a price not above zero, a volume below
            zero, a high below the low, an open or close outside them, a time off the grid, or two rows of one time
            that differ.
    """
    found: dict[int, Candle] = {}
    for row in rows:
        candle = _candle(row, interval)
        if found.setdefault(interval.step_at(candle.open_time), candle) != candle:
            raise BadAnswerError(f"two different candles of {candle.open_time.isoformat()}")
    return dict(sorted(found.items()))


def closed_candles(candles: Mapping[int, Candle], steps: range, interval: Interval, now: datetime) -> list[Candle]:
    """Those of an answer's candles that lie in `steps` and have closed, ascending.

    Args:
        candles: by step, ascending, as `checked_candles` gives them.
        now: the source's own time; a candle that closes later, the open one or one from the future, is left out.
    """
    last_closed = interval.last_closed(now)
    return [candle for step, candle in candles.items() if step in steps and step <= last_closed]


def _candle(row: object, interval: Interval) -> Candle:
    if not isinstance(row, list | tuple) or len(row) < 6 or not _is_number(row[0]):
        raise BadAnswerError(f"not a candle: {str(row)[:120]}")
    try:
        open_time = _EPOCH + timedelta(milliseconds=row[0])
    except OverflowError:
        raise BadAnswerError(f"not a candle's time: {str(row[0])[:40]}") from None
    when = open_time.isoformat()
    if not interval.is_on_grid(open_time):
        raise BadAnswerError(f"a candle of {when} is not on the grid of {interval}")
    for name, value in zip(_NAMES, row[1:6], strict=True):
        if not _is_number(value):
            raise BadAnswerError(f"the {name} of {when} is not a number: {str(value)[:40]}")
        if value < 0 or (value == 0 and name != "volume"):
            raise BadAnswerError(f"the {name} of {when} is {'zero' if value == 0 else 'negative'}")
    open_, high, low, close, volume = (float(value) for value in row[1:6])
    if high < low:
        raise BadAnswerError(f"the high of {when} is below its low")
    for name, value in (("open", open_), ("close", close)):
        if not low <= value <= high:
            raise BadAnswerError(f"the {name} of {when} is outside its low and high")
    return Candle(open_time, open_, high, low, close, volume)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
