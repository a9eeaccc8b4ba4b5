"""Each moment once, in order, whatever the order of arrival, the batches, the repeats and the workers."""

import random
import threading
from contextlib import closing
from datetime import timedelta

import pytest

from cryptowatch.pipeline.analyse import UnknownMarketsError, analyse
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

RULE = "close > sma(5) and rsi(3) > 55"


def prices(seed: int, length: int = 120) -> list[float | None]:
    """A jagged walk with ties and minutes without a trade."""
    chance = random.Random(seed)
    price, out = 100.0, []
    for _ in range(length):
        price = max(50.0, price + chance.choice([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]))
        out.append(None if chance.random() < 0.08 else price)
    return [100.0, *out, 100.0]


#: Options of watches, all of which move state from candle to candle.
OPTIONS = {
    "plain": {"resolved": True},
    "until": {"until": "rsi(3) < 40", "resolved": True, "cooldown": "3m"},
    "higher": {"until": 'close < sma(3, interval="5m")', "repeat": "2m", "for": 2},
    "bounded": {"once": True, "repeat": "3m", "resolved": True, "starts": "2026-03-02 12:10"},
    "ending": {"expires": "2026-03-02 12:30"},
}


@pytest.mark.parametrize("seed", range(2))
def test_one_candle_at_a_time_or_all_at_once_gives_the_same_alerts(world, seed) -> None:
    chance = random.Random(seed)
    for symbol in ("ADA/USDT", "BTC/USDT"):
        world.record.trade(symbol, -60, prices(seed + len(symbol) + ord(symbol[0]), 160))
    world.apply(*({"when": RULE, "name": name, **options} for name, options in OPTIONS.items()))
    world.minute(60)
    slowly = world.alerts()
    assert {kind for _, _, kind in slowly} == {"fired", "repeated", "resolved"}
    assert len(world.query("SELECT DISTINCT watch_id FROM alerts")) == len(OPTIONS)
    everything = "SELECT watch_id, market_id, open_time, kind, rule, figures, price FROM alerts ORDER BY 1, 2, 3, 4"
    figures = world.query(everything)
    states = world.query("SELECT watch_id, market_id, next_time, state FROM watch_state ORDER BY 1, 2")
    world.writer.cursor().execute(
        "TRUNCATE alerts, deliveries; UPDATE watch_state SET next_time = start_time, state = '{}'; "
    )
    world.writer.commit()
    pairs = world.query("SELECT DISTINCT market_id FROM watch_state")
    while chance.random() < 0.9:
        some = [market for (market,) in pairs if chance.random() < 0.7]
        analyse(
            world.writer, world.reader, world.clock, world.rule_of, 60, some * chance.randint(1, 3), lambda ids: None
        )
    world.analyse()
    assert world.alerts() == slowly
    assert world.query(everything) == figures
    assert world.query("SELECT watch_id, market_id, next_time, state FROM watch_state ORDER BY 1, 2") == states


def test_four_workers_told_the_same_at_once_give_each_alert_once(world, database) -> None:
    for number, symbol in enumerate(("ADA/USDT", "BTC/USDT", "ETH/USDT")):
        world.record.trade(symbol, -60, prices(number, 140))
    world.apply({"when": RULE, "name": "one"}, {"when": RULE, "name": "two", "for": 2})
    markets = [row[0] for row in world.query("SELECT DISTINCT market_id FROM watch_state")]
    failures: list[BaseException] = []
    told: list[int] = []

    def worker() -> None:
        settings = Settings({"DATABASE_URL": database})
        try:
            with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
                analyse(writer, reader, world.clock, world.rule_of, 60, markets, told.extend)
        except BaseException as error:
            failures.append(error)

    for _ in range(6):
        world.clock.at += timedelta(minutes=10)
        world.ingest()
        threads = [threading.Thread(target=worker) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(told) == len(set(told)) == world.query("SELECT count(*) FROM alerts")[0][0] > 5


def test_a_crash_between_state_and_alerts_leaves_neither(world, monkeypatch) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0])
    world.apply({"when": "close > 110"})
    world.clock.at += timedelta(minutes=2)
    world.ingest()

    def crash(*_: object) -> list[int]:
        raise ConnectionResetError("the worker was killed")

    with monkeypatch.context() as patched:
        patched.setattr("cryptowatch.pipeline.analyse.save_alerts", crash)
        with pytest.raises(ConnectionResetError):
            world.analyse()
    assert world.alerts() == []
    world.analyse()
    assert world.alerts() == [("BTC/USDT", 2, "fired")]


def test_a_higher_interval_is_waited_for_and_then_done_without(world) -> None:
    closes = [100.0 + minute % 9 for minute in range(60 * 6)]
    world.record.trade("BTC/USDT", -60 * 5, closes)
    world.apply({"when": 'close > 0 and sma(3, interval="5m") > 0'})
    world.minute(3)
    before = world.query("SELECT next_time FROM watch_state")[0][0]
    world.writer.cursor().execute(
        "UPDATE series SET settled_to = settled_to - interval '1 hour' WHERE interval_s = 300"
    )
    world.writer.commit()
    world.clock.at += timedelta(minutes=3)
    only_minutes = [row[0] for row in world.query("SELECT market_id FROM series WHERE interval_s = 60")]
    world.writer.cursor().execute(
        "UPDATE series SET settled_to = settled_to + interval '3 minutes' WHERE interval_s = 60"
    )
    world.writer.commit()
    analyse(world.writer, world.reader, world.clock, world.rule_of, 60, only_minutes, lambda ids: None)
    waiting = world.query("SELECT next_time FROM watch_state")[0][0]
    assert waiting < before + timedelta(minutes=3), "it waits for the five-minute candle"
    world.clock.at += timedelta(minutes=6)
    analyse(world.writer, world.reader, world.clock, world.rule_of, 60, only_minutes, lambda ids: None)
    assert world.query("SELECT next_time FROM watch_state")[0][0] == before + timedelta(minutes=3)


def test_a_watch_starts_at_the_first_close_after_it_was_applied(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 25 + [120.0] * 40)
    world.apply({"when": "close > 110"})
    world.minute(5)
    assert world.alerts() == [], "true at its first known candle"
    assert world.query("SELECT start_time FROM watch_state")[0][0] == world.clock.at.replace(minute=0, second=0)


def test_unknown_markets_are_said_and_the_others_done(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0])
    world.apply({"when": "close > 110"})
    world.clock.at += timedelta(minutes=2)
    world.ingest()
    with pytest.raises(UnknownMarketsError, match="987654321"):
        analyse(world.writer, world.reader, world.clock, world.rule_of, 60, [1, 987654321], lambda ids: None)
    assert world.alerts() == [("BTC/USDT", 2, "fired")]


def test_a_changed_rule_starts_anew_and_a_changed_notification_does_not(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 60)
    assert world.apply({"when": "close > 110"})["added"] == ["watch"]
    assert world.apply({"when": "close > 110"})["unchanged"] == ["watch"]
    assert world.apply({"when": "close > 110", "severity": "high"})["changed"] == [
        {"name": "watch", "what": "notification", "keys": ["severity"]}
    ]
    assert world.query("SELECT generation FROM watches") == [(1,)]
    assert world.apply({"when": "close > 111"})["changed"] == [
        {"name": "watch", "what": "rule, notification", "keys": ["when", "severity"]}
    ]
    assert world.query("SELECT generation FROM watches") == [(2,)]
    assert world.apply({"when": "close > 1", "name": "other"})["removed"] == ["watch"]
