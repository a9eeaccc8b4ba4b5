"""An exchange, through ccxt: its clock, its markets, its closed candles."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.sources.candles import checked_candles, closed_candles
from cryptowatch.sources.coverage import Answer, CarefulReader, KnownReader
from cryptowatch.sources.errors import BadAnswerError, MarketError, SourceUnavailableError, UnknownSymbolError
from cryptowatch.sources.failures import source_error
from cryptowatch.sources.pace import BURST_S, OwnTurns, Turns, turn_seconds, used_up_seconds
from cryptowatch.sources.volumes import quote_volumes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: ccxt id -> how many of a market's newest candles it serves, the open one among them; None: all, from the time asked
#: for on (the exchanges' documentation). Of any other exchange it is found out how far an answer reaches.
KNOWN: dict[str, int | None] = {"kraken": 720, "coinbaseexchange": None, "binance": None}
#: Of the newest candles, the oldest few are not counted on: they fall out of reach while a run goes on.
FALLING_OUT = 5
#: Exchanges whose weeks start on Thursday (whole weeks since the epoch), not on Monday 00:00 UTC, and so count as
#: lacking them. One that is not named here and has other weeks gives `BadAnswerError`.
OTHER_WEEKS = frozenset({"kraken", "kucoin", "hyperliquid"})
#: Candles asked for at once where ccxt does not know the exchange's limit.
DEFAULT_PAGE = 100
#: The most candles asked for at once.
LARGEST_PAGE = 1000
#: Seconds (wall time) for which the list of markets is kept, and for which it is believed that a market is not there.
MARKETS_KEPT_S = 3600.0
MISSING_KEPT_S = 300.0


#: Seconds (wall time) that a request waits for its turn at most: for a longer time the source is left alone.
LONGEST_TURN_S = 20.0


class Listed(NamedTuple):
    """A market of an exchange's list: what the exchange calls it, and whether it trades now."""

    exchange_id: str
    trading: bool


class Page(NamedTuple):
    """One error-free answer.

    Args:
        covered_from, covered_to: half-open range of grid steps of which every candle the source has is here. It may
            begin later than was asked for: the source no longer serves the steps before it.
        candles: closed, checked, ascending.
    """

    covered_from: int
    covered_to: int
    candles: list[Candle]


