"""How much may be asked of an exchange, in its own time."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cryptowatch.clock import Anchor, RecordClock
from cryptowatch.local.exchange.limits import ExchangeSeconds, TokenBucket, WeightWindow


def test_a_bucket_starts_full_and_fills_with_time() -> None:
    bucket = TokenBucket(rate=10.0, burst=15)
    assert [bucket.take(0.0, 1, "") for _ in range(16)] == [0] * 15 + [1]
    assert [bucket.take(0.5, 1, "") for _ in range(6)] == [0] * 5 + [1]
    assert [bucket.take(100.0, 1, "") for _ in range(16)] == [0] * 15 + [1]


def test_a_bucket_tells_how_long_to_wait() -> None:
    bucket = TokenBucket(rate=0.2, burst=1)
    assert [bucket.take(at, 1, "") for at in (0.0, 1.0, 4.0, 5.0)] == [0, 4, 1, 0]


def test_each_thing_has_a_bucket_of_its_own() -> None:
    bucket = TokenBucket(rate=1.0, burst=1)
    assert [bucket.take(0.0, 1, what) for what in ("BTC/USD", "ETH/USD", "BTC/USD")] == [0, 0, 1]


def window() -> WeightWindow:
    return WeightWindow(weight=20, window_seconds=60, patience=2, ban_seconds=120, header="X-MBX-USED-WEIGHT-1M")


def test_a_window_takes_its_weight_and_starts_anew_with_the_next_minute() -> None:
    limit = window()
    assert [limit.take(10.0, 10, "") for _ in range(2)] == [0, 0]
    assert limit.headers() == {"X-MBX-USED-WEIGHT-1M": "20"}
    assert limit.take(15.0, 1, "") == 45
    assert limit.take(60.0, 1, "") == 0
    assert limit.headers() == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_who_goes_on_when_told_to_wait_is_banned_into_the_next_minutes() -> None:
    limit = window()
    limit.take(0.0, 20, "")
    assert [(limit.take(1.0, 1, ""), limit.banned) for _ in range(4)] == [
        (59, False),
        (59, False),
        (120, True),
        (120, True),
    ]
    assert (limit.take(61.0, 1, ""), limit.banned) == (60, True)
    assert (limit.take(121.0, 1, ""), limit.banned) == (0, False)


class Moved:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_limits_are_counted_on_the_exchanges_clock() -> None:
    clock = Moved()
    seconds = ExchangeSeconds(clock)
    assert seconds.read() == 0.0
    clock.at += timedelta(seconds=30)
    assert seconds.read() == 30.0
    clock.at -= timedelta(seconds=10)
    assert seconds.read() == 30.0


@pytest.mark.parametrize("held", [False, True])
def test_a_records_seconds_go_at_its_speed_while_it_runs_and_while_it_is_held(tmp_path: Path, held: bool) -> None:
    clock = RecordClock(tmp_path / "clock.json")
    now = time.time()
    clock.write(Anchor(wall=now, record=1_000_000.0, speed=1e6, limit=1_000_000.0 if held else 1e12))
    seconds = ExchangeSeconds(clock)
    start = time.monotonic()
    first = seconds.read()
    while time.monotonic() < start + 0.005:
        pass
    assert 5_000 <= seconds.read() - first < 1e8
