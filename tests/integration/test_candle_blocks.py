"""Blocks and the open tail read as the rows alone: after any changes, with sealer and writers at it in any order."""

import io
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import psycopg2
import pytest
from numpy.typing import NDArray

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.settings import Settings
from cryptowatch.store.blocks import BLOCK, read_candles, seal
from cryptowatch.store.candles import merge_candles, merge_many
from cryptowatch.store.database import CANDLE_WRITERS_LOCK, Connection, Cursor, connect, transaction
from cryptowatch.store.panels import reading

MINUTE, WEEK = INTERVALS["1m"], INTERVALS["1w"]
#: A step where blocks begin, a little before a partition does.
START = MINUTE.step_at(datetime(2026, 3, 2, tzinfo=UTC)) // 10240 * 10240 - 2 * BLOCK
MARKETS = (1, 2)
WIDTH = 6 * BLOCK


def candle(grid: Interval, step: int, price: float) -> Candle:
    return Candle(grid.open_time(step), price, price + 1, price - 1, price + 0.5, abs(price))


def prepare(connection: Connection, grid: Interval = MINUTE, start: int = START, settled: int = WIDTH) -> None:
    with transaction(connection) as cursor:
        cursor.execute("INSERT INTO sources (name) VALUES ('x') ON CONFLICT DO NOTHING")
        for market in MARKETS:
            cursor.execute(
                "INSERT INTO markets (id, source, symbol) OVERRIDING SYSTEM VALUE VALUES (%s, 'x', %s)"
                " ON CONFLICT DO NOTHING",
                (market, f"m{market}"),
            )
            cursor.execute(
                "INSERT INTO series (market_id, interval_s, wanted_from, have_from, settled_to, first_time)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (market, grid.seconds, *(grid.open_time(start + at) for at in (0, 0, settled, 0))),
            )


def by_rows(cursor: Cursor, grid: Interval, first: int, last: int) -> NDArray[np.float64]:
    """What is stored, from `candles` alone."""
    cursor.execute(
        "SELECT market_id, open_time, open, high, low, close, volume FROM candles WHERE interval_s = %s",
        (grid.seconds,),
    )
    values = np.full((5, len(MARKETS), last - first + 1), np.nan)
    for market, time, *row in cursor.fetchall():
        step = grid.step_at(time)
        if first <= step <= last:
            values[:, MARKETS.index(market), step - first] = row
    return values


