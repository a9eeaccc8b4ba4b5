"""What an email says. Plain text, since that is what SNS carries; the subject is ASCII and at most 100 characters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptowatch.alerts.template import fill

#: Alerts told in full; the rest of an email becomes a table.
IN_FULL = 12
#: SNS takes 256 KiB a message (SNS API reference, Publish); this leaves room for its own lines.
MOST_BYTES = 200_000
#: SNS takes fewer than 100 characters (SNS API reference, Publish, Subject).
SUBJECT_LENGTH = 99

_SEVERITIES = ("info", "warning", "high")
_FOOTER = "This is information, not advice. Change or stop it in your watch list."


@dataclass(frozen=True)
class AlertText:
    """An alert, as an email tells it. Times are UTC; price and figures in the market's quote currency.

    Args:
        title, note: the watch's templates; None where it has none.
        watched_markets: how many markets its watch watches.
        track_record: what followed its watch's past signals on this market and (True) on all, a line each.
    """

    alert_id: int
    watch: str
    market: str
    interval: str
    kind: str
    severity: str
    rule: str
    close_time: datetime
    price: float | None
    figures: Mapping[str, float | None]
    title: str | None = None
    note: str | None = None
    watched_markets: int = 0
    track_record: tuple[tuple[bool, str], ...] = ()

    def filled(self, template: str) -> str:
        """A title or a note with its fields filled in."""
        source, _, symbol = self.market.partition(":")
        values = {
            "watch": self.watch,
            "market": self.market,
            "source": source,
            "symbol": symbol,
            "interval": self.interval,
            "price": format_number(self.price),
            "time": f"{self.close_time:%Y-%m-%d %H:%M} UTC",
            "kind": _KINDS[self.kind],
            "severity": self.severity,
        }
        return fill(template, values)


@dataclass(frozen=True)
class Email:
    subject: str
    body: str


def render(alerts: Sequence[AlertText], held: Mapping[str, int] | None = None) -> Email:
    """One email for one recipient about these alerts (at least one), the most severe first, then by time.

    Args:
        held: alerts that were held back since the last email, by what.
    """
    ordered = sorted(alerts, key=lambda one: (-_SEVERITIES.index(one.severity), one.close_time, one.alert_id))
    parts = [_summary(ordered)] if len(ordered) > 1 else []
    parts += [_in_full(alert) for alert in ordered[:IN_FULL]]
    if len(ordered) > IN_FULL:
        parts.append("\n".join(["Also:", *(_line(alert) for alert in ordered[IN_FULL:])]))
    if held:
        parts.append(_held_back(held))
    body = _fit("\n\n".join(parts))
    return Email(_subject(ordered), f"{body}\n\n--\n{_FOOTER}\n")


def format_number(value: float | None) -> str:
    """A figure a person reads at a glance: six significant digits, no exponent where it can be helped."""
    if value is None:
        return "unknown"
    if value != 0 and not 1e-6 <= abs(value) < 1e15:
        return f"{value:.6g}"
    digits = f"{value:,.10f}" if abs(value) < 1 else f"{value:,.6f}"
    whole, _, fraction = digits.partition(".")
    if abs(value) < 1:
        leading = len(fraction) - len(fraction.lstrip("0"))
        fraction = fraction[: leading + 6]
    else:
        places = max(2, 6 - len(whole.replace(",", "").lstrip("-")))
        fraction = f"{value:,.{places}f}".partition(".")[2]
        whole = f"{value:,.{places}f}".partition(".")[0]
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _subject(alerts: Sequence[AlertText]) -> str:
    first = alerts[0]
    if len(alerts) == 1:
        text = f"{first.watch}: {first.market} {_verb(first)} at {format_number(first.price)}"
        text = first.filled(first.title) if first.title else text
    else:
        markets = len({alert.market for alert in alerts})
        names = list(dict.fromkeys(alert.watch for alert in alerts))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        text = f"{len(alerts)} alerts on {markets} market{'s' if markets > 1 else ''}: {names[0]}{more}"
    text = text.strip()  # SNS refuses a subject that begins with a space
    prefix = {"high": "[HIGH] ", "warning": "[Warning] ", "info": ""}[first.severity]
    ascii_text = (prefix + text).encode("ascii", "replace").decode()
    clean = "".join(character if character.isprintable() else " " for character in ascii_text)
    return clean if len(clean) <= SUBJECT_LENGTH else clean[: SUBJECT_LENGTH - 3] + "..."


def _verb(alert: AlertText) -> str:
    return {"fired": "is true", "repeated": "is still true", "resolved": "is over"}[alert.kind]


def _summary(alerts: Sequence[AlertText]) -> str:
    lines = [f"{len(alerts)} alerts:"]
    by_watch: dict[tuple[str, str], list[AlertText]] = {}
    for alert in alerts:
        by_watch.setdefault((alert.watch, alert.kind), []).append(alert)
    for (watch, kind), some in by_watch.items():
        markets = len({alert.market for alert in some})
        watched = max(alert.watched_markets for alert in some)
        of_all = f" of {watched}" if watched > markets else ""
        times = f"{len(some)} x " if len(some) != markets else ""
        plural = "s" if max(markets, watched) > 1 else ""
        lines.append(f"  {watch} {_KINDS[kind]} {times}on {markets}{of_all} market{plural}")
    return "\n".join(lines)


#: What held alerts back -> how an email says it.
_HELD = {
    "late": "too late",
    "severity": "not severe enough",
    "mute": "muted",
    "ack": "acknowledged",
    "quiet_hours": "in quiet hours",
    "budget": "over their watch's emails of the day",
    "recipient_budget": "over your emails of the day",
    "refused": "refused by the mail service",
}


def _held_back(held: Mapping[str, int]) -> str:
    said = ", ".join(f"{count} {_HELD.get(reason, reason)}" for reason, count in sorted(held.items()))
    return f"Not told since the last email: {said}. `cryptowatch alerts` lists them."


_KINDS = {"fired": "fired", "repeated": "repeated", "resolved": "ended"}
_HEADS = {"fired": "Now", "repeated": "Still", "resolved": "Over"}


def _in_full(alert: AlertText) -> str:
    head = f"{alert.market}  {alert.watch}"
    lines = [
        head,
        "=" * len(head),
        f"{_HEADS[alert.kind] + ':':<7} {alert.rule}",
        f"Candle: {alert.interval}, closed {alert.close_time:%Y-%m-%d %H:%M} UTC",
        f"Price:  {format_number(alert.price)}",
    ]
    if alert.title:
        lines.insert(2, alert.filled(alert.title))
    if alert.note:
        lines.append(f"Note:   {alert.filled(alert.note)}")
    lines += [f"Record: {'all markets, ' if pooled else ''}{words}" for pooled, words in alert.track_record]
    if alert.figures:
        width = max(len(name) for name in alert.figures)
        lines.append("Values:")
        lines += [f"  {name.ljust(width)}  {format_number(value)}" for name, value in alert.figures.items()]
    return "\n".join(lines)


def _line(alert: AlertText) -> str:
    return (
        f"  {alert.close_time:%m-%d %H:%M}  {alert.market:<24} {_KINDS[alert.kind]:<8} "
        f"{format_number(alert.price):>14}  {alert.watch}"
    )


def _fit(body: str) -> str:
    data = body.encode()
    if len(data) <= MOST_BYTES:
        return body
    cut = data[:MOST_BYTES].decode(errors="ignore").rsplit("\n", 1)[0]
    left = body[len(cut) :].count("\n")
    return f"{cut}\n  ... and {left} more lines; see `cryptowatch alerts`."
