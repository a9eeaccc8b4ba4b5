"""Whether an alert is emailed to a recipient: decided once, in the order of candle time.

Pure, so that notify, on what is due now, and preview, as if each alert was delivered at its candle's close, decide
alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Literal

#: Alerts one email takes at most; the rest follows in the next.
MOST_ALERTS = 1000

#: Why an alert is not emailed: its recipient has left the list, it is too old, less severe than the recipient wants to
#: be told, muted, acknowledged (repeats only), within quiet hours that drop, or the emails of that day are used up:
#: those of its watch (`budget`) or of the recipient.
HeldBy = Literal["removed", "late", "severity", "mute", "ack", "quiet_hours", "budget", "recipient_budget"]

#: Emails to the recipient so far that carry alerts on candles of a UTC day: of a watch (its id), or of any (None).
EmailsOfDay = Callable[[int | None, date], int]


@dataclass(frozen=True)
class Candidate:
    """An alert that is due to a recipient, as far as the decision goes.

    Args:
        watch_id: whose budget it is under.
        close_time: of its candle, UTC.
        max_per_day: emails a day of its watch; 0 is no limit.
        recipient_max_per_day: emails a day of the recipient; 0 is no limit.
        late: it is too old to be news.
        removed: the recipient has left the watch list.
        too_mild: the recipient wants to be told only of what is more severe.
        muted: its watch, its market, the recipient or one of its tags is muted.
        acked: it says again what was acknowledged.
        dropped: it falls into quiet hours that drop.
        decided: it was decided before that it is sent, and stays so.
    """

    watch_id: int
    close_time: datetime
    max_per_day: int = 0
    recipient_max_per_day: int = 0
    late: bool = False
    removed: bool = False
    too_mild: bool = False
    muted: bool = False
    acked: bool = False
    dropped: bool = False
    decided: bool = False


def decide(due: Sequence[Candidate], emails_of_day: EmailsOfDay) -> list[HeldBy | None]:
    """For each alert that one email may carry, what holds it back for good; None: it is sent.

    Budgets count emails, so all alerts of a watch and day share one decision: they come in the same email.

    Args:
        due: of one recipient, `MOST_ALERTS` at most.
        emails_of_day: without the email that is being decided; asked once for each watch and day.
    """
    emails = cache(emails_of_day)
    return [None if one.decided else _reason_to_hold(one, emails) for one in due]


def day_of(close_time: datetime) -> date:
    """The day whose budget an alert on the candle that closed then is under, UTC."""
    return close_time.astimezone(UTC).date()


def _reason_to_hold(one: Candidate, emails_of_day: EmailsOfDay) -> HeldBy | None:
    reasons: tuple[tuple[bool, HeldBy], ...] = (
        (one.removed, "removed"),
        (one.late, "late"),
        (one.too_mild, "severity"),
        (one.muted, "mute"),
        (one.acked, "ack"),
        (one.dropped, "quiet_hours"),
    )
    for holds, reason in reasons:
        if holds:
            return reason
    day = day_of(one.close_time)
    if one.max_per_day and emails_of_day(one.watch_id, day) >= one.max_per_day:
        return "budget"
    if one.recipient_max_per_day and emails_of_day(None, day) >= one.recipient_max_per_day:
        return "recipient_budget"
    return None
