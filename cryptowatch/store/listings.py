"""Which markets a source lists, and which of them the watches that name them by a star watch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.store.database import APPLY_LOCK, Cursor
from cryptowatch.store.sources import LISTING_AGE
from cryptowatch.store.watches import Served, set_markets


@dataclass(frozen=True)
class Known:
    """A market that is stored. `exchange_id`: what the exchange called it when it listed it last."""

    id: int
    symbol: str
    exchange_id: str | None
    delisted: bool


@dataclass(frozen=True)
class Selected:
    """A watch whose markets are found from what its list says.

    Args:
        markets, exclude: as the list writes them.
        members: the symbols of one source that it watches now.
    """

    watch_id: int
    name: str
    grid: Interval
    look_back: Mapping[str, int]
    markets: Sequence[str]
    exclude: Sequence[str]
    members: Sequence[str]


def listing_is_due(cursor: Cursor, source: str, now: datetime) -> bool:
    """Whether the source's list of markets was read too long ago."""
    cursor.execute(
        "SELECT coalesce(listed_at, '-infinity') <= %s FROM sources WHERE name = %s", (now - LISTING_AGE, source)
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def save_listed(cursor: Cursor, source: str, now: datetime) -> None:
    cursor.execute("UPDATE sources SET listed_at = %s WHERE name = %s", (now, source))


def known_markets(cursor: Cursor, source: str) -> list[Known]:
    """The markets of a source that are stored."""
    cursor.execute(
        "SELECT id, symbol, exchange_id, delisted_at IS NOT NULL FROM markets WHERE source = %s ORDER BY symbol",
        (source,),
    )
    return [Known(*row) for row in cursor.fetchall()]


def save_market(
    cursor: Cursor, market: Known, exchange_id: str | None, delisted_at: datetime | None, renamed_to: str | None
) -> None:
    """Keep whether a market is listed; the first time it was seen not to be stays."""
    cursor.execute(
        """
        UPDATE markets
        SET exchange_id = coalesce(%s, exchange_id), renamed_to = %s,
            delisted_at = CASE WHEN %s::timestamptz IS NOT NULL THEN coalesce(delisted_at, %s) END
        WHERE id = %s
        """,
        (exchange_id, renamed_to, delisted_at, delisted_at, market.id),
    )


def selections(cursor: Cursor, source: str) -> list[Selected]:
    """The watches that name markets of this source by a star; nobody applies a list until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (APPLY_LOCK,))
    cursor.execute(
        """
        SELECT watches.id, name, interval_s, markets, exclude,
               (SELECT json_agg(json_build_array(interval_s, look_back)) FROM watch_inputs WHERE watch_id = watches.id),
               ARRAY(SELECT symbol FROM watch_state JOIN markets ON markets.id = market_id
                     WHERE watch_id = watches.id AND source = %(source)s ORDER BY symbol)
        FROM watch_selections JOIN watches ON watches.id = watch_id
        WHERE removed_at IS NULL AND EXISTS (
            SELECT 1 FROM unnest(markets) AS written
            WHERE starts_with(written, %(source)s || ':') AND strpos(written, '*') > 0)
        ORDER BY name
        """,
        {"source": source},
    )
    return [_selected(*row) for row in cursor.fetchall()]


def _selected(
    watch_id: int, name: str, interval_s: int, markets: list[str], exclude: list[str], inputs: Any, members: list[str]
) -> Selected:
    look_back = {interval_of_seconds(seconds).name: candles for seconds, candles in inputs}
    return Selected(watch_id, name, interval_of_seconds(interval_s), look_back, markets, exclude, members)


def change_members(
    cursor: Cursor,
    selected: Selected,
    source: str,
    joining: Collection[str],
    leaving: Collection[str],
    now: datetime,
    served: Served,
) -> None:
    """Let a watch watch these symbols from the next candle to close on, and no longer those."""
    set_markets(
        cursor,
        selected.watch_id,
        selected.grid,
        selected.look_back,
        [Market(source, symbol) for symbol in sorted(joining)],
        now,
        served,
    )
    cursor.execute(
        """
        DELETE FROM watch_state USING markets
        WHERE watch_id = %s AND markets.id = market_id AND source = %s AND symbol = ANY(%s)
        """,
        (selected.watch_id, source, sorted(leaving)),
    )
    cursor.execute(
        """
        UPDATE watches SET definition = jsonb_set(definition, '{markets}', (
            SELECT jsonb_agg(source || ':' || symbol ORDER BY source, symbol)
            FROM watch_state JOIN markets ON markets.id = market_id WHERE watch_id = watches.id))
        WHERE id = %s AND EXISTS (SELECT 1 FROM watch_state WHERE watch_id = watches.id)
        """,
        (selected.watch_id,),
    )
