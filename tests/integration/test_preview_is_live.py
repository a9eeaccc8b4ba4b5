"""Preview and live give the same alerts, bit for bit, and the same deliveries."""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cryptowatch.cli.preview import preview
from cryptowatch.local.exchange.replay import ReplayRecord
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.markets.interval import INTERVALS, interval_named
from cryptowatch.markets.loads import load_start
from cryptowatch.markets.panel import Rows
from cryptowatch.pipeline import histories, previews
from cryptowatch.pipeline.preview_request import NOTHING_STORED, PreviewRequest, ask_preview, preview_outcome
from cryptowatch.pipeline.previews import CUT_OFF, run_preview
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.pipeline.sweep import sweep
from cryptowatch.studies.evaluate import evaluate
from cryptowatch.studies.history import MarketHistory
from cryptowatch.studies.report import report
from cryptowatch.studies.subject import Findings, Subject, begun_at
from cryptowatch.watches.compiled import rule_of
from cryptowatch.watches.delivery import DeliverySettings, QuietHoursForm
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Watch

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "candles"
MINUTE = INTERVALS["1m"]
SYMBOLS = ("ADA/USDT", "BTC/USDT", "ETH/USDT")

WATCHES: list[dict[str, Any]] = [
    {"name": "short", "when": "close > sma(5) and rsi(3) > 55", "resolved": True, "max_per_day": 7},
    {"name": "long", "when": "close > sma(300) and rsi(3) > 60", "cooldown": "9m"},
    {"name": "higher", "when": 'close > sma(4) and sma(3, interval="5m") > sma(6, interval="5m")', "for": 2},
    {"name": "until", "when": "rsi(3) > 55", "until": "close < sma(20)", "resolved": True, "repeat": "7m"},
    {"name": "once", "when": "close > sma(3)", "once": True, "starts": "2026-03-02T12:10:00Z"},
    {"name": "ends", "when": "close > sma(3)", "resolved": True, "expires": "2026-03-02T12:30:00Z"},
    {"name": "fives", "interval": "5m", "when": "close > ema(4)", "resolved": True, "max_per_day": 3},
]

Told = tuple[str, str, str, str, str, dict[str, float | None]]


def prices(seed: int, length: int, quiet: float = 0.08) -> list[float | None]:
    """A jagged walk with ties and a share of minutes without a trade."""
    chance = random.Random(seed)
    price, out = 100.0, []
    for _ in range(length):
        price = max(50.0, price + chance.choice([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]) / 3)
        out.append(None if chance.random() < quiet else price)
    return [100.0, *out, 100.0]


def told_live(world) -> list[Told]:
    rows = world.query(
        """
        SELECT watches.name, symbol, alerts.interval_s, open_time, kind, figures
        FROM alerts JOIN watches ON watches.id = watch_id JOIN markets ON markets.id = market_id
        """
    )
    names = {one.seconds: name for name, one in INTERVALS.items()}
    return in_order(
        (watch, symbol, names[s], opened.isoformat(), kind, f) for watch, symbol, s, opened, kind, f in rows
    )


def told_by(result: dict[str, Any]) -> list[Told]:
    keys = ("watch", "market", "interval", "open_time", "kind", "values")
    alerts = (tuple(alert[key] for key in keys) for alert in result["alerts"])
    return in_order((watch, market.partition(":")[2], *rest) for watch, market, *rest in alerts)


def in_order(alerts) -> list[Told]:
    return sorted(alerts, key=lambda one: (one[3], *one[:3], one[4]))


def history_of(world, symbol: str, watches: Sequence[Subject]) -> MarketHistory:
    """What the scripted exchange has shown by now."""
    candles = {}
    end = MINUTE.open_time(0)
    for name in {name for watch in watches for name in watch.rule.look_back}:
        interval = interval_named(name)
        last = interval.last_closed(world.clock.at)
        found = world.record.candles("binance", symbol, interval, last - 2000, last)
        candles[name] = Rows(found.steps, found.values, None)
        end = max(end, interval.close_time(int(found.steps[-1])))
    return MarketHistory(candles, end)


def subject_of(watch: dict[str, Any]) -> Subject:
    filled = {"interval": "1m", "notify": ["me"], "markets": ["a:b/c"], **watch}
    return Subject.of(Watch.model_validate(filled), range(len(SYMBOLS)))


