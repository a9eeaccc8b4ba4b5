"""Made-up markets: the same whenever they are asked for, adding up over all intervals, and worth watching."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from cryptowatch.local.exchange.record import MINUTE, aggregate
from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.markets.interval import INTERVALS, Interval

RECORD = SimulatedRecord()
NOON = MINUTE.step_at(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def test_each_source_lists_the_coins_everybody_knows() -> None:
    for source, quote in (("kraken", "USD"), ("coinbase", "USD"), ("binance", "USDT")):
        symbols = RECORD.symbols(source)
        assert {f"BTC/{quote}", f"ETH/{quote}", f"SOL/{quote}"} <= set(symbols)
        assert len(symbols) >= 20


@pytest.mark.parametrize("interval", INTERVALS.values(), ids=str)
def test_a_candle_is_the_same_whatever_range_it_is_asked_in(interval: Interval) -> None:
    last = interval.step_at(MINUTE.open_time(NOON))
    whole = RECORD.candles("kraken", "MKR/USD", interval, last - 500, last)
    for first in (last - 500, last - 333, last - 7, last):
        part = RECORD.candles("kraken", "MKR/USD", interval, first, min(first + 5, last))
        same = whole.between(first, min(first + 5, last))
        np.testing.assert_array_equal(part.steps, same.steps)
        np.testing.assert_array_equal(part.values, same.values)


@pytest.mark.parametrize("interval", [*INTERVALS.values(), Interval(604_800, "1w"), Interval(21_600, "6h")], ids=repr)
@pytest.mark.parametrize("symbol", ["BTC/USD", "FIL/USD", "CRV/USD"])
def test_candles_of_longer_intervals_are_exactly_what_their_minutes_add_up_to(symbol: str, interval: Interval) -> None:
    last = interval.step_at(MINUTE.open_time(NOON))
    first = last - 3
    minutes = RECORD.candles(
        "coinbase",
        symbol,
        MINUTE,
        MINUTE.step_at(interval.open_time(first)),
        MINUTE.step_at(interval.open_time(last + 1)) - 1,
    )
    added = aggregate(minutes, MINUTE, interval)
    candles = RECORD.candles("coinbase", symbol, interval, first, last)
    np.testing.assert_array_equal(candles.steps, added.steps)
    np.testing.assert_array_equal(candles.values, added.values)


def test_another_seed_gives_other_markets_and_the_same_seed_the_same() -> None:
    ours = RECORD.candles("kraken", "BTC/USD", MINUTE, NOON, NOON + 9).values
    np.testing.assert_array_equal(SimulatedRecord(1).candles("kraken", "BTC/USD", MINUTE, NOON, NOON + 9).values, ours)
    assert (SimulatedRecord(2).candles("kraken", "BTC/USD", MINUTE, NOON, NOON + 9).values != ours).all()


def test_a_coin_moves_alike_on_every_exchange_but_not_to_the_minute() -> None:
    hours = INTERVALS["1h"].step_at(MINUTE.open_time(NOON))
    closes = [
        RECORD.candles(source, symbol, INTERVALS["1h"], hours - 300, hours).values[:, 3]
        for source, symbol in (("kraken", "BTC/USD"), ("binance", "BTC/USDT"))
    ]
    assert np.corrcoef(np.diff(np.log(closes)))[0, 1] > 0.99
    minutes = [
        RECORD.candles(source, symbol, MINUTE, NOON - 300, NOON).values[:, 3]
        for source, symbol in (("kraken", "BTC/USD"), ("binance", "BTC/USDT"))
    ]
    assert not np.allclose(np.diff(np.log(minutes[0])), np.diff(np.log(minutes[1])), atol=1e-4)


@pytest.mark.parametrize("year", [1969, 1999, 2018, 2026, 2090])
@pytest.mark.parametrize("source", ["kraken", "coinbase", "binance"])
def test_candles_of_any_year_are_true_candles(source: str, year: int) -> None:
    step = MINUTE.step_at(datetime(year, 7, 3, 20, 0, tzinfo=UTC))
    for symbol in RECORD.symbols(source):
        candles = RECORD.candles(source, symbol, MINUTE, step, step + 60)
        open_, high, low, close, volume = candles.values.T
        assert len(candles) > 30
        assert (low > 0).all()
        assert (low <= np.minimum(open_, close)).all()
        assert (high >= np.maximum(open_, close)).all()
        assert (volume > 0).all()
        prices = candles.values[:, :4]
        np.testing.assert_array_equal(prices, np.round(prices, RECORD.decimals(source, symbol)))


def test_a_thousand_candles_of_any_interval_take_a_few_milliseconds() -> None:
    for interval in INTERVALS.values():
        last = interval.step_at(MINUTE.open_time(NOON))
        best = min(_seconds(interval, last) for _ in range(5))
        assert best < 0.05, interval


def _seconds(interval: Interval, last: int) -> float:
    start = time.perf_counter()
    RECORD.candles("kraken", "BTC/USD", interval, last - 999, last)
    return time.perf_counter() - start


def test_one_market_rests_for_sixteen_hours_of_each_day() -> None:
    midnight = NOON - 12 * 60
    for day in range(-3, 4):
        start = midnight + day * 1440
        assert len(RECORD.candles("coinbase", "CRV/USD", MINUTE, start, start + 959)) == 0
        assert len(RECORD.candles("coinbase", "CRV/USD", MINUTE, start + 960, start + 1439)) > 300


def test_thinly_traded_markets_have_minutes_without_a_trade_and_big_ones_none() -> None:
    day = [RECORD.candles("kraken", f"{coin}/USD", MINUTE, NOON, NOON + 1439) for coin in ("MKR", "FIL", "BTC")]
    assert 1000 < len(day[0]) < 1300 < len(day[1]) < 1440
    assert len(day[2]) == 1440


def _rsi(close: np.ndarray, length: int = 14) -> np.ndarray:
    change = np.diff(close, prepend=close[0])
    up, down = np.zeros(len(close)), np.zeros(len(close))
    for i in range(1, len(close)):
        up[i] = up[i - 1] + (max(change[i], 0) - up[i - 1]) / length
        down[i] = down[i - 1] + (max(-change[i], 0) - down[i - 1]) / length
    return 100 - 100 / (1 + up / np.maximum(down, 1e-12))


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD"])
def test_usual_rules_become_true_every_few_dozen_minutes(symbol: str) -> None:
    close = RECORD.candles("kraken", symbol, MINUTE, NOON - 6000, NOON).values[:, 3]
    average = np.convolve(close, np.ones(20) / 20, "valid")
    for truth, most in ((close[19:] > average, 30), (_rsi(close) < 30, 90), (_rsi(close) > 70, 90)):
        times = np.count_nonzero(np.diff(truth.astype(int)) == 1)
        assert 5 < len(close) / times < most


def test_there_are_calm_hours_and_wild_ones_and_now_and_then_a_jump() -> None:
    close = RECORD.candles("kraken", "BTC/USD", MINUTE, NOON - 60 * 24 * 14, NOON - 1).values[:, 3]
    moves = np.diff(np.log(close), prepend=np.log(close[0]))
    hours = moves.reshape(-1, 60).std(axis=1)
    assert np.quantile(hours, 0.95) > 4 * np.quantile(hours, 0.05)
    assert 0.0002 < moves.std() < 0.002
    assert np.abs(moves).max() > 8 * moves.std()
