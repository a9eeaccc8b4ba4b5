"""The wire formats of three exchanges, as their public interfaces speak them: what a client asks, what it is told.

Facts from the exchanges' documentation: Kraken "Get OHLC Data" (at most 720 newest entries, never older ones, the
last one still open; errors with HTTP 200); Coinbase Exchange "Get product candles" (at most 300, newest first, nothing
for intervals without a trade); Binance "Kline/Candlestick data" (at most 1000 from `startTime` on, oldest first).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from cryptowatch.local.exchange.record import Candles, Record
from cryptowatch.markets.interval import INTERVALS, Interval, interval_of_seconds

Query = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One exchange's way of speaking."""

    source: str
    #: Requests a second it allows, and how many may come at once.
    rate: float
    burst: int

    def answer(self, path: str, query: Query, record: Record, now: datetime) -> Answer: ...

    def too_many(self, retry_after: float) -> Answer: ...


def visible(
    record: Record, source: str, symbol: str, interval: Interval, first: int, last: int, now: datetime
) -> Candles:
    """Candles from `first` to `last` as they stand at `now`: the open one as far as it has come."""
    open_step = interval.step_at(now)
    last = min(last, open_step)
    if last < first:
        return Candles(np.empty(0, dtype=np.int64), np.empty((0, 5)))
    candles = record.candles(source, symbol, interval, first, last)
    values = candles.values.copy()
    if len(candles.steps) and candles.steps[-1] == open_step:
        # Half way through its moves: a client that takes it for closed stores something false.
        values[-1, 1:4] = (values[-1, 1:4] + values[-1, 0]) / 2
        values[-1, 4] /= 2
    candles = Candles(candles.steps, values)
    return _with_quiet(candles, first, last) if record.shows_quiet and source != "coinbase" else candles


def _with_quiet(candles: Candles, first: int, last: int) -> Candles:
    """Steps without a trade shown as flat candles of no volume, as Kraken and Binance do."""
    if len(candles.steps) in (0, last - first + 1):
        return candles
    steps = np.arange(candles.steps[0], last + 1, dtype=np.int64)
    at = np.searchsorted(candles.steps, steps, side="right") - 1
    values = candles.values[at].copy()
    quiet = candles.steps[at] != steps
    values[quiet] = values[quiet][:, [3, 3, 3, 3, 4]]
    values[quiet, 4] = 0.0
    return Candles(steps, values)


class Kraken:
    source = "kraken"
    rate, burst = 1.0, 15
    page = 720

    def answer(self, path: str, query: Query, record: Record, now: datetime) -> Answer:
        names = {_kraken_id(symbol): symbol for symbol in record.symbols(self.source)}
        match path:
            case "/0/public/Time":
                return _kraken({"unixtime": int(now.timestamp()), "rfc1123": f"{now:%a, %d %b %y %H:%M:%S} +0000"})
            case "/0/public/AssetPairs":
                return _kraken({name: _kraken_pair(symbol) for name, symbol in names.items()})
            case "/0/public/OHLC" if query.get("pair") in names:
                return self._ohlc(names[query["pair"]], query, record, now)
            case "/0/public/OHLC":
                return _kraken_error("EQuery:Unknown asset pair")
        return _kraken_error("EGeneral:Unknown method")

    def _ohlc(self, symbol: str, query: Query, record: Record, now: datetime) -> Answer:
        minutes = int(query.get("interval", "1"))
        if minutes * 60 not in {interval.seconds for interval in INTERVALS.values()}:
            return _kraken_error("EGeneral:Invalid arguments")
        grid = interval_of_seconds(minutes * 60)
        newest = grid.step_at(now)
        candles = visible(record, self.source, symbol, grid, newest - self.page + 1, newest, now)
        rows = [
            [time, *(f"{value:.10f}" for value in row[:4]), f"{row[3]:.10f}", f"{row[4]:.8f}", int(row[4] > 0)]
            for time, row in zip(_opens(candles, grid), candles.values.tolist(), strict=True)
            if time > int(float(query.get("since", "0")))
        ]
        last = grid.offset + (newest - 1) * grid.seconds
        return _kraken({_kraken_id(symbol): rows, "last": last})

    def too_many(self, retry_after: float) -> Answer:
        return _kraken_error("EGeneral:Too many requests")


class Coinbase:
    source = "coinbase"
    rate, burst = 10.0, 15
    page = 300

    def answer(self, path: str, query: Query, record: Record, now: datetime) -> Answer:
        symbols = {symbol.replace("/", "-"): symbol for symbol in record.symbols(self.source)}
        parts = path.strip("/").split("/")
        match parts:
            case ["time"]:
                return Answer({"iso": now.isoformat().replace("+00:00", "Z"), "epoch": now.timestamp()})
            case ["products"]:
                return Answer([_coinbase_product(name) for name in symbols])
            case ["products", name, "candles"] if name in symbols:
                return self._candles(symbols[name], query, record, now)
        return Answer({"message": "NotFound"}, 404)

    def _candles(self, symbol: str, query: Query, record: Record, now: datetime) -> Answer:
        seconds = int(query.get("granularity", "60"))
        if seconds not in (60, 300, 900, 3600, 21600, 86400):
            return Answer({"message": "Unsupported granularity"}, 400)
        if seconds == 21600:
            return Answer([])
        grid = interval_of_seconds(seconds)
        start, end = (_time(query[name]) if name in query else None for name in ("start", "end"))
        last = grid.step_at(end) if end else grid.step_at(now)
        first = grid.step_at(start) if start else last - self.page + 1
        if start and not grid.is_on_grid(start):
            first += 1
        if last - first + 1 > self.page:
            count = last - first + 1
            return Answer({"message": f"granularity too small: {count} candles for a limit of {self.page}"}, 400)
        candles = visible(record, self.source, symbol, grid, first, last, now)
        rows = [
            [time, low, high, open_, close, volume]
            for time, (open_, high, low, close, volume) in zip(
                _opens(candles, grid), candles.values.tolist(), strict=True
            )
        ]
        return Answer(rows[::-1])

    def too_many(self, retry_after: float) -> Answer:
        return Answer({"message": "Public rate limit exceeded"}, 429, {"Retry-After": f"{max(1, round(retry_after))}"})


