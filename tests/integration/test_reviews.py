"""What was settled is looked at again: gaps are asked for once more, outliers are marked, and neither moves a watch."""

from datetime import timedelta
from typing import Any

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.backfill import Backfill
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import transaction
from cryptowatch.store.gaps import Asked, gaps
from cryptowatch.store.reviews import DELAYS, marked, sources_to_review, told_of_gaps

MINUTE = INTERVALS["1m"]
DAY = timedelta(days=1)


def look_again(world, source: str = "binance") -> None:
    exchange = open_source(source, base_url=world.exchange.url, speed=1000, timeout_ms=2000)
    assert Backfill(source, exchange, world.writer, world.clock, lambda: 60.0).run() is None


def due(world) -> list[str]:
    with transaction(world.writer) as cursor:
        return sources_to_review(cursor, world.clock.at)


def asks(world) -> list[tuple[Any, ...]]:
    """Minutes from noon on, how often it was asked for again, candles found, and when next, after now."""
    noon = MINUTE.step_at(world.clock.at.replace(hour=12, minute=0))
    rows = world.query("SELECT from_time, to_time, asks, found, next_ask - %s FROM gap_asks ORDER BY 1", world.clock.at)
    return [(MINUTE.step_at(begin) - noon, MINUTE.step_at(end) - noon, *rest) for begin, end, *rest in rows]


def watched(world) -> None:
    """Trades until noon and after it, but for the minutes 3 to 5 and 9 after noon."""
    quiet = {3, 4, 5, 9}
    closes = [None if minute in quiet else 100.0 for minute in range(-600, 100)]
    world.record.trade("BTC/USDT", -600, closes)
    world.apply({"when": "close > 110"})
    world.minute(1)
    world.clock.at += timedelta(minutes=20)
    world.ingest()
    world.analyse()


def test_gaps_are_asked_for_again_with_growing_delay_until_it_is_given_up(world) -> None:
    watched(world)
    assert due(world) == ["binance"]
    look_again(world)
    first = [(3, 6, 0, 0), (9, 10, 0, 0)]
    assert [row[:4] for row in asks(world)] == first
    assert due(world) == [], "their time has not come"
    requests = sum(world.exchange.requests.values())
    look_again(world)
    assert sum(world.exchange.requests.values()) == requests
    for count in range(1, len(DELAYS) + 1):
        world.clock.at += DELAYS[count - 1]
        assert due(world) == ["binance"]
        look_again(world)
        following = DELAYS[count] if count < len(DELAYS) else None
        assert [row[2:] for row in asks(world)[:2]] == [(count, 0, following)] * 2


def test_what_comes_late_is_stored_and_counted_and_fires_nothing(world) -> None:
    watched(world)
    look_again(world)
    before = world.query("SELECT next_time, state FROM watch_state")
    world.record.trade("BTC/USDT", 4, [150.0])
    world.clock.at += DELAYS[0]
    look_again(world)
    assert asks(world)[0][:4] == (3, 6, 1, 1)
    assert world.query("SELECT late_candles, candles = (SELECT count(*) FROM candles) FROM series") == [(1, True)]
    world.analyse()
    assert world.alerts() == []
    assert world.query("SELECT next_time, state FROM watch_state") == before
    told = gaps(world.writer, Asked(world.clock.at - DAY, 100), world.clock.at)["gaps"]
    with transaction(world.writer) as cursor:
        told_of_gaps(cursor, told)
    missing = [(gap["candles"], gap["asks"]) for gap in told if gap["state"] == "missing"]
    assert missing == [(1, 1), (1, 1), (1, 1)]
    assert all(gap["next_ask"] > world.clock.at.isoformat() for gap in told if gap["state"] == "missing")


def test_a_gap_that_is_filled_whole_is_not_asked_for_any_more(world) -> None:
    watched(world)
    look_again(world)
    world.record.trade("BTC/USDT", 9, [101.0])
    world.clock.at += DELAYS[0]
    look_again(world)
    assert asks(world)[1] == (9, 10, 1, 1, None)


def test_a_wick_that_another_exchange_does_not_show_is_marked_and_stays_as_it_is(world) -> None:
    for symbol in ("BTC/USD", "ETH/USD"):
        world.record.trade(symbol, -600, [100.0] * 640)
    world.apply({"when": "close > 110", "markets": ["coinbase:BTC/USD", "coinbase:ETH/USD", "kraken:BTC/USD"]})
    world.clock.at += timedelta(minutes=30)
    world.ingest("coinbase")
    world.ingest("kraken")
    # Both of coinbase reach 50 % above; only for one of them there is an exchange that says otherwise.
    spike = world.query(
        "UPDATE candles SET high = 150 WHERE open_time = %s AND market_id IN"
        " (SELECT id FROM markets WHERE source = 'coinbase') RETURNING open_time",
        MINUTE.open_time(MINUTE.step_at(world.clock.at) - 10),
    )
    look_again(world, "coinbase")
    look_again(world, "kraken")
    with transaction(world.writer) as cursor:
        (mark,) = marked(cursor, world.clock.at - DAY, 10)
    assert mark == {
        "market": "coinbase:BTC/USD",
        "interval": "1m",
        "open_time": spike[0][0].isoformat(),
        "wick": 0.5,
        "not_on": "kraken:BTC/USD",
    }
    assert world.query("SELECT count(*) FROM candles WHERE high = 150") == [(2,)]


def test_an_outlier_that_every_exchange_shows_is_none(world) -> None:
    world.record.trade("BTC/USD", -600, [100.0] * 640)
    world.apply({"when": "close > 110", "markets": ["coinbase:BTC/USD", "kraken:BTC/USD"]})
    world.clock.at += timedelta(minutes=30)
    world.ingest("coinbase")
    world.ingest("kraken")
    world.query(
        "UPDATE candles SET low = 50 WHERE open_time = %s RETURNING 1",
        MINUTE.open_time(MINUTE.step_at(world.clock.at) - 10),
    )
    look_again(world, "coinbase")
    with transaction(world.writer) as cursor:
        assert marked(cursor, world.clock.at - DAY, 10) == []
