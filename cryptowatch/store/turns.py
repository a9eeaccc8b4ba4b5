"""Turns at a source, taken by all processes that ask it: one row says when the next begins."""

from cryptowatch.store.database import Connection, Cursor, transaction


class StoredTurns:
    """Turns of one source, through the database; see `cryptowatch.sources.pace.Turns`.

    Whoever comes first has the first turn, so all who ask at the same time get the same share. Taking one is one
    short transaction without a write to disk.
    """

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection = connection
        self._source = source

    def take(self, seconds: float, burst: float) -> float:
        with transaction(self._connection) as cursor:
            _lose_in_a_crash(cursor)
            cursor.execute(
                """
                INSERT INTO request_turns AS turns (source, next)
                VALUES (%(source)s, clock_timestamp() + make_interval(secs => %(seconds)s))
                ON CONFLICT (source) DO UPDATE
                SET next = greatest(turns.next, clock_timestamp() - make_interval(secs => %(burst)s))
                           + make_interval(secs => %(seconds)s)
                RETURNING extract(epoch FROM next - clock_timestamp())::float8
                """,
                {"source": self._source, "seconds": seconds, "burst": burst},
            )
            (ends_in,) = cursor.fetchone()  # type: ignore[misc]
        return max(0.0, float(ends_in) - seconds)

    def hold(self, seconds: float) -> None:
        with transaction(self._connection) as cursor:
            _lose_in_a_crash(cursor)
            cursor.execute(
                """
                INSERT INTO request_turns AS turns (source, next)
                VALUES (%s, clock_timestamp() + make_interval(secs => %s))
                ON CONFLICT (source) DO UPDATE SET next = greatest(turns.next, excluded.next)
                """,
                (self._source, seconds),
            )


def _lose_in_a_crash(cursor: Cursor) -> None:
    cursor.execute("SET LOCAL synchronous_commit = off")
