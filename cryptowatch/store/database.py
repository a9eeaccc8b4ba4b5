"""Connections to PostgreSQL.

A process opens one for a piece of work and closes it; every session speaks UTC. Transactions are explicit:
`with transaction(connection) as cursor`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import psycopg2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from psycopg2.extensions import connection as Connection  # noqa: N812  it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812  it is a class
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from cryptowatch.settings import SettingError, Settings

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

#: Seconds a process goes on trying to reach the database before it gives its work back.
PATIENCE = 20
#: Seconds one attempt to connect may take.
CONNECT_TIMEOUT = 5
#: Seconds that reaching the replica may take: the least that libpq knows.
REPLICA_CONNECT_TIMEOUT = 2

#: Session settings: UTC, and a client that vanished without a word gives its locks back within seconds.
OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "timezone=UTC",
        "idle_in_transaction_session_timeout=40s",
        "tcp_keepalives_idle=10",
        "tcp_keepalives_interval=5",
        "tcp_keepalives_count=3",
    )
)

#: Keys of PostgreSQL advisory locks, each held for one purpose.
MIGRATION_LOCK = 7_301
CANDLE_WRITERS_LOCK = 7_302
APPLY_LOCK = 7_303

__all__ = ["Connection", "Cursor", "connect", "connect_replica", "connection_arguments", "transaction"]


def connection_arguments(settings: Settings, *, host: str | None = None) -> dict[str, Any]:
    """What `psycopg2.connect` needs: from `DATABASE_URL`; else from `DATABASE_HOST` and its like, or the secret.

    Who `DATABASE_USER` names signs in by a token of RDS, anybody else by the secret's password.

    Args:
        host: another server with the same database and users: a replica.

    Raises:
        psycopg2.OperationalError: the secret cannot be read now, or there are no credentials to sign a token with.
    """
    common = {"connect_timeout": CONNECT_TIMEOUT, "options": OPTIONS}
    if settings.database_url:
        return {"dsn": settings.database_url, **common}
    address = _address(settings)
    host, port = host or address["host"], int(address.get("port", 5432))
    user = settings.database_user or address["username"]
    arguments = {"host": host, "port": port, "user": user, "dbname": address.get("dbname", "cryptowatch"), **common}
    if host.startswith("/"):  # a socket of this machine, which lets in whom it knows
        return arguments | {"password": address["password"]} if user == address["username"] else arguments
    password = _token(host, port, user) if settings.database_user else address["password"]
    return arguments | {"password": password, "sslmode": "verify-full", "sslrootcert": settings.database_ca_file}


def _address(settings: Settings) -> dict[str, Any]:
    """The secret's content, or what stands for it where the secret may not be read."""
    if settings.database_host:
        if not settings.database_user:
            raise SettingError("the environment variable DATABASE_USER is missing; DATABASE_HOST needs it beside it")
        return {
            "host": settings.database_host,
            "port": settings.database_port,
            "dbname": settings.database_name,
            "username": None,
        }
    return _secret(settings.database_secret_arn)


def _token(host: str, port: int, user: str) -> str:
    """A password for the next quarter of an hour, signed with this process's credentials, without a call to AWS."""
    try:
        return _rds().generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    except (BotoCoreError, ClientError) as error:
        raise psycopg2.OperationalError(f"no token for the database can be signed: {error}") from error


@cache
def _rds() -> "RDSClient":
    return boto3.client("rds")


@cache
def _secret(arn: str) -> dict[str, Any]:
    """Kept for the process; forgotten when a connection fails, since it may have been rotated."""
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        answer = boto3.client("secretsmanager", config=config).get_secret_value(SecretId=arn)
    except (BotoCoreError, ClientError) as error:
        raise psycopg2.OperationalError(f"the database's secret cannot be read: {error}") from error
    return dict(json.loads(answer["SecretString"]))


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
        try:
            made: Connection = psycopg2.connect(**connection_arguments(settings))
        except psycopg2.OperationalError:
            _secret.cache_clear()
            raise
        return made

    return attempt()


def connect_replica(settings: Settings) -> Connection | None:
    """Open a connection to the read replica; None when there is none. Tried once: whoever reads has the primary.

    Raises:
        psycopg2.OperationalError: it is away, or refused these credentials.
    """
    if settings.database_replica_url:
        arguments: dict[str, Any] = {"dsn": settings.database_replica_url, "options": OPTIONS}
    elif settings.database_replica_host:
        arguments = connection_arguments(settings, host=settings.database_replica_host)
    else:
        return None
    made: Connection = psycopg2.connect(**arguments | {"connect_timeout": REPLICA_CONNECT_TIMEOUT})
    return made


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


@contextmanager
def advisory_lock(connection: Connection, kind: int, name: str) -> Iterator[bool]:
    """Hold, beyond transactions, the lock of a kind and a name. Yields False, at once, when another process has it."""
    key = (kind, name)
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key)
        held = bool(cursor.fetchone()[0])  # type: ignore[index]
    try:
        yield held
    finally:
        if held and not connection.closed:
            with transaction(connection) as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)


def wal_position(connection: Connection) -> str:
    """How far the write-ahead log has come; after a commit, a replica that has replayed to here has seen it."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        return str(cursor.fetchone()[0])  # type: ignore[index]
