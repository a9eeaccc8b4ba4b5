"""Connections to PostgreSQL.

A process opens one for a piece of work and closes it; every session speaks UTC. Transactions are explicit:
`with transaction(connection) as cursor`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812  it is a class
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from cryptowatch.settings import Settings

#: Seconds a process goes on trying to reach the database before it gives its work back.
PATIENCE = 20
#: Seconds one attempt to connect may take.
CONNECT_TIMEOUT = 5

#: Keys of PostgreSQL advisory locks, each held for one purpose.
MIGRATION_LOCK = 7_301
CANDLE_WRITERS_LOCK = 7_302
APPLY_LOCK = 7_303

__all__ = ["Connection", "Cursor", "connect", "connection_arguments", "transaction"]


def connection_arguments(settings: Settings) -> dict[str, Any]:
    """What `psycopg2.connect` needs: from `DATABASE_URL`, else from the secret, read anew (it may be rotated)."""
    common = {"connect_timeout": CONNECT_TIMEOUT, "options": "-c timezone=UTC"}
    if settings.database_url:
        return {"dsn": settings.database_url, **common}
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=settings.database_secret_arn)
    secret = json.loads(answer["SecretString"])
    arguments = {
        "host": secret["host"],
        "port": int(secret.get("port", 5432)),
        "user": secret["username"],
        "password": secret["password"],
        "dbname": secret.get("dbname", "cryptowatch"),
        **common,
    }
    if not arguments["host"].startswith("/"):
        arguments |= {"sslmode": "verify-full", "sslrootcert": settings.database_ca_file}
    return arguments


def connect(settings: Settings, patience: float = PATIENCE) -> Connection:
    """Open a connection, trying again for `patience` seconds while the database is away.

    Raises:
        psycopg2.OperationalError: it stayed away, or refused these credentials.
    """

    @retry(
        retry=retry_if_exception_type(psycopg2.OperationalError),
        stop=stop_after_delay(patience),
        wait=wait_exponential_jitter(multiplier=0.2, max=2),
        reraise=True,
    )
    def attempt() -> Connection:
        made: Connection = psycopg2.connect(**connection_arguments(settings))
        return made

    return attempt()


@contextmanager
def transaction(connection: Connection, *, snapshot: bool = False) -> Iterator[Cursor]:
    """One transaction: committed at the end, rolled back by any exception.

    Args:
        snapshot: all its statements see one moment of the database (REPEATABLE READ).
    """
    with connection, connection.cursor() as cursor:
        if snapshot:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield cursor


def wal_position(connection: Connection) -> str:
    """How far the write-ahead log has come; after a commit, a replica that has replayed to here has seen it."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        return str(cursor.fetchone()[0])  # type: ignore[index]
