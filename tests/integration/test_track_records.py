"""The track record of a watch: worked out from stored candles, kept, refreshed, told."""

from datetime import timedelta

import numpy as np
import pytest

from cryptowatch.pipeline.track_records import study_watch
from cryptowatch.store.database import transaction
from cryptowatch.store.track_records import LOST, POOLED, REFRESH, StoredRecord, queue_due, record_rows, save_records


@pytest.fixture
def risers(world):
    """Two markets on which a leap is followed by four rises."""
    for place, symbol in enumerate(("BTC/USDT", "ETH/USDT")):
        chance = np.random.default_rng(place)
        moves = chance.normal(0, 1.0, 1200)
        for at in range(30, 1190, 17):
            moves[at], moves[at + 1 : at + 5] = 8.0, chance.normal(2.0, 1.0, 4)
        world.record.trade(symbol, -1150, [float(price) for price in 1000 * np.exp(np.cumsum(moves) * 0.001)])
    long = {"name": "long", "when": "sma(1000) < 0"}  # so that there is some history
    world.apply({"name": "leap", "when": "close / ago(close, 1) > 1.006", "track_record": [1, 4]}, long)
    world.minute()
    return world


def due(world) -> list[int]:
    with transaction(world.writer) as cursor:
        return queue_due(cursor, world.clock.at)


def rows(world, watch: str | None = None) -> list[dict]:
    with transaction(world.writer) as cursor:
        return record_rows(cursor, watch)


def test_a_new_watch_gets_a_record_of_all_its_markets_and_of_each(risers) -> None:
    watch_id, _ = due(risers)
    assert due(risers) == [], "queued already"
    assert study_watch(risers.writer, risers.clock, watch_id) == 2
    pooled, *each = rows(risers, "leap")
    assert (pooled["market"], pooled["interval"]) == (None, "1m")
    assert [one["market"] for one in each] == ["binance:BTC/USDT", "binance:ETH/USDT"]
    assert [one["span"] for one in pooled["horizons"]] == ["1m", "4m"]
    assert all(one["horizons"][1]["signals"]["count"] > 5 for one in each)
    assert rows(risers, "long") == []
    with transaction(risers.writer) as cursor:
        assert record_rows(cursor, None, each=False) == [pooled]


def test_a_task_that_was_overtaken_by_a_change_of_the_rule_leaves_the_newer_record(risers) -> None:
    watch_id, _ = due(risers)
    risers.apply({"name": "leap", "when": "close / ago(close, 1) > 1.007", "track_record": [1, 4]})
    (newer,) = due(risers)
    study_watch(risers.writer, risers.clock, newer)
    before = rows(risers)
    with transaction(risers.writer) as cursor:
        save_records(cursor, watch_id, 1, [StoredRecord(POOLED, None, None, [])], risers.clock.at)
    assert rows(risers) == before != []


def test_the_record_is_told_in_the_email(risers) -> None:
    watch_id, _ = due(risers)
    study_watch(risers.writer, risers.clock, watch_id)
    for _ in range(20):
        risers.notify(risers.minute())
    body = risers.emails[0][1].body
    words = rows(risers)[0]["horizons"][1]["words"]
    assert f"Record: all markets, {words}" in body
    assert "information, not advice" in body


def study(world, watch_ids: list[int]) -> None:
    for watch_id in watch_ids:
        study_watch(world.writer, world.clock, watch_id)


def test_it_is_refreshed_once_a_day_and_when_the_rule_changes(risers) -> None:
    both = due(risers)
    study(risers, both)
    risers.clock.at += REFRESH - timedelta(seconds=1)
    assert due(risers) == []
    risers.clock.at += timedelta(seconds=2)
    assert due(risers) == both
    study(risers, both)
    assert due(risers) == []
    risers.apply({"name": "leap", "when": "close > 1"})
    risers.ingest()
    assert due(risers) == both[:1]
    assert rows(risers) == [], "what was said of the rule before is not said of the new one"


def test_a_task_that_was_lost_is_queued_again(risers) -> None:
    queued = due(risers)
    risers.clock.at += LOST + timedelta(seconds=1)
    assert due(risers) == queued


def test_nothing_is_worked_out_before_the_history_is_there(world) -> None:
    world.record.trade("BTC/USDT", -1150, [100.0] * 1200)
    world.apply({"when": "close > sma(900)"})
    assert due(world) == []
    world.minute()
    assert len(due(world)) == 1


def test_a_watch_that_has_left_the_list_is_no_work(risers) -> None:
    watch_id, _ = due(risers)
    risers.apply({"name": "other", "when": "close > 1"})
    assert study_watch(risers.writer, risers.clock, watch_id) == 0


def test_twice_is_as_once(risers) -> None:
    watch_id, _ = due(risers)
    study_watch(risers.writer, risers.clock, watch_id)
    before = rows(risers)
    study_watch(risers.writer, risers.clock, watch_id)
    assert rows(risers) == before
