"""Intervals that an exchange lacks are built from a shorter one, and read like any other."""

import random
from datetime import timedelta

import numpy as np
import pytest

from cryptowatch.local.exchange.faults import revised
from cryptowatch.local.exchange.record import MINUTE, Candles, aggregate
from cryptowatch.markets.building import build
from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.store.building import build_above
from cryptowatch.store.database import transaction
from cryptowatch.store.series import mark_unobtainable, watched_series

HALF = INTERVALS["30m"]


def stored(world, interval: str) -> list[tuple]:
    seconds = INTERVALS[interval].seconds
    return world.query(
        "SELECT open_time, open, high, low, close, volume FROM candles WHERE interval_s = %s ORDER BY 1", seconds
    )


def true_candles(world, interval, first: int, last: int) -> list[tuple]:
    """What the exchange's minutes add up to."""
    minutes = world.record.candles("coinbase", "BTC/USD", MINUTE, first * 30, (last + 1) * 30 - 1)
    built = aggregate(minutes, MINUTE, interval)
    return [
        (interval.open_time(step), *row) for step, row in zip(built.steps.tolist(), built.values.tolist(), strict=True)
    ]


@pytest.fixture
def halves(world):
    """Half hours on Coinbase, which has none: a wild walk with holes."""
    wild = random.Random(5)
    closes = [None if wild.random() < 0.2 else round(100 + wild.gauss(0, 3), 2) for _ in range(60 * 40)]
    closes[600:660] = [None] * 60  # an hour without any trade
    world.record.trade("BTC/USD", -60 * 36, closes)
    world.apply({"interval": "30m", "when": "close > sma(5)", "markets": ["coinbase:BTC/USD"]})
    return world


def test_a_series_that_the_exchange_lacks_is_built_and_nothing_asks_for_it(halves) -> None:
    rows = halves.query("SELECT interval_s, built_from FROM series ORDER BY 1")
    assert rows == [(900, None), (1800, 900)]
    with transaction(halves.writer) as cursor:
        assert [one.interval.name for one in watched_series(cursor, "coinbase")] == ["15m"]


def test_built_candles_are_what_the_minutes_add_up_to_bit_for_bit(halves) -> None:
    halves.ingest("coinbase")
    for _ in range(9):
        halves.clock.at += timedelta(minutes=17)
        halves.ingest("coinbase")
    rows = stored(halves, "30m")
    steps = [HALF.step_at(row[0]) for row in rows]
    assert len(rows) > 50
    assert rows == true_candles(halves, HALF, steps[0], steps[-1])
    assert len(set(steps)) < steps[-1] - steps[0] + 1, "of an hour without a trade there are none"
    own, built = halves.query("SELECT settled_to, have_from FROM series ORDER BY interval_s")
    assert built[0] == HALF.open_time(HALF.step_at(own[0]))
    assert built[1] == HALF.open_time(HALF.step_at(own[1] - timedelta(seconds=1)) + 1)


def test_a_candle_is_built_only_when_its_last_part_is_settled(halves) -> None:
    halves.ingest("coinbase")
    before = stored(halves, "30m")[-1][0]
    halves.clock.at += timedelta(minutes=15)
    halves.ingest("coinbase")
    assert stored(halves, "30m")[-1][0] == before, "one of two parts"
    halves.clock.at += timedelta(minutes=15)
    halves.ingest("coinbase")
    assert stored(halves, "30m")[-1][0] == before + timedelta(minutes=30)
    assert (1800, 1) in halves.told.markets


def test_a_revised_part_is_built_anew(halves) -> None:
    halves.ingest("coinbase")
    halves.clock.at += timedelta(minutes=30)
    halves.exchange.inject(revised(1.5), "coinbase", "BTC/USD", times=1)
    halves.ingest("coinbase")
    false = stored(halves, "30m")[-1]
    halves.clock.at += timedelta(minutes=15)
    halves.ingest("coinbase")
    true = stored(halves, "30m")[-1]
    assert true[0] == false[0]
    assert true[2] < false[2]
    assert [true] == true_candles(halves, HALF, HALF.step_at(true[0]), HALF.step_at(true[0]))
    assert halves.query("SELECT revisions FROM series ORDER BY interval_s") == [(1,), (1,)]


