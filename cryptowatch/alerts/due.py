"""When an alert is due to a recipient: at its candle's close, or later, for quiet hours or a digest.

Pure, and of the candle's time alone, so that notify and preview come to the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

#: How often a moment is moved on from one recipient's or watch's quiet hours into another's: two that share the whole
#: day between them would move it for ever.
MOST_MOVES = 4

#: How long after its time a digest is told: the candles that close at that time belong into it, and arrive later.
DIGEST_WAITS = timedelta(minutes=1)

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class QuietHours:
    """Hours of each day in which nobody wants to be told.

    Args:
        begins, ends: wall time in `zone`; it ends on the next day where `ends` is the earlier one.
        then: what becomes of an alert within them: `summarise`, told together when they are over, or `drop`.
        high_passes: alerts of high severity are told all the same.
    """

    begins: time
    ends: time
    zone: ZoneInfo
    then: Literal["summarise", "drop"] = "summarise"
    high_passes: bool = True

    def end_of(self, moment: datetime) -> datetime | None:
        """When the quiet hours that hold `moment` are over, UTC; None when it is in none."""
        local = moment.astimezone(self.zone)
        now = local.time()
        over_midnight = self.ends < self.begins
        quiet = now >= self.begins or now < self.ends if over_midnight else self.begins <= now < self.ends
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if over_midnight and now >= self.begins else local.date()
        # Of an hour that comes twice, the second, and one that does not come counts from the hour before it: an end
        # is not before what it ends.
        return max(datetime.combine(day, self.ends, self.zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))


@dataclass(frozen=True)
class Digest:
    """Alerts collected and told together.

    Args:
        every: at each full hour, or once a day.
        at: wall time in `zone` of a daily one.
    """

    every: Literal["hour", "day"]
    at: time = time(0)
    zone: ZoneInfo = _UTC

    def next(self, moment: datetime) -> datetime:
        """The first time of this digest that is not before `moment`, UTC."""
        if self.every == "hour":
            hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return hour if hour == moment else hour + timedelta(hours=1)
        today = moment.astimezone(self.zone).date()
        days = (datetime.combine(today + timedelta(days=more), self.at, self.zone).astimezone(UTC) for more in (0, 1))
        return next(at for at in days if at >= moment)


@dataclass(frozen=True)
class Due:
    """What `due` gives: the moment, UTC, and whether quiet hours drop the alert instead."""

    at: datetime
    dropped: bool = False


def due(close_time: datetime, severity: str, digest: Digest | None, quiet: Sequence[QuietHours]) -> Due:
    """When an alert on the candle that closed at `close_time` is due.

    A digest is told outside of quiet hours too: at their end; `DIGEST_WAITS` later in any case. Hours that drop do so
    by when the candle closed.

    Args:
        severity: of the alert; `high` passes quiet hours that let it.
        digest: the watch's; None tells at once.
        quiet: the watch's and the recipient's quiet hours.
    """
    kept = [hours for hours in quiet if not (severity == "high" and hours.high_passes)]
    if any(hours.then == "drop" and hours.end_of(close_time) for hours in kept):
        return Due(close_time, dropped=True)
    at = digest.next(close_time) if digest else close_time
    for _ in range(MOST_MOVES):
        ends = [end for hours in kept if (end := hours.end_of(at))]
        if not ends:
            break
        at = max(ends)
    return Due(at + DIGEST_WAITS if digest else at)
