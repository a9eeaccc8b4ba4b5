"""What the commands print."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from cryptowatch.alerts.email import format_number
from cryptowatch.indicators import Indicator
from cryptowatch.indicators.reference import facts, signature
from cryptowatch.watches.form import CheckedWatchList

#: Columns of a table that goes to a file or another program.
_WIDTH_ELSEWHERE = 200
#: Emails a day from which on a new watch is warned of.
MANY_EMAILS = 20

# Names and error texts are data: a [ in them is no markup.
out = Console(soft_wrap=True, markup=False, highlight=False)
if not out.is_terminal:
    out = Console(soft_wrap=True, markup=False, highlight=False, width=_WIDTH_ELSEWHERE)


def watch_list(checked: CheckedWatchList) -> None:
    tagged = any(one.watch.tags for one in checked.watches)
    table = Table("watch", "interval", "markets", "looks back", "notifies", *(["tags"] if tagged else []), box=None)
    for one in checked.watches:
        back = ", ".join(f"{candles} x {name}" for name, candles in one.look_back.items())
        watch = one.watch
        tags = [", ".join(watch.tags)] if tagged else []
        table.add_row(watch.name, watch.interval, str(len(watch.markets)), back, ", ".join(watch.notify), *tags)
    out.print(table)


def changes(report: dict[str, Any]) -> None:
    changed = [f"{one['name']} ({', '.join(one['keys'])}{_generation(one['what'])})" for one in report["changed"]]
    for word, names in (("added", report["added"]), ("changed", changed), ("removed", report["removed"])):
        for name in names:
            out.print(f"{word:9} {name}")
    for word in ("added", "changed", "removed"):
        for name in report[f"recipients_{word}"]:
            out.print(f"{word:9} recipient {name}")
    for address in report.get("pending_gone", []):
        out.print(
            f"left      {address}: not confirmed, so nobody can end it; it vanishes after 48 hours", style="yellow"
        )
    for name in report["expired"]:
        out.print(f"expired   {name}: it tells nothing any more", style="yellow")
    out.print(f"{len(report['unchanged'])} unchanged", style="dim")
    for one in report["estimates"]:
        _estimate(one)


def _estimate(one: dict[str, Any]) -> None:
    if one["emails_a_day"] is None:
        out.print(f"{one['watch']}: nothing stored of its markets yet; `cryptowatch preview` tells later", style="dim")
        return
    rate = f"{one['emails_a_day']:.1f} emails a day"
    over = f"over {one['days']} day{'s' if one['days'] > 1 else ''} of stored candles"
    if one["emails_a_day"] > MANY_EMAILS:
        out.print(f"{one['watch']}: {rate} {over}: set a cooldown, a digest or max_per_day", style="yellow")
    else:
        out.print(f"{one['watch']}: {rate} {over}")


def _generation(what: str) -> str:
    return ": starts anew" if "rule" in what else ""


def alerts(rows: Iterable[dict[str, Any]]) -> None:
    table = Table("alert", "closed (UTC)", "market", "watch", "kind", "price", "values", "deliveries", box=None)
    for row in rows:
        values = ", ".join(f"{name} {format_number(value)}" for name, value in row["figures"].items())
        sent = ", ".join(f"{one['recipient']}: {one['held_by'] or one['state']}" for one in row["deliveries"])
        when = row["close_time"][:16].replace("T", " ")
        table.add_row(
            str(row["id"]), when, row["market"], row["watch"], row["kind"], format_number(row["price"]), values, sent
        )
    out.print(table)


def status(result: dict[str, Any]) -> None:
    sources = Table("source", "markets", "candles", "lag", "last success", "last error", box=None)
    for row in result["sources"]:
        lag = "-" if row["lag_seconds"] is None else f"{row['lag_seconds']:.0f} s"
        success = (row["last_success"] or "never")[:19].replace("T", " ")
        sources.add_row(row["name"], str(row["markets"]), f"{row['candles']:,}", lag, success, row["last_error"] or "-")
    out.print(sources)
    for row in result["sources"]:
        if row["paused_until"]:
            out.print(f"{row['name']} is left alone until {_minute(row['paused_until'])} UTC", style="yellow")
    for row in result["built"]:
        of = "1 market" if row["markets"] == 1 else f"{row['markets']} markets"
        out.print(f"{row['source']} {row['interval']}: built from {row['built_from']}, of {of}", style="dim")
    for row in result["delisted"]:
        now = f": it is {row['renamed_to']} now" if row["renamed_to"] else ""
        out.print(f"{row['market']} is not listed since {_minute(row['delisted_at'])} UTC{now}", style="yellow")
    watches = Table("watch", "interval", "markets", "generation", "alerts", "held back", "", box=None)
    for row in result["watches"]:
        numbers = (str(row[name]) for name in ("markets", "generation", "alerts"))
        held = ", ".join(f"{count} {what}" for what, count in row["held"].items() if count) or "-"
        watches.add_row(row["name"], row["interval"], *numbers, held, _standing(row))
    out.print(watches)
    for row in result["series_errors"]:
        out.print(f"{row['market']} {row['interval']}: {row['error']}", style="red")
    deliveries, queues = result["deliveries"], result["queues"]
    held = ", ".join(f"{count} {reason}" for reason, count in deliveries["held"].items()) or "none"
    waits = "".join(f", {count} of them for {what}" for what, count in deliveries["postponed"].items())
    out.print(
        f"emails: {deliveries['sent']} alerts sent, {deliveries['waiting']} waiting{waits}, held {held}, "
        f"{deliveries['uncertain']} maybe sent twice"
    )
    depths = ", ".join(f"{name} {one['visible']} waiting {one['in_flight']} in hand" for name, one in queues.items())
    out.print(f"queues: {depths}")
    for one in result["muted"]:
        out.print(f"muted until {_minute(one['until'])} UTC: {one['kind']} {one['name']}", style="yellow")
    unconfirmed = [one["name"] for one in result["recipients"] if not one["confirmed"]]
    if unconfirmed:
        out.print(f"not confirmed yet, so they get nothing: {', '.join(unconfirmed)}", style="yellow")
    clicked = [one["name"] for one in result["recipients"] if one["by_click"]]
    if clicked:
        out.print(f"confirmed by a click, which a click can undo: {', '.join(clicked)}", style="yellow")


def _standing(row: dict[str, Any]) -> str:
    """Why a watch tells nothing, or nothing more; empty when it goes on."""
    match row["phase"]:
        case "expired":
            return f"expired {_minute(row['expires'])}"
        case "waiting":
            return f"starts {_minute(row['starts'])}"
    return f"done on {row['done']}" if row["done"] else ""


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def indicator(entry: Indicator) -> None:
    out.print(f"{signature(entry)}  {entry.title}", style="bold")
    for label, text in facts(entry):
        out.print(f"  {label}: {text}")


def indicator_names(entries: Iterable[Indicator]) -> None:
    table = Table("name", "what", "outputs", "by", box=None)
    for entry in entries:
        table.add_row(signature(entry), entry.title, ", ".join(entry.outputs), entry.engine)
    out.print(table)
