"""Many who read one exchange at the same time share what it allows; one that asks us to wait stops itself alone."""

import os
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from cryptowatch.clock import Anchor, RecordClock
from cryptowatch.local.exchange.faults import status
from cryptowatch.local.exchange.limits import TokenBucket
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.dispatch import dispatch
from cryptowatch.pipeline.ingest import IngestRun, seconds_left_of
from cryptowatch.settings import Settings
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import connect
from cryptowatch.store.sources import is_being_read, source_lock
from cryptowatch.store.turns import StoredTurns

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPEED = 2.0
#: Requests a second that the server allows, of the exchange's time.
RATE = 5.0
#: Seconds of the exchange's time for which it is asked; `make faults` asks for ten minutes.
SECONDS = float(os.environ.get("LIMIT_SECONDS", "10"))


def test_who_shares_a_limit_uses_nearly_all_of_it_and_is_never_refused(database, connection, tmp_path) -> None:
    """Four readers with a connection each; the server refuses what is too much."""
    clock = RecordClock(tmp_path / "clock.json")
    clock.write(Anchor(time.time(), NOON.timestamp(), SPEED, NOON.timestamp() + 86_400))
    minute = INTERVALS["1m"]
    limits = {"coinbase": TokenBucket(RATE, 15)}
    allowed = [0] * 4
    problems: list[Exception] = []
    with SimulatedExchange(SimulatedRecord(), clock, limits=limits) as server:
        exchanges = [open_source("coinbase", base_url=server.url, speed=SPEED) for _ in allowed]
        for exchange in exchanges:
            exchange.symbols()
            exchange._client.rateLimit = 1000 / RATE
        end = time.monotonic() + SECONDS / SPEED

        def read(number: int) -> None:
            try:
                with closing(connect(Settings({"DATABASE_URL": database}))) as mine:
                    exchange = exchanges[number]
                    exchange.turns = StoredTurns(mine, "coinbase")
                    step = minute.step_at(NOON) - 100
                    while time.monotonic() < end:
                        list(exchange.pages("BTC/USD", minute, step, step + 5, NOON))
                        allowed[number] += 1
            except Exception as error:
                problems.append(error)

        threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert not [one for one in server.log if one.status == 429]
    used = sum(allowed) / RATE / SECONDS
    print(f"{used:.1%} of what is allowed, {sum(allowed)} requests, by reader {allowed}")
    assert used >= 0.9
    assert max(allowed) <= 1.5 * min(allowed) + 2, allowed


def test_a_source_that_asks_to_wait_stops_all_who_read_it_and_no_other_source(world, reader) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 40)
    world.apply({"when": "close > 110", "markets": ["binance:BTC/USDT", "kraken:BTC/USDT"]})
    world.exchange.inject(status(429, {"Retry-After": "60000"}), "binance", "BTC/USDT", times=1)
    assert world.ingest("binance") == "unavailable"
    turns = StoredTurns(reader, "binance")
    assert 50 < turns.take(1.0, 0.0) <= 60, "those under way wait too"
    assert world.ingest("binance") == "paused"
    assert world.ingest("kraken") == "done"


def test_a_source_that_keeps_failing_is_left_alone_and_told_of_once(world, caplog: pytest.LogCaptureFixture) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 40)
    world.apply({"when": "close > 110"})
    world.exchange.outage("binance")
    outcomes = []
    for _ in range(3):
        outcomes.append(world.ingest())
    assert outcomes == ["unavailable"] * 3
    assert world.query("SELECT failures, open_since IS NOT NULL FROM sources") == [(3, True)]
    world.query("UPDATE sources SET paused_until = NULL RETURNING 1")
    assert world.ingest() == "unavailable", "one run tries"
    world.exchange.heal()
    world.query("UPDATE sources SET paused_until = NULL RETURNING 1")
    assert world.ingest() == "done"
    assert world.query("SELECT failures, open_since, paused_until FROM sources") == [(0, None, None)]
    changes = [one.message for one in caplog.records if one.message in ("source is left alone", "source is back")]
    assert changes == ["source is left alone", "source is back"]


def test_a_big_source_is_read_in_shards_by_runs_beside_each_other(world, reader, monkeypatch) -> None:
    monkeypatch.setattr("cryptowatch.pipeline.dispatch.MARKETS_A_SHARD", 7)
    symbols = [f"C{number}/USDT" for number in range(8)]
    for symbol in symbols:
        world.record.trade(symbol, -3, [100.0] * 10)
    world.apply({"when": "close > 110"})
    events: list[dict] = []
    world.clock.at += timedelta(minutes=1)
    assert dispatch(world.writer, world.clock, events.append) == ["binance"]
    assert events == [{"source": "binance", "shard": shard, "shards": 2} for shard in (0, 1)]
    with source_lock(reader, "binance", shard=0) as held:
        assert held
        with reader.cursor() as cursor:
            assert is_being_read(cursor, "binance")
        exchange = open_source("binance", base_url=world.exchange.url, speed=1000)
        runs = [
            IngestRun("binance", exchange, world.writer, world.told, world.clock, seconds_left_of(60), shard, 2)
            for shard in (0, 1)
        ]
        assert [run.run() for run in runs] == ["busy", "done"]
        half = world.query("SELECT count(*) FROM series WHERE settled_to IS NOT NULL")[0][0]
        assert half == 4
    assert runs[0].run() == "done"
    assert world.query("SELECT count(*) FROM series WHERE settled_to IS NULL") == [(0,)]
