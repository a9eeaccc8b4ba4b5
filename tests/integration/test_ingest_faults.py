"""What a source does wrong stays with the market it concerns."""

from contextlib import closing
from datetime import timedelta

from cryptowatch.local.exchange.faults import price, status
from cryptowatch.pipeline.ingest import IngestRun
from cryptowatch.settings import Settings
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import connect
from cryptowatch.store.sources import source_lock

FLAT = [100.0] * 40


def trade(world, *symbols: str) -> None:
    for symbol in symbols:
        world.record.trade(symbol, -30, FLAT)


def test_a_false_answer_is_kept_in_status_and_healed_at_a_later_run(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT")
    world.apply({"when": "close > 110"})
    world.minute(1)
    world.exchange.inject(price(-1.0, "close"), "binance", "ADA/USDT", times=1)
    world.minute(1)
    errors = world.query(
        "SELECT symbol, last_error FROM series JOIN markets ON id = market_id WHERE last_error IS NOT NULL"
    )
    assert [symbol for symbol, _ in errors] == ["ADA/USDT"]
    world.minute(1)
    assert world.query("SELECT count(*) FROM series WHERE last_error IS NOT NULL") == [(0,)]
    assert world.query("SELECT count(DISTINCT settled_to) FROM series") == [(1,)]
    assert world.query("SELECT min(close) FROM candles") == [(100.0,)]


def test_however_many_markets_fail_the_others_are_read(world) -> None:
    bad = [f"A{number}/USDT" for number in range(7)]
    trade(world, *bad, "ZEC/USDT")
    world.apply({"when": "close > 110"})
    for symbol in bad:
        world.exchange.inject(status(500), "binance", symbol, times=None)
    for _ in range(3):
        world.clock.at += timedelta(minutes=1)
        world.ingest()
    rows = world.query("SELECT symbol FROM series JOIN markets ON id = market_id WHERE settled_to IS NOT NULL")
    assert rows == [("ZEC/USDT",)]


def test_too_many_requests_stop_the_source_for_as_long_as_it_asked(world) -> None:
    trade(world, "BTC/USDT")
    world.apply({"when": "close > 110"})
    world.exchange.inject(status(429, {"Retry-After": "60000"}), "binance", "BTC/USDT", times=1)
    world.clock.at += timedelta(minutes=1)
    assert world.ingest() == "unavailable"
    assert world.ingest() == "paused"
    pause = world.query("SELECT paused_until - now() FROM sources")[0][0]
    assert timedelta(seconds=50) < pause <= timedelta(seconds=61), "told on the exchange's own clock"


def test_a_market_silent_for_a_week_is_not_asked_for_its_whole_silence_again(world) -> None:
    world.record.trade("BTC/USD", -30, [*FLAT[:30], 100.0])
    world.apply({"when": "close > 110", "markets": ["coinbase:BTC/USD"]})
    world.clock.at += timedelta(minutes=1)
    world.ingest("coinbase")
    world.clock.at += timedelta(days=7)
    world.ingest("coinbase")
    world.exchange.requests.clear()
    world.clock.at += timedelta(minutes=1)
    world.ingest("coinbase")
    candles = sum(count for (_, path), count in world.exchange.requests.items() if path.endswith("/candles"))
    assert candles == 1


def test_two_runs_at_once_the_second_leaves(world, database) -> None:
    trade(world, "BTC/USDT")
    world.apply({"when": "close > 110"})
    with closing(connect(Settings({"DATABASE_URL": database}))) as other, source_lock(other, "binance") as held:
        assert held
        assert world.ingest() == "busy"
    assert world.ingest() == "done"


def test_a_run_stops_in_time_for_its_limit_and_the_next_goes_on(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT", "ETH/USDT")
    world.apply({"when": "close > 110"})
    world.clock.at += timedelta(minutes=1)
    left = iter([100.0])  # of the first market; then the limit is near
    exchange = open_source("binance", base_url=world.exchange.url, speed=1000)
    run = IngestRun("binance", exchange, world.writer, world.told, world.clock, lambda: next(left, 10.0))
    assert run.run() == "out of time"
    assert world.query("SELECT count(*) FROM series WHERE settled_to IS NOT NULL") == [(1,)]
    assert world.ingest() == "done"
    assert world.query("SELECT count(*) FROM series WHERE settled_to IS NOT NULL") == [(3,)]