class Exchange:
    """One exchange's public candles. Not for threads.

    Args:
        name: the source's name, for messages.
        client: the ccxt exchange.
        speed: how many times as fast as wall time its clock runs (a record's); its rate limit scales with it.
    """

    def __init__(self, name: str, client: Any, speed: float = 1.0) -> None:
        self.name = name
        self._client = client
        self._markets_at: float | None = None
        #: Whose turn it is to ask; those of a process by itself, unless it is given others.
        self.turns: Turns = OwnTurns()
        client.throttle = self._wait_for_turn
        #: How many times as fast as wall time its clock runs: what it asks us to wait is told on its own clock.
        self.speed = speed
        client.enableLastJsonResponse = True
        if "parse_ohlcvs" not in vars(type(client)):
            # ccxt's own drops what lies before the time asked for and cuts to the number asked for, and so hides how
            # far an answer reaches.
            client.parse_ohlcvs = lambda rows, market=None, *_, **__: [
                client.parse_ohlcv(row, market) for row in rows or ()
            ]

    def now(self) -> datetime:
        """The exchange's own time, UTC, asked of it: as old as the answer, so never later than it truly is.

        Raises:
            SourceUnavailableError: it does not answer, or tells no time.
        """
        try:
            if self._client.has.get("fetchTime") is True:
                milliseconds = self._ask("time", self._client.fetch_time)
                return _EPOCH + timedelta(milliseconds=milliseconds)
            self._read_markets()
            return parsedate_to_datetime(self._headers()["Date"]).astimezone(UTC)
        except MarketError as error:
            raise SourceUnavailableError(f"{self.name} does not tell its time: {error}") from error
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise SourceUnavailableError(f"{self.name} does not tell its time") from error

    def symbols(self) -> list[str]:
        """The spot symbols it trades now.

        Raises:
            SourceUnavailableError: its list cannot be read.
        """
        return sorted(symbol for symbol, listed in self.listing().items() if listed.trading)

    def listing(self, kept_s: float = MARKETS_KEPT_S) -> dict[str, Listed]:
        """Its spot markets by symbol, those that do not trade now among them.

        Args:
            kept_s: how old its list may be, in seconds of wall time.

        Raises:
            SourceUnavailableError: its list cannot be read.
        """
        self._load_markets(kept_s)
        return {
            symbol: Listed(str(market["id"]), market.get("active") is not False)
            for symbol, market in self._client.markets.items()
            if market.get("spot")
        }

    def volumes(self) -> dict[str, float] | None:
        """What was traded of each symbol in 24 hours, in the quote currency; None when it does not tell.

        Raises:
            SourceUnavailableError: it does not answer.
        """
        self._load_markets(MARKETS_KEPT_S)
        try:
            volumes: dict[str, float] | None = self._ask("volumes", lambda: quote_volumes(self._client))
        except MarketError as error:
            raise SourceUnavailableError(f"{self.name}: its volumes cannot be read: {error}") from error
        return volumes

    def intervals(self) -> list[str]:
        """The intervals it has candles of, on our grid."""
        if self._client.has.get("fetchOHLCV") is not True:
            return []
        offered = self._client.timeframes or {}
        lacking = {"1w"} if self._client.id in OTHER_WEEKS else set()
        return [name for name in INTERVALS if name in offered and name not in lacking]

    def history_start(self, interval: Interval, now: datetime) -> int | None:
        """The oldest step it serves now; None where that is not limited, or not known."""
        newest_only = KNOWN.get(self._client.id)
        return None if newest_only is None else interval.step_at(now) - newest_only + 1 + FALLING_OUT

    def page(self) -> int:
        """How many steps it is asked for at once."""
        limits = ((self._client.features or {}).get("spot") or {}).get("fetchOHLCV") or {}
        return min(int(limits.get("limit") or DEFAULT_PAGE), LARGEST_PAGE)

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
        self._find(symbol)
        oldest = self.history_start(interval, now)
        last_step = min(last_step, interval.last_closed(now))
        start = first_step if oldest is None else max(first_step, oldest)
        reader = self._reader(symbol, interval)
        while start <= last_step:
            try:
                steps, answer = reader.read(start, last_step)
            except UnknownSymbolError:
                raise
            except MarketError as error:
                raise type(error)(f"{self.name} {symbol} {interval}: {error}") from error
            if not steps:
                return
            yield Page(steps.start, steps.stop, closed_candles(answer.candles, steps, interval, now))
            start = steps.stop

    def _reader(self, symbol: str, interval: Interval) -> KnownReader | CarefulReader:
        def ask(first_step: int, count: int) -> Answer:
            since = int(interval.open_time(first_step).timestamp()) * 1000
            rows = self._ask(symbol, lambda: self._client.fetch_ohlcv(symbol, interval.name, since, count))
            if not isinstance(rows, list):
                raise BadAnswerError(f"not a list of candles: {str(rows)[:80]}")
            if not rows and not _says_none(self._client.last_json_response):
                raise BadAnswerError("neither candles nor an empty list of them")
            return Answer(checked_candles(rows, interval), len(rows))

        if self._client.id in KNOWN:
            return KnownReader(ask, self.page(), KNOWN[self._client.id])
        return CarefulReader(ask, self.page())

    def _find(self, symbol: str) -> None:
        """Make sure that the exchange lists it, by a fresher list when it seems not to."""
        self._load_markets(MARKETS_KEPT_S)
        if symbol not in self._client.markets:
            self._load_markets(MISSING_KEPT_S)
        if symbol not in self._client.markets:
            raise UnknownSymbolError(f"{self.name} does not list {symbol}")

    def _load_markets(self, kept_s: float) -> None:
        if self._markets_at is not None and time.monotonic() - self._markets_at < kept_s:
            return
        try:
            self._read_markets()
        except MarketError as error:
            raise SourceUnavailableError(f"{self.name}: its list of markets cannot be read: {error}") from error

    def _read_markets(self) -> None:
        self._markets_at = None
        if not self._ask("markets", lambda: self._client.load_markets(True)):
            raise BadAnswerError("it is empty")
        self._markets_at = time.monotonic()

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        """Make one request; ccxt's errors become ours, and an answer that is not JSON becomes one."""
        client = self._client
        client.last_json_response = None
        try:
            answer = call()
        except SourceUnavailableError:
            raise
        except Exception as error:  # ccxt raises Python's own errors, of any kind, over answers it does not expect
            ours = source_error(error, self.name, what, self._headers(), client.timeout / 1000)
            if isinstance(ours, SourceUnavailableError) and ours.retry_after:
                self.turns.hold(ours.retry_after / self.speed)
            raise ours from error
        used_up = used_up_seconds(client.id, self._headers())
        if used_up:
            self.turns.hold(used_up / self.speed)
        if client.last_json_response is None:
            text = " ".join(str(client.last_http_response).split())
            raise BadAnswerError(f"the answer is not JSON: {text[:60]}")
        return answer

    def _wait_for_turn(self, cost: float | None = None) -> None:
        """In place of ccxt's own throttle: before each request.

        Raises:
            SourceUnavailableError: the exchange has asked us to wait for longer than is waited for here.
        """
        length = turn_seconds(self._client, cost or 1.0) / self.speed
        wait = self.turns.take(length, BURST_S / self.speed)
        if wait > LONGEST_TURN_S:
            raise SourceUnavailableError(
                f"{self.name} is to be left alone for another {wait:.0f} s", wait * self.speed, asked_to_wait=True
            )
        time.sleep(wait)

    def _headers(self) -> Any:
        return self._client.last_response_headers or {}


def _says_none(body: object) -> bool:
    """Whether an answer says that there are no candles: it holds lists, and every one but those of errors is empty."""
    lists = list(_lists(body))
    return bool(lists) and not any(lists)


def _lists(body: object) -> Iterator[list[object]]:
    if isinstance(body, list):
        yield body
    elif isinstance(body, dict):
        for name, value in body.items():
            if not str(name).lower().startswith("error"):
                yield from _lists(value)
