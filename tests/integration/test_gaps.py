"""Which steps of the stored series have no candle, and why."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryptowatch.clock import WallClock
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.control import Control
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.settings import Settings
from cryptowatch.store import gaps as gaps_module
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.gaps import Asked, GapsRefusedError, gaps

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FLAT = [100.0] * 30
DAY = timedelta(days=1)


def found(world, **asked) -> list[tuple[str, int, int, str]]:
    """Market, first and last step (minutes after noon, both without a candle) and state, newest first."""
    result = gaps(world.writer, Asked(NOON - DAY, **{"limit": 100, **asked}), world.clock.at)
    return [(gap["market"], after_noon(gap["from"]), after_noon(gap["to"]) - 1, gap["state"]) for gap in result["gaps"]]


def after_noon(text: str) -> int:
    return int((datetime.fromisoformat(text) - NOON) / MINUTE)


def test_minutes_without_a_trade_are_missing_once_they_are_settled(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, *FLAT])
    world.record.trade("ETH/USDT", -30, [*FLAT[:20], None, None, *FLAT[:8], 100.0, None, 100.0, *FLAT])
    world.apply({"when": "close > sma(20)"})
    world.minute(6)
    assert found(world) == [("binance:ETH/USDT", 1, 1, "missing"), ("binance:ETH/USDT", -10, -9, "missing")]


def test_closed_minutes_that_nobody_has_answered_for_are_not_settled_as_long_as_a_watch_reads_them(world) -> None:
    world.record.trade("BTC/USDT", -30, [*FLAT, *FLAT])
    world.apply({"when": "close > 110"})
    world.minute(2)
    world.clock.at += 3 * MINUTE
    assert found(world) == [("binance:BTC/USDT", 2, 4, "not settled")]
    world.ingest()
    assert found(world) == []
    world.clock.at += 3 * MINUTE
    world.apply({"when": "close > 110", "interval": "5m"})
    assert found(world, interval="1m") == [], "nobody wants them any more"


def test_a_market_that_never_traded_is_not_settled_from_the_oldest_minute_wanted_on(world) -> None:
    world.record.trade("BTC/USDT", -30, FLAT)
    world.record.trade("NEW/USDT", -30, [None])
    world.apply({"when": "close > 110"})
    world.minute(1)
    (gap,) = found(world, market="binance:NEW/USDT")
    assert gap[2:] == (0, "not settled")
    assert world.query("SELECT min(wanted_from) FROM series") == [(NOON + gap[1] * MINUTE,)]


def test_what_the_source_no_longer_served_after_an_outage_is_unobtainable(world) -> None:
    world.record.trade("BTC/USD", -30, [100.0 + minute % 7 for minute in range(2000)])
    world.apply({"when": "close > 110", "markets": ["kraken:BTC/USD"]})
    world.clock.at += 2 * MINUTE
    world.ingest("kraken")
    world.clock.at += 1500 * MINUTE
    world.ingest("kraken")
    (hole,) = world.query("SELECT from_time, to_time FROM unobtainable")
    (gap,) = gaps(world.writer, Asked(NOON - DAY, 10), world.clock.at)["gaps"]
    assert gap == {
        "market": "kraken:BTC/USD",
        "interval": "1m",
        "from": hole[0].isoformat(),
        "to": hole[1].isoformat(),
        "candles": (hole[1] - hole[0]) // MINUTE,
        "state": "unobtainable",
    }


STEPS = 24


@st.composite
def histories(draw: st.DrawFn) -> dict:
    """One series, as steps from 0: what is stored, frontiers as ingest may leave them, holes, and what is asked for."""
    rows = draw(st.sets(st.integers(0, STEPS - 1)))
    wanted = draw(st.integers(0, STEPS - 1))
    have = draw(st.none() | st.integers(0, STEPS - 1)) if not rows else draw(st.integers(0, STEPS - 1))
    settled = draw(st.integers(max(rows), STEPS)) if rows else None
    lost = draw(st.lists(st.tuples(st.integers(0, STEPS - 1), st.integers(1, 6)), max_size=3))
    return {
        "rows": rows,
        "wanted": wanted,
        "have": have,
        "settled": settled,
        "lost": {first: first + length for first, length in lost},
        "watched": draw(st.booleans()),
        "since": draw(st.integers(-2, STEPS)),
        "closed": draw(st.integers(max(rows, default=0), STEPS)),
    }


def expected(history: dict) -> list[tuple[int, int, str]]:
    """The definition, step by step."""

    def state(step: int) -> str | None:
        have, settled = history["have"], history["settled"]
        if step in history["rows"] or step < history["since"]:
            return None
        if any(first <= step < end for first, end in history["lost"].items()):
            return "unobtainable"
        if settled is not None and max(min(history["rows"]), have) <= step < settled:
            return "missing"
        frontier = next(one for one in (settled, have, history["wanted"]) if one is not None)
        wanted_still = history["wanted"] <= step < (history["closed"] if have is None else have)
        if history["watched"] and (wanted_still or frontier <= step < history["closed"]):
            return "not settled"
        return None

    pieces = []
    for what, steps in groupby(range(-2, STEPS + 8), state):
        of_it = list(steps)
        if what:
            pieces.append((of_it[0], of_it[-1] + 1, what))
    return pieces[::-1]


TABLES = ["watch_state", "watch_inputs", "watches", "unobtainable", "series", "candles", "markets", "sources"]


def store(connection: Connection, name: str, history: dict) -> None:
    """Put the history in place of whatever the series had."""
    grid = INTERVALS[name]
    base = grid.step_at(NOON)

    def time(step: int | None) -> datetime | None:
        return None if step is None else grid.open_time(base + step)

    with transaction(connection) as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("INSERT INTO sources (name) VALUES ('binance')")
        cursor.execute("INSERT INTO markets OVERRIDING SYSTEM VALUE VALUES (1, 'binance', 'BTC/USDT')")
        cursor.execute(
            "INSERT INTO series (market_id, interval_s, wanted_from, have_from, settled_to, first_time)"
            " VALUES (1, %s, %s, %s, %s, %s)",
            (
                grid.seconds,
                time(history["wanted"]),
                time(history["have"]),
                time(history["settled"]),
                time(min(history["rows"], default=None)),
            ),
        )
        for step in history["rows"]:
            cursor.execute("INSERT INTO candles VALUES (1, %s, %s, 1, 1, 1, 1, 1)", (grid.seconds, time(step)))
        for first, end in history["lost"].items():
            cursor.execute("INSERT INTO unobtainable VALUES (1, %s, %s, %s)", (grid.seconds, time(first), time(end)))
        if history["watched"]:
            cursor.execute(
                "INSERT INTO watches (id, name, definition, interval_s, applied_at) OVERRIDING SYSTEM VALUE"
                " VALUES (1, 'w', '{}', %s, now())",
                (grid.seconds,),
            )
            cursor.execute("INSERT INTO watch_inputs VALUES (1, %s, 1)", (grid.seconds,))
            cursor.execute(
                "INSERT INTO watch_state (watch_id, market_id, start_time, next_time, state)"
                " VALUES (1, 1, now(), now(), '{}')"
            )


@pytest.mark.parametrize("name", ["1m", "1w"])
@given(history=histories())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gaps_are_what_the_definition_says_step_by_step(connection, name, history) -> None:
    store(connection, name, history)
    grid = INTERVALS[name]
    base = grid.step_at(NOON)
    half = grid.length / 2
    since, now = (grid.open_time(base + history[which]) + half for which in ("since", "closed"))
    result = gaps(connection, Asked(since, 100), now)
    steps = [
        (*(grid.step_at(datetime.fromisoformat(gap[end])) - base for end in ("from", "to")), gap["state"])
        for gap in result["gaps"]
    ]
    assert steps == expected(history)
    assert [gap["candles"] for gap in result["gaps"]] == [end - start for start, end, _ in steps]
    counted = {
        name: sum(end - start for start, end, state in steps if state == name.replace("_", " "))
        for name in ("missing", "unobtainable", "not_settled")
    }
    assert result["all"] == {"gaps": len(steps), **counted}
    total = {"market": "binance:BTC/USDT", "interval": name, **result["all"]}
    assert result["totals"] == ([total] if steps else [])


def test_the_newest_are_given_and_all_are_counted(world) -> None:
    world.record.trade("ADA/USDT", -30, [*FLAT, *FLAT])
    world.record.trade("BTC/USDT", -30, [*[100.0, None] * 15, *FLAT])
    world.record.trade("ETH/USDT", -30, [*FLAT[:29], None, *FLAT])
    world.apply({"when": "close > sma(29)"})
    world.minute(2)
    result = gaps(world.writer, Asked(NOON - DAY, 2), world.clock.at)
    newest = [(gap["market"], after_noon(gap["from"])) for gap in result["gaps"]]
    assert newest == [("binance:BTC/USDT", -1), ("binance:ETH/USDT", -1)]
    counts = [(one["market"], one["gaps"]) for one in result["totals"]]
    assert counts == [("binance:BTC/USDT", 15), ("binance:ETH/USDT", 1)]
    assert result["all"] == {"gaps": 16, "missing": 16, "unobtainable": 0, "not_settled": 0}


@pytest.fixture
def control(world) -> Control:
    """Over a database that holds 1m of two markets of binance and one of kraken."""
    world.record.trade("BTC/USDT", -30, [*FLAT[:28], None, 100.0, *FLAT])
    world.record.trade("ETH/USDT", -30, [*FLAT, *FLAT])
    world.apply({"when": "close > sma(20)"}, {"name": "k", "when": "close > 110", "markets": ["kraken:XBT/USD"]})
    world.minute(1)
    return Control(world.writer, world.clock, Settings({}), None, None)


def test_control_tells_the_gaps_of_one_source_market_or_interval(control) -> None:
    whole = control.answer({"action": "gaps"})
    assert {gap["market"] for gap in whole["gaps"]} == {"binance:BTC/USDT", "kraken:XBT/USD"}
    for chosen in ({"market": "binance:BTC/USDT"}, {"source": "binance"}, {"source": "binance", "interval": "1m"}):
        assert [gap["state"] for gap in control.answer({"action": "gaps", **chosen})["gaps"]] == ["missing"]
    assert control.answer({"action": "gaps", "source": "binance", "since": "2m"})["gaps"] == []
    assert control.answer({"action": "gaps", "market": "binance:ETH/USDT"})["gaps"] == []


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"market": "binance:BTC/USD"}, "stored of market 'binance:BTC/USD': did you mean 'binance:BTC/USDT'?"),
        ({"market": "x:y"}, "nothing is stored of market 'x:y': a watch list decides what is read"),
        ({"source": "krakn"}, "nothing is stored of source 'krakn': did you mean 'kraken'?"),
        ({"market": "binance:BTC/USDT", "interval": "4h"}, "binance:BTC/USDT is not stored at 4h: it is at 1m"),
        ({"market": "binance:BTC/USDT", "source": "kraken"}, "no market of kraken: leave --source out"),
    ],
)
def test_what_is_not_stored_is_refused_with_what_is(control, chosen, message) -> None:
    with pytest.raises(RefusedError, match=message.replace("?", r"\?")):
        control.answer({"action": "gaps", **chosen})


@pytest.mark.parametrize(
    "chosen", [{"limit": 0}, {"limit": 1001}, {"since": "0m"}, {"since": "-1d"}, {"interval": "7m"}, {"market": "BTC"}]
)
def test_what_is_no_request_is_refused_before_the_database_is_asked(chosen) -> None:
    with pytest.raises(ValueError, match=next(iter(chosen))):
        Control(None, WallClock(), Settings({}), None, None).answer({"action": "gaps", **chosen})


@pytest.fixture
def long_series(connection) -> Connection:
    """Two markets of 50,000 minutes, one of them with a hole of three in each thousand."""
    start = NOON - 50_000 * MINUTE
    with transaction(connection) as cursor:
        cursor.execute("INSERT INTO sources (name) VALUES ('binance')")
        cursor.execute("INSERT INTO markets (source, symbol) VALUES ('binance', 'A/USDT'), ('binance', 'B/USDT')")
        cursor.execute(
            "INSERT INTO series (market_id, interval_s, wanted_from, have_from, covered_to, settled_to, first_time)"
            " SELECT id, 60, %s, %s, %s, %s, %s FROM markets",
            (start, start, NOON, NOON, start),
        )
        cursor.execute(
            "INSERT INTO candles SELECT id, 60, %s + step * interval '1 minute', 1, 1, 1, 1, 1"
            " FROM markets, generate_series(0, 49999) AS step WHERE symbol = 'A/USDT' OR step %% 1000 NOT IN (7, 8, 9)",
            (start,),
        )
    connection.autocommit = True
    connection.cursor().execute("VACUUM (ANALYZE) candles")  # as autovacuum does after so many inserts
    connection.autocommit = False
    return connection


def test_a_long_series_is_walked_along_the_primary_key_of_its_own_partition(long_series) -> None:
    asked = Asked(NOON - 60 * DAY, 5)
    assert gaps(long_series, asked, NOON)["all"] == {"gaps": 50, "missing": 150, "unobtainable": 0, "not_settled": 0}
    with transaction(long_series) as cursor:
        parameters = gaps_module._parameters(asked, None, None, NOON)
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {gaps_module._QUERY}", parameters)
        lines = [line for (line,) in cursor.fetchall() if " on candles_" in line]
    read = [line for line in lines if "never executed" not in line]
    assert read
    assert all("Index Only Scan" in line and "using candles_1m_" in line for line in read), read


def test_what_takes_too_long_is_given_up_with_advice(long_series, monkeypatch) -> None:
    monkeypatch.setattr(gaps_module, "PATIENCE_S", 0.005)
    with pytest.raises(GapsRefusedError, match=r"longer than 0\.005 s: name a market"):
        gaps(long_series, Asked(NOON - 60 * DAY, 5), NOON)
    with transaction(long_series) as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",), "the limit is of that question only"
