"""How fast a source is asked, by one or by many at once: nearly all it allows, and never more."""

import heapq
import random
from types import SimpleNamespace

import pytest

from cryptowatch.local.exchange.limits import Limit, TokenBucket, WeightWindow
from cryptowatch.sources.breaker import FIRST_S, LONGEST_S, PATIENCE, wait_seconds
from cryptowatch.sources.pace import BURST_S, SHARE, OwnTurns, turn_seconds, used_up_seconds
from cryptowatch.sources.registry import open_source

MINUTES = 10


class Virtual:
    """Turns as `StoredTurns` hands them out, on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = self.next = 1000.0

    def take(self, seconds: float, burst: float) -> float:
        begins = max(self.next, self.now - burst)
        self.next = begins + seconds
        return max(0.0, begins - self.now)


def ask(limit: Limit, length: float, weight: int, readers: int, seed: int) -> tuple[int, int]:
    """Let so many readers ask as fast as they get turns for ten minutes; gives how many were allowed, and refused."""
    chance, turns = random.Random(seed), Virtual()
    waiting = [(turns.now + chance.random(), reader) for reader in range(readers)]
    arriving: list[tuple[float, int]] = []
    allowed = refused = 0
    end = turns.now + 60 * MINUTES
    while True:
        queue = min((one for one in (waiting, arriving) if one), key=lambda one: one[0])
        at, reader = heapq.heappop(queue)
        if at >= end:
            return allowed, refused
        turns.now = at
        if queue is waiting:
            sent = at + turns.take(length, BURST_S)
            heapq.heappush(arriving, (sent + chance.uniform(0.01, 0.08), reader))
        else:
            wait = limit.take(at, weight, "")
            allowed, refused = (allowed, refused + 1) if wait else (allowed + 1, refused)
            heapq.heappush(waiting, (at + chance.uniform(0.01, 0.12), reader))


@pytest.mark.parametrize("readers", [8, 16])
def test_of_a_bucket_nearly_all_is_used_and_nothing_refused(readers: int) -> None:
    client = open_source("coinbase")._client
    length = turn_seconds(client, 1.0)
    allowed, refused = ask(TokenBucket(10.0, 15), length, 1, readers, seed=readers)
    assert refused == 0
    assert allowed / (10.0 * 60 * MINUTES) >= 0.9


@pytest.mark.parametrize("readers", [12, 16])
def test_of_a_window_nearly_all_is_used_and_nothing_refused(readers: int) -> None:
    client = open_source("binance")._client
    length = turn_seconds(client, 0.4)  # what ccxt takes for a page of candles of weight 2
    limit = WeightWindow(6000, 60, patience=10, ban_seconds=120, header="X-MBX-USED-WEIGHT-1M")
    allowed, refused = ask(limit, length, 2, readers, seed=readers)
    assert refused == 0
    assert allowed * 2 / (6000 * MINUTES) >= 0.9


def test_all_who_ask_get_the_same_share() -> None:
    turns = Virtual()
    counts = [0] * 4
    free = [(0.0, reader) for reader in range(4)]
    for _ in range(1000):
        at, reader = heapq.heappop(free)
        turns.now = max(turns.now, at)
        wait = turns.take(0.1, BURST_S)
        counts[reader] += 1
        heapq.heappush(free, (turns.now + wait + 0.05, reader))
    assert max(counts) - min(counts) <= 2


def test_turns_of_a_process_by_itself_follow_each_other() -> None:
    turns = OwnTurns()
    turns.take(0.0, 0.0)
    waits = [turns.take(10.0, 0.0) for _ in range(3)]
    assert [round(wait) for wait in waits] == [0, 10, 20]
    turns.hold(100.0)
    assert round(turns.take(1.0, 5.0)) == 100


def test_no_exchange_is_asked_faster_than_ccxt_allows() -> None:
    client = open_source("kraken")._client
    assert turn_seconds(client, 1.2) == pytest.approx(1.2 / SHARE)  # a candle costs 1.2 of its one a second


@pytest.mark.parametrize(("used", "seconds"), [("5819", 0.0), ("5821", 41.0), ("nonsense", 0.0), (None, 0.0)])
def test_a_weight_that_is_used_up_lasts_until_the_next_minute(used: str | None, seconds: float) -> None:
    headers = {"Date": "Mon, 02 Mar 2026 12:00:20 GMT"} | ({"X-MBX-USED-WEIGHT-1M": used} if used else {})
    assert used_up_seconds("binance", headers) == seconds
    assert used_up_seconds("kraken", headers) == 0.0


def test_a_source_that_fails_is_left_alone_longer_each_time_and_never_for_ever() -> None:
    assert [wait_seconds(failures, None) for failures in range(PATIENCE)] == [0.0] * PATIENCE
    longest = 0.0
    for failures in range(PATIENCE, PATIENCE + 12):
        most = min(LONGEST_S, FIRST_S * 2 ** (failures - PATIENCE))
        waits = [wait_seconds(failures, None) for _ in range(50)]
        assert most / 2 <= min(waits) < max(waits) <= most, "with a part of chance"
        longest = max(longest, *waits)
    assert longest <= LONGEST_S
    assert wait_seconds(1, 300.0) == 300.0
    assert wait_seconds(PATIENCE, 7200.0) == 7200.0


def test_a_request_whose_turn_is_far_off_is_not_made() -> None:
    exchange = open_source("coinbase")
    exchange.turns = SimpleNamespace(take=lambda seconds, burst: 25.0, hold=lambda seconds: None)
    from cryptowatch.sources.errors import SourceUnavailableError

    with pytest.raises(SourceUnavailableError, match="coinbase is to be left alone for another 25 s") as caught:
        exchange.now()
    assert caught.value.asked_to_wait
    assert caught.value.retry_after == 25.0
