"""The read replica: read from once it has replayed to where a message says, and left alone while it lags or is away.

Replication is asynchronous: a worker may be told of a candle before the replica has it.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import psycopg2
from aws_lambda_powertools import Logger

from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect_replica, transaction

logger = Logger(service="worker")

#: Seconds a worker waits for the replica before it reads from the primary.
PATIENCE_S = 2.0
#: Seconds between two looks at how far it is.
POLL_S = 0.02
#: Seconds for which a replica that kept a worker waiting in vain is not tried again.
LEFT_ALONE_S = 30.0


def caught_up(replica: Connection, wal: str, patience_s: float = PATIENCE_S) -> bool:
    """Wait until the replica has replayed to a WAL position of the primary; False when it takes too long.

    A server that is no replica (any more) never has.
    """
    deadline = time.monotonic() + patience_s
    while True:
        with transaction(replica) as cursor:
            cursor.execute("SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn", (wal,))
            if cursor.fetchone()[0]:  # type: ignore[index]
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)


class Replica:
    """The replica of a process, if it has one. Keep one a process: it remembers when to leave the replica alone.

    Args:
        patience_s: how long to wait for it to have come where it shall be read.
    """

    def __init__(self, settings: Settings, patience_s: float = PATIENCE_S) -> None:
        self._settings = settings
        self._patience_s = patience_s
        self._not_before = 0.0

    @contextmanager
    def at(self, wal: str) -> Iterator[Connection | None]:
        """A connection to the replica that has come to a WAL position of the primary; None: read the primary."""
        with ExitStack() as stack:
            connection = None
            if time.monotonic() >= self._not_before:
                try:
                    connection = self._connect(wal, stack)
                except psycopg2.Error as error:
                    self._leave_alone(str(error).strip())
            yield connection

    def _connect(self, wal: str, stack: ExitStack) -> Connection | None:
        connection = connect_replica(self._settings)
        if connection is None:
            return None
        stack.enter_context(closing(connection))
        if caught_up(connection, wal, self._patience_s):
            return connection
        self._leave_alone(f"it has not come to {wal} within {self._patience_s:g} s")
        return None

    def _leave_alone(self, reason: str) -> None:
        self._not_before = time.monotonic() + LEFT_ALONE_S
        logger.warning("replica left alone", extra={"reason": reason, "seconds": LEFT_ALONE_S})
