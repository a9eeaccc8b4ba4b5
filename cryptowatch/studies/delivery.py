"""What would have become of alerts, worked out as if each was delivered at its candle's close: by the live decision."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from cryptowatch.alerts.decision import MOST_ALERTS, Candidate, HeldBy, day_of, decide
from cryptowatch.studies.subject import Alert
from cryptowatch.watches.form import Watch


@dataclass(frozen=True)
class Delivery:
    """What becomes of one alert for one recipient.

    Args:
        email: the number of the email that carries it, from 1 in the order of time; None when it is held back.
        held_by: what holds it back; None when it is emailed.
    """

    recipient: str
    email: int | None
    held_by: HeldBy | None


def deliver(alerts: Sequence[Alert], watches: Sequence[Watch]) -> list[list[Delivery]]:
    """For each of these alerts, in the order of their closing, what becomes of it for each of its recipients.

    What closes at the same moment is one email to a recipient, of `MOST_ALERTS` at most. Nothing is late.
    """
    by_name = {watch.name: (index, watch) for index, watch in enumerate(watches)}
    outcome: list[list[Delivery]] = [[] for _ in alerts]
    mailboxes: dict[str, _Mailbox] = {}
    emails = 0
    for _, together in groupby(enumerate(alerts), key=lambda one: one[1].close_time):
        for recipient, due in _by_recipient(together, by_name).items():
            mailbox = mailboxes.setdefault(recipient, _Mailbox())
            for first in range(0, len(due), MOST_ALERTS):
                some = due[first : first + MOST_ALERTS]
                reasons = mailbox.take([candidate for _, candidate in some])
                emails += None in reasons
                for (place, _), held_by in zip(some, reasons, strict=True):
                    outcome[place].append(Delivery(recipient, None if held_by else emails, held_by))
    return outcome


class _Mailbox:
    """A recipient: counts the emails that carry alerts of each watch and day."""

    def __init__(self) -> None:
        self._emails: Counter[tuple[int, date]] = Counter()

    def take(self, due: Sequence[Candidate]) -> list[HeldBy | None]:
        """What holds back each of what one email may carry; the email counts from then on."""
        reasons = decide(due, lambda watch_id, day: self._emails[watch_id, day])
        carried = {
            (one.watch_id, day_of(one.close_time)) for one, held_by in zip(due, reasons, strict=True) if not held_by
        }
        self._emails.update(carried)
        return reasons


def _by_recipient(
    together: Iterable[tuple[int, Alert]], watches: Mapping[str, tuple[int, Watch]]
) -> dict[str, list[tuple[int, Candidate]]]:
    """What each recipient is to be told, in the order given, with the places of the alerts."""
    due: dict[str, list[tuple[int, Candidate]]] = {}
    for place, alert in together:
        watch_id, watch = watches[alert.watch]
        for recipient in watch.notify:
            due.setdefault(recipient, []).append((place, Candidate(watch_id, alert.close_time, watch.max_per_day)))
    return due
