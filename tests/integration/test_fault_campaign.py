"""Faults in any order: nothing false is ever stored, and once the exchange is well again nothing is missing.

Each market of a round is a sequence of its own: at each of its minutes another fault may hit it, or the whole source.
`make faults` does it ten thousand times. What cannot be told from the truth is not among the faults: an answer of the
exchange's own form that says there are no candles, or others.
"""

import os
import random
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from cryptowatch.local.exchange.faults import (
    Fault,
    duplicated,
    future_candle,
    hang,
    high_below_low,
    html,
    kraken_errors,
    out_of_order,
    price,
    status,
    truncated,
)
from cryptowatch.local.exchange.record import MINUTE
from cryptowatch.local.exchange.server import FORMATS
from cryptowatch.local.exchange.view import View
from cryptowatch.pipeline.ingest import IngestRun, seconds_left_of
from cryptowatch.sources.registry import open_source
from cryptowatch.store.database import transaction
from tests.integration.conftest import NOON, World

SEQUENCES = int(os.environ.get("FAULT_SEQUENCES", "90"))
#: Markets read together, each with a sequence of its own.
MARKETS = 30
#: Minutes in which something may go wrong, and after which all is well.
MINUTES = 6
#: Seconds a request may take, and what a hanging one takes.
TIMEOUT_MS, HANG_S = 250, 0.4

COLUMNS = ("open", "high", "low", "close", "volume")
OF_A_MARKET: list[Fault] = [
    *(status(code) for code in (400, 404, 408, 409, 500, 502, 503, 504, 520, 522)),
    status(200, body={}),
    status(200, body="[]"),
    status(200, body={"error": [], "result": {}}),
    status(200, body={"code": 0, "msg": ""}),
    html(),
    html(503),
    truncated(),
    kraken_errors("EService:Unavailable"),
    kraken_errors("EGeneral:Internal error", "EService:Busy"),
    *(price(value, column) for value in ("nan", "inf", -1.0) for column in COLUMNS),
    *(price(0.0, column) for column in COLUMNS[:4]),
    price(1e9, "open"),
    price(1e9, "close"),
    high_below_low(),
    duplicated(differing=True),
    duplicated(),
    out_of_order(),
    future_candle(),
]
OF_A_SOURCE: list[tuple[Fault, str]] = [
    (status(429, {"Retry-After": "2"}), "candles"),
    (status(418, {"Retry-After": "2"}), "candles"),
    (status(403), "candles"),
    (status(451), "time"),
    (status(503), "time"),
    (status(429), "time"),
    (html(), "time"),
    (truncated(), "markets"),
    (status(500), "markets"),
]