def preview_of(
    world, start: datetime, watches: Sequence[dict[str, Any]], wishes: dict[str, DeliverySettings] | None = None
) -> dict[str, Any]:
    subjects = [subject_of(one) for one in watches]
    markets = {id_: history_of(world, symbol, subjects) for id_, symbol in enumerate(SYMBOLS)}
    findings = [Findings() for _ in subjects]
    evaluate(subjects, begun_at(markets, subjects, start), start, findings)
    return report(subjects, findings, {id_: f"recorded:{symbol}" for id_, symbol in enumerate(SYMBOLS)}, wishes or {})


@pytest.mark.parametrize("seed", range(3))
def test_on_generated_candles_preview_tells_what_live_tells(world, seed) -> None:
    for place, symbol in enumerate(SYMBOLS):
        world.record.trade(symbol, -1100, prices(10 * seed + place, 1158))
    world.apply(*WATCHES)
    start = world.clock.at
    world.minute(55)
    live = told_live(world)
    assert len(live) > 60 and {one[0] for one in live} >= {"short", "higher", "until", "fives"}
    assert told_by(preview_of(world, start, WATCHES)) == live


def test_what_is_delivered_at_its_close_goes_into_the_same_emails(world) -> None:
    for place, symbol in enumerate(SYMBOLS):
        world.record.trade(symbol, -1100, prices(place, 1158, quiet=0))
    world.apply(*WATCHES)
    start = world.clock.at
    for _ in range(55):
        if ids := world.minute():
            world.notify(ids)
    ours = preview_of(world, start, WATCHES)
    assert told_by(ours) == told_live(world)
    assert delivered_by(ours) == delivered_live(world)
    assert ours["total"]["emails"] == len(world.emails) > 20
    assert ours["total"]["held_back"]["budget"] > 0
    cooled = world.query("SELECT sum((state->>'cooled')::integer) FROM watch_state")[0][0]
    assert ours["total"]["held_back"]["cooldown"] == cooled > 0


WISHES = {"me": DeliverySettings(max_per_day=9, quiet_hours=QuietHoursForm(from_="12:20", to="12:25"))}


class Queue:
    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, ids) -> int:
        self.sent += ids
        return 1


def deliver_due(world, ids: Sequence[int]) -> None:
    """What sweep and notify do each minute."""
    queue = Queue()
    sweep(world.writer, world.clock, world.told, queue, 0)
    if due := sorted({*ids, *queue.sent}):
        world.notify(due)


def test_digests_quiet_hours_and_budgets_put_the_same_alerts_into_the_same_emails(world) -> None:
    night = {"from": "12:30", "to": "12:40", "then": "drop"}
    watches = [
        {**WATCHES[0], "digest": "hourly"},
        {**WATCHES[1], "severity": "high"},
        {**WATCHES[3], "quiet_hours": night, "severity": "warning"},
        {**WATCHES[6], "quiet_hours": {"from": "12:05", "to": "12:18"}},
    ]
    for place, symbol in enumerate(SYMBOLS):
        world.record.trade(symbol, -1100, prices(place, 1190, quiet=0))
    world.apply(*watches, delivery=WISHES)
    start = world.clock.at
    for _ in range(62):
        deliver_due(world, world.minute())
    ours = preview_of(world, start, watches, WISHES)
    world.clock.at += timedelta(hours=1)
    deliver_due(world, [])
    assert told_by(ours) == told_live(world)
    assert delivered_by(ours) == delivered_live(world)
    assert ours["total"]["emails"] == len(world.emails) > 5
    assert {"recipient_budget", "quiet_hours"} <= set(ours["total"]["held_back"])


def test_a_preview_over_the_stored_candles_tells_what_live_told(world) -> None:
    for place, symbol in enumerate(SYMBOLS):
        world.record.trade(symbol, -1100, prices(place, 1158))
    world.apply(*WATCHES)
    start = world.clock.at
    world.minute(55)
    live = told_live(world)
    asked = request_of(world, WATCHES, since=world.clock.at - start)
    queued: list[int] = []
    preview_id = ask_preview(world.writer, asked, queued.append)["id"]
    assert queued == [preview_id]
    assert preview_outcome(world.writer, preview_id) == {"done": 0, "result": None, "error": None}
    run_preview(world.writer, world.clock, preview_id)
    told = preview_outcome(world.writer, preview_id)
    assert told["done"] == 1
    assert told_by(told["result"]) == live
    run_preview(world.writer, world.clock, preview_id)
    assert preview_outcome(world.writer, preview_id) == told, "delivered twice, it is done once"


