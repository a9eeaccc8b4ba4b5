"""`cryptowatch local run`: start the embedded stack, show what it does, stop it cleanly."""

import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psycopg2
from botocore.exceptions import BotoCoreError, ClientError

from cryptowatch.local.deploy import DeployFailedError
from cryptowatch.local.emulator import EmulatorFailedError, forget_user_settings
from cryptowatch.local.lock import AlreadyRunningError, Lock
from cryptowatch.local.mail import MailCatcherError
from cryptowatch.local.origin import Kind, OriginError, decide
from cryptowatch.local.postgres import PostgresFailedError
from cryptowatch.local.processes import clean_up_leftovers
from cryptowatch.local.screen import Screen, open_screen
from cryptowatch.local.snapshot import Snapshot, take_snapshot
from cryptowatch.local.stack import LocalStack, LocalStackError
from cryptowatch.local.state import DATA_FOLDER
from cryptowatch.store.database import Connection, connect
from cryptowatch.watches.form import CheckedWatchList
from cryptowatch.watches.problem import WatchListError

#: Seconds between two looks.
LOOK_S = 0.5
#: Looks between two adjustments of fleet and mail.
LOOKS_AN_ADJUSTMENT = 4
#: Seconds a look waits for a database that is away.
PATIENCE_S = 1.0

#: What may go wrong while the stack starts or runs, each with one clear line.
#: A market with a star in it, or one of the top by volume.
_STAR = re.compile(r":\S*\*|: ?top [0-9]")
_FAILURES = (
    LocalStackError,
    DeployFailedError,
    EmulatorFailedError,
    MailCatcherError,
    OriginError,
    PostgresFailedError,
    OSError,
)
#: What is away for a moment and comes back: the database, the emulator.
_AWAY = (psycopg2.Error, BotoCoreError, ClientError)


class _StoppedError(Exception):
    """The user wants it to end while it starts."""


def run(
    source: Kind = "auto",
    replay: Path | None = None,
    speed: float | None = None,
    watches: Path = Path("examples/watches.yaml"),
    until_emails: int | None = None,
    timeout: float | None = None,
    flood: int = 0,
    data_dir: Path = DATA_FOLDER,
) -> int:
    """Run the stack until Ctrl-C, or until enough emails have been delivered; returns the exit code.

    Args:
        source: where candles come from; `auto` tries the watch list's exchange first.
        replay: a folder of recorded candles.
        speed: how many times as fast as wall time a record's clock runs.
        until_emails: end with 0 once that many have been delivered since the start.
        timeout: seconds after which to end; with 1, and what is missing, when emails are.
        flood: so many bulk tasks are queued at the start, to see the fleet grow and shrink.
    """
    began = time.monotonic()
    stop = _stop_on_signals()
    try:
        lock = Lock(data_dir)
    except AlreadyRunningError as error:
        print(error)
        return 1
    screen = open_screen("local stack", lambda: time.monotonic() - began)
    stack: LocalStack | None = None
    try:
        forget_user_settings()
        early = _check_early(watches)

        def progress(text: str) -> None:
            screen.progress(text)
            if early.done():
                early.result()
            if stop.is_set():
                raise _StoppedError

        progress(f"starting; data and logs are in {data_dir}")
        origin = decide(source, replay, speed, watches, progress)
        for name in clean_up_leftovers((data_dir / origin.name).resolve()):
            progress(f"ended what an earlier run had left: {name}")
        stack = LocalStack(data_dir, origin, progress)
        stack.start()
        early.result()
        _apply(stack, watches, progress)
        stack.run_clock()
        if flood:
            stack.flood(flood)
            progress(f"queued {flood} bulk tasks")
        return _watch(stack, screen, stop, until_emails, timeout, began)
    except _StoppedError:
        return 0 if until_emails is None else 1
    except WatchListError as error:
        screen.progress(f"the watch list cannot be used:\n{error}")
    except _FAILURES as error:
        screen.progress(f"stopped: {error}")
    finally:
        with suppress(OSError):  # a terminal that was closed
            screen.close()
        try:
            if stack:
                stack.stop()
        finally:
            lock.release()
        if stack:
            with suppress(OSError):
                screen.progress(f"stopped; the data stays in {data_dir / stack.origin.name}")
    return 1


