"""When an alert comes too late to be worth an email."""

from datetime import datetime, timedelta

from cryptowatch.markets.interval import Interval
from cryptowatch.watches.form import Watch

#: Intervals after its candle's close until which an alert is still news, unless the watch says `late_after`.
INTERVALS_UNTIL_LATE = 3


def late_after(watch: Watch, interval: Interval) -> timedelta:
    """How old an alert of this watch may be when its delivery is decided."""
    return watch.late_after or INTERVALS_UNTIL_LATE * interval.length


def is_late(watch: Watch, interval: Interval, close_time: datetime, source_now: datetime) -> bool:
    """Whether an alert on the candle that closed at `close_time` is too old, by the source's clock."""
    return source_now - close_time > late_after(watch, interval)
