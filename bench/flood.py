"""Whether a flood of bulk work delays live alerts: `python -m bench.flood`, part of `make drill`.

One real instance of the local fleet, 50 simulated markets at 1m. The time of an alert is from when its candle's row was
first seen (looked for every 20 ms) until the alert's row was written. 10,000 bulk tasks are queued, each of which keeps
a processor busy for a second. Calm and flood take turns, half a minute each: in the calm the bulk worker is stopped.
"""

import os
import signal
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench.drill_tasks import BURN
from bench.latency import CandleWatch, apply_watch
from cryptowatch.local.emulator import aws_environment
from cryptowatch.local.origin import Origin
from cryptowatch.local.stack import LocalStack
from cryptowatch.queues import StudiesQueue, depth
from cryptowatch.store.database import connect, transaction

TASKS, TURN_S, TURNS = 10_000, 30.0, 6


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)
        start = datetime.now(UTC).replace(second=0, microsecond=0)
        origin = Origin("simulated", "bench", "simulated", 30.0, start, None)
        stack = LocalStack(Path(folder), origin, print, include=["bench.drill_tasks"], changes={"HUNG_SECONDS": "1e6"})
        try:
            stack.start()
            os.environ.update(aws_environment(stack.emulator.endpoint_url))
            report(stack, *measure(stack))
        finally:
            stack.stop()


def measure(stack: LocalStack) -> tuple[list[float], list[float]]:
    """Seconds from candle to alert, in the calm and under the flood."""
    apply_watch(stack)
    candles = CandleWatch(stack.settings())
    stack.run_clock()
    (instance,) = stack.fleet.in_service
    queue = StudiesQueue(stack.settings())
    for _ in range(TASKS):
        queue.send(BURN, seconds=1.0)
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 * TURNS):
        bulk = signal.SIGCONT if turn % 2 else signal.SIGSTOP
        os.killpg(instance.bulk.pid, bulk)
        began = datetime.now(UTC)
        time.sleep(TURN_S)
        found[turn % 2].extend(_alerts_since(stack, candles, began))
    candles.stop()
    return found


def _alerts_since(stack: LocalStack, candles: CandleWatch, began: datetime) -> list[float]:
    with closing(connect(stack.settings())) as connection, transaction(connection) as cursor:
        cursor.execute("SELECT market_id, close_time, created_at FROM alerts WHERE created_at > %s", [began])
        rows = cursor.fetchall()
    seen = candles.seen
    return [made.timestamp() - seen[market, close] for market, close, made in rows if (market, close) in seen]


def report(stack: LocalStack, calm: list[float], flood: list[float]) -> None:
    left = depth(stack.emulator.client("sqs"), stack.outputs.studies_queue_url)["visible"]
    (instance,) = stack.fleet.in_service
    lines = instance.bulk.log.read_text(errors="replace").splitlines()
    done = sum(f"Task {BURN}[" in line and "succeeded" in line for line in lines)
    print(f"{TASKS} bulk tasks queued, {done} done, {left} wait at the end, those that the sweep queued among them")
    print("| | alerts | median | p95 |\n|---|---:|---:|---:|")
    for name, seconds in (("calm", calm), ("flood", flood)):
        print(f"| {name} | {len(seconds)} | {statistics.median(seconds):.3f} s | {_p95(seconds):.3f} s |")
    print(f"p95 under the flood is {_p95(flood) / _p95(calm):.2f} times the calm one")


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


if __name__ == "__main__":
    main()
