"""What an exchange shows at one moment: the open candle as far as it has come, quiet steps, what has vanished."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cryptowatch.local.exchange.record import MINUTE, Candles, Record, aggregate
from cryptowatch.local.exchange.simulated import SimulatedRecord
from cryptowatch.local.exchange.view import View
from cryptowatch.markets.interval import INTERVALS, Interval

HOUR = INTERVALS["1h"]
OPENED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
STEP = MINUTE.step_at(OPENED)


class Minutes(Record):
    """One market with the minutes given: step -> open, high, low, close, volume."""

    shows_quiet = True

    def __init__(self, minutes: dict[int, tuple[float, float, float, float, float]]) -> None:
        self.minutes = minutes

    def symbols(self, source: str) -> list[str]:
        return ["BTC/USD"]

    def candles(self, source: str, symbol: str, interval: Interval, first: int, last: int) -> Candles:
        steps = np.array(sorted(self.minutes), dtype=np.int64)
        values = np.array([self.minutes[step] for step in sorted(self.minutes)], dtype=np.float64).reshape(-1, 5)
        return aggregate(Candles(steps, values), MINUTE, interval).between(first, last)


def view(record: Record, seconds: float, *, quiet: bool = False) -> View:
    return View(record, "kraken", OPENED + timedelta(seconds=seconds), quiet)


def rows(candles: Candles) -> dict[int, list[float]]:
    return {step - STEP: values for step, values in zip(candles.steps.tolist(), candles.values.tolist(), strict=True)}


def test_a_candle_is_there_from_its_first_moment_on_and_is_whole_when_it_has_closed() -> None:
    record = Minutes({STEP: (100.0, 110.0, 80.0, 90.0, 6.0)})
    assert rows(view(record, -1).candles("BTC/USD", MINUTE, STEP, STEP + 5)) == {}
    assert rows(view(record, 0).candles("BTC/USD", MINUTE, STEP, STEP + 5)) == {}
    assert rows(view(record, 30).candles("BTC/USD", MINUTE, STEP, STEP + 5)) == {0: [100.0, 105.0, 90.0, 95.0, 3.0]}
    assert rows(view(record, 60).candles("BTC/USD", MINUTE, STEP, STEP + 5)) == {0: [100.0, 110.0, 80.0, 90.0, 6.0]}


@pytest.mark.parametrize("interval", [MINUTE, HOUR, INTERVALS["1d"], INTERVALS["1w"]], ids=str)
@pytest.mark.parametrize("symbol", ["BTC/USD", "MKR/USD", "CRV/USD"])
def test_an_open_candle_only_grows(interval: Interval, symbol: str) -> None:
    record = SimulatedRecord()
    evening = MINUTE.step_at(OPENED + timedelta(hours=6))
    traded = record.candles("kraken", symbol, MINUTE, evening, evening + 30).steps[0]
    step = interval.step_at(MINUTE.open_time(int(traded)))
    whole = record.candles("kraken", symbol, interval, step, step).values[0]
    before = None
    for share in (0.01, 0.2, 0.4, 0.77, 0.999):
        now = interval.open_time(step) + interval.length * share
        shown = View(record, "kraken", now, quiet=False).candles(symbol, interval, step, step)
        if not len(shown):
            continue
        open_, high, low, close, volume = shown.values[0]
        assert open_ == whole[0]
        assert whole[2] <= low <= min(open_, close) <= max(open_, close) <= high <= whole[1]
        assert 0 < volume <= whole[4]
        if before is not None:
            assert high >= before[1]
            assert low <= before[2]
            assert volume >= before[4]
        before = shown.values[0]
    assert before is not None


def test_a_quiet_step_is_flat_at_the_last_close_however_long_ago() -> None:
    record = Minutes({STEP - 5000: (1.0, 3.0, 1.0, 2.0, 9.0), STEP + 2: (4.0, 4.0, 4.0, 4.0, 1.0)})
    shown = view(record, 200, quiet=True).candles("BTC/USD", MINUTE, STEP, STEP + 9)
    flat = [2.0, 2.0, 2.0, 2.0, 0.0]
    assert rows(shown) == {0: flat, 1: flat, 2: [4.0, 4.0, 4.0, 4.0, 1.0], 3: [4.0, 4.0, 4.0, 4.0, 0.0]}


def test_before_its_first_trade_a_market_has_no_quiet_steps() -> None:
    record = Minutes({STEP + 2: (4.0, 4.0, 4.0, 4.0, 1.0)})
    assert list(rows(view(record, 200, quiet=True).candles("BTC/USD", MINUTE, STEP, STEP + 9))) == [2, 3]


def test_the_first_candles_are_found_over_gaps_of_any_length() -> None:
    record = Minutes({STEP + step: (4.0, 4.0, 4.0, 4.0, 1.0) for step in (0, 5000, 5001, 9000)})
    now = view(record, 60 * 9500)
    assert list(rows(now.first_candles("BTC/USD", MINUTE, STEP, STEP + 20_000, 3))) == [0, 5000, 5001]
    assert list(rows(now.first_candles("BTC/USD", MINUTE, STEP + 1, STEP + 20_000, 3))) == [5000, 5001, 9000]


def test_what_has_vanished_is_not_listed() -> None:
    assert View(Minutes({}), "kraken", OPENED, False, {"BTC/USD"}).symbols() == []
