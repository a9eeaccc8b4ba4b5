"""History that somebody asked for: it comes newest first, survives whatever happens, and is the exchange's own."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryptowatch.local.exchange.faults import status
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline import backfill as backfill_module
from cryptowatch.pipeline.backfill import Backfill, Next
from cryptowatch.pipeline.history import BackfillRequest, backfills
from cryptowatch.pipeline.ingest import IngestRun
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.settings import Settings
from cryptowatch.sources.registry import open_source
from cryptowatch.store.backfills import MOST_FAILURES, backfill_lock, forgotten_sources
from cryptowatch.store.database import connect, transaction
from cryptowatch.store.sources import source_lock

MINUTE = INTERVALS["1m"]
MARKET = "coinbase:BTC/USD"


def rising(minutes: int) -> list[float | None]:
    return [None if minute % 41 == 7 else 100.0 + minute % 50 for minute in range(minutes)]


def ask(world, minutes: int, **more: Any) -> list[dict[str, Any]]:
    """Ask for so many minutes of history before now; gives how the backfills stand."""
    request = {"markets": [MARKET], "interval": "1m", "since": world.clock.at - timedelta(minutes=minutes), **more}
    queued: list[str] = []
    told = backfills(world.writer, BackfillRequest.model_validate(request), world.clock.at, {}, queued.append)
    assert queued == (["coinbase"] if request["since"] and not more.get("cancel") else [])
    return told["backfills"]


def look(world) -> dict[str, Any]:
    (row,) = ask(world, 0, since=None)
    return row


def pieces(world, most: int = 1000) -> Next | None:
    """One slice of work, of so many pieces at most."""
    left = iter([1.0] * most)
    exchange = open_source("coinbase", base_url=world.exchange.url, speed=1000, timeout_ms=2000)
    return Backfill("coinbase", exchange, world.writer, world.clock, lambda: next(left, 0.0)).run()


def stored(world) -> list[tuple[int, float]]:
    """Minutes after now, and close, of the candles stored."""
    now = MINUTE.step_at(world.clock.at)
    rows = world.query("SELECT open_time, close FROM candles WHERE interval_s = 60 ORDER BY 1")
    return [(MINUTE.step_at(time) - now, close) for time, close in rows]


def true_candles(world, first: int) -> list[tuple[int, float]]:
    """Those that the exchange has from `first` minutes after now on."""
    now = MINUTE.step_at(world.clock.at)
    known = world.record.closes["BTC/USD"]
    return [(step - now, close) for step, close in sorted(known.items()) if now + first <= step < now]


def test_a_market_nobody_watches_is_read_back_to_the_time_asked_for_newest_first(world) -> None:
    world.record.trade("BTC/USD", -5000, rising(5000))
    (row,) = ask(world, 2000)
    assert (row["state"], row["candles"], row["goal"]) == ("open", 0, None)
    assert pieces(world, 2) == Next(0, 0)
    assert stored(world) == true_candles(world, -600)
    assert look(world)["reached"] == MINUTE.open_time(MINUTE.step_at(world.clock.at) - 600).isoformat()
    assert pieces(world) is None
    assert stored(world) == true_candles(world, -2000)
    row = look(world)
    assert (row["state"], row["candles"], row["error"]) == ("done", len(stored(world)), None)
    assert row["reached"] == row["goal"] == row["since"]
    assert world.query("SELECT candles, have_from <= first_time FROM series") == [(row["candles"], True)]


def test_asking_again_changes_nothing_and_asking_for_more_goes_on(world) -> None:
    world.record.trade("BTC/USD", -5000, rising(5000))
    ask(world, 500)
    pieces(world)
    world.exchange.requests.clear()
    assert [row["state"] for row in ask(world, 500)] == ["done"]
    assert pieces(world) is None and not world.exchange.requests
    assert [row["state"] for row in ask(world, 1000)] == ["open"]
    pieces(world)
    assert stored(world) == true_candles(world, -1000)


def test_minutes_from_before_a_market_was_listed_are_not_asked_for(world) -> None:
    world.record.trade("BTC/USD", -4000, rising(4000))
    ask(world, 60 * 24 * 365)
    pieces(world)
    assert stored(world) == true_candles(world, -4000)
    asked = sum(count for (_, path), count in world.exchange.requests.items() if path.endswith("/candles"))
    assert asked < 25, "a year of minutes takes 1752 answers"
    row = look(world)
    assert row["state"] == "done" and row["goal"] > row["since"]


def test_a_backfill_that_was_cancelled_keeps_what_it_has_and_can_be_asked_for_again(world) -> None:
    world.record.trade("BTC/USD", -5000, rising(5000))
    ask(world, 2000)
    pieces(world, 1)
    (row,) = ask(world, 0, since=None, cancel=True)
    assert row["state"] == "cancelled"
    assert pieces(world) is None
    assert stored(world) == true_candles(world, -300)
    ask(world, 2000)
    pieces(world)
    assert stored(world) == true_candles(world, -2000)


def test_a_source_that_is_away_is_tried_again_later_each_time_twice_as_late(world) -> None:
    world.record.trade("BTC/USD", -5000, rising(5000))
    ask(world, 2000)
    pieces(world, 1)
    world.exchange.inject(status(429, {"Retry-After": "60000"}), "coinbase", "BTC/USD", times=1)
    assert pieces(world) == Next(60, 1), "told on the exchange's own clock"
    assert pieces(world) == Next(backfill_module.FIRST_WAIT_S, 0), "it has asked to wait, so nobody asks it"
    world.query("UPDATE sources SET paused_until = NULL RETURNING 1")
    world.query("DELETE FROM request_turns RETURNING 1")
    assert pieces(world) is None
    assert stored(world) == true_candles(world, -2000)


def test_a_market_that_cannot_be_read_is_given_up_in_the_end_and_says_why(world) -> None:
    world.record.trade("ETH/USD", -100, rising(100))
    ask(world, 50)
    for _ in range(MOST_FAILURES):
        pieces(world)
        world.query("UPDATE backfills SET retry_at = NULL RETURNING 1")
    row = look(world)
    assert row["state"] == "failed" and "BTC/USD" in row["error"]
    assert pieces(world) is None


def test_one_failed_answer_does_not_stop_a_backfill(world) -> None:
    world.record.trade("BTC/USD", -5000, rising(5000))
    ask(world, 1500)
    pieces(world, 1)
    world.exchange.inject(status(500), "coinbase", "BTC/USD", times=1)
    following = pieces(world)
    assert following is not None and 10 < following.delay_s < 20
    assert "500" in look(world)["error"]
    world.query("UPDATE backfills SET retry_at = clock_timestamp() RETURNING 1")
    assert pieces(world) is None
    assert look(world)["error"] is None
    assert stored(world) == true_candles(world, -1500)


def test_one_process_backfills_a_source_and_steps_aside_while_ingest_reads_it(world, database, monkeypatch) -> None:
    monkeypatch.setattr(backfill_module, "ASIDE_S", 0.3)
    world.record.trade("BTC/USD", -500, rising(500))
    ask(world, 400)
    with closing(connect(Settings({"DATABASE_URL": database}))) as other:
        with backfill_lock(other, "coinbase") as held:
            assert held and pieces(world) is None
        with source_lock(other, "coinbase") as held:
            assert held and pieces(world) == Next(0, 0)
            assert stored(world) == []
    assert pieces(world) is None
    assert stored(world) == true_candles(world, -400)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"interval": None}, "nothing is stored of coinbase:BTC/USD yet: say at which --interval"),
        ({"since": "2009-01-01T00:00:00Z"}, "since must be between 2010-01-01 and now"),
        ({"markets": []}, "name the markets"),
    ],
)
def test_what_cannot_be_backfilled_is_refused_with_what_to_do(world, wrong, says) -> None:
    with pytest.raises(RefusedError, match=says):
        ask(world, 100, **wrong)


def test_history_that_retention_would_drop_is_not_read(world) -> None:
    asked = BackfillRequest(markets=(MARKET,), interval="1m", since=world.clock.at - timedelta(days=100))
    with pytest.raises(RefusedError, match="candles at 1m are kept for 90 days"):
        backfills(world.writer, asked, world.clock.at, {60: timedelta(days=90)}, lambda source: None)


def test_a_backfill_whose_message_was_lost_is_found(world) -> None:
    ask(world, 100)
    with transaction(world.writer) as cursor:
        assert forgotten_sources(cursor) == []
        cursor.execute("UPDATE backfills SET changed_at = changed_at - interval '1 hour'")
        assert forgotten_sources(cursor) == ["coinbase"]


TABLES = "backfills, watch_state, watch_inputs, watches, unobtainable, series, candles, markets, sources"

#: What happens between two looks at the stored candles.
EVENTS = st.one_of(
    st.tuples(st.just("minutes"), st.integers(1, 400)),
    st.tuples(st.just("ingest"), st.integers(1, 6)),
    st.tuples(st.just("backfill"), st.integers(1, 4)),
    st.tuples(st.just("ask"), st.integers(600, 2500)),
    st.tuples(st.just("fault"), st.integers(1, 2)),
)


@given(events=st.lists(EVENTS, min_size=3, max_size=10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_backfill_and_ingest_take_turns_the_stored_candles_are_the_exchange_s(world, events) -> None:
    with transaction(world.writer) as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
    world.exchange.heal()
    world.record.trade("BTC/USD", -5000, rising(10000))
    world.apply({"when": "close > sma(600)", "markets": [MARKET]})
    started = world.clock.at
    do: dict[str, Callable[[int], object]] = {
        "minutes": lambda count: setattr(world.clock, "at", world.clock.at + timedelta(minutes=count)),
        "ingest": lambda looks: cut_off_ingest(world, looks),
        "backfill": lambda count: pieces(world, count),
        "ask": lambda minutes: ask(world, minutes),
        "fault": lambda times: world.exchange.inject(status(500), "coinbase", "BTC/USD", times=times),
    }
    for what, count in events:
        do[what](count)
        check_what_is_claimed(world)
    world.exchange.heal()
    world.query("UPDATE backfills SET retry_at = NULL RETURNING 1")
    assert world.ingest("coinbase") == "done"
    assert pieces(world) is None
    check_what_is_claimed(world)
    ((have, wanted, settled),) = world.query("SELECT have_from, wanted_from, settled_to FROM series")
    goals = [goal for (goal,) in world.query("SELECT goal FROM backfills")]
    assert have == min([wanted, *goals])
    assert world.clock.at - settled < timedelta(minutes=3)
    world.clock.at = started


def check_what_is_claimed(world) -> None:
    """Every candle the exchange has between the frontiers is stored, and none that it has not."""
    for have, covered in world.query("SELECT have_from, covered_to FROM series WHERE have_from IS NOT NULL"):
        now = MINUTE.step_at(world.clock.at)
        first, end = MINUTE.step_at(have) - now, MINUTE.step_at(covered) - now
        inside = [candle for candle in stored(world) if first <= candle[0] < end]
        assert inside == [candle for candle in true_candles(world, first) if candle[0] < end]
        assert world.query("SELECT candles = (SELECT count(*) FROM candles) FROM series") == [(True,)]
        assert world.query(
            "SELECT first_time IS NOT DISTINCT FROM (SELECT min(open_time) FROM candles) FROM series"
        ) == [(True,)]


def cut_off_ingest(world, looks: int) -> None:
    left = iter([100.0] * looks)
    exchange = open_source("coinbase", base_url=world.exchange.url, speed=1000, timeout_ms=2000)
    IngestRun("coinbase", exchange, world.writer, world.told, world.clock, lambda: next(left, 10.0)).run()
