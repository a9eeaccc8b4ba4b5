"""Which alerts there should be, worked out anew from the stored candles, beside those that there are."""

from datetime import datetime

from cryptowatch.alerts.episode import Episode, Policy, advance
from cryptowatch.markets.loads import load_start
from cryptowatch.rules import compile_rule
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.panels import read_panel
from cryptowatch.watches.form import Watch


def missing_and_surplus(connection: Connection, rule_text: str) -> tuple[int, int]:
    """How many alerts are not there that should be, and are there twice or should not be: of watches with this 1m rule.

    Read in one snapshot: an alert is written with the state that moves past its candle.
    """
    with transaction(connection, snapshot=True) as cursor:
        should = expected_alerts(cursor, rule_text)
        cursor.execute("SELECT market_id, open_time FROM alerts")
        are = cursor.fetchall()
    return len(should - set(are)), len(are) - len(should & set(are))


def expected_alerts(cursor: Cursor, rule_text: str) -> set[tuple[int, datetime]]:
    """Market and open time of every alert, market by market."""
    cursor.execute("SELECT market_id, start_time, next_time, definition FROM watch_state JOIN watches ON id = watch_id")
    should: set[tuple[int, datetime]] = set()
    for market_id, start, end, definition in cursor.fetchall():
        grid = Watch.model_validate(definition).grid
        first, last = grid.step_at(start), grid.step_at(end) - 1
        rule = compile_rule(rule_text, grid)
        panel = read_panel(cursor, grid, [market_id], load_start(rule.look_back["1m"], first), last)
        truth = rule.evaluate({"1m": panel}, first, last).truth[0]
        episode = Episode()
        for step, value in enumerate(truth, start=first):
            episode, kinds = advance(episode, int(value), grid.close_time(step), Policy())
            if kinds:
                should.add((market_id, grid.open_time(step)))
    return should