def test_a_preview_whose_worker_went_is_not_begun_for_ever(world, monkeypatch) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 40)
    world.apply({"name": "short", "when": "close > sma(5)"})
    world.minute()
    asked = request_of(world, [{"name": "short", "when": "close > sma(5)"}])
    preview_id = ask_preview(world.writer, asked, lambda id_: None)["id"]
    with monkeypatch.context() as patched:
        patched.setattr("cryptowatch.pipeline.previews.evaluate", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_preview(world.writer, world.clock, preview_id)
    run_preview(world.writer, world.clock, preview_id)
    assert preview_outcome(world.writer, preview_id)["error"] == CUT_OFF


def test_a_preview_of_what_is_not_stored_says_so(world) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 40)
    asked = request_of(world, [{"name": "short", "when": "close > sma(5)", "markets": ["binance:BTC/USDT"]}])
    preview_id = ask_preview(world.writer, asked, lambda id_: None)["id"]
    run_preview(world.writer, world.clock, preview_id)
    assert preview_outcome(world.writer, preview_id)["error"] == NOTHING_STORED
    with pytest.raises(RefusedError, match="there is no preview 999"):
        preview_outcome(world.writer, 999)
    with pytest.raises(RefusedError, match="the list has no watch 'shrot': it has short"):
        ask_preview(world.writer, asked.model_copy(update={"only": "shrot"}), lambda id_: None)


def test_a_result_has_as_many_of_the_newest_alerts_as_an_answer_has_room_for(world, monkeypatch) -> None:
    world.record.trade("BTC/USDT", -30, [100.0, 120.0] * 100)
    watch = {"name": "waves", "when": "close > 110", "markets": ["binance:BTC/USDT"]}
    world.apply(watch)
    world.minute(20)
    asked = request_of(world, [watch])

    def result() -> dict[str, Any]:
        preview_id = ask_preview(world.writer, asked, lambda id_: None)["id"]
        run_preview(world.writer, world.clock, preview_id)
        return preview_outcome(world.writer, preview_id)

    whole = result()["result"]
    size = len(json.dumps(whole))
    assert len(whole["alerts"]) > 5 and whole["alerts_left_out"] == 0
    monkeypatch.setattr(previews, "LONGEST_RESULT", size - 300)
    cut = result()["result"]
    assert len(json.dumps(cut)) <= size - 300 and cut["alerts_left_out"] > 0
    assert cut["alerts"] == whole["alerts"][cut["alerts_left_out"] :]
    monkeypatch.setattr(previews, "LONGEST_RESULT", 100)
    assert result()["error"] == previews.TOO_LONG
    broken = asked.watch_list.watches[0].watch.model_copy(update={"when": "close >> 1"})
    checked = asked.watch_list.watches[0].model_copy(update={"watch": broken})
    asked = asked.model_copy(update={"watch_list": asked.watch_list.model_copy(update={"watches": (checked,)})})
    assert result()["error"].startswith("the running system does not understand a rule of watch 'waves': ")


def test_no_room_is_made_for_candles_of_before_the_first_one(world, monkeypatch) -> None:
    world.record.trade("BTC/USDT", -30, [100.0] * 40)
    world.apply({"when": "close > 110"})
    world.minute(2)
    ((id_,),) = world.query("SELECT id FROM markets")
    widths = []
    read = histories.read_candles
    monkeypatch.setattr(histories, "read_candles", lambda *asked: widths.append(asked[4] - asked[3]) or read(*asked))
    long_ago, now = world.clock.at - timedelta(days=4000), world.clock.at
    found = histories.read_histories(world.writer, {"1m": 5}, [id_], long_ago, now)
    assert max(widths) < 1200
    recent = histories.read_histories(world.writer, {"1m": 5}, [id_], now - timedelta(hours=1), now)
    assert (found[id_].candles["1m"].values == recent[id_].candles["1m"].values).all()


def request_of(world, watches: Sequence[dict[str, Any]], since: timedelta | None = None) -> PreviewRequest:
    markets = [f"binance:{symbol}" for symbol in world.record.symbols("binance")]
    checked = []
    for one in watches:
        watch = Watch.model_validate({"interval": "1m", "notify": ["me"], "markets": markets, **one})
        checked.append(CheckedWatch(watch=watch, look_back=rule_of(watch).look_back))
    watch_list = CheckedWatchList(recipients={"me": "me@example.com"}, watches=tuple(checked))
    return PreviewRequest(watch_list=watch_list, since=since)


