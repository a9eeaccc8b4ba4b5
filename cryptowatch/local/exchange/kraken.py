"""How Kraken speaks (its documentation: "Get OHLC Data", "Get Tradable Asset Pairs", "API rate limits").

Candles: the 720 newest and never older ones, whatever `since` says; those that open after `since`, and always the last
one, which is still open. A flat candle of no volume where there was no trade. Weeks from Thursday to Wednesday.
Errors come with HTTP 200. Candles are limited by address and pair, everything else by address.
"""

from collections.abc import Sequence
from typing import Any

from cryptowatch.local.exchange.day import last_day
from cryptowatch.local.exchange.limits import Limit, TokenBucket
from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.view import View
from cryptowatch.local.exchange.wire import Answer, Asked, Query, RefusedError, Request, decimal, named, opens, trades
from cryptowatch.markets.interval import Interval

#: Candles it serves.
PAGE = 720

_PATHS: dict[str, Asked] = {
    "/0/public/Time": "time",
    "/0/public/AssetPairs": "markets",
    "/0/public/Assets": "currencies",
    "/0/public/OHLC": "candles",
    "/0/public/Ticker": "tickers",
}
#: By minutes; its weeks and fortnights are counted from the epoch, a Thursday.
_INTERVALS = {one.seconds // 60: one for one in named("1m", "5m", "15m", "30m", "1h", "4h", "1d").values()}
_INTERVALS |= {10_080: Interval(10_080 * 60, "1w"), 21_600: Interval(21_600 * 60, "15d")}

#: Other names of currencies, and those that got an X or Z in front in the old days.
_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
_OLD_COINS = ("XBT", "XDG", "ETH", "ETC", "LTC", "XRP", "XLM", "XMR", "ZEC", "REP", "MLN")
_OLD_MONEY = ("USD", "EUR", "GBP", "JPY", "CAD", "AUD")


class Kraken:
    source = "kraken"
    quiet = True

    def read(self, path: str, query: Query, symbols: Sequence[str]) -> Request:
        asked = _PATHS.get(path, "other")
        pair = query.get("pair", "")
        symbol = None
        if asked == "candles":
            symbol = next((one for one in symbols if pair in (_pair_id(one), _other_name(one), _wide_name(one))), None)
        return Request(asked, path, query, symbol)

    def candles(self, request: Request, view: View) -> tuple[Interval, Candles]:
        if request.symbol is None:
            raise RefusedError(_error("EQuery:Unknown asset pair"))
        try:
            interval = _INTERVALS[int(request.query.get("interval", "1"))]
            since = int(float(request.query.get("since", "0")))
        except (KeyError, ValueError, OverflowError):
            raise RefusedError(_error("EGeneral:Invalid arguments")) from None
        newest = interval.step_at(view.now)
        after = (since - interval.offset) // interval.seconds
        first = min(max(newest - PAGE + 1, after + 1), newest)
        return interval, view.candles(request.symbol, interval, first, newest)

    def rows(self, request: Request, view: View, interval: Interval, candles: Candles) -> Answer:
        symbol = str(request.symbol)
        places = view.decimals(symbol)
        rows = [
            [
                time,
                *(decimal(price, places) for price in figures[:4]),
                decimal(round(sum(figures[1:4]) / 3, places), places) if figures[4] else decimal(0.0, places),
                decimal(figures[4], 8),
                trades(figures[4]),
            ]
            for time, figures in zip(opens(candles, interval), candles.values.tolist(), strict=True)
        ]
        last = int(interval.open_time(interval.last_closed(view.now)).timestamp())
        return _result({_pair_id(symbol): rows, "last": last})

    def other(self, request: Request, view: View) -> Answer:
        match request.asked:
            case "time":
                text = f"{view.now:%a, %d %b %y %H:%M:%S} +0000"
                return _result({"unixtime": int(view.now.timestamp()), "rfc1123": text})
            case "markets":
                return _result({_pair_id(one): _pair(one, view.decimals(one)) for one in view.symbols()})
            case "currencies":
                codes = sorted({code for one in view.symbols() for code in one.split("/")})
                return _result({_asset_id(code): _asset(code) for code in codes})
            case "tickers":
                return _result({_pair_id(one): _ticker(one, view) for one in view.symbols()})
        return _error("EGeneral:Unknown method")

    def limit(self) -> Limit:
        # "One a second or less remains within the limits"; how many may come at once is not told.
        return TokenBucket(rate=1.0, burst=15)

    def too_many(self, retry_after: int, banned: bool) -> Answer:
        return _error("EGeneral:Too many requests")


def _result(result: dict[str, Any]) -> Answer:
    return Answer({"error": [], "result": result})


def _error(*errors: str) -> Answer:
    return Answer({"error": list(errors)})


def _code(currency: str) -> str:
    return _NAMES.get(currency, currency)


def _asset_id(currency: str) -> str:
    code = _code(currency)
    return f"X{code}" if code in _OLD_COINS else f"Z{code}" if code in _OLD_MONEY else code


def _other_name(symbol: str) -> str:
    return "".join(_code(one) for one in symbol.split("/"))


def _wide_name(symbol: str) -> str:
    return "/".join(_code(one) for one in symbol.split("/"))


def _pair_id(symbol: str) -> str:
    """`XXBTZUSD` where both are of the old days, else `SOLUSD`."""
    base, quote = symbol.split("/")
    old = _code(base) in _OLD_COINS and _code(quote) in (*_OLD_COINS, *_OLD_MONEY)
    if not old or (base == "DOGE" and _code(quote) in _OLD_MONEY):
        return _other_name(symbol)
    return _asset_id(base) + _asset_id(quote)


def _pair(symbol: str, decimals: int) -> dict[str, Any]:
    base, quote = symbol.split("/")
    return {
        "altname": _other_name(symbol),
        "wsname": _wide_name(symbol),
        "aclass_base": "currency",
        "base": _asset_id(base),
        "aclass_quote": "currency",
        "quote": _asset_id(quote),
        "lot": "unit",
        "cost_decimals": decimals,
        "pair_decimals": decimals,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.0001",
        "costmin": "0.5",
        "tick_size": decimal(10.0**-decimals, decimals),
        "status": "online",
    }


def _ticker(symbol: str, view: View) -> dict[str, Any]:
    """Of today and of 24 hours, which are the same here: volume, its mean price, trades, low and high."""
    last, high, low, volume, quote = last_day(view, symbol) or (0.0,) * 5
    places = view.decimals(symbol)
    mean = quote / volume if volume else last
    price = decimal(last, places)
    return {
        "a": [price, "1", "1.000"],
        "b": [price, "1", "1.000"],
        "c": [price, "0.1"],
        "v": [decimal(volume, 8)] * 2,
        "p": [decimal(round(mean, places), places)] * 2,
        "t": [trades(volume)] * 2,
        "l": [decimal(low, places)] * 2,
        "h": [decimal(high, places)] * 2,
        "o": price,
    }


def _asset(currency: str) -> dict[str, Any]:
    code = _code(currency)
    money = code in _OLD_MONEY
    shown = {"decimals": 4, "display_decimals": 2} if money else {"decimals": 10, "display_decimals": 5}
    return {"aclass": "currency", "altname": code, **shown, "status": "enabled"}