def _stop_on_signals() -> threading.Event:
    """An event that Ctrl-C, `kill` or the end of the terminal sets."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    return stop


def _check_early(watches: Path) -> Future[None]:
    pool = ThreadPoolExecutor(1)
    checked = pool.submit(_check_offline, watches)
    pool.shutdown(wait=False)
    return checked


def _check_offline(watches: Path) -> None:
    """Read the watch list without asking an exchange, while other things start: a mistake is told early, and later
    nothing waits for libraries that are slow to load. What a star stands for only an exchange knows.
    """
    if not _STAR.search(watches.read_text(encoding="utf-8")):
        _check(watches, None, None)


def _check(watches: Path, exchange_url: str | None, progress: Callable[[str], None] | None) -> CheckedWatchList:
    """Read the watch list, without `progress` asking no exchange."""
    from cryptowatch.pipeline.catalog import ExchangeCatalog
    from cryptowatch.watches.reader import read_watch_list

    catalog = ExchangeCatalog(base_url=exchange_url, offline=progress is None, warn=progress)
    return read_watch_list(watches.read_text(encoding="utf-8"), file=str(watches), catalog=catalog)


def _apply(stack: LocalStack, watches: Path, progress: Callable[[str], None]) -> None:
    watch_list = _check(watches, stack.exchange_url, progress)
    report = stack.control({"action": "apply", "watch_list": watch_list.model_dump(mode="json", by_alias=True)})
    counts = ", ".join(f"{len(report[name])} {name}" for name in ("added", "changed", "removed", "unchanged"))
    stack.mail.sync()
    progress(f"applied {watches}: {counts}")


def _watch(
    stack: LocalStack, screen: Screen, stop: threading.Event, until: int | None, timeout: float | None, began: float
) -> int:
    """Show what happens until there is a reason to end."""
    before = len(stack.mail.emails())
    looks = 0
    connection: Connection | None = None
    snapshot: Snapshot | None = None
    trouble = ""
    try:
        while not stop.is_set():
            stack.check()
            try:
                connection = connection or connect(stack.settings(), PATIENCE_S)
                snapshot = _look(stack, connection)
                screen.show(snapshot)
                looks += 1
                if looks % LOOKS_AN_ADJUSTMENT == 0:
                    stack.fleet.adjust()
                    stack.mail.sync()
                trouble = ""
            except _AWAY as error:
                if connection:
                    connection.close()
                    connection = None
                if str(error) != trouble:
                    screen.progress(f"cannot look for the moment: {error}".strip())
                trouble = str(error)
            delivered = len(stack.mail.emails()) - before
            if until is not None and delivered >= until:
                return _end(screen, snapshot, delivered, until)
            if timeout is not None and time.monotonic() - began > timeout:
                return _end(screen, snapshot, delivered, until)
            if stack.driver and stack.driver.over.is_set() and snapshot and not _has_work(snapshot):
                screen.progress("the record is over; `make clean` forgets it, so that it can be replayed again")
                return _end(screen, snapshot, delivered, until)
            stop.wait(LOOK_S)
    finally:
        if connection:
            connection.close()
    return 0 if until is None else 1


def _look(stack: LocalStack, connection: Connection) -> Snapshot:
    sqs = stack.emulator.client("sqs")
    urls = {
        "analysis": stack.outputs.analysis_queue_url,
        "studies": stack.outputs.studies_queue_url,
        "alerts": stack.outputs.alerts_queue_url,
    }
    emails, fleet = stack.mail.emails(), stack.fleet
    doing, state = fleet.doing(), str(fleet.state())
    return take_snapshot(connection, sqs, urls, stack.clock.now(), emails, doing, state, stack.origin.speed)


def _has_work(snapshot: Snapshot) -> bool:
    queued = any(count for depth in snapshot.queues.values() for count in depth.values())
    return queued or bool(snapshot.deliveries["waiting"])


def _end(screen: Screen, snapshot: Snapshot | None, delivered: int, until: int | None) -> int:
    """Say what was reached, so that it can be seen what is missing; gives the exit code."""
    if until is None:
        return 0
    reached = f"{delivered} of {until} emails delivered"
    if snapshot:
        queued = {name: depth["visible"] + depth["in_flight"] for name, depth in snapshot.queues.items()}
        reached += (
            f": {snapshot.candles} candles stored, {snapshot.alerts} alerts, "
            f"{snapshot.deliveries['waiting']} waiting, held {snapshot.deliveries['held'] or 'none'}, "
            f"queued {queued}"
        )
    screen.progress(reached)
    return 0 if delivered >= until else 1