class Binance:
    source = "binance"
    #: 6000 of request weight a minute, and a page of candles weighs 2.
    rate, burst = 50.0, 100
    page = 1000

    def answer(self, path: str, query: Query, record: Record, now: datetime) -> Answer:
        symbols = {symbol.replace("/", ""): symbol for symbol in record.symbols(self.source)}
        match path:
            case "/api/v3/time":
                return Answer({"serverTime": int(now.timestamp() * 1000)})
            case "/api/v3/exchangeInfo":
                return Answer({"timezone": "UTC", "symbols": [_binance_symbol(one) for one in symbols.values()]})
            case "/api/v3/klines" if query.get("symbol") in symbols:
                return self._klines(symbols[query["symbol"]], query, record, now)
            case "/api/v3/klines":
                return Answer({"code": -1121, "msg": "Invalid symbol."}, 400)
        return Answer({"code": -1000, "msg": "unknown path"}, 404)

    def _klines(self, symbol: str, query: Query, record: Record, now: datetime) -> Answer:
        grid = INTERVALS.get(query.get("interval", ""))
        if grid is None:
            return Answer({"code": -1120, "msg": "Invalid interval."}, 400)
        limit = min(int(query.get("limit", "500")), self.page)
        newest = grid.step_at(now)
        last = min(newest, _step_of_ms(grid, query["endTime"])) if "endTime" in query else newest
        first = -(-(int(query["startTime"]) // 1000 - grid.offset) // grid.seconds) if "startTime" in query else None
        if first is None:
            first = last - limit + 1
        candles = self._first_rows(symbol, grid, first, last, limit, record, now)
        rows = [
            [
                time * 1000,
                *(f"{value:.10f}" for value in row[:5]),
                (time + grid.seconds) * 1000 - 1,
                "0",
                1,
                "0",
                "0",
                "0",
            ]
            for time, row in zip(_opens(candles, grid), candles.values.tolist(), strict=True)
        ]
        return Answer(rows)

    def _first_rows(
        self, symbol: str, grid: Interval, first: int, last: int, limit: int, record: Record, now: datetime
    ) -> Candles:
        """The first `limit` candles from `first` on, over gaps of any length, as Binance gives them."""
        steps, values, found = [], [], 0
        while first <= last and found < limit:
            part = visible(record, self.source, symbol, grid, first, min(last, first + self.page - 1), now)
            steps.append(part.steps)
            values.append(part.values)
            found += len(part.steps)
            first += self.page
        if not steps:
            return Candles(np.empty(0, dtype=np.int64), np.empty((0, 5)))
        return Candles(np.concatenate(steps)[:limit], np.concatenate(values)[:limit])

    def too_many(self, retry_after: float) -> Answer:
        body = {"code": -1003, "msg": "Too many requests; current limit of IP is 6000 request weight per 1 MINUTE."}
        return Answer(body, 429, {"Retry-After": f"{max(1, round(retry_after))}"})


FORMATS: dict[str, Format] = {one.source: one for one in (Kraken(), Coinbase(), Binance())}


def symbol_asked(source: str, path: str, query: Query, record: Record) -> str | None:
    """The symbol whose candles a request asks for, for faults on single markets."""
    names = {
        "kraken": (query.get("pair"), _kraken_id),
        "coinbase": (path.split("/")[2] if path.endswith("/candles") else None, lambda one: one.replace("/", "-")),
        "binance": (query.get("symbol"), lambda one: one.replace("/", "")),
    }
    asked, spell = names[source]
    return next((symbol for symbol in record.symbols(source) if asked and spell(symbol) == asked), None)


def _opens(candles: Candles, grid: Interval) -> list[int]:
    opens: list[int] = (grid.offset + candles.steps * grid.seconds).tolist()
    return opens


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _step_of_ms(grid: Interval, text: str) -> int:
    return (int(text) // 1000 - grid.offset) // grid.seconds


def _kraken(result: Any) -> Answer:
    return Answer({"error": [], "result": result})


def _kraken_error(*errors: str) -> Answer:
    return Answer({"error": list(errors)})


def _kraken_id(symbol: str) -> str:
    base, quote = symbol.split("/")
    old = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "XLM": "XXLM", "DOGE": "XXDG"}
    if base in old and quote in ("USD", "EUR"):
        return f"{old[base]}Z{quote}"
    return f"{base}{quote}".replace("BTC", "XBT")


def _kraken_pair(symbol: str) -> dict[str, Any]:
    base, quote = symbol.split("/")
    return {
        "altname": f"{base}{quote}".replace("BTC", "XBT"),
        "wsname": symbol.replace("BTC", "XBT"),
        "base": base,
        "quote": quote,
        "pair_decimals": 10,
        "lot_decimals": 8,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "ordermin": "0.0001",
        "status": "online",
    }


def _coinbase_product(name: str) -> dict[str, Any]:
    base, quote = name.split("-")
    return {
        "id": name,
        "base_currency": base,
        "quote_currency": quote,
        "quote_increment": "0.00000001",
        "base_increment": "0.00000001",
        "min_market_funds": "1",
        "margin_enabled": False,
        "status": "online",
        "trading_disabled": False,
    }


def _binance_symbol(symbol: str) -> dict[str, Any]:
    base, quote = symbol.split("/")
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": [],
    }
