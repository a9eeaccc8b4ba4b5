"""When an alert is due to a recipient, and when it comes too late to be worth an email."""

from datetime import datetime, timedelta

from cryptowatch.alerts.due import Due, due
from cryptowatch.markets.interval import Interval
from cryptowatch.watches.delivery import DeliverySettings
from cryptowatch.watches.form import Watch

#: Intervals after its candle's close until which an alert is still news, unless the watch says `late_after`.
INTERVALS_UNTIL_LATE = 3


def late_after(watch: Watch, interval: Interval) -> timedelta:
    """How old an alert of this watch may be when its delivery is decided."""
    return watch.late_after or INTERVALS_UNTIL_LATE * interval.length


def is_late(watch: Watch, interval: Interval, due_at: datetime, source_now: datetime) -> bool:
    """Whether an alert that was due at `due_at`, its candle's close or the end of a digest or of quiet hours, is too
    old, by the source's clock.
    """
    return source_now - due_at > late_after(watch, interval)


def when_due(close_time: datetime, severity: str, watch: Watch, settings: DeliverySettings) -> Due:
    """When an alert of this watch is due to a recipient with these settings."""
    theirs = (settings.quiet_hours.hours,) if settings.quiet_hours else ()
    return due(close_time, severity, watch.digests, (*watch.hours, *theirs))
