"""Who may do what: functions and workers do their work, and only the owner changes the schema."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import parse_dsn

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.dispatch import dispatch
from cryptowatch.pipeline.sweep import sweep
from cryptowatch.pipeline.upkeep import upkeep
from cryptowatch.settings import Settings
from cryptowatch.store.blocks import seal
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.migrate import migrate
from cryptowatch.store.status import source_rows
from cryptowatch.store.upkeep import drop_partitions

APP, WORKER = "cryptowatch_app", "cryptowatch_worker"


@pytest.fixture
def sign_in(database: str) -> Iterator[Callable[[str], Connection]]:
    """Opens a connection as a role."""
    with ExitStack() as stack:

        def open_as(role: str) -> Connection:
            url = database.replace("//postgres:@", f"//{role}:@")
            assert url != database
            return stack.enter_context(closing(connect(Settings({"DATABASE_URL": url}), patience=0)))

        yield open_as


class Queue:
    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, ids: list[int]) -> int:
        self.sent += ids
        return len(ids)


def test_functions_and_workers_do_the_whole_way_of_a_candle(world: Any, sign_in: Any) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 31 + [120.0, 100.0, 120.0])
    world.apply({"when": "close > 110"})
    functions, worker, reader = sign_in(APP), sign_in(WORKER), sign_in(WORKER)
    sources: list[str] = []
    ids: list[int] = []
    for _ in range(2):
        world.clock.at = world.clock.at.replace(minute=world.clock.at.minute + 1)
        world.writer = functions
        assert dispatch(functions, world.clock, sources.append) == ["binance"]
        assert world.ingest() == "done"
        world.writer, world.reader = worker, reader
        ids += world.analyse()
    assert len(ids) == 1, world.alerts()
    world.writer = functions
    queue = Queue()
    sweep(functions, world.clock, world.told, queue, patience_s=0)
    assert queue.sent == ids
    assert world.notify(ids) == []
    assert len(world.emails) == 1
    assert [row["name"] for row in source_rows(functions, world.clock.now())] == ["binance"]


FORBIDDEN = [
    "CREATE TABLE mine (id integer)",
    "ALTER TABLE alerts ADD COLUMN mine integer",
    "ALTER TABLE candles DISABLE TRIGGER ALL",
    "DROP TABLE candles_1m",
    "TRUNCATE alerts",
    "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE mine",
    "UPDATE schema_version SET version = 99",
    "INSERT INTO schema_version (version, name) VALUES (99, 'mine')",
]


class Tasks:
    def send(self, task_name: str, **kwargs: Any) -> None:
        pass


def test_the_sweep_makes_and_drops_partitions_and_a_worker_seals(world: Any, sign_in: Any) -> None:
    """Both by functions that the owner made for it: neither may create or drop a table by itself."""
    world.record.trade("BTC/USDT", -300, [100.0] * 301)
    world.apply({"when": "close > ema(200)"})
    world.writer = functions = sign_in(APP)
    assert world.ingest() == "done"
    kept = upkeep(functions, world.clock, {60: timedelta(days=365)}, Tasks())
    assert kept["made"] > 0
    worker = sign_in(WORKER)
    assert seal(worker) > 0
    assert drop_partitions(functions, INTERVALS["1m"], world.clock.now() + timedelta(days=400)) != []
    with pytest.raises(InsufficientPrivilege), transaction(worker) as cursor:
        cursor.execute("SELECT drop_candle_partition(60, now())")


@pytest.mark.parametrize("role", [APP, WORKER])
def test_neither_changes_the_schema(connection: Connection, sign_in: Any, role: str) -> None:
    used = sign_in(role)
    for statement in FORBIDDEN:
        with pytest.raises(InsufficientPrivilege), transaction(used) as cursor:
            cursor.execute(statement)
    with transaction(used) as cursor:
        cursor.execute("GRANT SELECT ON alerts TO PUBLIC")  # of this PostgreSQL only warns
    assert "no privileges were granted" in used.notices[-1]


def test_tables_of_later_migrations_are_theirs_too(connection: Connection, sign_in: Any) -> None:
    with transaction(connection) as cursor:
        cursor.execute("CREATE TABLE later (id bigserial PRIMARY KEY, note text)")
    for role in (APP, WORKER):
        with transaction(sign_in(role)) as cursor:
            cursor.execute("INSERT INTO later (note) VALUES ('x'); UPDATE later SET note = 'y'; DELETE FROM later")


def test_every_table_can_be_read_and_written_by_both(connection: Connection) -> None:
    with transaction(connection) as cursor:
        cursor.execute(
            """
            SELECT relname, role FROM pg_class, unnest(%s) role
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'schema_version'
              AND NOT (has_table_privilege(role, pg_class.oid, 'SELECT') AND
                       has_table_privilege(role, pg_class.oid, 'INSERT, UPDATE, DELETE'))
            """,
            ([APP, WORKER],),
        )
        assert cursor.fetchall() == []


def test_an_owner_who_may_not_make_roles_still_migrates(database: str, server: str) -> None:
    """An existing database: its roles are another's business, and everybody signs in by its secret."""
    with closing(psycopg2.connect(server)) as admin:
        admin.autocommit = True
        cursor = admin.cursor()
        cursor.execute(f"DROP ROLE IF EXISTS plain_owner, {APP}, {WORKER}")  # other tests' databases are gone
        cursor.execute("CREATE ROLE plain_owner LOGIN")
        cursor.execute(f"ALTER DATABASE {parse_dsn(database)['dbname']} OWNER TO plain_owner")
    url = database.replace("//postgres:@", "//plain_owner:@")
    with closing(connect(Settings({"DATABASE_URL": url}), patience=0)) as owner:
        assert "0005_roles.sql" in migrate(owner)
        assert "no roles of their own" in owner.notices[-1]
        with transaction(owner) as cursor:
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname IN %s", ((APP, WORKER),))
            assert cursor.fetchone() == (0,)
