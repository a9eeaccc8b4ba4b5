"""Bulk tasks of the drill and of the flood, which workers load by `-I bench.drill_tasks`."""

import time
from contextlib import closing

import numpy as np

from cryptowatch.settings import Settings
from cryptowatch.store.database import connect, transaction
from workers.studies import bulk_task

DRILL, BURN = "drill", "burn"
TABLE = "CREATE TABLE drill (number bigint NOT NULL)"

_settings = Settings()


@bulk_task(DRILL)
def drill(number: int, seconds: float) -> None:
    """Takes its time, then leaves a row."""
    time.sleep(seconds)
    with closing(connect(_settings)) as connection, transaction(connection) as cursor:
        cursor.execute("INSERT INTO drill VALUES (%s)", [number])


@bulk_task(BURN)
def burn(seconds: float) -> None:
    """Keeps a processor and the memory busy for so many seconds of its own time."""
    values = np.random.default_rng(1).random((200, 5000))
    until = time.process_time() + seconds
    while time.process_time() < until:
        np.sort(values, axis=1)
