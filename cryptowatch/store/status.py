"""What `status` and `alerts` show: JSON-ready dicts, times as ISO 8601 text in UTC."""

from datetime import datetime
from typing import Any

from psycopg2.extras import RealDictCursor

from cryptowatch.markets.interval import interval_of_seconds
from cryptowatch.store.database import Connection


def source_rows(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """Each source's health; its lag is that of the market that has waited longest, in seconds past its close."""
    return _rows(
        connection,
        """
        SELECT name, last_success, sources.last_error, sources.last_error_at,
               CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS paused_until,
               extract(epoch FROM max(greatest(
                   %(now)s - series.settled_to - series.interval_s * interval '1 second', interval '0'
               )))::float8 AS lag_seconds,
               count(DISTINCT series.market_id) AS markets,
               max(series.settled_to) AS settled_to,
               coalesce(sum(candles), 0)::bigint AS candles,
               coalesce(sum(revisions), 0) AS revisions, coalesce(sum(late_candles), 0) AS late_candles
        FROM sources
        LEFT JOIN markets ON markets.source = name
        LEFT JOIN series ON series.market_id = markets.id
             AND delisted_at IS NULL
             AND EXISTS (SELECT 1 FROM wanted_series wanted
                         WHERE wanted.market_id = series.market_id AND wanted.interval_s = series.interval_s)
        GROUP BY name ORDER BY name
        """,
        now=now,
    )


def series_errors(connection: Connection) -> list[dict[str, Any]]:
    """What is wrong with single markets."""
    rows = _rows(
        connection,
        """
        SELECT source || ':' || symbol AS market, interval_s, last_error AS error, last_error_at AS at
        FROM series JOIN markets ON markets.id = market_id
        WHERE last_error IS NOT NULL AND delisted_at IS NULL ORDER BY last_error_at DESC LIMIT 100
        """,
    )
    return [_named(row) for row in rows]


def delisted_markets(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """The markets that their source does not list any more, and what it calls them now, if it does: those that a watch
    of today names, and those of the last month.
    """
    return _rows(
        connection,
        """
        SELECT source || ':' || symbol AS market, delisted_at, source || ':' || renamed_to AS renamed_to
        FROM markets
        WHERE delisted_at > %(now)s - interval '30 days'
           OR (delisted_at IS NOT NULL AND EXISTS (SELECT 1 FROM watch_state WHERE market_id = id))
        ORDER BY delisted_at DESC, 1 LIMIT 100
        """,
        now=now,
    )


def built_intervals(connection: Connection) -> list[dict[str, Any]]:
    """Which intervals of watched markets are built, from which, and of how many markets, by source."""
    rows = _rows(
        connection,
        """
        SELECT source, interval_s, built_from, count(*) AS markets
        FROM series JOIN markets ON markets.id = market_id
        WHERE built_from IS NOT NULL AND EXISTS (
            SELECT 1 FROM wanted_series wanted
            WHERE wanted.market_id = series.market_id AND wanted.interval_s = series.interval_s)
        GROUP BY 1, 2, 3 ORDER BY 1, 2
        """,
    )
    return [_named(row) | {"built_from": interval_of_seconds(row["built_from"]).name} for row in rows]


def watch_rows(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """The watches of today: on how many markets, how many alerts so far.

    `phase` is live, or what keeps a watch from telling anything: waiting (for its `starts`) or expired. `done` is on
    how many markets it has told the one episode it tells; `held` counts signals that gave no alert, by what
    held them back.
    """
    rows = _rows(
        connection,
        """
        SELECT name, generation, interval_s,
               (SELECT count(*) FROM watch_state WHERE watch_id = id) AS markets,
               (SELECT count(*) FROM alerts WHERE watch_id = id) AS alerts,
               (SELECT jsonb_build_object('cooldown', coalesce(sum((state ->> 'cooled')::integer), 0),
                                          'once', coalesce(sum((state ->> 'spent')::integer), 0),
                                          'period', coalesce(sum((state ->> 'outside')::integer), 0))
                FROM watch_state WHERE watch_id = id) AS held,
               (SELECT count(*) FROM watch_state
                WHERE watch_id = id AND state @> '{"done": true}' AND definition @> '{"once": true}') AS done,
               definition ->> 'starts' AS starts, definition ->> 'expires' AS expires,
               CASE WHEN (definition ->> 'expires')::timestamptz <= %(now)s THEN 'expired'
                    WHEN (definition ->> 'starts')::timestamptz > %(now)s THEN 'waiting' ELSE 'live' END AS phase
        FROM watches WHERE removed_at IS NULL ORDER BY name
        """,
        now=now,
    )
    return [_named(row) for row in rows]


def newest_alerts(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The newest alerts, with what became of each for each recipient."""
    rows = _rows(
        connection,
        """
        SELECT alerts.id, watches.name AS watch, source || ':' || symbol AS market, alerts.interval_s,
               open_time, close_time, kind, alerts.severity, price, figures,
               (SELECT coalesce(json_agg(json_build_object(
                    'recipient', recipient,
                    'state', CASE WHEN sent_at IS NOT NULL THEN 'sent'
                                  WHEN held_by IS NOT NULL THEN 'held' ELSE 'waiting' END,
                    'held_by', held_by, 'sent_at', sent_at) ORDER BY recipient), '[]')
                FROM deliveries WHERE alert_id = alerts.id) AS deliveries
        FROM alerts
        JOIN watches ON watches.id = watch_id
        JOIN markets ON markets.id = market_id
        ORDER BY alerts.id DESC LIMIT %(limit)s
        """,
        limit=limit,
    )
    return [_named(row) for row in rows]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {
        ("interval" if key == "interval_s" else key): (
            interval_of_seconds(value).name if key == "interval_s" else value
        )
        for key, value in row.items()
    }


def _rows(connection: Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query, parameters)
        return [{key: _plain(value) for key, value in row.items()} for row in cursor.fetchall()]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
