"""Where each watch stands on each market, and the alerts its moments give: one transaction for both."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cryptowatch.alerts.episode import Episode, Kind
from cryptowatch.markets.interval import Interval, interval_of_seconds
from cryptowatch.store.database import Cursor
from cryptowatch.watches.form import Watch


@dataclass
class Standing:
    """One watch on one market: where evaluation goes on."""

    watch_id: int
    market_id: int
    next_step: int
    episode: Episode
    stored: Episode | None = None  # as it was read


@dataclass(frozen=True)
class StoredWatch:
    """A watch as it stands in the database, with the candles of each interval that its rule looks back."""

    id: int
    generation: int
    watch: Watch
    look_back: dict[str, int]


class Frontier(NamedTuple):
    """How far one market at one interval may be read: steps from `have_from` up to, not including, `settled_to`."""

    have_from: int
    first_step: int
    settled_to: int


@dataclass(frozen=True)
class NewAlert:
    """An alert about to be written. Times are UTC; `figures` are expressions of the rule and their values."""

    watch_id: int
    generation: int
    market_id: int
    open_time: datetime
    close_time: datetime
    kind: Kind
    severity: str
    rule: str
    interval_s: int
    price: float | None
    figures: dict[str, float | None]
    notify: tuple[str, ...]


def lock_standings(
    cursor: Cursor, interval_s: int, market_ids: Sequence[int]
) -> tuple[dict[int, StoredWatch], list[Standing]]:
    """Lock and read the standings on these markets of the watches that read this interval.

    Held until the transaction ends, in one order for all workers: two that are told of the same market evaluate
    one after the other, and the second finds nothing left to do.
    """
    cursor.execute(
        """
        SELECT state.watch_id, state.market_id, state.next_time, state.state::text
        FROM watch_state state
        JOIN watch_inputs input ON input.watch_id = state.watch_id AND input.interval_s = %s
        WHERE state.market_id = ANY(%s)
        ORDER BY state.watch_id, state.market_id
        FOR UPDATE OF state
        """,
        (interval_s, list(market_ids)),
    )
    rows = cursor.fetchall()
    watches = _watches(cursor, sorted({row[0] for row in rows}))
    times = {(watch_id, time) for watch_id, _, time, _ in rows}
    steps = {(watch_id, time): watches[watch_id].watch.grid.step_at(time) for watch_id, time in times}
    standings = [
        Standing(watch_id, market_id, steps[watch_id, time], episode := _episode(state), episode)
        for watch_id, market_id, time, state in rows
    ]
    return watches, standings


@lru_cache(maxsize=10_000)
def _episode(text: str) -> Episode:
    """Most markets of a watch stand alike."""
    return Episode.from_json(json.loads(text))


def _watches(cursor: Cursor, ids: list[int]) -> dict[int, StoredWatch]:
    cursor.execute(
        """
        SELECT id, generation, definition,
               (SELECT json_agg(json_build_array(interval_s, look_back)) FROM watch_inputs WHERE watch_id = id)
        FROM watches WHERE id = ANY(%s)
        """,
        (ids,),
    )
    return {
        id_: StoredWatch(
            id_,
            generation,
            Watch.model_validate(definition),
            {interval_of_seconds(seconds).name: candles for seconds, candles in inputs},
        )
        for id_, generation, definition, inputs in cursor.fetchall()
    }


def frontiers(cursor: Cursor, interval: Interval, market_ids: Sequence[int]) -> dict[int, Frontier]:
    """The frontiers of those markets that have any candle at this interval."""
    cursor.execute(
        """
        SELECT market_id, have_from, first_time, settled_to FROM series
        WHERE interval_s = %s AND market_id = ANY(%s) AND settled_to IS NOT NULL AND have_from IS NOT NULL
        """,
        (interval.seconds, list(market_ids)),
    )
    return {row[0]: Frontier(*(interval.step_at(time) for time in row[1:])) for row in cursor.fetchall()}


def known_markets(cursor: Cursor, market_ids: Sequence[int]) -> set[int]:
    """Those of these ids that are markets."""
    cursor.execute("SELECT id FROM markets WHERE id = ANY(%s::bigint[])", (list(market_ids),))
    return {id_ for (id_,) in cursor.fetchall()}


def save_standings(cursor: Cursor, watches: Mapping[int, StoredWatch], standings: Sequence[Standing]) -> None:
    """Move the watches on. Most markets of a watch go on alike: they are written together."""
    alike: dict[tuple[int, int, Episode | None], list[int]] = defaultdict(list)
    for one in standings:
        changed = None if one.episode is one.stored or one.episode == one.stored else one.episode
        alike[one.watch_id, one.next_step, changed].append(one.market_id)
    for (watch_id, step, episode), market_ids in alike.items():
        cursor.execute(
            """
            UPDATE watch_state SET next_time = %s, state = coalesce(%s::jsonb, state)
            WHERE watch_id = %s AND market_id = ANY(%s)
            """,
            (
                watches[watch_id].watch.grid.open_time(step),
                None if episode is None else json.dumps(episode.to_json()),
                watch_id,
                market_ids,
            ),
        )


def save_alerts(cursor: Cursor, alerts: Sequence[NewAlert], now: datetime) -> list[int]:
    """Write alerts and, for each of their recipients, a delivery that is due at once; returns the new alerts' ids.

    An alert that is there already (same watch, generation, market, candle and kind) is left alone.
    """
    ids: list[int] = []
    for alert in alerts:
        cursor.execute(
            """
            INSERT INTO alerts (watch_id, generation, market_id, open_time, close_time, kind, severity,
                                rule, interval_s, price, figures)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (watch_id, generation, market_id, open_time, kind) DO NOTHING RETURNING id
            """,
            (
                alert.watch_id,
                alert.generation,
                alert.market_id,
                alert.open_time,
                alert.close_time,
                alert.kind,
                alert.severity,
                alert.rule,
                alert.interval_s,
                alert.price,
                json.dumps(alert.figures),
            ),
        )
        row = cursor.fetchone()
        if row is None:
            continue
        ids.append(row[0])
        cursor.execute(
            """
            INSERT INTO deliveries (alert_id, recipient, due_at)
            SELECT %s, name, %s FROM recipients WHERE name = ANY(%s) AND removed_at IS NULL
            """,
            # A source's clock may be ahead of ours: due means now, not when our clock has come to its close.
            (row[0], min(alert.close_time, now), list(alert.notify)),
        )
    return ids
