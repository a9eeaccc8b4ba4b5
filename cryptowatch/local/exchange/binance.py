"""How Binance speaks (its documentation: "Kline/Candlestick data", "Exchange information", "LIMITS").

Candles: the first `limit` from `startTime` on, 500 if not told and at most 1000, oldest first; without `startTime`
the newest up to `endTime`. A flat candle of no volume where there was no trade, none while the exchange was down.
Errors are a code and a message with their HTTP status. Limited by address to a weight a minute, told with each answer;
who goes on after a 429 is banned with a 418.
"""

import re
from collections.abc import Sequence
from typing import Any

from cryptowatch.local.exchange.day import last_day
from cryptowatch.local.exchange.figures import perpetuals
from cryptowatch.local.exchange.limits import Limit, WeightWindow
from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.view import View
from cryptowatch.local.exchange.wire import (
    Answer,
    Asked,
    Query,
    RefusedError,
    Request,
    decimal,
    named,
    opens,
    trades,
)
from cryptowatch.markets.interval import INTERVALS, Interval

#: Candles in an answer, at most and if not told.
PAGE = 1000
USUAL_PAGE = 500
#: Weight a minute allows.
WEIGHT_A_MINUTE = 6000

_PATHS: dict[str, tuple[Asked, int]] = {
    "/api/v3/time": ("time", 1),
    "/api/v3/exchangeInfo": ("markets", 20),
    "/api/v3/klines": ("candles", 2),
    "/api/v3/ticker/24hr": ("tickers", 80),
}
_NUMBER = re.compile(r"[0-9]{1,20}")
#: Seconds and months are not simulated.
_INTERVALS = named(*INTERVALS)
_INTERVALS |= {name: Interval(s, name) for name, s in (("3m", 180), ("2h", 7200), ("6h", 21_600), ("8h", 28_800))}
_INTERVALS |= {"12h": Interval(43_200, "12h"), "3d": Interval(259_200, "3d")}


class Binance:
    source = "binance"
    quiet = True

    def read(self, path: str, query: Query, symbols: Sequence[str]) -> Request:
        asked, weight = _PATHS.get(path, ("figures" if path.startswith("/fapi/") else "other", 1))
        symbol = None
        if asked == "candles":
            symbol = next((one for one in symbols if _symbol_id(one) == query.get("symbol")), None)
        return Request(asked, path, query, symbol, weight)

    def candles(self, request: Request, view: View) -> tuple[Interval, Candles]:
        query = request.query
        for name in ("symbol", "interval"):
            if not query.get(name):
                text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
                raise RefusedError(_error(400, -1102, text))
        interval = _INTERVALS.get(query["interval"])
        if interval is None:
            raise RefusedError(_error(400, -1120, "Invalid interval."))
        if request.symbol is None:
            raise RefusedError(_error(400, -1121, "Invalid symbol."))
        count, start, end = _numbers(query)
        last = interval.step_at(view.now)
        if end is not None:
            last = min(last, _last_step(end, interval))
        if start is None:
            return interval, view.candles(request.symbol, interval, last - count + 1, last)
        first = _last_step(start - 1, interval) + 1
        return interval, view.first_candles(request.symbol, interval, first, last, count)

    def rows(self, request: Request, view: View, interval: Interval, candles: Candles) -> Answer:
        rows = [
            [
                time * 1000,
                *(decimal(one, 8) for one in figures),
                (time + interval.seconds) * 1000 - 1,
                f"{figures[3] * figures[4]:.8f}",
                trades(figures[4]),
                f"{figures[4] / 2:.8f}",
                f"{figures[3] * figures[4] / 2:.8f}",
                "0",
            ]
            for time, figures in zip(opens(candles, interval), candles.values.tolist(), strict=True)
        ]
        return Answer(rows)

    def other(self, request: Request, view: View) -> Answer:
        milliseconds = view.now.timestamp() * 1000 // 1
        match request.asked:
            case "time":
                return Answer({"serverTime": int(milliseconds)})
            case "markets":
                limit = {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": WEIGHT_A_MINUTE,
                }
                info = {"timezone": "UTC", "serverTime": int(milliseconds), "rateLimits": [limit]}
                symbols = [_symbol(one, view.decimals(one)) for one in view.symbols()]
                return Answer({**info, "exchangeFilters": [], "symbols": symbols})
            case "tickers":
                return Answer([_ticker(one, view) for one in view.symbols()])
            case "figures":
                return perpetuals(request.path, request.query, view.now)
        return Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404, {"Content-Type": "text/html"})

    def limit(self) -> Limit:
        # How many refusals it bears before the ban is not told; a first one lasts two minutes.
        return WeightWindow(WEIGHT_A_MINUTE, 60, patience=10, ban_seconds=120, header="X-MBX-USED-WEIGHT-1M")

    def too_many(self, retry_after: int, banned: bool) -> Answer:
        text = "Too many requests; current limit of IP(127.0.0.1) is 6000 request weight per 1 MINUTE."
        if banned:
            text = "Way too much request weight used; IP banned."
        text += " Please use WebSocket Streams for live updates to avoid polling the API."
        body = {"code": -1003, "msg": text}
        return Answer(body, 418 if banned else 429, {"Retry-After": str(retry_after)})


def _numbers(query: Query) -> tuple[int, int | None, int | None]:
    """`limit`, and `startTime` and `endTime` in milliseconds.

    Raises:
        RefusedError: one of them is not a number, or there is nothing to be had with them.
    """
    for name in ("limit", "startTime", "endTime"):
        if name in query and not _NUMBER.fullmatch(query[name]):
            text = f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
            raise RefusedError(_error(400, -1100, text))
    count, start, end = (int(query[name]) if name in query else None for name in ("limit", "startTime", "endTime"))
    if count is not None and count < 1:
        raise RefusedError(_error(400, -1130, "Data sent for parameter 'limit' is not valid."))
    return min(count or USUAL_PAGE, PAGE), start, end


def _last_step(milliseconds: int, interval: Interval) -> int:
    """The last step that has opened at `milliseconds`."""
    return int((milliseconds // 1000 - interval.offset) // interval.seconds)


def _error(status: int, code: int, message: str) -> Answer:
    return Answer({"code": code, "msg": message}, status)


def _symbol_id(symbol: str) -> str:
    return symbol.replace("/", "")


def _ticker(symbol: str, view: View) -> dict[str, Any]:
    day = last_day(view, symbol)
    last, high, low, volume, quote = day or (0.0,) * 5
    names = ("lastPrice", "highPrice", "lowPrice", "volume", "quoteVolume")
    figures = {name: f"{value:.8f}" for name, value in zip(names, (last, high, low, volume, quote), strict=True)}
    milliseconds = int(view.now.timestamp() * 1000)
    return {"symbol": _symbol_id(symbol), **figures, "openTime": milliseconds - 86_400_000, "closeTime": milliseconds}


def _symbol(symbol: str, decimals: int) -> dict[str, Any]:
    base, quote = symbol.split("/")
    tick = f"{10.0**-decimals:.8f}"
    return {
        "symbol": _symbol_id(symbol),
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00000001",
                "maxQty": "9000000.00000000",
                "stepSize": "0.00000001",
            },
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
    }
