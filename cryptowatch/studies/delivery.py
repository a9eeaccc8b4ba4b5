"""What would have become of alerts, worked out as if each was delivered at its candle's close: by the live decision."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from cryptowatch.alerts.decision import MOST_ALERTS, Candidate, HeldBy, day_of, decide
from cryptowatch.studies.subject import Alert
from cryptowatch.watches.delivery import DeliverySettings
from cryptowatch.watches.form import Watch
from cryptowatch.watches.lateness import when_due


@dataclass(frozen=True)
class Delivery:
    """What becomes of one alert for one recipient.

    Args:
        at: when it is due, UTC: its candle's close, or the end of a digest or of quiet hours.
        email: the number of the email that carries it, from 1 in the order of time; None when it is held back.
        held_by: what holds it back; None when it is emailed.
    """

    recipient: str
    at: datetime
    email: int | None
    held_by: HeldBy | None


@dataclass(frozen=True)
class _Waiting:
    """An alert on its way to a recipient; `place` is its number among the alerts."""

    at: datetime
    recipient: str
    place: int
    candidate: Candidate


def deliver(
    alerts: Sequence[Alert], watches: Sequence[Watch], settings: Mapping[str, DeliverySettings]
) -> list[list[Delivery]]:
    """For each of these alerts, in the order of their closing, what becomes of it for each of its recipients.

    What is due at the same moment is one email to a recipient, of `MOST_ALERTS` at most. Nothing is late, muted or
    acknowledged: nobody knows.

    Args:
        settings: of those recipients who say anything.
    """
    outcome: list[list[Delivery]] = [[] for _ in alerts]
    mailboxes: dict[str, _Mailbox] = {}
    emails = 0
    for (at, recipient), together in groupby(
        _on_their_way(alerts, watches, settings), lambda one: (one.at, one.recipient)
    ):
        due = list(together)
        mailbox = mailboxes.setdefault(recipient, _Mailbox())
        for first in range(0, len(due), MOST_ALERTS):
            some = due[first : first + MOST_ALERTS]
            reasons = mailbox.take([one.candidate for one in some])
            emails += None in reasons
            for one, held_by in zip(some, reasons, strict=True):
                outcome[one.place].append(Delivery(recipient, at, None if held_by else emails, held_by))
    return outcome


class _Mailbox:
    """A recipient: counts the emails that carry alerts of each watch and day, and of each day."""

    def __init__(self) -> None:
        self._emails: Counter[tuple[int | None, date]] = Counter()

    def take(self, due: Sequence[Candidate]) -> list[HeldBy | None]:
        """What holds back each of what one email may carry; the email counts from then on."""
        reasons = decide(due, lambda watch_id, day: self._emails[watch_id, day])
        carried = [one for one, held_by in zip(due, reasons, strict=True) if not held_by]
        days = {day_of(one.close_time) for one in carried}
        self._emails.update({(one.watch_id, day_of(one.close_time)) for one in carried} | {(None, day) for day in days})
        return reasons


def _on_their_way(
    alerts: Sequence[Alert], watches: Sequence[Watch], settings: Mapping[str, DeliverySettings]
) -> list[_Waiting]:
    """Every alert to every recipient of its watch, in the order in which they are due and decided."""
    by_name = {watch.name: (index, watch) for index, watch in enumerate(watches)}
    nothing = DeliverySettings()
    waiting = []
    for place, alert in enumerate(alerts):
        watch_id, watch = by_name[alert.watch]
        for recipient in watch.notify:
            theirs = settings.get(recipient, nothing)
            due = when_due(alert.close_time, watch.severity, watch, theirs)
            candidate = Candidate(
                watch_id,
                alert.close_time,
                watch.max_per_day,
                theirs.max_per_day,
                too_mild=not theirs.wants(watch.severity),
                dropped=due.dropped,
            )
            waiting.append(_Waiting(due.at, recipient, place, candidate))
    return sorted(waiting, key=lambda one: (one.at, one.recipient, one.place))
