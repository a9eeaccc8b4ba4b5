"""What the person who runs the local stack sees: a live screen, or without a terminal one plain line an event."""

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from cryptowatch.alerts.email import format_number
from cryptowatch.local.snapshot import Snapshot


class Screen(Protocol):
    def progress(self, text: str) -> None:
        """One step of the start, or something to know."""
        ...

    def show(self, snapshot: Snapshot) -> None: ...

    def close(self) -> None: ...


def open_screen(title: str, elapsed: "Elapsed") -> Screen:
    """The live screen on a terminal, plain lines elsewhere."""
    console = Console()
    return LiveScreen(console, title, elapsed) if console.is_terminal else PlainScreen(elapsed)


class Elapsed(Protocol):
    def __call__(self) -> float:
        """Seconds since the start."""
        ...


class PlainScreen:
    """One line an event: what has changed since the last look."""

    def __init__(self, elapsed: Elapsed) -> None:
        self._elapsed = elapsed
        self._before: Snapshot | None = None

    def progress(self, text: str) -> None:
        self._print(text)

    def show(self, snapshot: Snapshot) -> None:
        before = self._before
        self._before = snapshot
        if before is None:
            self._print(f"goes on from {snapshot.candles} candles, {snapshot.alerts} alerts, {snapshot.emails} emails")
            if snapshot.next_close:
                self._print(_next_close(snapshot))
            return
        counted = {row["name"]: int(row["candles"]) for row in before.sources}
        for row in snapshot.sources:
            new = int(row["candles"]) - counted.get(row["name"], 0)
            if new:
                self._print(
                    f"candles {row['name']}: {new} new, {row['candles']} stored, up to {_time(row['settled_to'])}"
                )
        fresh = [alert for alert in snapshot.newest_alerts if alert["id"] > before.newest_alert_id]
        for alert in reversed(fresh):
            self._print(f"alert   {_alert(alert)}")
        email = snapshot.newest_email
        if email and snapshot.emails > before.emails:
            self._print(f"email   {email.subject}  ({_short(email.file)})")
        for error in snapshot.errors:
            if error not in before.errors:
                self._print(f"error   {error['market']} {error['interval']}: {error['error']}")

    def close(self) -> None: ...

    def _print(self, text: str) -> None:
        print(f"{self._elapsed():7.1f}s  {text}", flush=True)


class LiveScreen:
    """Tables that are drawn anew about once a second."""

    def __init__(self, console: Console, title: str, elapsed: Elapsed) -> None:
        self._console = console
        self._title = title
        self._elapsed = elapsed
        self._live: Live | None = None

    def progress(self, text: str) -> None:
        self._console.print(f"[dim]{self._elapsed():6.1f}s[/dim]  {text}")

    def show(self, snapshot: Snapshot) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()
        self._live.update(self.draw(snapshot), refresh=True)

    def draw(self, snapshot: Snapshot) -> Panel:
        """The whole screen for one snapshot."""
        head = f"{snapshot.at:%Y-%m-%d %H:%M:%S} UTC"
        head += f", {snapshot.speed:g} times as fast" if snapshot.speed != 1 else ""
        head += f"   {snapshot.candles:,} candles stored"
        head += f"\n{_next_close(snapshot)}" if snapshot.next_close else ""
        parts: list[RenderableType] = [head, _sources(snapshot), _work(snapshot), _alerts(snapshot), _mail(snapshot)]
        return Panel(Group(*parts), title=f"Crypto Watch: {self._title}", subtitle="Ctrl-C stops", border_style="cyan")

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()


def _next_close(snapshot: Snapshot) -> str:
    assert snapshot.next_close
    left = (snapshot.next_close - snapshot.at).total_seconds() / snapshot.speed
    return f"the next candle closes at {snapshot.next_close:%H:%M} UTC, in {left:.0f} s"


def _sources(snapshot: Snapshot) -> Table:
    table = Table("source", "markets", "candles", "newest close", "lag", "last error", expand=True, box=None)
    for row in snapshot.sources:
        lag = row["lag_seconds"]
        table.add_row(
            row["name"],
            str(row["markets"]),
            f"{int(row['candles']):,}",
            _time(row["settled_to"]),
            "-" if lag is None else f"{lag:.0f} s",
            (row["last_error"] or "-")[:60],
        )
    return table


def _work(snapshot: Snapshot) -> Table:
    table = Table("queue", "waiting", "in hand", f"instances: {snapshot.fleet}", "last task", expand=True, box=None)
    queues = [(name, str(d["visible"]), str(d["in_flight"])) for name, d in snapshot.queues.items()]
    workers = list(snapshot.workers.items())
    for index in range(max(len(queues), len(workers))):
        queue = queues[index] if index < len(queues) else ("", "", "")
        worker = workers[index] if index < len(workers) else ("", "")
        table.add_row(*queue, *worker)
    return table


def _alerts(snapshot: Snapshot) -> Table:
    table = Table(f"alerts ({snapshot.alerts})", expand=True, box=None)
    for alert in snapshot.newest_alerts:
        table.add_row(_alert(alert))
    return table


def _mail(snapshot: Snapshot) -> Table:
    held = sum(snapshot.deliveries["held"].values())
    sent, waiting = snapshot.deliveries["sent"], snapshot.deliveries["waiting"]
    head = f"emails ({snapshot.emails})   alerts sent {sent}, waiting {waiting}, held {held}"
    table = Table(head, expand=True, box=None)
    if snapshot.newest_email:
        table.add_row(f"[bold]{snapshot.newest_email.subject}[/bold]")
        table.add_row(_short(snapshot.newest_email.file))
    return table


def _alert(alert: dict[str, object]) -> str:
    price = alert["price"]
    number = format_number(price if isinstance(price, float) else None)
    return f"{_time(alert['close_time'])}  {alert['market']}  {alert['watch']}  {alert['kind']} at {number}"


def _time(text: object) -> str:
    return datetime.fromisoformat(str(text)).strftime("%m-%d %H:%M") if text else "-"


def _short(path: Path) -> str:
    return os.path.relpath(path)
