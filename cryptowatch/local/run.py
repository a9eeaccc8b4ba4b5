"""`cryptowatch local run`: start the embedded stack, show what it does, stop it cleanly."""

import signal
import threading
import time
from contextlib import closing
from pathlib import Path
from types import FrameType

from cryptowatch.local.deploy import DeployFailedError
from cryptowatch.local.emulator import EmulatorFailedError
from cryptowatch.local.exchange.replay import BadRecordError
from cryptowatch.local.lock import AlreadyRunningError, Lock
from cryptowatch.local.origin import Kind, decide
from cryptowatch.local.processes import clean_up_leftovers
from cryptowatch.local.screen import Screen, open_screen
from cryptowatch.local.snapshot import Snapshot, take_snapshot
from cryptowatch.local.stack import LocalStack, LocalStackError
from cryptowatch.local.state import DATA_FOLDER
from cryptowatch.pipeline.catalog import ExchangeCatalog
from cryptowatch.store.database import connect
from cryptowatch.watches.form import CheckedWatchList
from cryptowatch.watches.problem import WatchListError
from cryptowatch.watches.reader import read_watch_list

#: Seconds between two looks.
LOOK_S = 0.5
#: Looks between two adjustments of fleet and mail.
LOOKS_AN_ADJUSTMENT = 4


def run(
    source: Kind = "auto",
    replay: Path | None = None,
    speed: float | None = None,
    watches: Path = Path("examples/watches.yaml"),
    until_emails: int | None = None,
    timeout: float | None = None,
    data_dir: Path = DATA_FOLDER,
) -> int:
    """Run the stack until Ctrl-C, or until enough emails have been delivered; returns the exit code.

    Args:
        source: where candles come from; `auto` tries the watch list's exchange first.
        replay: a folder of recorded candles.
        speed: how many times as fast as wall time a record's clock runs.
        until_emails: end with 0 once that many have been delivered since the start.
        timeout: seconds after which to end; with 1, and what is missing, when emails are.
    """
    began = time.monotonic()
    stop = threading.Event()
    _stop_on_signals(stop)
    try:
        lock = Lock(data_dir)
    except AlreadyRunningError as error:
        print(error)
        return 1
    screen = open_screen("local stack", lambda: time.monotonic() - began)
    stack: LocalStack | None = None
    try:
        origin = decide(source, replay, speed, watches, screen.progress)
        for name in clean_up_leftovers((data_dir / origin.name).resolve()):
            screen.progress(f"ended what an earlier run had left: {name}")
        stack = LocalStack(data_dir, origin, screen.progress)
        stack.start()
        _apply(stack, watches, screen)
        stack.run_clock()
        return _watch(stack, screen, stop, until_emails, timeout, began)
    except WatchListError as error:
        screen.progress(f"the watch list cannot be used:\n{error}")
    except (LocalStackError, DeployFailedError, EmulatorFailedError, BadRecordError, OSError) as error:
        screen.progress(f"stopped: {error}")
    finally:
        screen.close()
        if stack:
            stack.stop()
            screen.progress(f"stopped; the data stays in {data_dir / stack.origin.name}")
        lock.release()
    return 1


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _apply(stack: LocalStack, watches: Path, screen: Screen) -> None:
    catalog = ExchangeCatalog(base_url=stack.exchange_url, warn=screen.progress)
    watch_list: CheckedWatchList = read_watch_list(watches.read_text(), file=str(watches), catalog=catalog)
    report = stack.control({"action": "apply", "watch_list": watch_list.model_dump(mode="json", by_alias=True)})
    counts = ", ".join(f"{len(report[name])} {name}" for name in ("added", "changed", "removed", "unchanged"))
    screen.progress(f"applied {watches}: {counts}")
    stack.mail.sync()


def _watch(
    stack: LocalStack, screen: Screen, stop: threading.Event, until: int | None, timeout: float | None, began: float
) -> int:
    """Show what happens until there is a reason to end."""
    before = len(stack.mail.emails())
    sqs = stack.emulator.client("sqs")
    urls = {"analysis": stack.outputs.analysis_queue_url, "alerts": stack.outputs.alerts_queue_url}
    looks = 0
    with closing(connect(stack.settings())) as connection:
        while not stop.is_set():
            emails = stack.mail.emails()
            now = stack.clock.now()
            snapshot = take_snapshot(connection, sqs, urls, now, emails, stack.fleet.doing())
            screen.show(snapshot)
            if until is not None and len(emails) - before >= until:
                return 0
            if timeout is not None and time.monotonic() - began > timeout:
                return _out_of_time(screen, snapshot, len(emails) - before, until)
            if stack.driver and stack.driver.failure:
                raise LocalStackError(f"the clock stopped: {stack.driver.failure}")
            if stack.driver and stack.driver.over.is_set() and not _has_work(snapshot):
                screen.progress("the record is over; `make clean` forgets it, so that it can be replayed again")
                return 0 if until is None else _out_of_time(screen, snapshot, len(emails) - before, until)
            looks += 1
            if looks % LOOKS_AN_ADJUSTMENT == 0:
                stack.fleet.adjust()
                stack.mail.sync()
            stop.wait(LOOK_S)
    return 0 if until is None else 1


def _has_work(snapshot: Snapshot) -> bool:
    queued = any(count for depth in snapshot.queues.values() for count in depth.values())
    return queued or bool(snapshot.deliveries["waiting"])


def _out_of_time(screen: Screen, snapshot: Snapshot, delivered: int, until: int | None) -> int:
    if until is None:
        return 0
    waiting = {name: depth["visible"] + depth["in_flight"] for name, depth in snapshot.queues.items()}
    screen.progress(
        f"{delivered} of {until} emails delivered: {snapshot.candles} candles stored, {snapshot.alerts} alerts, "
        f"{snapshot.deliveries['waiting']} waiting, held {snapshot.deliveries['held'] or 'none'}, "
        f"queued {waiting}"
    )
    return 1
