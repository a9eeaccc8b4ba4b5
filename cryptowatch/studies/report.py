"""What a preview says, as plain data: what `--json` prints, and what the terminal's text is made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cryptowatch.alerts.decision import day_of
from cryptowatch.studies.delivery import Delivery, deliver
from cryptowatch.studies.subject import Alert, Findings, Subject
from cryptowatch.watches.delivery import DeliverySettings

#: Alerts shown as examples.
LATEST = 3


@dataclass(frozen=True)
class _Told:
    """An alert, what became of it, and its market's name."""

    alert: Alert
    market: str
    delivery: Sequence[Delivery]

    @property
    def day(self) -> date:
        return day_of(self.alert.close_time)


def report(
    subjects: Sequence[Subject],
    findings: Sequence[Findings],
    names: Mapping[int, str],
    settings: Mapping[str, DeliverySettings],
) -> dict[str, Any]:
    """What would have been told, by watch and in total; times are ISO 8601, UTC.

    Args:
        findings: one a subject.
        names: of the markets, by id.
        settings: what recipients want to be told, and when; of those who say anything.

    Returns:
        `from` and `to` (of the candles; None when there are none), `watches` (one summary each), `total`, `alerts`.
        A summary counts `markets`, `moments`, `alerts`, `kinds`, `emails`, `held_back` (signals by `cooldown`, `once`,
        `period`; alerts, once a recipient, by what `HeldBy` names), `emails_held` and `days`, and has `loudest`,
        `latest`, `unknown` and `perhaps_late`. A day is the UTC day of a candle's close, of an email that on which it
        goes out.
    """
    found = [alert for one in findings for alert in one.alerts]
    found.sort(key=lambda one: (one.close_time, one.watch, names[one.market_id]))
    deliveries = deliver(found, [subject.watch for subject in subjects], settings)
    told = [_Told(alert, names[alert.market_id], its) for alert, its in zip(found, deliveries, strict=True)]
    opened = min((one.first_open for one in findings if one.first_open), default=None)
    closed = max((one.last_close for one in findings if one.last_close), default=None)
    last_email = max((one.at for each in deliveries for one in each), default=closed)
    days = _days(opened, max(closed, last_email) if closed and last_email else closed)
    return {
        "from": opened.isoformat() if opened else None,
        "to": closed.isoformat() if closed else None,
        "watches": [
            {
                "watch": subject.watch.name,
                "interval": subject.watch.interval,
                **_summary([one for one in told if one.alert.watch == subject.watch.name], [its], names, days),
            }
            for subject, its in zip(subjects, findings, strict=True)
        ],
        "total": _summary(told, findings, names, days),
        "alerts": [_alert(one) for one in told],
    }


def _summary(
    told: Sequence[_Told], findings: Sequence[Findings], names: Mapping[int, str], days: Sequence[date]
) -> dict[str, Any]:
    held = sum((one.held for one in findings), Counter[str]())
    held.update(one.held_by for each in told for one in each.delivery if one.held_by)
    alerts = Counter(one.day for one in told)
    emails = Counter({number: day for day, number in _emails(told)}.values())
    loudest = Counter(one.market for one in told).most_common(1)
    return {
        "markets": len({id_ for one in findings for id_ in one.markets}),
        "moments": sum(one.moments for one in findings),
        "alerts": len(told),
        "kinds": dict(Counter(one.alert.kind for one in told)),
        "emails": sum(emails.values()),
        "emails_held": _emails_held(told),
        "held_back": dict(sorted(held.items())),
        "days": [{"day": day.isoformat(), "alerts": alerts[day], "emails": emails[day]} for day in days],
        "loudest": {"market": loudest[0][0], "alerts": loudest[0][1]} if loudest else None,
        "latest": [_alert(one) for one in told[: -LATEST - 1 : -1]],
        "unknown": {
            "too_little_history": sum(one.too_little_history for one in findings),
            "later": sum(one.unknown for one in findings),
            "never_known": sorted({names[id_] for one in findings for id_ in one.never_known}),
        },
        "perhaps_late": sum(one.perhaps_late for one in findings),
    }


def _days(opened: datetime | None, closed: datetime | None) -> list[date]:
    """Every UTC day on which one of the candles closed, or an email went out after it."""
    if opened is None or closed is None:
        return []
    first, last = day_of(opened), day_of(closed)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _emails(told: Sequence[_Told]) -> list[tuple[date, int]]:
    """The emails that carry these alerts, by their numbers, with the days they go out on."""
    return [(day_of(its.at), its.email) for one in told for its in one.delivery if its.email is not None]


def _emails_held(told: Sequence[_Told]) -> int:
    """Emails that did not go out because all alerts that were due to a recipient at one moment were held back."""
    moments = {(its.at, its.recipient) for one in told for its in one.delivery}
    sent = {(its.at, its.recipient) for one in told for its in one.delivery if its.email is not None}
    return len(moments - sent)


def _alert(told: _Told) -> dict[str, Any]:
    alert = told.alert
    return {
        "watch": alert.watch,
        "market": told.market,
        "interval": alert.interval,
        "open_time": alert.open_time.isoformat(),
        "kind": alert.kind,
        "values": alert.values,
        "delivery": [{**asdict(one), "at": one.at.isoformat()} for one in told.delivery],
    }
