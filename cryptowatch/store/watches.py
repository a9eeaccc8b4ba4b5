"""Applying a watch list: what is stored becomes what the list says, in one transaction."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptowatch.markets.building import part_for
from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.markets.loads import load_starts
from cryptowatch.store.database import APPLY_LOCK, Cursor
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch

#: Fields whose change is another rule, and so a new generation of the watch.
_RULE = frozenset({"let", "when", "until", "interval", "for_"})


#: Tells the intervals that a source has candles of; None when that is not known, and then it has all.
Served = Callable[[str], Collection[str] | None]


def apply_watches(
    cursor: Cursor, wanted: CheckedWatchList, now: datetime, served: Served = lambda source: None
) -> dict[str, Any]:
    """Make the stored watches those of the list; applying a list twice changes nothing the second time.

    A removed watch keeps its alerts. A changed rule starts a new generation, whose first candle is the next to close.

    Args:
        now: market time; a watch starts on a market with the first candle that closes after it.
        served: decides whether a new series is the source's own or built.

    Returns:
        `added`, `changed` (name, what kinds of things and which keys), `removed`, `unchanged`; `expired`: those of
        the list that tell nothing any more.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (APPLY_LOCK,))
    cursor.execute("SELECT name, id, definition, removed_at IS NULL FROM watches FOR NO KEY UPDATE")
    stored = {name: (id_, Watch.model_validate(data), live) for name, id_, data, live in cursor.fetchall()}
    report: dict[str, Any] = {"added": [], "changed": [], "removed": [], "unchanged": []}
    report["expired"] = [one.watch.name for one in wanted.watches if one.watch.expires and one.watch.expires <= now]
    names = {checked.watch.name for checked in wanted.watches}

    for name, (watch_id, _, live) in stored.items():
        if live and name not in names:
            cursor.execute("UPDATE watches SET removed_at = %s WHERE id = %s", (now, watch_id))
            cursor.execute("DELETE FROM watch_state WHERE watch_id = %s", (watch_id,))
            report["removed"].append(name)

    for checked in wanted.watches:
        name = checked.watch.name
        watch_id, old, live = stored.get(name, (None, None, False))
        if watch_id is None:
            _write_markets(cursor, _insert(cursor, checked, now), checked, now, served)
            report["added"].append(name)
            continue
        fields = _changed_fields(old, checked.watch) if live and old else set(_RULE)
        what = _what(fields)
        _update(cursor, watch_id, checked, now, new_generation="rule" in what)
        _write_markets(cursor, watch_id, checked, now, served)
        if not live:
            report["added"].append(name)
        elif what:
            report["changed"].append({"name": name, "what": ", ".join(what), "keys": _keys(fields)})
        else:
            report["unchanged"].append(name)
    return report


def _changed_fields(old: Watch, new: Watch) -> set[str]:
    return {name for name in Watch.model_fields if getattr(old, name) != getattr(new, name)}


def _keys(fields: set[str]) -> list[str]:
    """Fields as a user writes them, in the order of the form."""
    return [field.alias or name for name, field in Watch.model_fields.items() if name in fields]


def _what(fields: set[str]) -> list[str]:
    """What kinds of things changed."""
    what = []
    if fields & _RULE:
        what.append("rule")
    if "markets" in fields:
        what.append("markets")
    if fields - _RULE - {"markets"}:
        what.append("notification")
    return what