def check(connection: Connection, grid: Interval = MINUTE, first: int = START, last: int = START + WIDTH) -> int:
    """Blocks and tail are the rows, bit for bit, and every range is sealed or known not to be; gives blocks' number."""
    with reading(connection) as cursor:
        read = read_candles(cursor, grid, MARKETS, first, last)
        assert np.array_equal(read.view(np.int64), by_rows(cursor, grid, first, last).view(np.int64))
        cursor.execute(
            "SELECT market_id, interval_s, start_time FROM candle_blocks INTERSECT"
            " SELECT market_id, interval_s, start_time FROM unsealed"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM candle_blocks")
        return int(cursor.fetchone()[0])


def seal_all(connection: Connection) -> int:
    sealed = 0
    while batch := seal(connection, 3):
        sealed += batch
    return sealed


@pytest.mark.parametrize("seed", range(4))
def test_after_any_changes_blocks_and_tail_are_the_rows(connection, reader, seed) -> None:
    chance = random.Random(seed)
    grid, start = (WEEK, 2944) if seed == 3 else (MINUTE, START)
    prepare(connection, grid, start)
    most = 0
    for _ in range(60):
        action = chance.choice(["tail", "late", "late", "revise", "delete", "abort", "seal", "seal"])
        steps = sorted(chance.sample(range(start, start + WIDTH), chance.choice([1, 2, 70])))
        if action == "seal":
            seal(connection, chance.choice([1, 2, 50]))
        elif action == "delete":
            with transaction(connection) as cursor:
                times = [grid.open_time(step) for step in steps]
                cursor.execute("DELETE FROM candles WHERE market_id = 1 AND open_time = ANY(%s)", (times,))
        elif action == "abort":
            with connection.cursor() as cursor:
                merge_candles(cursor, 1, grid.seconds, [candle(grid, step, 3.0) for step in steps])
            connection.rollback()
        else:
            if action == "tail":
                steps = list(range(start, start + chance.randrange(1, WIDTH)))
            with transaction(connection) as cursor:
                price = chance.uniform(-5, 5) if action == "revise" else 7.0
                some = {market: [candle(grid, step, price) for step in steps] for market in MARKETS}
                merge_many(cursor, grid.seconds, some)
        first = start + chance.randrange(-5, 90)
        most = max(most, check(reader, grid, first, first + chance.randrange(0, WIDTH)))
        check(reader, grid, start, start + WIDTH)
    assert most >= 4, "there were blocks to break"


def test_a_block_is_sealed_when_all_its_steps_are_settled(connection, reader) -> None:
    prepare(connection, settled=2 * BLOCK - 1)
    with transaction(connection) as cursor:
        merge_candles(cursor, 1, 60, [candle(MINUTE, START + step, 1.0) for step in (3, 60, 2 * BLOCK - 2)])
    assert seal_all(connection) == 1
    with transaction(connection) as cursor:
        cursor.execute("UPDATE series SET settled_to = settled_to + interval '1 minute'")
    assert seal_all(connection) == 1, "steps without a candle are settled too"
    assert seal_all(connection) == 0
    assert check(reader) == 2


def versions_written(cursor: Cursor) -> int:
    """Row versions of candles, blocks and revisions that this session has written."""
    cursor.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
        " WHERE relname LIKE 'candle%' OR relname = 'unsealed'"
    )
    return int(cursor.fetchone()[0])


def test_old_values_of_a_revised_candle_are_kept_and_unchanged_ones_write_nothing(connection) -> None:
    prepare(connection)
    steps = range(START, START + 100)
    with transaction(connection) as cursor:
        merged = merge_candles(cursor, 1, 60, [candle(MINUTE, step, 1.0) for step in steps])
        assert len(merged.new) == 100
    changed = [candle(MINUTE, step, 2.0 if step == START + 7 else 1.0) for step in steps]
    for revised in (1, 0):
        with transaction(connection) as cursor:
            before = versions_written(cursor)
            merged = merge_candles(cursor, 1, 60, changed)
            assert (len(merged.new), len(merged.revised)) == (0, revised)
            assert versions_written(cursor) - before == 2 * revised, "the candle, and what it was"
    with transaction(connection) as cursor:
        cursor.execute("SELECT market_id, interval_s, open_time, open, high, low, close, volume FROM candle_revisions")
        assert cursor.fetchall() == [(1, 60, *candle(MINUTE, START + 7, 1.0))]


def test_a_writer_with_an_older_snapshot_and_a_change_of_the_key_are_refused(connection) -> None:
    prepare(connection)
    with (
        pytest.raises(psycopg2.errors.RaiseException, match="READ COMMITTED"),
        transaction(connection, snapshot=True) as cursor,
    ):
        merge_candles(cursor, 1, 60, [candle(MINUTE, START, 1.0)])
    with pytest.raises(psycopg2.errors.RaiseException, match="never change"), transaction(connection) as cursor:
        cursor.execute("UPDATE candles SET market_id = 2")


