"""What a fleet loses when its instances go: `make drill` takes instances and workers of the local fleet under load.

Four real instances, each with a live and a bulk worker and its drain daemon, a queue of bulk tasks that never empties,
live analysis all the time, and eight simulated markets that raise alerts. Then, one kind of trouble after the other:
scale-ins, Spot notices (the end comes 42 s after the notice, so unfinished tasks go back 12 s after it), kill -9 and
SIGSTOP of workers. Afterwards every task that was sent must have been done, and the alerts must be exactly those that
the stored candles ask for.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.drill_tasks import DRILL, TABLE
from bench.expected import missing_and_surplus
from cryptowatch.local.emulator import aws_environment
from cryptowatch.local.instance import Instance
from cryptowatch.local.origin import Origin
from cryptowatch.local.stack import LocalStack
from cryptowatch.markets.interval import interval_named
from cryptowatch.queues import WAIT_SECONDS, AnalysisQueue, StudiesQueue, depth
from cryptowatch.rules import compile_rule
from cryptowatch.store.database import Connection, connect, transaction

RULE = "close > sma(3)"
MARKETS = [f"binance:{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK")]
#: Seconds a worker may give no sign of life, and until a Spot instance ends; both less than in the cloud.
HUNG_S, SPOT_S = 40.0, 42.0
#: Seconds until a task counts as lost.
LOST_S = 200.0
#: Seconds that nearly every bulk task takes.
SHORT_S = (0.2, 1.5)


@dataclass(frozen=True)
class Size:
    """How large a drill is.

    Args:
        instances: at all times.
        backlog: bulk tasks that wait.
        long_s: seconds that every twentieth bulk task takes.
        visibility_s: seconds a bulk task that a killed worker held stays invisible, in place of 600.
    """

    instances: int = 4
    backlog: int = 60
    long_s: float = 20.0
    visibility_s: int = 60


FULL = Size()


@dataclass(frozen=True)
class Outcome:
    """What one kind of trouble did."""

    what: str
    times: int
    tasks: int
    lost: int
    again: int
    alerts: int
    alerts_lost: int
    alerts_twice: int
    longest_drain_s: float
    cut_off: int

    def row(self) -> str:
        drain = f"{self.longest_drain_s:.1f} s" if self.longest_drain_s else "-"
        cells = (self.what, self.times, self.tasks, self.lost, self.again, self.alerts, self.alerts_lost)
        return "| " + " | ".join(map(str, (*cells, self.alerts_twice, drain, self.cut_off))) + " |"


HEAD = (
    "| drill | times | tasks | lost | done again | alerts | alerts lost | twice or wrong | longest drain | cut off |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


class Feeder:
    """Keeps both queues busy in a thread of its own."""

    def __init__(self, stack: LocalStack, market_ids: list[int], size: Size) -> None:
        self.sent = 0
        self._size = size
        self._stack, self._market_ids = stack, market_ids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        settings, sqs = self._stack.settings(), self._stack.emulator.client("sqs")
        studies, analysis = StudiesQueue(settings), AnalysisQueue(settings)
        while not self._stop.wait(0.2):
            if depth(sqs, self._stack.outputs.analysis_queue_url)["visible"] < self._size.instances:
                analysis.send(60, self._market_ids, "0/0")
            missing = self._size.backlog - depth(sqs, self._stack.outputs.studies_queue_url)["visible"]
            for _ in range(missing):
                seconds = self._size.long_s if self.sent % 20 == 19 else random.uniform(*SHORT_S)
                studies.send(DRILL, number=self.sent, seconds=seconds)
                self.sent += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


class Drill:
    """Makes trouble for the instances of a running stack.

    Args:
        stack: with a watch on `MARKETS`, its clock running.
        feeder: keeps it busy.
    """

    def __init__(self, stack: LocalStack, connection: Connection, feeder: Feeder) -> None:
        self._fleet = stack.fleet
        self._connection = connection
        self._feeder = feeder
        self._first_task = 0
        self._alerts = 0

    def run(self, what: str, times: int, trouble: Callable[[Instance], object]) -> Outcome:
        """Make trouble so many times, each for an instance that works, and see what became of it."""
        self._fleet.drained.clear()
        cut_off = self._fleet.cut_off
        self._trouble(times, trouble)
        last_task, first_task = self._feeder.sent, self._first_task
        self._first_task = last_task
        done = self._wait_for_tasks(first_task, last_task)
        alerts = self._count("SELECT count(*) FROM alerts")
        missing, surplus = missing_and_surplus(self._connection, RULE)
        outcome = Outcome(
            what=what,
            times=times,
            tasks=last_task - first_task,
            lost=last_task - first_task - done,
            again=self._count("SELECT count(*) FROM drill WHERE number >= %s AND number < %s", first_task, last_task)
            - done,
            alerts=alerts - self._alerts,
            alerts_lost=missing,
            alerts_twice=surplus,
            longest_drain_s=max(self._fleet.drained, default=0.0),
            cut_off=self._fleet.cut_off - cut_off,
        )
        self._alerts = alerts
        return outcome

    def _trouble(self, times: int, trouble: Callable[[Instance], object]) -> None:
        """One instance at a time stays out of trouble, so that live work goes on."""
        struck: set[tuple[int, int]] = set()  # by the pids of both workers: what was replaced may be struck again
        while times or self._fleet.leaving or any(_pids(one) in struck for one in self._fleet.in_service):
            self._fleet.adjust()
            ready = [one for one in self._fleet.in_service if one.is_ready() and _pids(one) not in struck]
            for instance in ready[1 : times + 1]:
                struck.add(_pids(instance))
                trouble(instance)
                times -= 1
            time.sleep(0.2)

    def _wait_for_tasks(self, first: int, last: int) -> int:
        """Until all these tasks are done, or are lost, and alerts have gone on."""
        deadline = time.monotonic() + LOST_S
        while True:
            self._fleet.adjust()
            query = "SELECT count(DISTINCT number) FROM drill WHERE number >= %s AND number < %s"
            done = self._count(query, first, last)
            alerts = self._count("SELECT count(*) FROM alerts")
            if (done == last - first and alerts > self._alerts) or time.monotonic() > deadline:
                return done
            time.sleep(0.3)

    def _count(self, query: str, *values: int) -> int:
        with transaction(self._connection) as cursor:
            cursor.execute(query, values)
            return int(cursor.fetchone()[0])  # type: ignore[index]


def _pids(instance: Instance) -> tuple[int, int]:
    return instance.live.pid, instance.bulk.pid


def signal_a_worker(number: signal.Signals) -> Callable[[Instance], None]:
    """Signals the live or the bulk worker of an instance, its main process alone."""

    def strike(instance: Instance) -> None:
        os.kill(random.choice((instance.live, instance.bulk)).pid, number)

    return strike


@contextmanager
def drilled_stack(size: Size = FULL) -> Iterator[tuple[LocalStack, Drill]]:
    """A deployed local stack with its watch, its clock and its load running."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        start = datetime.now(UTC).replace(second=0, microsecond=0)
        origin = Origin("simulated", "drill", "simulated", 30.0, start, None)
        stack = LocalStack(
            Path(folder),
            origin,
            print,
            least_instances=size.instances,
            most_instances=size.instances,
            include=["bench.drill_tasks"],
            changes={"HUNG_SECONDS": f"{HUNG_S:g}"},
        )
        before = dict(os.environ)
        try:
            stack.start()
            os.environ.update(aws_environment(stack.emulator.endpoint_url))  # for the feeder
            with closing(connect(stack.settings())) as connection:
                market_ids = _prepare(stack, connection, size.visibility_s)
                feeder = Feeder(stack, market_ids, size)
                try:
                    yield stack, Drill(stack, connection, feeder)
                finally:
                    feeder.stop()
        finally:
            os.environ.clear()
            os.environ.update(before)
            stack.stop()


