"""Keeping the store of candles in shape: partitions ahead of time, old ones dropped, blocks ripe for sealing."""

from datetime import datetime, timedelta

from cryptowatch.markets.interval import INTERVALS, Interval, interval_named, interval_of_seconds
from cryptowatch.markets.loads import load_starts
from cryptowatch.store.database import Connection, Cursor, transaction

#: Steps for which there is room ahead: two days at 1m.
AHEAD = 2880

#: Ranges of 64 steps without a block whose steps are all settled.
RIPE = """
SELECT unsealed.market_id, unsealed.interval_s, start_time
FROM unsealed JOIN series USING (market_id, interval_s)
WHERE settled_to >= start_time + make_interval(secs => 64.0 * interval_s)
"""


def ripe_blocks(cursor: Cursor) -> int:
    """How many blocks could be sealed now."""
    cursor.execute(f"SELECT count(*) FROM ({RIPE}) AS ripe")
    return int(cursor.fetchone()[0])  # type: ignore[index]


def make_partitions(connection: Connection, now: datetime) -> int:
    """Make room for the candles of today and of the next days; returns how many partitions that took."""
    made = 0
    for interval in INTERVALS.values():
        with transaction(connection) as cursor:
            cursor.execute(
                "SELECT make_candle_partitions(%s, %s, %s)",
                (interval.seconds, now, now + AHEAD * interval.length),
            )
            made += int(cursor.fetchone()[0])  # type: ignore[index]
    return made


def drop_partitions(connection: Connection, interval: Interval, cutoff: datetime) -> list[str]:
    """Drop the partitions of an interval that lie wholly before `cutoff`, each in a transaction; returns their names.

    With them go their blocks and revisions; the last candle of each market before the cut is kept.
    """
    dropped: list[str] = []
    while True:
        with transaction(connection) as cursor:
            cursor.execute("SELECT drop_candle_partition(%s, %s)", (interval.seconds, cutoff))
            name = cursor.fetchone()[0]  # type: ignore[index]
        if name is None:
            return dropped
        dropped.append(name)


def retained_from(connection: Connection, retention: dict[int, timedelta], now: datetime) -> dict[Interval, datetime]:
    """For each interval that is not kept for good, from when on its candles are kept.

    Never later than the first candle of a load that a watch of today needs for its next moment.

    Args:
        retention: how long candles of an interval are kept, by its seconds.
    """
    kept = {interval_of_seconds(seconds): now - how_long for seconds, how_long in retention.items()}
    if not kept:
        return kept
    with transaction(connection) as cursor:
        cursor.execute(
            """
            SELECT watch.interval_s, min(state.next_time),
                   (SELECT json_agg(json_build_array(input.interval_s, input.look_back))
                    FROM watch_inputs input WHERE input.watch_id = watch.id)
            FROM watches watch JOIN watch_state state ON state.watch_id = watch.id
            GROUP BY watch.id
            """
        )
        rows = cursor.fetchall()
    for seconds, next_time, inputs in rows:
        base = interval_of_seconds(seconds)
        look_back = {interval_of_seconds(own).name: candles for own, candles in inputs}
        for name, start in load_starts(look_back, base, base.step_at(next_time)).items():
            interval = interval_named(name)
            if interval in kept:
                kept[interval] = min(kept[interval], interval.open_time(start))
    return kept
