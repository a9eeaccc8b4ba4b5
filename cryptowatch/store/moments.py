"""Moments that could be evaluated and are not: for the sweep, which queues them again."""

from collections import defaultdict
from datetime import datetime

from cryptowatch.store.database import Cursor

# All intervals' grids meet on Mondays, so binning from one gives every interval's own grid.
_READY = """
SELECT DISTINCT watch.interval_s, state.market_id
FROM watch_state state
JOIN watches watch ON watch.id = state.watch_id
JOIN series own ON own.market_id = state.market_id AND own.interval_s = watch.interval_s
CROSS JOIN LATERAL (
    SELECT bool_or(boundary + length <= %(now)s AND NOT settled) AS waited_out,
           bool_and(settled OR boundary + length <= %(now)s) AS ready
    FROM (
        SELECT input.interval_s * interval '1 second' AS length,
               date_bin(input.interval_s * interval '1 second',
                        greatest(state.next_time, own.first_time) + watch.interval_s * interval '1 second',
                        timestamptz '1970-01-05 00:00Z') AS boundary,
               CASE WHEN other.have_from <= other.wanted_from THEN other.settled_to END AS settled_to
        FROM watch_inputs input
        LEFT JOIN series other ON other.market_id = state.market_id AND other.interval_s = input.interval_s
        WHERE input.watch_id = state.watch_id AND input.interval_s <> watch.interval_s
    ) AS input
    CROSS JOIN LATERAL (SELECT coalesce(settled_to >= boundary, false) AS settled) AS flag
) AS elsewhere
WHERE greatest(state.next_time, own.first_time) < own.settled_to
  AND coalesce(elsewhere.ready, true)
  AND (own.settled_at < clock_timestamp() - %(older_than_s)s * interval '1 second' OR elsewhere.waited_out)
"""


def ready_moments(cursor: Cursor, now: datetime, older_than_s: float) -> dict[int, list[int]]:
    """Market ids by interval (seconds) that have a moment whose own candle was settled more than `older_than_s` ago
    (wall time) and whose inputs from elsewhere are settled, or that has waited for one of them for long enough.
    """
    cursor.execute(_READY, {"now": now, "older_than_s": older_than_s})
    found: dict[int, list[int]] = defaultdict(list)
    for interval_s, market_id in cursor.fetchall():
        found[interval_s].append(market_id)
    return dict(found)
