"""The model beside real workers: the same messages to worker processes on the emulator's queue, and to the model.

`python -m bench.scaling.validate` prints what bench/scaling/validated.yaml holds. How long a task takes is what the
workers' own log says; how a message gets to a worker, from messages sent alone and from the gaps within the first kind
of burst. How long the messages of both kinds wait is measured, and predicted from these.
"""

import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from bench.scaling.fleet import Fleet, Receive, Size, TaskTime
from bench.scaling.load import Message
from bench.scaling.prepared import INTERVAL_S, Prepared
from bench.scaling.simulate import weighted_percentile
from cryptowatch.local.emulator import aws_environment, clean_environment, start_emulator, wait_for_emulator
from cryptowatch.local.postgres import Postgres
from cryptowatch.local.processes import Child, stop_all
from cryptowatch.queues import AnalysisQueue
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

WORKERS, MARKETS = 2, 1200
#: Name, messages of a round, markets of each, seconds between them, rounds.
BURSTS = (("12 messages of 100 at once", 12, 100, 0.0, 8), ("100 messages of 10, 50 a second", 100, 10, 0.02, 4))
PATIENCE_S = 60.0


class Served(NamedTuple):
    """A message: when it was sent, when its task ended, how long that took by the log, and whose log that is."""

    sent: float
    ended: float
    seconds: float
    markets: int
    worker: str


class RealFleet:
    """Workers on the emulator's queue, over a prepared database."""

    def __init__(self, closing_: ExitStack, folder: Path) -> None:
        postgres = Postgres(folder)
        closing_.callback(postgres.stop)
        child, emulator = start_emulator(folder, {})
        closing_.callback(child.stop)
        wait_for_emulator(child, emulator)
        sqs = emulator.client("sqs")
        visible = {"VisibilityTimeout": "60"}
        names = ("analysis", "studies", "alerts")
        urls = {name: sqs.create_queue(QueueName=name, Attributes=visible)["QueueUrl"] for name in names}
        environment = {**clean_environment(), **aws_environment(emulator.endpoint_url), "DATABASE_URL": postgres.dsn}
        environment |= {f"{name.upper()}_QUEUE_URL": url for name, url in urls.items()}
        os.environ.update(aws_environment(emulator.endpoint_url))  # for the sender in this process
        settings = Settings(environment)
        connection = closing_.enter_context(closing(connect(settings)))
        now = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(hours=2)
        self.prepared = Prepared(connection, MARKETS, 100, now)
        self.queue = AnalysisQueue(settings)
        self.workers = [_worker(f"worker-{number}", environment, folder) for number in range(WORKERS)]
        closing_.callback(stop_all, self.workers, 5.0)
        self.minute = 0

    def round(self, messages: int, size: int, gap_s: float) -> list[Served]:
        """Let a minute close for messages of so many markets, send them, and wait until all are served."""
        self.minute += 1
        ids = self.prepared.market_ids[: messages * size]
        self.prepared.close(ids, self.minute)
        before = sum(1 for _ in self._log())
        sent: dict[tuple[int, ...], float] = {}
        for start in range(0, len(ids), size):
            part = ids[start : start + size]
            sent[tuple(part)] = time.time()
            self.queue.send(INTERVAL_S, part, "0/0")
            time.sleep(gap_s)
        deadline = time.monotonic() + PATIENCE_S
        while len(found := list(self._log())) < before + messages:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found) - before} of {messages} messages served in {PATIENCE_S:g} s")
            time.sleep(0.05)
        newest = sorted(found, key=lambda one: one[0])[-messages:]
        return [Served(sent[ids], ended, seconds, len(ids), worker) for ended, seconds, ids, worker in newest]

    def wait(self) -> None:
        """Until each worker has served something."""
        while any("analysed" not in worker.log.read_text() for worker in self.workers):
            self.round(8, 10, 0.0)

    def _log(self) -> Iterator[tuple[float, float, tuple[int, ...], str]]:
        for worker in self.workers:
            for line in worker.log.read_text().splitlines():
                if '"analysed"' in line:
                    event = json.loads(line)
                    at = datetime.strptime(event["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
                    yield at.timestamp(), event["seconds"], tuple(event["market_ids"]), worker.name


def _worker(name: str, environment: dict[str, str], folder: Path) -> Child:
    command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", "analysis", "-c", "1"]
    command += ["-n", f"{name}@local", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Child(name, command, environment, folder)


def idle_seconds(fleet: RealFleet) -> float:
    """The median time from sent to begun, of messages sent one at a time."""
    ones = [one for _ in range(20) for one in fleet.round(1, 10, 0.0)]
    return statistics.median(one.ended - one.sent - one.seconds for one in ones)


def busy_seconds(rounds: Sequence[Sequence[Served]]) -> float:
    """The median time from the end of a worker's task to the begin of its next one, within bursts."""
    gaps = []
    for served in rounds:
        for worker in {one.worker for one in served}:
            own = sorted((one for one in served if one.worker == worker), key=lambda one: one.ended)
            gaps += [later.ended - later.seconds - one.ended for one, later in pairwise(own)]
    return statistics.median(gaps)


def predict(served: Sequence[Served], receive: Receive, seed: int) -> list[float]:
    """What the model says of the same messages with tasks as long as the log tells: seconds from sent to done."""
    seconds = [one.seconds for one in served]
    spread = statistics.pstdev(math.log(max(value, 0.001)) for value in seconds)
    task = TaskTime(statistics.fmean(seconds), 0.0, 0.0, spread)
    size = Size(live_slots=1, bulk_slots=0, database_cores=WORKERS)
    fleet = Fleet(size, task, random.Random(seed), WORKERS, receive=receive)
    start = min(one.sent for one in served)
    messages = sorted((Message(one.sent - start, 0.0, one.markets) for one in served), key=lambda one: one.at)
    fleet.env.process(fleet.feed(messages))
    fleet.env.run(until=PATIENCE_S)
    return [one.ended - one.message.at for one in fleet.live.done]


def main() -> None:
    """Measure, predict, and print both with their ratio: medians over rounds."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        fleet = RealFleet(stack, Path(folder))
        fleet.wait()
        idle_s = idle_seconds(fleet)
        found = [
            [fleet.round(messages, size, gap_s) for _ in range(rounds)] for _, messages, size, gap_s, rounds in BURSTS
        ]
        receive = Receive(idle_s, busy_seconds(found[0]))
        bursts: dict[str, dict[str, float]] = {}
        for (name, *_), served in zip(BURSTS, found, strict=True):
            measured = [[one.ended - one.sent for one in each] for each in served]
            predicted = [predict(each, receive, seed) for seed, each in enumerate(served)]
            bursts[name] = _beside(measured, predicted)
            bursts[name]["task_seconds"] = round(statistics.fmean(one.seconds for each in served for one in each), 3)
        out = {
            "workers": WORKERS,
            "idle_seconds": round(receive.idle_s, 3),
            "busy_seconds": round(receive.busy_s, 3),
            "bursts": bursts,
        }
        print(yaml.safe_dump(out, sort_keys=False), end="")


def _beside(measured: Sequence[Sequence[float]], predicted: Sequence[Sequence[float]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for percent in (50, 95):
        real, model = (
            statistics.median(weighted_percentile(np.array(one), np.ones(len(one)), percent) for one in rounds)
            for rounds in (measured, predicted)
        )
        out |= {
            f"p{percent}_measured": round(real, 2),
            f"p{percent}_model": round(model, 2),
            f"p{percent}_ratio": round(model / real, 2),
        }
    return out


if __name__ == "__main__":
    main()