def _prepare(stack: LocalStack, connection: Connection, visibility_s: int) -> list[int]:
    """Apply the watch, start the clock, make the drill's table; gives the markets' ids."""
    watch = {"name": "drill", "markets": MARKETS, "interval": "1m", "when": RULE, "notify": ["me"]}
    checked = [{"watch": watch, "look_back": compile_rule(RULE, interval_named("1m")).look_back}]
    stack.control({"action": "apply", "watch_list": {"recipients": {"me": "me@example.com"}, "watches": checked}})
    stack.mail.sync()
    stack.run_clock()
    url = stack.outputs.studies_queue_url
    stack.emulator.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(visibility_s)})
    time.sleep(WAIT_SECONDS + 1)  # until every receive that still goes by the old visibility is over
    with transaction(connection) as cursor:
        cursor.execute(TABLE)
        cursor.execute("SELECT id FROM markets ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="of each kind of trouble; hung workers a fifth of it")
    times = parser.parse_args().times
    with drilled_stack() as (stack, drill):
        print(HEAD)
        for what, number, trouble in (
            ("kill -9 of a worker", times, signal_a_worker(signal.SIGKILL)),
            ("Spot notice", times, lambda instance: stack.fleet.interrupt(instance, SPOT_S)),
            ("scale-in", times, stack.fleet.leave),
            ("hung worker (SIGSTOP)", max(1, times // 5), signal_a_worker(signal.SIGSTOP)),
        ):
            print(drill.run(what, number, trouble).row(), flush=True)


if __name__ == "__main__":
    main()
