"""A database in which analysis has something to do, without an exchange: markets with history, and a close at will."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptowatch.rules import compile_rule
from cryptowatch.store.blocks import seal
from cryptowatch.store.database import Connection, Cursor, transaction
from cryptowatch.store.migrate import migrate
from cryptowatch.store.recipients import Recipient, save_recipient
from cryptowatch.store.watches import apply_watches
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch

INTERVAL_S = 60
#: What each market is watched for: short and long look-backs, one true now and then.
RULES = (
    "rsi(14) < 30 and close < bollinger(20, 2).lower",
    "crosses_above(close, sma(10))",
    "macd(12, 26, 9).histogram > 0 and adx(14).adx > 25",
    "close > ema(200) and volume > 2 * ago(volume, 1)",
    "atr(14) > 2 * atr(100)",
)

_CANDLES = """
INSERT INTO candles (market_id, interval_s, open_time, open, high, low, close, volume)
SELECT market_id, interval_s, at, price, price + 1, price - 1, price + sin(n * 1.7) / 2, 1 + n %% 7
FROM series, generate_series(wanted_from, %(end)s, make_interval(secs => interval_s)) WITH ORDINALITY AS steps (at, n),
     LATERAL (SELECT 100 + 10 * sin(n / 9.0 + market_id) + sin(n * 0.9 * market_id) AS price) AS made
"""


class Prepared:
    """Markets that are all watched by the same rules at one minute, settled up to the start of the watches.

    Args:
        connection: to an empty database; it is migrated.
        markets: how many.
        closes: minutes of candles that lie ahead, each revealed by `close`.
        now: the watches start with the next minute.
    """

    def __init__(self, connection: Connection, markets: int, closes: int, now: datetime) -> None:
        self.connection = connection
        migrate(connection)
        names = tuple(f"binance:M{number}/USDT" for number in range(markets))
        checked = [_checked(f"rule {number}", rule, names) for number, rule in enumerate(RULES)]
        with transaction(connection) as cursor:
            save_recipient(cursor, Recipient("me", "me@example.com", None))
            apply_watches(cursor, CheckedWatchList(recipients={"me": "me@example.com"}, watches=tuple(checked)), now)
            cursor.execute("SELECT DISTINCT market_id, start_time FROM watch_state ORDER BY market_id")
            rows = cursor.fetchall()
            self.market_ids: list[int] = [row[0] for row in rows]
            self.start: datetime = rows[0][1]
            cursor.execute(_CANDLES, {"end": self.start + timedelta(minutes=closes)})
            cursor.execute("UPDATE series SET have_from = wanted_from, first_time = wanted_from")
            self._settle(cursor, self.market_ids, 0)
        while seal(connection):
            pass
        cursor = connection.cursor()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        connection.autocommit = False

    def close(self, market_ids: Sequence[int], minutes: int) -> None:
        """Settle these markets up to so many minutes after the start, as ingest does."""
        with transaction(self.connection) as cursor:
            self._settle(cursor, market_ids, minutes)

    def _settle(self, cursor: Cursor, market_ids: Sequence[int], minutes: int) -> None:
        cursor.execute(
            "UPDATE series SET settled_to = %(to)s, covered_to = %(to)s, settled_at = clock_timestamp()"
            " WHERE market_id = ANY(%(ids)s)",
            {"to": self.start + timedelta(minutes=minutes), "ids": list(market_ids)},
        )


def _checked(name: str, rule: str, markets: Sequence[str]) -> CheckedWatch:
    watch = Watch.model_validate(
        {"name": name, "markets": list(markets), "interval": "1m", "when": rule, "notify": ["me"]}
    )
    return CheckedWatch(watch=watch, look_back=compile_rule(rule, watch.grid).look_back)
