"""One candle's way through the real store, by the real pipeline, from a simulated exchange to an email."""

from datetime import UTC, datetime, timedelta

from cryptowatch.alerts.email import Email
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.pipeline.analyse import analyse
from cryptowatch.pipeline.ingest import IngestRun, seconds_left_of
from cryptowatch.pipeline.notify import notify
from cryptowatch.rules import compile_rule
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.evaluation import StoredWatch
from cryptowatch.store.recipients import Recipient, save_recipient
from cryptowatch.store.watches import apply_watches
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch

NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Moved:
    """Keeps what was told instead of queueing it."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def add(self, interval_s: int, market_id: int) -> None:
        self.told.append((interval_s, market_id))

    def flush(self) -> None: ...

    def flush_if_old(self) -> None: ...


def rule_of(watch: StoredWatch):
    return compile_rule(watch.watch.when, watch.watch.grid)


def apply(connection: Connection, now: datetime, *watches: dict, recipients=None) -> dict:
    checked = []
    for data in watches:
        watch = Watch.model_validate({"interval": "1m", "notify": ["me"], **data})
        rule = compile_rule(watch.when, watch.grid)
        checked.append(CheckedWatch(watch=watch, look_back=rule.look_back))
    watch_list = CheckedWatchList(recipients=recipients or {"me": "me@example.com"}, watches=tuple(checked))
    with transaction(connection) as cursor:
        for name, email in watch_list.recipients.items():
            save_recipient(cursor, Recipient(name, email, None))
        return apply_watches(cursor, watch_list, now)


def test_candles_become_alerts_and_alerts_one_email(connection: Connection, reader: Connection) -> None:
    clock = Clock(NOON)
    apply(
        connection,
        NOON,
        {"name": "cross", "when": "close > sma(20)", "markets": ["binance:BTC/USDT", "binance:ETH/USDT"]},
    )
    with SimulatedExchange(SimulatedRecord(), clock, limited=False) as exchange:
        moved = Moved()
        ids = set()
        for _ in range(40):
            run = IngestRun(
                "binance",
                open_source("binance", base_url=exchange.url, speed=60),
                connection,
                moved,
                clock,
                seconds_left_of(60),
            )
            assert run.run() == "done"
            ids |= {market for _, market in moved.told}
            told: list[int] = []
            analyse(connection, reader, clock, rule_of, 60, sorted(ids), told.extend)
            if told:
                break
            clock.at += timedelta(minutes=1)
    assert told
    sent: list[tuple[str, Email]] = []
    record = {"messageId": "1", "body": f'{{"version": 1, "alert_ids": {told}}}'}
    assert notify([record], connection, clock, lambda to, email: sent.append((to, email)), 0) == []
    assert [to for to, _ in sent] == ["me"]
    print(sent[0][1].subject)
    print(sent[0][1].body)
    assert notify([record], connection, clock, lambda to, email: sent.append((to, email)), 0) == []
    assert len(sent) == 1
