"""PostgreSQL's binary COPY format, in and out of numpy without a step a row.

A header of 19 bytes, then for each row a 16-bit field count and for each field a 32-bit length and its bytes, all
big-endian; a trailer of -1 (PostgreSQL manual, COPY, Binary Format). Rows of fixed lengths are one numpy table.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryptowatch.markets.interval import Interval
from cryptowatch.store.database import Cursor

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
#: Microseconds from 1970, where steps are counted from, to 2000, where PostgreSQL counts from.
_EPOCH_US = 946_684_800_000_000

Table = NDArray[Any]


def row_type(**fields: str | tuple[str, tuple[int, ...]]) -> np.dtype[Any]:
    """The type of one row, from the type (and shape) of each field in order; `<name>_length` stands before each."""
    parts: list[Any] = [("fields", ">i2")]
    for name, kind in fields.items():
        parts += [(f"{name}_length", ">i4"), (name, *([kind] if isinstance(kind, str) else kind))]
    return np.dtype(parts)


def copy_out(cursor: Cursor, row: np.dtype[Any], query: str, parameters: dict[str, Any]) -> Table:
    """The rows of a query; its fields must be of the lengths that `row` says, and never null."""
    buffer = io.BytesIO()
    cursor.copy_expert(f"COPY ({cursor.mogrify(query, parameters).decode()}) TO STDOUT (FORMAT binary)", buffer)
    return np.frombuffer(buffer.getbuffer()[len(_HEADER) : -len(_TRAILER)], dtype=row)


def copy_in(cursor: Cursor, table: str, row: np.dtype[Any], rows: Table) -> None:
    """Write rows into a table; `rows` is of type `row`, its values set and its lengths not yet."""
    names = [name for name in row.names or () if name != "fields" and not name.endswith("_length")]
    rows["fields"] = len(names)
    for name in names:
        rows[f"{name}_length"] = row[name].itemsize
    cursor.copy_expert(
        f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)",
        io.BytesIO(_HEADER + rows.tobytes() + _TRAILER),
    )


def steps_of(interval: Interval, times: Table) -> NDArray[np.int64]:
    """Grid steps from PostgreSQL's times."""
    seconds = (times.astype(np.int64) + _EPOCH_US) // 1_000_000
    return (seconds - interval.offset) // interval.seconds


def times_of(interval: Interval, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """PostgreSQL's times of when these steps open."""
    return (steps * interval.seconds + interval.offset) * 1_000_000 - _EPOCH_US
