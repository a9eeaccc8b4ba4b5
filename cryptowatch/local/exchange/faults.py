"""What goes wrong with exchanges, to be injected into a simulated one: see `SimulatedExchange.inject`.

>>> exchange.inject(status(503), source="binance", times=3)
>>> exchange.inject(price("nan"), source="kraken", symbol="BTC/USD")
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.wire import Answer, Asked
from cryptowatch.markets.interval import Interval

#: Spoils the candles of an answer: gets them, their interval and the exchange's time.
Spoil = Callable[[Candles, Interval, datetime], Candles]

_HTML = b"<html><head><title>Service unavailable</title></head><body><h1>We'll be back soon</h1></body></html>"
#: Steps into the future of a candle that cannot be.
_AHEAD = 3


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with an answer.

    Args:
        name: for the log.
        answer: makes the answer that goes out of the true one.
        candles: spoils the candles before they are written down; hits requests for candles only.
        hold_seconds: wall time for which the connection is held before the answer.
    """

    name: str
    answer: Callable[[Answer], Answer] | None = None
    candles: Spoil | None = None
    hold_seconds: float = 0.0


@dataclass
class Planned:
    """A fault, and which requests it hits.

    Args:
        symbol: requests for its candles; None hits every market's.
        asked: what kind of request; None hits every kind, or candles alone where the fault or the symbol is of them.
        left: how many requests more; None never ends.
    """

    fault: Fault
    source: str
    symbol: str | None
    asked: Asked | None
    left: int | None

    def hits(self, source: str, symbol: str | None, asked: Asked) -> bool:
        if self.left == 0 or source != self.source or (self.symbol is not None and symbol != self.symbol):
            return False
        of_candles = self.fault.candles is not None or self.symbol is not None
        return asked == (self.asked or ("candles" if of_candles else asked))


def status(code: int, headers: Mapping[str, str] | None = None, body: object = None) -> Fault:
    """Any HTTP status, such as 429 with `{"Retry-After": "30"}`, 418, 500 or 503; the body is sent as JSON."""
    answer = Answer({"message": "something went wrong"} if body is None else body, code, headers or {})
    return Fault(f"status {code}", answer=lambda _: answer)


def html(code: int = 200) -> Fault:
    """A page for people in place of JSON."""
    answer = Answer(_HTML, code, {"Content-Type": "text/html; charset=utf-8"})
    return Fault("html", answer=lambda _: answer)


def truncated() -> Fault:
    """JSON that ends in the middle, though the HTTP answer is whole."""

    def cut(answer: Answer) -> Answer:
        body = json.dumps(answer.body).encode()
        return Answer(body[: max(1, len(body) // 2)], answer.status, answer.headers)

    return Fault("truncated", answer=cut)


def kraken_errors(*errors: str) -> Fault:
    """Kraken's own form of an error, with HTTP 200: `kraken_errors("EService:Unavailable")`."""
    return Fault("kraken errors", answer=lambda _: Answer({"error": list(errors)}))


def hang(seconds: float = 3600.0) -> Fault:
    """No answer for `seconds`, for clients to time out on; then the true one, if somebody still waits."""
    return Fault("hang", hold_seconds=seconds)


def price(value: float | str, column: str = "close") -> Fault:
    """The newest closed candle has this figure: `price("nan")`, `price(-1)`, `price(0)`, `price(5, "volume")`."""
    at = ("open", "high", "low", "close", "volume").index(column)

    def spoil(row: NDArray[np.float64]) -> None:
        row[at] = float(value)

    return Fault(f"{column} {value}", candles=_newest_closed(spoil))


def high_below_low() -> Fault:
    """The newest closed candle's high is below its low."""

    def spoil(row: NDArray[np.float64]) -> None:
        row[1], row[2] = row[2] * 0.99, row[1] * 1.01

    return Fault("high below low", candles=_newest_closed(spoil))


def duplicated(*, differing: bool = False) -> Fault:
    """Each candle comes twice; `differing`, the second time with another close."""

    def spoil(candles: Candles, interval: Interval, now: datetime) -> Candles:
        values = np.repeat(candles.values, 2, axis=0)
        if differing:
            values[1::2, 3] = values[1::2, [1, 2]].mean(axis=1) * 1.000_1
        return Candles(np.repeat(candles.steps, 2), values)

    return Fault("duplicated", candles=spoil)


def out_of_order() -> Fault:
    """Every second candle first, then the others."""

    def spoil(candles: Candles, interval: Interval, now: datetime) -> Candles:
        order = np.concatenate([np.arange(1, len(candles), 2), np.arange(0, len(candles), 2)])
        return Candles(candles.steps[order], candles.values[order])

    return Fault("out of order", candles=spoil)


def future_candle() -> Fault:
    """One more candle, which opens three steps from now."""

    def spoil(candles: Candles, interval: Interval, now: datetime) -> Candles:
        steps = np.append(candles.steps, interval.step_at(now) + _AHEAD)
        return Candles(steps, np.concatenate([candles.values, candles.values[-1:]])) if len(candles) else candles

    return Fault("future candle", candles=spoil)


def revised(factor: float = 1.01) -> Fault:
    """The newest closed candle is another than before: its prices times `factor`."""

    def spoil(row: NDArray[np.float64]) -> None:
        row[:4] *= factor

    return Fault("revised", candles=_newest_closed(spoil))


def _newest_closed(spoil: Callable[[NDArray[np.float64]], None]) -> Spoil:
    def spoil_newest(candles: Candles, interval: Interval, now: datetime) -> Candles:
        closed = np.flatnonzero(candles.steps <= interval.last_closed(now))
        if not len(closed):
            return candles
        values = candles.values.copy()
        spoil(values[closed[-1]])
        return Candles(candles.steps, values)

    return spoil_newest