def old_merge(cursor: Cursor, candles: Sequence[Candle]) -> None:
    """As version 0.1 wrote candles of market 1: it knows of no blocks."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (CANDLE_WRITERS_LOCK,))
    cursor.execute(
        "CREATE TEMP TABLE IF NOT EXISTS incoming (open_time timestamptz, open float8, high float8, low float8,"
        " close float8, volume float8) ON COMMIT DELETE ROWS"
    )
    lines = "".join("\t".join([one.open_time.isoformat(), *map(repr, one[1:])]) + "\n" for one in candles)
    cursor.copy_expert("COPY incoming FROM STDIN", io.StringIO(lines))
    cursor.execute(
        """
        WITH before AS (SELECT open_time FROM candles JOIN incoming USING (open_time)
                        WHERE market_id = 1 AND interval_s = 60),
        merged AS (
            INSERT INTO candles AS kept (market_id, interval_s, open_time, open, high, low, close, volume)
            SELECT 1, 60, open_time, open, high, low, close, volume FROM incoming
            ON CONFLICT (market_id, interval_s, open_time) DO UPDATE
            SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                volume = excluded.volume
            WHERE (kept.open, kept.high, kept.low, kept.close, kept.volume)
               IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
            RETURNING open_time)
        SELECT open_time, open_time NOT IN (SELECT open_time FROM before) FROM merged
        """
    )


class Stepped(Cursor):
    """Stops before one of its statements until it is let go on."""

    stop_before = -1
    count = 0
    reached: threading.Event
    go_on: threading.Event

    def _step(self) -> None:
        if Stepped.count == Stepped.stop_before:
            Stepped.reached.set()
            assert Stepped.go_on.wait(20)
        Stepped.count += 1

    def execute(self, *args: Any) -> None:
        self._step()
        super().execute(*args)

    def copy_expert(self, *args: Any) -> None:
        self._step()
        super().copy_expert(*args)


@pytest.fixture
def others(database: str, connection: Connection) -> Iterator[list[Connection]]:
    """Two more connections."""
    settings = Settings({"DATABASE_URL": database})
    with closing(connect(settings)) as one, closing(connect(settings)) as two:
        yield [one, two]


def write(connection: Connection, price: float) -> None:
    """New, late and revised candles of both markets, in sealed and unsealed ranges."""
    steps = [START + 5, START + 70, START + 3 * BLOCK + 1]
    with transaction(connection) as cursor:
        merge_many(cursor, 60, {market: [candle(MINUTE, step, price) for step in steps] for market in MARKETS})


def write_as_before(connection: Connection) -> None:
    with transaction(connection) as cursor:
        old_merge(cursor, [candle(MINUTE, step, 9.0) for step in (START + 6, START + 71)])


def delete(connection: Connection) -> None:
    with transaction(connection) as cursor:
        cursor.execute("DELETE FROM candles WHERE open_time = %s", (MINUTE.open_time(START + 1),))


WORK: dict[str, Callable[[Connection], object]] = {
    "seal": seal,
    "write": lambda connection: write(connection, 2.0),
    "write other values": lambda connection: write(connection, 4.0),
    "write as version 0.1": write_as_before,
    "delete": delete,
}
PAIRS = [(one, two) for one, two in product(WORK, WORK) if one != two and ("seal" in (one, two) or "write" in one)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_whatever_two_do_at_once_is_right(connection, reader, others, first, second) -> None:
    prepare(connection)
    stopped, other = others
    stopped.cursor_factory = Stepped
    for place in range(100):
        with transaction(connection) as cursor:
            cursor.execute("DELETE FROM candles")
            cursor.execute("DELETE FROM unsealed")
            merge_many(cursor, 60, {m: [candle(MINUTE, START + n, 1.0) for n in range(4 * BLOCK)] for m in MARKETS})
        seal(connection, 4)
        Stepped.stop_before, Stepped.count = place, 0
        Stepped.reached, Stepped.go_on = threading.Event(), threading.Event()
        one = threading.Thread(target=WORK[first], args=[stopped])
        one.start()
        while one.is_alive() and not Stepped.reached.wait(0.001):
            pass
        if not Stepped.reached.is_set():
            break  # it has fewer statements than that
        two = threading.Thread(target=WORK[second], args=[other])
        two.start()
        while two.is_alive() and not is_waiting(reader, other.info.backend_pid):
            pass
        check(reader)
        Stepped.go_on.set()
        one.join()
        two.join()
        check(reader)
    assert place > 0
    seal_all(connection)
    assert check(reader) > 0


def is_waiting(connection: Connection, pid: int) -> bool:
    with transaction(connection) as cursor:
        cursor.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", (pid,))
        return bool(cursor.fetchone()[0])