def delivered_live(world) -> set[frozenset[tuple[str, str, str, str, str]]]:
    """What went into one email together, and what was held back."""
    rows = world.query(
        """
        SELECT coalesce(held_by, email_id::text), watches.name, symbol, open_time, kind, recipient
        FROM deliveries JOIN alerts ON alerts.id = alert_id
        JOIN watches ON watches.id = watch_id JOIN markets ON markets.id = market_id
        """
    )
    return together((row[0], (row[1], row[2], row[3].isoformat(), *row[4:])) for row in rows)


def delivered_by(result: dict[str, Any]) -> set[frozenset[tuple[str, str, str, str, str]]]:
    return together(
        (
            one["held_by"] or one["email"],
            (alert["watch"], alert["market"][9:], alert["open_time"], alert["kind"], one["recipient"]),
        )
        for alert in result["alerts"]
        for one in alert["delivery"]
    )


def together(rows) -> set[frozenset[tuple[str, str, str, str, str]]]:
    groups: dict[object, set[tuple[str, str, str, str, str]]] = {}
    for key, alert in rows:
        groups.setdefault(key, set()).add(alert)
    return {frozenset(group) for group in groups.values()}


def test_a_gap_where_the_first_load_begins_is_the_same_to_both(world) -> None:
    # A level that is counted up from the first candle of the load remembers what that one was.
    watch = {"name": "edge", "when": "obv > ago(obv, 3)", "resolved": True}
    now = MINUTE.step_at(world.clock.at)
    look_back = Subject.of(
        Watch.model_validate({**watch, "interval": "1m", "notify": ["me"], "markets": ["a:b/c"]}), ()
    )
    begin = load_start(look_back.rule.look_back["1m"], now) - now
    for place, symbol in enumerate(SYMBOLS):
        world.record.trade(symbol, -1500, prices(place, 1560))
        world.record.trade(symbol, begin - 3, [100.0, 107.0, None, None, None, None, 91.0])
    world.apply(watch)
    start = world.clock.at
    world.minute(30)
    live = told_live(world)
    assert len(live) > 10
    assert told_by(preview_of(world, start, [watch])) == live


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded candles are not beside the checkout")
def test_on_recorded_candles_preview_tells_what_live_tells(world, tmp_path) -> None:
    symbols = ["ADA/BTC", "ETH/BTC", "TRX/BTC", "XLM/BTC"]
    watches = [
        {"name": "dip", "when": "rsi(14) < 30 and close < bollinger(20, 2).lower", "cooldown": "2h", "resolved": True},
        {"name": "trend", "when": 'crosses_above(ema(12), ema(26)) and ema(20, interval="1h").rising(2)'},
        {"name": "day", "when": 'close > sma(3, interval="1d") and volume > 4 * sma(volume, 96)', "cooldown": "6h"},
        {"name": "quarter", "interval": "15m", "when": "macd(12, 26, 9).histogram > 0", "resolved": True, "for": 2},
    ]
    watches = [{"interval": "5m", "notify": ["me"], **one} for one in watches]
    record = ReplayRecord(RECORDED, only=symbols)
    end = max(record.bounds(symbol)[1] for symbol in symbols)
    start = datetime.fromisoformat("2018-01-16T00:00:00+00:00")
    world.record, world.clock.at = record, start + timedelta(seconds=30)
    chance = random.Random(1)
    with SimulatedExchange(record, world.clock, limited=False) as exchange:
        world.exchange = exchange
        world.apply(*({**one, "markets": [f"binance:{symbol}" for symbol in symbols]} for one in watches))
        while world.clock.at < end:
            world.clock.at = min(
                world.clock.at + timedelta(minutes=chance.randint(5, 2500)), end + timedelta(minutes=5)
            )
            world.ingest()
            world.analyse()
    live = told_live(world)
    assert len(live) > 200 and {one[0] for one in live} == {one["name"] for one in watches}

    names = [f"recorded:{symbol}" for symbol in symbols]
    text = json.dumps(
        {"recipients": {"me": "me@example.com"}, "watches": [{"markets": names, **one} for one in watches]}
    )
    since = f"{int((end - start).total_seconds() // 60)}m"
    assert told_by(preview(text, "watches.yaml", RECORDED, since=since)) == live