class Round:
    """Some markets of one source, for some minutes; what goes wrong is drawn from the seed."""

    def __init__(self, world: World, source: str, seed: int) -> None:
        self.world, self.source = world, source
        with transaction(world.writer) as cursor:
            cursor.execute("TRUNCATE candles, candle_blocks, markets, sources, watches CASCADE")
        world.clock.at = NOON
        world.record.closes.clear()
        self.chance = random.Random(f"{source} {seed}")
        self.symbols = [f"C{number}/USD" for number in range(MARKETS)]
        self.injected: Counter[str] = Counter()
        for symbol in self.symbols:
            closes = [round(100 + self.chance.gauss(0, 2), 2) for _ in range(40)]
            world.record.trade(symbol, -20, [None if self.chance.random() < 0.15 else close for close in closes])
        world.record.trade("EVER/USD", -20, [100.0] * 40)
        markets = [f"{source}:{symbol}" for symbol in (*self.symbols, "EVER/USD")]
        world.apply({"when": "close > 10000", "markets": markets})

    def ingest(self) -> str:
        world = self.world
        world.query("UPDATE sources SET paused_until = NULL RETURNING 1")
        world.query("DELETE FROM request_turns RETURNING 1")
        exchange = open_source(self.source, base_url=world.exchange.url, speed=1000, timeout_ms=TIMEOUT_MS)
        return IngestRun(self.source, exchange, world.writer, world.told, world.clock, seconds_left_of(60)).run()

    def a_minute_of_trouble(self) -> None:
        self.world.clock.at += timedelta(seconds=self.chance.choice((20, 60, 60, 60, 180)))
        for symbol in self.symbols:
            if self.chance.random() < 0.6:
                self._inject(self.chance.choice(OF_A_MARKET), symbol)
        if self.chance.random() < 0.05:
            self._inject(hang(HANG_S), self.chance.choice(self.symbols))
        if self.chance.random() < 0.2:
            fault, asked = self.chance.choice(OF_A_SOURCE)
            self.world.exchange.inject(fault, self.source, times=1, asked=asked)  # type: ignore[arg-type]
            self.injected[f"{fault.name} of {asked}"] += 1
        self.ingest()
        if self.chance.random() < 0.5:
            self.world.exchange.heal()

    def _inject(self, fault: Fault, symbol: str) -> None:
        self.world.exchange.inject(fault, self.source, symbol, times=self.chance.choice((1, 1, 2)))
        self.injected[fault.name] += 1

    def recover(self) -> None:
        self.world.exchange.heal()
        self.world.clock.at += timedelta(minutes=2)
        assert self.ingest() == "done"

    def stored(self) -> dict[str, dict[int, tuple[float, ...]]]:
        rows = self.world.query(
            "SELECT symbol, open_time, open, high, low, close, volume FROM candles JOIN markets ON id = market_id"
        )
        found: dict[str, dict[int, tuple[float, ...]]] = {symbol: {} for symbol in self.symbols}
        for symbol, time, *values in rows:
            found.setdefault(symbol, {})[MINUTE.step_at(time)] = tuple(values)
        return found

    def truth(self, symbol: str) -> dict[int, tuple[float, ...]]:
        """Every closed candle that the exchange shows."""
        view = View(self.world.record, self.source, self.world.clock.at, FORMATS[self.source].quiet)
        last = MINUTE.last_closed(self.world.clock.at)
        candles = view.candles(symbol, MINUTE, last - 400, last)
        return dict(zip(candles.steps.tolist(), map(tuple, candles.values.tolist()), strict=True))

    def check_nothing_false(self) -> None:
        for symbol, candles in self.stored().items():
            assert candles.items() <= self.truth(symbol).items(), symbol

    def check_nothing_missing(self) -> None:
        stored = self.stored()
        frontiers = dict(self.world.query("SELECT symbol, have_from FROM series JOIN markets ON id = market_id"))
        for symbol in self.symbols:
            first = MINUTE.step_at(frontiers[symbol])
            wanted = {step: candle for step, candle in self.truth(symbol).items() if step >= first}
            assert {step: candle for step, candle in stored[symbol].items() if step >= first} == wanted, symbol
        now = MINUTE.open_time(MINUTE.step_at(self.world.clock.at))
        late = self.world.query("SELECT count(*) FROM series WHERE settled_to < %s", now - timedelta(minutes=1))
        assert late == [(0,)]
        assert self.world.query("SELECT count(*) FROM unobtainable") == [(0,)]


@pytest.mark.parametrize("source", sorted(FORMATS))
def test_after_any_faults_the_stored_candles_are_the_exchanges_own(world, source: str) -> None:
    rounds = max(1, round(SEQUENCES / MARKETS / len(FORMATS)))
    injected: Counter[str] = Counter()
    for seed in range(rounds):
        one = Round(world, source, seed)
        for _ in range(MINUTES):
            one.a_minute_of_trouble()
            one.check_nothing_false()
        one.recover()
        one.check_nothing_false()
        one.check_nothing_missing()
        injected += one.injected
    assert injected.total() > rounds * MARKETS
    print(f"{source}: {rounds * MARKETS} sequences, {injected.total()} faults of {len(injected)} kinds")


def test_the_record_has_markets_without_trades_in_some_minutes(world) -> None:
    one = Round(world, "coinbase", 0)
    holes = [np.diff(sorted(one.truth(symbol))).max() for symbol in one.symbols]
    assert max(holes) > 1
