"""An exchange, through ccxt: its clock, its markets, its closed candles."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import ccxt

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.sources.errors import (
    BadAnswerError,
    MarketError,
    MarketRequestFailedError,
    SourceUnavailableError,
    UnknownSymbolError,
)
from cryptowatch.sources.rows import closed_candles

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Exchanges that serve only the newest N candles of a market, the open one among them (their documentation).
NEWEST_ONLY = {"kraken": 720}
#: Of those, the oldest few are not counted on: they fall out of reach while a run goes on.
FALLING_OUT = 5
#: Exchanges whose answer holds every candle of the range asked for, if it is no longer than a page.
WHOLE_RANGE = frozenset({"kraken", "coinbaseexchange", "binance"})
#: Exchanges whose weeks do not start on Monday 00:00 UTC, and so count as lacking them.
OTHER_WEEKS = frozenset({"kraken"})
#: Candles asked for at once where ccxt does not know the exchange's limit.
DEFAULT_PAGE = 100
#: Seconds (wall time) for which the list of markets is kept.
MARKETS_READING_S = 3600.0


class Page(NamedTuple):
    """One error-free answer.

    Args:
        covered_from, covered_to: half-open range of grid steps of which every candle the source has is here.
        candles: closed, checked, ascending.
    """

    covered_from: int
    covered_to: int
    candles: list[Candle]


class Exchange:
    """One exchange's public candles.

    Args:
        name: the source's name, for messages.
        client: the ccxt exchange.
        speed: how many times as fast as wall time its clock runs (a record's); its rate limit scales with it.
    """

    def __init__(self, name: str, client: Any, speed: float = 1.0) -> None:
        self.name = name
        self._client = client
        self._markets_at: float | None = None
        client.rateLimit /= speed

    def now(self) -> datetime:
        """The exchange's own time, UTC, asked of it: read once a run, so it is never later than it truly is.

        Raises:
            SourceUnavailableError: it does not answer.
        """
        try:
            if self._client.has.get("fetchTime") is True:
                milliseconds = self._ask("time", self._client.fetch_time)
                return _EPOCH + timedelta(milliseconds=int(milliseconds))
            self._ask("markets", lambda: self._client.load_markets(True))
        except MarketError as error:
            raise SourceUnavailableError(f"{self.name} does not answer: {error}") from error
        header = (self._client.last_response_headers or {}).get("Date")
        if header is None:
            raise SourceUnavailableError(f"{self.name} tells no time")
        return parsedate_to_datetime(header).astimezone(UTC)

    def symbols(self) -> list[str]:
        """The spot symbols it trades now."""
        self._load_markets()
        return sorted(
            symbol
            for symbol, market in self._client.markets.items()
            if market.get("spot") and market.get("active") is not False
        )

    def intervals(self) -> list[str]:
        """The intervals it has candles of, on our grid."""
        offered = self._client.timeframes or {}
        lacking = {"1w"} if self._client.id in OTHER_WEEKS else set()
        return [name for name in INTERVALS if name in offered and name not in lacking]

    def history_start(self, interval: Interval, now: datetime) -> int | None:
        """The oldest step it serves now; None where it serves all of its history."""
        newest_only = NEWEST_ONLY.get(self._client.id)
        return None if newest_only is None else interval.step_at(now) - newest_only + 1 + FALLING_OUT

    def pages(self, symbol: str, interval: Interval, first_step: int, last_step: int, now: datetime) -> Iterator[Page]:
        """The candles of `first_step` to `last_step`, both inclusive, one answer after the other, ascending.

        Goes on by what was asked for, through answers without a candle, so a market without a trade for hours or
        weeks comes to its end too. Steps older than the source serves are not asked for.

        Args:
            now: the exchange's own time, as `now()` told it; only candles that had closed by then are given.

        Raises:
            SourceUnavailableError: the source must be left alone.
            MarketError: this market cannot be read now.
        """
        self._load_markets()
        if symbol not in self._client.markets:
            raise UnknownSymbolError(f"{self.name} does not list {symbol}")
        oldest = self.history_start(interval, now)
        last_step = min(last_step, interval.last_closed(now))
        start = first_step if oldest is None else max(first_step, oldest)
        size = self._page_size(interval)
        while start <= last_step:
            end = min(start + size - 1, last_step)
            page = self._page(symbol, interval, start, end, now)
            yield page
            start = page.covered_to

    def _page(self, symbol: str, interval: Interval, start: int, end: int, now: datetime) -> Page:
        count = end - start + 1
        since = int(interval.open_time(start).timestamp() * 1000)
        rows = self._ask(symbol, lambda: self._client.fetch_ohlcv(symbol, interval.name, since, count))
        if not isinstance(rows, list):
            raise BadAnswerError(f"{self.name} {symbol}: not a list of candles: {str(rows)[:80]}")
        try:
            candles = closed_candles(rows, interval, start, end, now)
        except BadAnswerError as error:
            raise BadAnswerError(f"{self.name} {symbol} {interval}: {error}") from None
        covered_to = end + 1
        if candles and self._client.id not in WHOLE_RANGE:
            # How far an exchange we do not know answered is sure only up to its last candle.
            covered_to = interval.step_at(candles[-1].open_time) + 1
        return Page(start, covered_to, candles)

    def _page_size(self, interval: Interval) -> int:
        features = (self._client.features or {}).get("spot") or {}
        limit = (features.get("fetchOHLCV") or {}).get("limit")
        return int(limit) if limit else DEFAULT_PAGE

    def _load_markets(self) -> None:
        fresh = self._markets_at is not None and time.monotonic() - self._markets_at < MARKETS_READING_S
        if not fresh:
            try:
                self._ask("markets", lambda: self._client.load_markets(True))
            except MarketError as error:
                raise SourceUnavailableError(f"{self.name}: its list of markets cannot be read: {error}") from error
            self._markets_at = time.monotonic()

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        """Make one request; ccxt's errors become ours, each told apart by what must be done about it."""
        try:
            return call()
        except (ccxt.RateLimitExceeded, ccxt.DDoSProtection) as error:
            wait = self._retry_after()
            asked = f", asked to wait {wait:g} s" if wait else ""
            raise SourceUnavailableError(
                f"{self.name} refuses: too many requests{asked}", wait, asked_to_wait=True
            ) from error
        except ccxt.BadSymbol as error:
            raise UnknownSymbolError(f"{self.name} does not list {what}") from error
        except ccxt.RequestTimeout as error:
            raise MarketRequestFailedError(
                f"{self.name} {what}: no answer in {self._client.timeout / 1000:g} s"
            ) from error
        except ccxt.NetworkError as error:
            raise MarketRequestFailedError(f"{self.name} {what}: {_short(error)}") from error
        except ccxt.ExchangeError as error:
            if "nknown asset pair" in str(error) or "NotFound" in str(error):
                raise UnknownSymbolError(f"{self.name} does not list {what}") from error
            raise BadAnswerError(f"{self.name} {what}: {_short(error)}") from error
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            # ccxt stumbles like this over bodies that are not of the exchange's form.
            raise BadAnswerError(f"{self.name} {what}: the answer cannot be read: {_short(error)}") from error

    def _retry_after(self) -> float | None:
        headers = self._client.last_response_headers or {}
        text = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
        try:
            return min(float(text), 3600.0) if text is not None else None
        except ValueError:
            return None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
