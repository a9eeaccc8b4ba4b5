"""What a market's silence means, from real answers to the evaluated moment."""

from datetime import timedelta

import pytest

FLAT = [100.0] * 30


def test_a_market_without_a_trade_waits_for_its_own_next_candle(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, 100.0, None, None, 120.0])
    world.apply({"when": "close > 110"})
    world.minute(3)
    assert world.alerts() == []
    assert world.query("SELECT count(*) FROM candles") == [(31,)]
    world.minute(2)
    assert world.alerts() == [("BTC/USDT", 4, "fired")]


def test_another_market_s_candle_settles_the_step_a_minute_after_its_close(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, *FLAT])
    world.record.trade("ETH/USDT", -30, [*FLAT, 100.0, None, None, None])
    world.apply({"when": "volume < 1"})
    world.minute(2)
    assert ("ETH/USDT", 2, "fired") not in world.alerts(), "its grace of a minute is not over"
    world.minute(1)
    assert world.alerts() == [("ETH/USDT", 2, "fired")]


@pytest.mark.parametrize("source", ["binance", "coinbase", "kraken"])
def test_a_market_without_a_trade_for_twelve_hours_goes_on_by_itself(world, source) -> None:
    symbol = "BTC/USD" if source != "binance" else "BTC/USDT"
    quiet = 12 * 60
    world.record.trade(symbol, -30, [*FLAT, *[None] * quiet, 120.0, 120.0])
    world.apply({"when": "close > 110", "markets": [f"{source}:{symbol}"]})
    world.clock.at += timedelta(minutes=1)
    world.ingest(source)
    world.clock.at += timedelta(minutes=quiet + 1)
    assert world.ingest(source) == "done"
    world.analyse()
    assert world.query("SELECT max(close) FROM candles") == [(120.0,)]
    settled = world.query("SELECT settled_to FROM series")[0][0]
    assert settled >= world.clock.at - timedelta(minutes=2)


def test_a_source_away_for_longer_than_it_serves_history_leaves_a_hole_that_is_never_filled(world) -> None:
    world.record.trade("BTC/USD", -30, [100.0 + minute % 7 for minute in range(2000)])
    world.apply({"when": "close > 0 and sma(5) > 0", "markets": ["kraken:BTC/USD"]})
    world.clock.at += timedelta(minutes=2)
    world.ingest("kraken")
    world.analyse()
    world.clock.at += timedelta(minutes=1500)
    world.ingest("kraken")
    hole = world.query("SELECT to_time - from_time FROM unobtainable")
    assert len(hole) == 1
    assert hole[0][0] > timedelta(minutes=700)
    world.analyse()
    moments = world.query("SELECT next_time FROM watch_state")
    assert moments[0][0] >= world.clock.at - timedelta(minutes=2), "evaluation goes on behind the hole"
    assert world.query("SELECT (state->>'run')::integer > 0 FROM watch_state") == [(True,)]


def test_a_late_candle_is_stored_and_counted_and_fires_nothing_at_its_own_place(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, 100.0, None, 100.0, 100.0])
    world.apply({"when": "close > 110"})
    world.minute(3)
    world.record.trade("BTC/USDT", 1, [150.0])
    with_revision = world.query("SELECT settled_to FROM series")
    world.query("UPDATE series SET settled_to = settled_to RETURNING 1")
    world.exchange.requests.clear()
    world.minute(1)
    assert world.alerts() == []
    assert world.query("SELECT settled_to FROM series") > with_revision


def test_a_revision_is_seen_counted_and_changes_nothing_that_was_said(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, 120.0, 120.0])
    world.apply({"when": "close > 110"})
    world.record.trade("BTC/USDT", 0, [100.0, 120.0])
    world.minute(2)
    assert world.alerts() == [("BTC/USDT", 2, "fired")]
    world.record.trade("BTC/USDT", 1, [90.0, 100.0])
    world.minute(1)
    assert world.query("SELECT revisions FROM series") == [(1,)]
    assert world.alerts() == [("BTC/USDT", 2, "fired")]
