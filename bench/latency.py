"""How long it takes from a stored candle to the written email, on the deployed local stack: `make bench`.

50 simulated markets at 1m, one worker, until at least 100 alerts have been emailed. The time of a candle is when its
row was first seen (looked for every 20 ms); the time of an email is when SNS had taken it.
"""

import statistics
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.local.origin import Origin
from cryptowatch.local.stack import LocalStack
from cryptowatch.markets.interval import interval_named
from cryptowatch.rules import compile_rule
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect, transaction

MARKETS, ALERTS, PATIENCE_S = 50, 100, 240.0
RULE = "crosses_above(close, sma(10))"


class CandleWatch:
    """Notes when each candle's row is first there."""

    def __init__(self, settings: Settings) -> None:
        self.seen: dict[tuple[int, datetime], float] = {}
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with closing(connect(self._settings)) as connection:
            while not self._stop.wait(0.02):
                with transaction(connection) as cursor:
                    cursor.execute("SELECT market_id, settled_to FROM series WHERE settled_to IS NOT NULL")
                    now = time.time()
                    for row in cursor.fetchall():
                        self.seen.setdefault(row, now)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)
        start = datetime.now(UTC).replace(second=0, microsecond=0)
        stack = LocalStack(Path(folder), Origin("simulated", "bench", "simulated", 30.0, start, None), print)
        try:
            stack.start()
            report(measure(stack))
        finally:
            stack.stop()


def apply_watch(stack: LocalStack) -> None:
    """Watch `MARKETS` simulated markets at 1m."""
    markets = [f"binance:{symbol}" for symbol in SimulatedRecord().symbols("binance") if "CRV" not in symbol][:MARKETS]
    watch = {"name": "bench", "markets": markets, "interval": "1m", "when": RULE, "notify": ["me"]}
    checked = [{"watch": watch, "look_back": compile_rule(RULE, interval_named("1m")).look_back}]
    people = {"me": "me@example.com"}
    stack.control({"action": "apply", "watch_list": {"recipients": people, "watches": checked}})
    stack.mail.sync()


def measure(stack: LocalStack) -> list[float]:
    """Seconds from stored candle to email, one an alert."""
    apply_watch(stack)
    candles = CandleWatch(stack.settings())
    stack.run_clock()
    deadline = time.monotonic() + PATIENCE_S
    with closing(connect(stack.settings())) as connection:
        rows: list[tuple[int, datetime, datetime]] = []
        while len(rows) < ALERTS and time.monotonic() < deadline:
            time.sleep(0.5)
            with transaction(connection) as cursor:
                cursor.execute(
                    "SELECT market_id, close_time, sent_at FROM alerts JOIN deliveries ON alert_id = id"
                    " WHERE sent_at IS NOT NULL"
                )
                rows = cursor.fetchall()
    candles.stop()
    return [
        sent.timestamp() - candles.seen[market, close]
        for market, close, sent in rows
        if (market, close) in candles.seen
    ]


def report(seconds: list[float]) -> None:
    ordered = sorted(seconds)
    median, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    print(f"{len(ordered)} alerts on {MARKETS} markets, candle stored -> email")
    print(f"median {median:.2f} s, p95 {p95:.2f} s, worst {ordered[-1]:.2f} s")


if __name__ == "__main__":
    main()
