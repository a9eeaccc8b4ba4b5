"""What `cryptowatch preview` prints, and the bar while it works."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cryptowatch.alerts.email import format_number
from cryptowatch.cli.preview import PreviewError, preview
from cryptowatch.cli.show import out
from cryptowatch.local.exchange.recorded_file import BadRecordError
from cryptowatch.watches.problem import WatchListError

__all__ = ["ERRORS", "preview", "progress", "show"]

#: What a preview may end with: each is one clear line, or one a problem of the list.
ERRORS = (PreviewError, BadRecordError, WatchListError)
#: Rows of the histogram; a longer time is told by the week.
_MOST_ROWS = 35
#: Characters of the longest bar.
_BAR = 40
#: Days, or weeks, in the small histogram of one watch.
_MOST_SPARKS = 30
_SPARKS = " ▁▂▃▄▅▆▇█"
#: What holds signals or alerts back, and what the text calls it.
_HELD = {
    "cooldown": "cooldown",
    "once": "once",
    "period": "starts/expires",
    "budget": "max_per_day",
    "recipient_budget": "a recipient's max_per_day",
    "quiet_hours": "quiet hours",
    "severity": "least_severity",
}


@contextmanager
def progress() -> Iterator[Callable[[float], object]]:
    """A bar on the terminal that errors go to, if it is one; gives whom to tell the share that is done."""
    console = Console(stderr=True)
    columns = (TextColumn("previewing"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda done: bar.update(task, completed=done)


def show(result: dict[str, Any], file: str) -> None:
    """Print a preview."""
    total = result["total"]
    out.print(f"{file} over {result['candles']}: {_span(result)}, {_count(total['markets'], 'market')}")
    if result["from"] is None:
        out.print("no candles in that time: nothing to evaluate", style="yellow")
    else:
        out.print()
        _histogram(total["days"])
        out.print()
        _watches(result)
        if result["alerts"]:
            out.print()
            _latest(result["watches"])
    notes = list(_not_known(result))
    if notes:
        out.print("\nwhat this cannot know:", style="bold")
        for note in notes:
            out.print(f"- {note}")


def _histogram(days: Sequence[dict[str, Any]]) -> None:
    groups = _groups(days, _MOST_ROWS)
    most = max(group["emails"] for group in groups)
    table = Table("day" if len(groups) == len(days) else "week of", "emails", "alerts", "", box=None)
    for group in groups:
        length = round(_BAR * group["emails"] / most) if most else 0
        bar = "█" * max(length, 1 if group["emails"] else 0)
        table.add_row(group["day"], str(group["emails"]), str(group["alerts"]), bar)
    out.print(table)


def _groups(days: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The days, or, where there are more than `most`, the weeks that begin on Mondays, by their first day."""
    if len(days) <= most:
        return list(days)
    weeks: dict[str, dict[str, Any]] = {}
    for one in days:
        day = date.fromisoformat(one["day"])
        monday = (day - timedelta(days=day.weekday())).isoformat()
        week = weeks.setdefault(monday, {"day": monday, "emails": 0, "alerts": 0})
        week["emails"] += one["emails"]
        week["alerts"] += one["alerts"]
    return list(weeks.values())


def _watches(result: dict[str, Any]) -> None:
    table = Table("watch", "interval", "markets", "alerts", "emails", "a day", "held back", "loudest", "", box=None)
    for one in result["watches"]:
        table.add_row(one["watch"], one["interval"], *_numbers(one), _sparks(one["days"]))
    if len(result["watches"]) > 1:
        table.add_row("in total", "", *_numbers(result["total"]), "", style="bold")
    out.print(table)


def _numbers(one: dict[str, Any]) -> list[str]:
    held = [f"{one['held_back'][key]} {name}" for key, name in _HELD.items() if key in one["held_back"]]
    if one["emails_held"]:
        held.append(f"{_count(one['emails_held'], 'email')} less")
    loudest = one["loudest"]
    return [
        str(one["markets"]),
        str(one["alerts"]),
        str(one["emails"]),
        f"{one['emails'] / max(len(one['days']), 1):.1f}",
        ", ".join(held) or "-",
        f"{loudest['market']} ({loudest['alerts']})" if loudest else "-",
    ]


def _sparks(days: Sequence[dict[str, Any]]) -> str:
    emails = [group["emails"] for group in _groups(days, _MOST_SPARKS)][-_MOST_SPARKS:]
    most = max(emails, default=0)
    return "".join(_SPARKS[-(-number * (len(_SPARKS) - 1) // most)] if most else " " for number in emails)


def _latest(watches: Sequence[dict[str, Any]]) -> None:
    table = Table("latest (opened, UTC)", "market", "watch", "kind", "values", "delivery", box=None)
    for alert in (alert for one in watches for alert in one["latest"]):
        values = ", ".join(f"{text} {format_number(value)}" for text, value in alert["values"].items())
        delivery = ", ".join(f"{one['recipient']}: {_outcome(one)}" for one in alert["delivery"])
        opened = alert["open_time"][:16].replace("T", " ")
        table.add_row(opened, alert["market"], alert["watch"], alert["kind"], values, delivery)
    out.print(table)


def _outcome(delivery: dict[str, Any]) -> str:
    held_by = delivery["held_by"]
    return f"held by {_HELD.get(held_by, held_by)}" if held_by else f"email {delivery['email']}"


def _not_known(result: dict[str, Any]) -> Iterator[str]:
    missing = result["without_candles"]
    for why in dict.fromkeys(one["why"] for one in missing):
        names = list(dict.fromkeys(one["market"] for one in missing if one["why"] == why))
        yield f"{_count(len(names), 'market')} without candles ({why}): {', '.join(names)}"
    for star in result["stars"]:
        yield f"what {star['name']} of {star['watch']!r} would have stood for: here {_count(star['records'], 'record')}"
    for one in result["shared"]:
        yield f"{one['record']} stands for {', '.join(one['markets'])} of {one['watch']!r}, told of once"
    for one in result["watches"]:
        unknown = one["unknown"]
        if unknown["too_little_history"]:
            share = unknown["too_little_history"] / one["moments"]
            text = f"{unknown['too_little_history']:,} of {one['moments']:,} candles of {one['watch']!r} ({share:.0%})"
            yield f"{text}: too little history before them"
        if unknown["never_known"]:
            yield f"{one['watch']!r} was never known on {', '.join(unknown['never_known'])}"
        if unknown["later"]:
            text = f"{_count(unknown['later'], 'candle')} of {one['watch']!r} later"
            yield f"{text}: unknown, where a part had too little history or too much was missing"
        if one["perhaps_late"]:
            text = f"{_count(one['perhaps_late'], 'candle')} of {one['watch']!r} that read a missing one"
            yield f"{text} of a higher interval: live may not have waited for it to be settled"


def _span(result: dict[str, Any]) -> str:
    if result["from"] is None:
        return "nothing"
    start, end = (result[key][:16].replace("T", " ") for key in ("from", "to"))
    return f"{start} to {end} UTC, {_count(len(result['total']['days']), 'day')}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
