"""How Coinbase Exchange speaks (its documentation: "Get product candles", "Get all trading pairs", "Rate limits").

Candles: at most 300 from `start` to `end`, newest first, none for steps without a trade; a range of more is refused,
and without both ends it is the newest 300. Errors are a message with their HTTP status. Limited by address, with a
token bucket.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptowatch.local.exchange.day import last_day
from cryptowatch.local.exchange.limits import Limit, TokenBucket
from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.view import View
from cryptowatch.local.exchange.wire import Answer, Asked, Query, RefusedError, Request, decimal, named, opens
from cryptowatch.markets.interval import INTERVALS, Interval

#: Candles in an answer.
PAGE = 300

_INTERVALS = {one.seconds: one for one in named("1m", "5m", "15m", "1h", "1d").values()}
_INTERVALS |= {21_600: Interval(21_600, "6h")}
_PATHS: dict[str, Asked] = {
    "/time": "time",
    "/products": "markets",
    "/currencies": "currencies",
    "/products/volume-summary": "tickers",
    "/products/spark-lines": "tickers",
}


class Coinbase:
    source = "coinbase"
    quiet = False

    def read(self, path: str, query: Query, symbols: Sequence[str]) -> Request:
        match path.split("/"):
            case ["", "products", name, "candles"]:
                symbol = next((one for one in symbols if _product_id(one) == name), None)
                return Request("candles", path, query, symbol)
        return Request(_PATHS.get(path, "other"), path, query)

    def candles(self, request: Request, view: View) -> tuple[Interval, Candles]:
        if request.symbol is None:
            raise RefusedError(_error(404, "NotFound"))
        try:
            interval = _INTERVALS[int(request.query.get("granularity", "60"))]
        except (KeyError, ValueError):
            raise RefusedError(_error(400, "Unsupported granularity")) from None
        first, last = _range(request.query, interval, view.now)
        return interval, view.candles(request.symbol, interval, first, last)

    def rows(self, request: Request, view: View, interval: Interval, candles: Candles) -> Answer:
        rows = [
            [time, low, high, open_, close, volume]
            for time, (open_, high, low, close, volume) in zip(
                opens(candles, interval), candles.values.tolist(), strict=True
            )
        ]
        return Answer(rows[::-1])

    def other(self, request: Request, view: View) -> Answer:
        match request.asked:
            case "time":
                iso = view.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                return Answer({"iso": iso, "epoch": round(view.now.timestamp(), 3)})
            case "markets":
                return Answer([_product(one, view.decimals(one)) for one in view.symbols()])
            case "currencies":
                codes = sorted({code for one in view.symbols() for code in one.split("/")})
                return Answer([_currency(code) for code in codes])
            case "tickers" if request.path.endswith("volume-summary"):
                return Answer([_volumes(one, view) for one in view.symbols()])
            case "tickers":
                return Answer({_product_id(one): _sparks(one, view) for one in view.symbols()})
        return _error(404, "NotFound")

    def limit(self) -> Limit:
        return TokenBucket(rate=10.0, burst=15)

    def too_many(self, retry_after: int, banned: bool) -> Answer:
        return _error(429, "Public rate limit exceeded")


def _range(query: Query, interval: Interval, now: datetime) -> tuple[int, int]:
    """The first and the last step asked for, both inclusive.

    Raises:
        RefusedError: the ends are no times, or too far from each other.
    """
    if "start" not in query or "end" not in query:
        newest = interval.step_at(now)
        return newest - PAGE + 1, newest
    try:
        start, end = _time(query["start"]), _time(query["end"])
    except (ValueError, OverflowError):
        raise RefusedError(_error(400, "invalid start or end")) from None
    if start > end:
        raise RefusedError(_error(400, "start must be before end"))
    if end - start > PAGE * interval.length:
        text = "granularity too small for the requested time range. Count of aggregations requested exceeds 300"
        raise RefusedError(_error(400, text))
    first, last = interval.step_at(start), interval.step_at(end)
    if not interval.is_on_grid(start):
        first += 1
    return max(first, last - PAGE + 1), last


def _time(text: str) -> datetime:
    if text.isdecimal():
        return datetime.fromtimestamp(int(text), UTC)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _error(status: int, message: str) -> Answer:
    return Answer({"message": message}, status)


def _product_id(symbol: str) -> str:
    return symbol.replace("/", "-")


def _product(symbol: str, decimals: int) -> dict[str, Any]:
    base, quote = symbol.split("/")
    return {
        "id": _product_id(symbol),
        "base_currency": base,
        "quote_currency": quote,
        "quote_increment": decimal(10.0**-decimals, decimals),
        "base_increment": "0.00000001",
        "display_name": _product_id(symbol),
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }


def _volumes(symbol: str, view: View) -> dict[str, Any]:
    base, quote = symbol.split("/")
    day = last_day(view, symbol)
    return {
        "id": _product_id(symbol),
        "base_currency": base,
        "quote_currency": quote,
        "display_name": symbol,
        "market_types": ["spot"],
        "spot_volume_24hour": f"{day.volume if day else 0:.8f}",
        "spot_volume_30day": f"{30 * day.volume if day else 0:.8f}",
    }


def _sparks(symbol: str, view: View) -> list[list[float]]:
    """A row every hour of the last day, newest first: time, low, high, open, close."""
    hour = INTERVALS["1h"]
    newest = hour.step_at(view.now)
    found = view.candles(symbol, hour, newest - 23, newest)
    rows = zip(opens(found, hour), found.values.tolist(), strict=True)
    return [[time, low, high, open_, close] for time, (open_, high, low, close, _) in rows][::-1]


def _currency(code: str) -> dict[str, Any]:
    money = code in ("USD", "EUR", "GBP")
    smallest = "0.01" if money else "0.00000001"
    return {
        "id": code,
        "name": code,
        "min_size": smallest,
        "status": "online",
        "message": "",
        "max_precision": smallest,
        "convertible_to": [],
        "details": {"type": "fiat" if money else "crypto", "sort_order": 0, "push_payment_methods": []},
        "default_network": "",
        "supported_networks": [],
        "display_name": code,
    }
