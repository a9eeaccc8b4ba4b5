"""A whole step of a live task for 1,000 markets: states and candles in, 25 indicators, 20 watches, alerts out."""

import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from bench.common_indicators import made_up, ours
from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.analyse import analyse
from cryptowatch.rules import compile_rule
from cryptowatch.settings import Settings
from cryptowatch.store.candles import merge_many
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.evaluation import StoredWatch
from cryptowatch.store.watches import apply_watches
from cryptowatch.watches.compiled import WatchRule, rule_of
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch

MINUTE = INTERVALS["1m"]
TURNS = 7
#: Candles of each market that the common indicators alone are computed on.
WIDTH = 1024
#: 25 indicators between them.
RULES = (
    "rsi(14) < 30 and close < bollinger(20, 2).lower",
    "crosses_above(ema(20), ema(50))",
    "macd(12, 26, 9).histogram > 0 and adx(14) > 90",
    "close > sma(200) * 1.2",
    "stoch(14, 3).k < 1 and cci(20) < -300",
    "mfi(14) > 99",
    "atr(14) > 10",
    "williams_r(14) > -0.01 and roc(10) > 50",
    "crosses_below(close, wma(30))",
    "vwma(20) > close * 2 and kama(10) > close * 2",
    "aroon(25).up > 99 and aroon(25).down > 99",
    "psar() > close * 2",
    "donchian(20).upper < close",
    "keltner(20).upper < close and trix(15) > 5",
    "ultimate_oscillator() > 99",
    "awesome() > 100",
    "ppo().histogram > 50",
    "stochrsi(14) > 2",
    "adl < -1e15",
    "zscore(close, 50) > 9 and linreg(20) > close * 2 and cmf(20) > 2",
)


class _Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at


def _candle(step: int) -> Candle:
    price = 100.0 + step % 97 / 7
    return Candle(MINUTE.open_time(step), price, price + 1, price - 1, price + 0.5, 12.5)


def task_seconds(writer: Connection, url: str, next_step: int, market_ids: Sequence[int]) -> list[str]:
    """Lines of the page: the median, and how it divides."""
    compiled = {rule: compile_rule(rule, MINUTE) for rule in RULES}
    watches = tuple(
        CheckedWatch(
            watch=Watch.model_validate(
                {"name": f"w{number}", "interval": "1m", "when": rule, "notify": ["me"], "markets": ["bench:M1"]}
            ),
            look_back=compiled[rule].look_back,
        )
        for number, rule in enumerate(RULES)
    )
    now = MINUTE.open_time(next_step)
    with transaction(writer) as cursor:
        apply_watches(cursor, CheckedWatchList(recipients={"me": "me@example.com"}, watches=watches), now)
        cursor.execute(
            "INSERT INTO watch_state SELECT one.watch_id, markets.id, start_time, next_time, state"
            " FROM watch_state one CROSS JOIN markets ON CONFLICT DO NOTHING"
        )
    rules: dict[str, WatchRule] = {}

    def of(watch: StoredWatch) -> WatchRule:
        if watch.watch.when not in rules:
            rules[watch.watch.when] = rule_of(watch.watch)
        return rules[watch.watch.when]

    seconds, indicators, clock = [], [], _Clock()
    made = made_up(len(market_ids), WIDTH)
    with closing(connect(Settings({"DATABASE_URL": url}))) as reader:
        for turn in range(TURNS + 2):
            step = next_step + turn
            opened = MINUTE.open_time(step)
            with transaction(writer) as cursor:
                merge_many(cursor, 60, {id_: [_candle(step)] for id_ in market_ids})
                cursor.execute("UPDATE series SET settled_to = %s", (MINUTE.open_time(step + 1),))
            clock.at = opened
            started = time.perf_counter()
            moments = analyse(writer, reader, clock, of, 60, market_ids, lambda ids: None)
            analysed = time.perf_counter()
            ours(made)
            if turn >= 2:
                seconds.append(analysed - started)
                indicators.append(time.perf_counter() - analysed)
            assert moments == len(RULES) * len(market_ids), moments
    whole, alone = statistics.median(seconds), statistics.median(indicators)
    return [
        "## A whole step of a task",
        "",
        f"20 watches with 25 indicators on {len(market_ids):,} markets, one new candle each, database to alerts: "
        f"{whole:.2f} s ({moments:,} moments).",
        f"In turns with it, the 25 common indicators alone on {WIDTH:,} candles of each: {alone:.2f} s; the whole step"
        f" is {whole / alone:.1f} times that.",
    ]
