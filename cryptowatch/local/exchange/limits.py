"""How much a client may ask: the exchanges' own limits, counted in the exchanges' own time."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from cryptowatch.clock import Clock, RecordClock


class Limit(Protocol):
    """Counts what one client asks."""

    def take(self, seconds: float, weight: int, what: str) -> int:
        """Count a request for `what` at `seconds`: 0 when it is allowed, else the seconds to wait, at least 1."""
        ...

    @property
    def banned(self) -> bool:
        """Whether the last request was refused because the client went on when told to wait."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What each answer tells of the count."""
        ...


class ExchangeSeconds:
    """Time as the exchanges' limits count it: the clock's, so that a record at 30 times the speed allows 30 times as
    much in a second of the wall.

    A record's clock is held now and then while work is done, which stops no client; it is counted on at its speed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._total = 0.0
        self._last: tuple[float, datetime] | None = None

    def read(self) -> float:
        """Seconds counted since the first call; never fewer than before."""
        wall, now = time.monotonic(), self._clock.now()
        if self._last is not None:
            speed = self._clock.anchor().speed if isinstance(self._clock, RecordClock) else 0.0
            passed = (now - self._last[1]).total_seconds()
            self._total += max(passed, (wall - self._last[0]) * speed)
        self._last = wall, now
        return self._total


class TokenBucket:
    """A bucket for each thing that is counted by itself: it starts full, and fills all the time.

    Args:
        rate: requests a second.
        burst: requests at once.
    """

    banned = False

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, float(burst)))

    def take(self, seconds: float, weight: int, what: str) -> int:
        at, left = self._left[what]
        left = min(self._burst, left + (seconds - at) * self._rate)
        wait = 0
        if left >= weight:
            left -= weight
        else:
            wait = max(1, math.ceil((weight - left) / self._rate))
        self._left[what] = seconds, left
        return wait

    def headers(self) -> Mapping[str, str]:
        return {}


class WeightWindow:
    """A sum of weights that starts anew with each window; who goes on when it is full is banned for a while.

    Args:
        weight: the most a window takes.
        window_seconds: how long it is.
        patience: requests that are refused before the ban.
        ban_seconds: how long that is.
        header: the name of the header that tells the weight used.
    """

    def __init__(self, weight: int, window_seconds: int, patience: int, ban_seconds: int, header: str) -> None:
        self._most = weight
        self._window_seconds = window_seconds
        self._patience = patience
        self._ban_seconds = ban_seconds
        self._header = header
        self._window = 0
        self._used = 0
        self._refused = 0
        self._banned_until = -math.inf
        self.banned = False

    def take(self, seconds: float, weight: int, what: str) -> int:
        window = int(seconds // self._window_seconds)
        if window != self._window:
            self._window, self._used, self._refused = window, 0, 0
        self.banned = seconds < self._banned_until
        if self.banned:
            return math.ceil(self._banned_until - seconds)
        self._used += weight
        if self._used <= self._most:
            return 0
        self._refused += 1
        if self._refused > self._patience:
            self.banned = True
            self._banned_until = seconds + self._ban_seconds
            return self._ban_seconds
        return max(1, math.ceil((window + 1) * self._window_seconds - seconds))

    def headers(self) -> Mapping[str, str]:
        return {self._header: str(self._used)}
