"""What every exchange's way of speaking has in common: a request, an answer, and what is asked of a format."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from cryptowatch.local.exchange.limits import Limit
from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.view import View
from cryptowatch.markets.interval import INTERVALS, Interval

Query = Mapping[str, str]
Asked = Literal["time", "markets", "currencies", "tickers", "candles", "figures", "other"]


@dataclass(frozen=True)
class Request:
    """What a client asks.

    Args:
        symbol: of which market; None when it asks of none, or of one that is not listed.
        weight: what it counts for, in units of the exchange's limit.
    """

    asked: Asked
    path: str
    query: Query
    symbol: str | None = None
    weight: int = 1


@dataclass(frozen=True)
class Answer:
    """What goes back: a body to be sent as JSON, or bytes to be sent as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The exchange refuses a request, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.body))
        self.answer = answer


class Format(Protocol):
    """One exchange's way of speaking."""

    source: str
    #: Whether it draws a flat candle of no volume where there was no trade.
    quiet: bool

    def read(self, path: str, query: Query, symbols: Sequence[str]) -> Request:
        """Understand a request; a symbol that is not among `symbols` is not listed."""
        ...

    def candles(self, request: Request, view: View) -> tuple[Interval, Candles]:
        """The candles a request asks for, ascending.

        Raises:
            RefusedError: it does not ask as it should, or for what there is not.
        """
        ...

    def rows(self, request: Request, view: View, interval: Interval, candles: Candles) -> Answer:
        """These candles, in this order, as an answer."""
        ...

    def other(self, request: Request, view: View) -> Answer:
        """The answer to anything but a request for candles."""
        ...

    def limit(self) -> Limit:
        """A fresh counter of what one client asks."""
        ...

    def too_many(self, retry_after: int, banned: bool) -> Answer:
        """The answer to a request above the limit, `retry_after` seconds before the next is allowed."""
        ...


def decimal(value: float, places: int) -> str:
    """A figure as exchanges write it, with at least so many decimals; more where it would not be the same otherwise."""
    text = f"{value:.{places}f}"
    return text if float(text) == value or not math.isfinite(value) else np.format_float_positional(value)


def opens(candles: Candles, interval: Interval) -> list[int]:
    """When each candle opens, in seconds since the epoch."""
    seconds: list[int] = (interval.offset + candles.steps * interval.seconds).tolist()
    return seconds


def trades(volume: float) -> int:
    """A count of trades that fits the volume: none without, at least one with it."""
    return 1 + int(min(volume, 1e6) ** 0.5) if volume > 0 else 0


def named(*names: str) -> dict[str, Interval]:
    """Those of the product's own intervals, by name."""
    return {name: INTERVALS[name] for name in names}
