"""Figures of the whole market, as those who publish them speak: the fear-and-greed index of alternative.me
(`/alternative/fng/`), CoinGecko's totals (`/coingecko/api/v3/global`), and Binance's perpetuals
(`/binance/fapi/v1/...`). Made up of the day and the hour, the same whenever they are asked for.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptowatch.local.exchange.wire import Answer, Query

#: Publishers that are no exchanges.
PUBLISHERS = ("alternative", "coingecko")
_WORDS = ((25, "Extreme Fear"), (46, "Fear"), (55, "Neutral"), (76, "Greed"), (101, "Extreme Greed"))
_DAY_S = 86_400
#: Perpetuals: Binance's name and the coin.
_PERPETUALS = {"BTCUSDT": "BTC", "ETHUSDT": "ETH"}


def fear_and_greed(now: datetime) -> int:
    """The index of the day, 0 to 100; it changes at 00:00 UTC."""
    day = int(now.timestamp()) // _DAY_S
    return round(50 + 30 * math.sin(day / 9) + 12 * math.sin(day * 1.7))


def total_capitalisation(now: datetime) -> float:
    """In US dollars; it changes every minute."""
    minutes = int(now.timestamp()) // 60
    return round(2.5e12 * (1 + 0.05 * math.sin(minutes / 9000) + 0.004 * math.sin(minutes / 37)), 2)


def published(publisher: str, path: str, query: Query, now: datetime) -> Answer:
    """The answer of a publisher to a request."""
    match publisher, path:
        case "alternative", "/fng/":
            count = min(max(int(query.get("limit", "1")), 1), 1000) if query.get("limit", "1").isdecimal() else 1
            days = [now.replace(hour=0, minute=0, second=0) - timedelta(days=back) for back in range(count)]
            return Answer({"name": "Fear and Greed Index", "data": [_index(day, now) for day in days], "metadata": {}})
        case "coingecko", "/api/v3/global":
            return Answer({"data": _totals(now)})
    return Answer({"error": "not found"}, 404)


def perpetuals(path: str, query: Query, now: datetime) -> Answer:
    """The answer of Binance's interface for perpetuals."""
    name = query.get("symbol", "")
    hours = int(now.timestamp()) // 3600
    milliseconds = int(now.timestamp() * 1000)
    match path:
        case "/fapi/v1/exchangeInfo":
            symbols = [_perpetual(one, coin) for one, coin in _PERPETUALS.items()]
            return Answer({"timezone": "UTC", "serverTime": milliseconds, "rateLimits": [], "symbols": symbols})
        case "/fapi/v1/premiumIndex" if name in _PERPETUALS:
            rate = f"{0.0001 + 0.0002 * math.sin(hours / 8 + len(name)):.8f}"
            following = (hours // 8 + 1) * 8 * 3_600_000
            prices = {"markPrice": "60000.00000000", "indexPrice": "60000.00000000"}
            rates = {"lastFundingRate": rate, "nextFundingTime": following, "time": milliseconds}
            return Answer({"symbol": name, **prices, **rates})
        case "/fapi/v1/openInterest" if name in _PERPETUALS:
            interest = f"{80_000 + 5_000 * math.sin(hours / 13):.3f}"
            return Answer({"symbol": name, "openInterest": interest, "time": milliseconds})
    return Answer({"code": -1121, "msg": "Invalid symbol."}, 400)


def _index(day: datetime, now: datetime) -> dict[str, str]:
    value = fear_and_greed(day)
    word = next(word for below, word in _WORDS if value < below)
    told = {"value": str(value), "value_classification": word, "timestamp": str(int(day.timestamp()))}
    if day.date() != now.date():
        return told
    return {**told, "time_until_update": str(_DAY_S - int(now.timestamp()) % _DAY_S)}


def _totals(now: datetime) -> dict[str, Any]:
    minute = int(now.timestamp()) // 60 * 60
    minutes = minute // 60
    total = total_capitalisation(now)
    return {
        "active_cryptocurrencies": 17_000,
        "markets": 1_300,
        "total_market_cap": {"usd": total, "eur": total / 1.08},
        "total_volume": {"usd": total * 0.04, "eur": total * 0.04 / 1.08},
        "market_cap_percentage": {
            "btc": 55 + 3 * math.sin(minutes / 7000),
            "eth": 14 + 2 * math.sin(minutes / 5000),
        },
        "updated_at": int(datetime.fromtimestamp(minute, UTC).timestamp()),
    }


def _perpetual(name: str, coin: str) -> dict[str, Any]:
    return {
        "symbol": name,
        "pair": name,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "status": "TRADING",
        "baseAsset": coin,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        ],
    }