def test_one_unobtainable_part_makes_a_candle_unobtainable(halves) -> None:
    halves.ingest("coinbase")
    with transaction(halves.writer) as cursor:
        (part,) = watched_series(cursor, "coinbase")
        at = part.settled_to
        mark_unobtainable(cursor, part, at, at + 1)
        cursor.execute(
            "UPDATE series SET settled_to = settled_to + interval '30 minutes', covered_to = covered_to + interval"
            " '30 minutes' WHERE interval_s = 900"
        )
        moved = build_above(cursor, part.market_id, part.interval, ())
    assert moved == [HALF]
    (lost,) = halves.query("SELECT interval_s, from_time, to_time FROM unobtainable WHERE interval_s = 1800")
    assert lost[1] <= part.interval.open_time(at) < lost[2]
    assert lost[2] - lost[1] == timedelta(minutes=30)
    assert stored(halves, "30m")[-1][0] < lost[1]


def test_a_choice_once_made_is_kept(halves) -> None:
    halves.query("UPDATE series SET built_from = NULL WHERE interval_s = 1800 RETURNING 1")
    halves.apply({"interval": "30m", "when": "close > sma(700)", "markets": ["coinbase:BTC/USD"]})
    assert (1800, None) in halves.query("SELECT interval_s, built_from FROM series")


def test_weeks_of_an_exchange_with_other_weeks_are_built_from_its_days(world) -> None:
    world.record.trade("BTC/USD", 0, [1.0])
    world.apply({"interval": "1w", "when": "close > sma(2)", "markets": ["kraken:BTC/USD", "binance:BTC/USD"]})
    rows = world.query("SELECT source, interval_s, built_from FROM series JOIN markets ON id = market_id ORDER BY 1, 2")
    assert rows == [("binance", 604800, None), ("kraken", 86400, None), ("kraken", 604800, 86400)]


def test_a_rule_on_a_built_interval_fires_like_any_other(world) -> None:
    world.record.trade("BTC/USD", -600, [100.0] * 635 + [200.0] * 120)
    world.apply({"interval": "30m", "when": "close > 150", "markets": ["coinbase:BTC/USD"]})
    ids: list[int] = []
    for _ in range(8):
        world.clock.at += timedelta(minutes=15)
        world.ingest("coinbase")
        ids += world.analyse()
    assert len(ids) == 1
    assert world.alerts() == [("BTC/USD", 60, "fired")]


def test_nothing_stays_to_be_built_after_any_order_of_reading(halves) -> None:
    """Older history comes later and piece by piece: each candle is there in the end."""
    halves.ingest("coinbase")
    halves.apply({"interval": "30m", "when": "close > sma(60)", "markets": ["coinbase:BTC/USD"]})
    halves.query("UPDATE series SET wanted_from = wanted_from - interval '20 hours' RETURNING 1")
    halves.ingest("coinbase")
    rows = stored(halves, "30m")
    parts = halves.query("SELECT have_from, settled_to FROM series WHERE interval_s = 900")[0]
    first, last = HALF.step_at(parts[0] - timedelta(seconds=1)) + 1, HALF.step_at(parts[1]) - 1
    assert rows == true_candles(halves, HALF, first, last)


def test_sums_of_volumes_are_the_same_bits_wherever_they_are_built() -> None:
    volumes = [0.1, 1e16, -0.0, 3.3, 1.1] * 5
    values = np.array([[1.0, 1.0, 1.0, 1.0, volume] for volume in volumes[:24]])
    day = aggregate(Candles(np.arange(24), values), INTERVALS["1h"], INTERVALS["1d"])
    hours = [Candle(INTERVALS["1h"].open_time(step), *row) for step, row in enumerate(values.tolist())]
    (built,) = build(hours, INTERVALS["1d"])
    assert day.values[0].tolist() == list(built[1:])
    assert built.volume != sum(volumes[:24]), "adding up one by one gives another number"
