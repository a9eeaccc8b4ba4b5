"""Asking for backfills, by the control function: opens them, tells how they stand, ends them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import Interval, interval_named, interval_of_seconds
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.store.backfills import ask_for, cancel, progress, read_interval
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.watches import market_ids_of
from cryptowatch.watches.moment import parse_moment
from cryptowatch.watches.values import IntervalName, MarketName, parse_duration

#: Markets one request may name.
MOST_MARKETS = 1000
#: The oldest time history can be asked for back to; the first bitcoin exchange opened in 2010.
OLDEST = datetime(2010, 1, 1, tzinfo=UTC)


def _parse_since(value: object) -> object:
    """A date, a moment, or how long ago: `2024-01-01`, `2024-01-01 18:30`, `90d`."""
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ValueError:
        try:
            return parse_moment(value)
        except ValueError:
            raise ValueError(f"a date like 2024-01-01, or how long ago, like 90d, not {value!r}") from None


#: A moment (UTC), or how long before now.
Since = Annotated[datetime | timedelta, BeforeValidator(_parse_since)]


class BackfillRequest(BaseModel):
    """What the command line asks for.

    Args:
        markets: none: all that there are backfills of, to tell how they stand.
        interval: None: those at which the markets are stored.
        since: how far back; None: only tell how they stand.
        cancel: end those that are open.
    """

    model_config = ConfigDict(extra="forbid")

    markets: tuple[MarketName, ...] = Field(default=(), max_length=MOST_MARKETS)
    interval: IntervalName | None = None
    since: Since | None = None
    cancel: bool = False


def backfills(
    connection: Connection,
    asked: BackfillRequest,
    now: datetime,
    retention: dict[int, timedelta],
    queue: Callable[[str], None],
) -> dict[str, Any]:
    """Do what is asked and tell how the backfills stand; asking twice changes nothing the second time.

    Args:
        now: market time.
        retention: how long candles are kept, by the interval's seconds; no history is read that would be dropped.
        queue: starts work on a source.

    Raises:
        RefusedError: nothing is stored of a market and no interval named, or the time is out of reach.
    """
    since = now - asked.since if isinstance(asked.since, timedelta) else asked.since
    if since is not None and not OLDEST <= since < now:
        raise RefusedError(f"since must be between {OLDEST:%Y-%m-%d} and now, not {since:%Y-%m-%d %H:%M}")
    if (asked.since is not None or asked.cancel) and not asked.markets:
        raise RefusedError("name the markets")
    with transaction(connection) as cursor:
        pairs = _pairs(cursor, asked) if asked.markets else None
        if pairs is not None:
            pairs = list(dict.fromkeys((id_, read_interval(cursor, id_, interval)) for id_, interval in pairs))
        for market_id, interval in pairs or ():
            if asked.cancel:
                cancel(cursor, market_id, interval)
            elif since is not None:
                ask_for(cursor, market_id, interval, _on_grid(since, interval, now, retention), now)
    if asked.since is not None and not asked.cancel:
        for source in sorted({Market.parse(name).source for name in asked.markets}):
            queue(source)
    keys = None if pairs is None else [(market_id, interval.seconds) for market_id, interval in pairs]
    return {"backfills": progress(connection, keys)}


def _pairs(cursor: Cursor, asked: BackfillRequest) -> list[tuple[int, Interval]]:
    markets = [Market.parse(name) for name in asked.markets]
    if asked.interval is not None and asked.since is not None:
        interval = interval_named(asked.interval)
        return [(market_id, interval) for market_id in market_ids_of(cursor, markets)]
    pairs = []
    for market in markets:
        cursor.execute(
            "SELECT market_id, interval_s FROM series JOIN markets ON id = market_id WHERE source = %s AND symbol = %s",
            market,
        )
        stored = [(market_id, interval_of_seconds(seconds)) for market_id, seconds in cursor.fetchall()]
        found = [(id_, interval) for id_, interval in stored if asked.interval in (None, interval.name)]
        if not found:
            at = f" at {asked.interval}" if asked.interval else " yet: say at which --interval"
            raise RefusedError(f"nothing is stored of {market}{at}")
        pairs += found
    return pairs


def _on_grid(since: datetime, interval: Interval, now: datetime, retention: dict[int, timedelta]) -> datetime:
    kept = retention.get(interval.seconds)
    if kept is not None and since < now - kept:
        raise RefusedError(f"candles at {interval} are kept for {kept.days} days: ask for no more, or keep them longer")
    return interval.open_time(interval.step_at(since))
