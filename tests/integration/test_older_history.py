"""Older history comes newest first, piece by piece, and whatever is cut off goes on where it stopped."""

from datetime import timedelta

import pytest

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.loads import LEAD
from cryptowatch.pipeline.ingest import IngestRun
from cryptowatch.sources.registry import open_source

MINUTE = INTERVALS["1m"]
LONG = {"when": "close > sma(1800)"}


def rising(minutes: int) -> list[float]:
    return [100.0 + minute % 50 for minute in range(minutes)]


def asked(world, source: str = "coinbase") -> int:
    paths = {"coinbase": "/candles", "kraken": "/OHLC", "binance": "/klines"}
    return sum(count for (_, path), count in world.exchange.requests.items() if path.endswith(paths[source]))


def cut_off_run(world, source: str, looks: int) -> str:
    """A run whose limit is near after so many looks at it: before each market and piece, after each newer answer."""
    left = iter([100.0] * looks)
    exchange = open_source(source, base_url=world.exchange.url, speed=1000)
    return IngestRun(source, exchange, world.writer, world.told, world.clock, lambda: next(left, 10.0)).run()


def bounds(world) -> tuple[int, int, int]:
    """Oldest candle, `have_from` and candles stored, as minutes before now."""
    now = MINUTE.step_at(world.clock.at)
    ((oldest, have, count),) = world.query(
        "SELECT min(open_time), min(have_from), count(*) FROM candles JOIN series USING (market_id, interval_s)"
    )
    return now - MINUTE.step_at(oldest), now - MINUTE.step_at(have), count


def test_the_newest_candles_come_first_and_a_cut_off_run_goes_on_where_it_stopped(world) -> None:
    world.record.trade("BTC/USD", -4000, rising(4000))
    world.apply({**LONG, "markets": ["coinbase:BTC/USD"]})
    assert cut_off_run(world, "coinbase", 1) == "out of time"
    assert bounds(world) == (300, 300, 300), "one answer of Coinbase"
    assert cut_off_run(world, "coinbase", 4) == "out of time"
    assert bounds(world) == (900, 900, 900)
    assert world.ingest("coinbase") == "done"
    oldest, have, count = bounds(world)
    ((wanted,),) = world.query("SELECT wanted_from FROM series")
    assert oldest == have == count == MINUTE.step_at(world.clock.at) - MINUTE.step_at(wanted)
    assert asked(world) <= -(-count // 300) + 3, "nothing was asked twice, but for the step before the last settled one"


def test_a_watch_that_needs_little_history_tells_before_one_that_needs_much_has_it(world) -> None:
    world.record.trade("BTC/USD", -4000, [*rising(4000), 100.0, 500.0])
    markets = ["coinbase:BTC/USD"]
    world.apply({**LONG, "markets": markets, "name": "long"}, {"when": "close > 400", "markets": markets})
    world.clock.at += timedelta(minutes=2)
    cut_off_run(world, "coinbase", 5)
    world.analyse()
    assert [kind for _, _, kind in world.alerts()] == ["fired"]
    ((waits,),) = world.query("SELECT have_from > wanted_from FROM series")
    assert waits


@pytest.mark.parametrize("source", ["coinbase", "kraken", "binance"])
def test_a_market_that_began_later_is_had_once_all_of_it_was_asked_for(world, source) -> None:
    symbol = "BTC/USDT" if source == "binance" else "BTC/USD"
    world.record.trade(symbol, -100, rising(100))
    world.apply({**LONG, "markets": [f"{source}:{symbol}"]})
    assert world.ingest(source) == "done"
    oldest, have, count = bounds(world)
    assert oldest == count == 100 and have > 1800
    assert world.query("SELECT count(*) FROM unobtainable") == [(0,)]
    before = asked(world, source)
    world.clock.at += timedelta(minutes=1)
    world.ingest(source)
    assert asked(world, source) == before + 1


def test_a_market_quiet_for_the_newest_answer_is_settled_by_its_older_candles(world) -> None:
    world.record.trade("BTC/USD", -2000, [*rising(1000), *[None] * 1000])
    world.record.trade("ETH/USD", -2000, rising(2000))
    world.apply({**LONG, "markets": ["coinbase:BTC/USD", "coinbase:ETH/USD"]})
    world.ingest("coinbase")
    world.clock.at += timedelta(minutes=3)
    world.record.trade("ETH/USD", 0, [100.0] * 3)
    world.ingest("coinbase")
    settled = world.query(
        "SELECT symbol, settled_to FROM series JOIN markets ON id = market_id WHERE interval_s = 60 ORDER BY 1"
    )
    assert [world.clock.at - time < timedelta(minutes=2) for _, time in settled] == [True, True]


def wanted_minute(world) -> int:
    """The oldest minute that the watches want, from noon on."""
    ((wanted,),) = world.query("SELECT min(wanted_from) FROM series")
    return MINUTE.step_at(wanted) - MINUTE.step_at(world.clock.at)


@pytest.mark.parametrize("trades_before", [True, False])
def test_silence_where_a_load_begins_is_filled_from_before_it_whoever_else_wants_that(world, trades_before) -> None:
    world.record.trade("BTC/USDT", 0, [None])
    world.apply({"when": "obv > 0"})
    begin = wanted_minute(world)
    world.record.trade("BTC/USDT", begin - 2000, [101.0] * (2000 - 40) if trades_before else [None])
    world.record.trade("BTC/USDT", begin + 7, rising(-begin - 7))
    world.ingest()
    before = world.query("SELECT count(*) FROM candles JOIN series USING (market_id) WHERE open_time < wanted_from")
    assert before == [(LEAD - 40 if trades_before else 0,)]
    assert world.query("SELECT have_from - wanted_from FROM series") == [(timedelta(0),)]


def test_a_failure_in_older_history_leaves_what_is_new_and_is_healed_by_the_next_run(world) -> None:
    from cryptowatch.local.exchange.faults import status

    world.record.trade("BTC/USD", -4000, rising(4000))
    world.apply({**LONG, "markets": ["coinbase:BTC/USD"]})
    cut_off_run(world, "coinbase", 1)
    world.exchange.inject(status(500), "coinbase", "BTC/USD", times=1)
    world.ingest("coinbase")
    ((error, have),) = world.query("SELECT last_error, have_from > wanted_from FROM series")
    assert "500" in error and have
    world.ingest("coinbase")
    assert world.query("SELECT last_error, have_from > wanted_from FROM series") == [(None, False)]
