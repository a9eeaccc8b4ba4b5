"""How fast an exchange is asked: as fast as it allows, shared by all who ask it at the same time."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

#: The share of an exchange's limit that is used. The rest is for clocks that differ, and for others at our address.
SHARE = 0.97
#: Seconds of turns not taken that may be made up for at once.
BURST_S = 0.5
#: ccxt id -> header that tells the weight used in this minute, and the most it may come to ("LIMITS").
USED_WEIGHT = {"binance": ("x-mbx-used-weight-1m", 6000), "binanceus": ("x-mbx-used-weight-1m", 1200)}


class Turns(Protocol):
    """Hands out turns, one after the other, to all who ask one source."""

    def take(self, seconds: float, burst: float) -> float:
        """Take a turn of so many seconds; gives in how many seconds it begins, at least 0.

        Args:
            burst: so many seconds of turns that nobody took are not lost.
        """
        ...

    def hold(self, seconds: float) -> None:
        """Let no turn begin for so long."""
        ...


class OwnTurns:
    """Turns for one process by itself."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def take(self, seconds: float, burst: float) -> float:
        now = time.monotonic()
        begins = max(self._next, now - burst)
        self._next = begins + seconds
        return max(0.0, begins - now)

    def hold(self, seconds: float) -> None:
        self._next = max(self._next, time.monotonic() + seconds)


def turn_seconds(client: Any, cost: float) -> float:
    """How long a request of this cost (ccxt's) keeps others from asking, at the exchange's own speed."""
    return float(client.rateLimit * cost / 1000 / SHARE)


def used_up_seconds(exchange_id: str, headers: Mapping[str, str]) -> float:
    """Seconds until the exchange counts anew, when an answer says that what it allows is used up; else 0."""
    name, most = USED_WEIGHT.get(exchange_id, ("", 0))
    found = {key.lower(): value for key, value in headers.items()}
    try:
        if not name or int(found[name]) < most * SHARE:
            return 0.0
        # The header tells whole seconds, so the minute may last one more than it says.
        return 61.0 - parsedate_to_datetime(found["date"]).second
    except (KeyError, ValueError, TypeError):
        return 0.0