def _definition(watch: Watch) -> str:
    # Only what it says: a worker of the version before knows no key that is new, and reads a watch that uses none.
    return json.dumps(watch.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _insert(cursor: Cursor, checked: CheckedWatch, now: datetime) -> int:
    watch = checked.watch
    cursor.execute(
        "INSERT INTO watches (name, definition, interval_s, applied_at) VALUES (%s, %s, %s, %s) RETURNING id",
        (watch.name, _definition(watch), watch.grid.seconds, now),
    )
    return int(cursor.fetchone()[0])  # type: ignore[index]


def _update(cursor: Cursor, watch_id: int, checked: CheckedWatch, now: datetime, *, new_generation: bool) -> None:
    watch = checked.watch
    cursor.execute(
        """
        UPDATE watches
        SET definition = %s, interval_s = %s, removed_at = NULL,
            generation = generation + %s, applied_at = CASE WHEN %s THEN %s ELSE applied_at END
        WHERE id = %s
        """,
        (
            _definition(watch),
            watch.grid.seconds,
            int(new_generation),
            new_generation,
            now,
            watch_id,
        ),
    )
    if new_generation:
        cursor.execute("DELETE FROM watch_state WHERE watch_id = %s", (watch_id,))


def _write_markets(cursor: Cursor, watch_id: int, checked: CheckedWatch, now: datetime, served: Served) -> None:
    """Inputs, series and states of a watch; markets it already watches keep their state."""
    watch = checked.watch
    look_back = {interval_named(name).seconds: candles for name, candles in checked.look_back.items()}
    cursor.execute(
        "DELETE FROM watch_inputs WHERE watch_id = %s AND NOT interval_s = ANY(%s)",
        (watch_id, list(look_back)),
    )
    for interval_s, candles in look_back.items():
        cursor.execute(
            """
            INSERT INTO watch_inputs (watch_id, interval_s, look_back) VALUES (%s, %s, %s)
            ON CONFLICT (watch_id, interval_s) DO UPDATE SET look_back = excluded.look_back
            """,
            (watch_id, interval_s, candles),
        )
    cursor.execute("DELETE FROM watch_selections WHERE watch_id = %s", (watch_id,))
    if checked.selection:
        cursor.execute(
            "INSERT INTO watch_selections (watch_id, markets, exclude) VALUES (%s, %s, %s)",
            (watch_id, list(checked.selection.markets), list(checked.selection.exclude)),
        )
    markets = [Market.parse(text) for text in watch.markets]
    market_ids = set_markets(cursor, watch_id, watch.grid, checked.look_back, markets, now, served)
    cursor.execute("DELETE FROM watch_state WHERE watch_id = %s AND NOT market_id = ANY(%s)", (watch_id, market_ids))


def set_markets(
    cursor: Cursor,
    watch_id: int,
    grid: Interval,
    look_back: Mapping[str, int],
    markets: Sequence[Market],
    now: datetime,
    served: Served,
) -> list[int]:
    """Let a watch watch these markets too, from the next candle to close on; gives their ids.

    Args:
        grid: the watch's own interval.
        look_back: candles of each interval that its rules read, by its name.
    """
    market_ids = market_ids_of(cursor, markets)
    by_source: dict[str, list[int]] = {}
    for market, market_id in zip(dict.fromkeys(markets), market_ids, strict=True):
        by_source.setdefault(market.source, []).append(market_id)
    first = grid.step_at(now)  # the open candle: the first to close after now
    for name, start in load_starts(look_back, grid, first).items():
        for source, ids in by_source.items():
            known = served(source)
            part = part_for(interval_named(name), known) if known is not None else None
            _want_series(cursor, ids, interval_named(name), start, part)
    start_time = grid.open_time(first)
    cursor.execute(
        """
        INSERT INTO watch_state (watch_id, market_id, start_time, next_time, state)
        SELECT %s, market_id, %s, %s, '{}' FROM unnest(%s::integer[]) AS market_id
        ON CONFLICT (watch_id, market_id) DO NOTHING
        """,
        (watch_id, start_time, start_time, market_ids),
    )
    return market_ids


def _want_series(cursor: Cursor, market_ids: list[int], grid: Interval, start: int, part: Interval | None) -> None:
    """Want candles from the step `start` on. Whether a series is built is decided when it is made, and kept."""
    cursor.execute(
        """
        INSERT INTO series (market_id, interval_s, wanted_from, built_from)
        SELECT market_id, %s, %s, %s FROM unnest(%s::integer[]) AS market_id
        ON CONFLICT (market_id, interval_s)
        DO UPDATE SET wanted_from = least(series.wanted_from, excluded.wanted_from)
        """,
        (grid.seconds, grid.open_time(start), part.seconds if part else None, market_ids),
    )
    # One built candle more, for the close before the first.
    cursor.execute(
        """
        INSERT INTO series (market_id, interval_s, wanted_from)
        SELECT market_id, built_from, %s FROM series
        WHERE market_id = ANY(%s) AND interval_s = %s AND built_from IS NOT NULL
        ON CONFLICT (market_id, interval_s)
        DO UPDATE SET wanted_from = least(series.wanted_from, excluded.wanted_from)
        """,
        (grid.open_time(start - 1), market_ids, grid.seconds),
    )


def market_ids_of(cursor: Cursor, markets: Iterable[Market]) -> list[int]:
    """The ids of these markets, made where they are new."""
    ids = []
    for market in dict.fromkeys(markets):
        cursor.execute("INSERT INTO sources (name) VALUES (%s) ON CONFLICT DO NOTHING", (market.source,))
        cursor.execute("INSERT INTO markets (source, symbol) VALUES (%s, %s) ON CONFLICT DO NOTHING", tuple(market))
        cursor.execute("SELECT id FROM markets WHERE source = %s AND symbol = %s", tuple(market))
        ids.append(int(cursor.fetchone()[0]))  # type: ignore[index]
    return ids
