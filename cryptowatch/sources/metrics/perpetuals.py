"""What traders of Binance's perpetuals pay each other, and how many contracts are open, through ccxt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptowatch.sources.ccxt_parts import errors, exchange_class
from cryptowatch.sources.endpoint import point_at
from cryptowatch.sources.errors import SourceUnavailableError
from cryptowatch.sources.failures import source_error
from cryptowatch.sources.json_answer import TIMEOUT_S
from cryptowatch.sources.metrics import Figure, MetricSource

_NAME = "binance perpetuals"
#: What metrics call a coin -> its perpetual.
_MARKETS = {"btc": "BTC/USDT:USDT", "eth": "ETH/USDT:USDT"}


def _read(base_url: str | None) -> Sequence[Figure]:
    client = exchange_class("binance")({"enableRateLimit": True, "timeout": int(TIMEOUT_S * 1000)})
    client.has["fetchCurrencies"] = False
    if base_url:
        point_at(client, base_url)
    client.options["fetchMarkets"] = {"types": ["linear"]}
    try:
        return [figure for coin, symbol in _MARKETS.items() for figure in _figures(client, coin, symbol)]
    except errors().BaseError as error:
        said = source_error(error, _NAME, "perpetuals", client.last_response_headers or {}, TIMEOUT_S)
        if isinstance(said, SourceUnavailableError):
            raise said from error
        raise SourceUnavailableError(f"{_NAME}: {said}") from error


def _figures(client: Any, coin: str, symbol: str) -> list[Figure]:
    rate = client.fetch_funding_rate(symbol)
    interest = client.fetch_open_interest(symbol)
    return [
        Figure(f"{coin}_funding_rate", _minute(rate["timestamp"]), float(rate["fundingRate"]) * 100),
        Figure(f"{coin}_open_interest", _minute(interest["timestamp"]), float(interest["openInterestAmount"])),
    ]


def _minute(milliseconds: int) -> datetime:
    """The whole minute: asked again within it, the figure is the same row."""
    return datetime.fromtimestamp(milliseconds // 60_000 * 60, UTC)


SOURCE = MetricSource(
    name=_NAME,
    metrics={
        f"{coin}_{what}": text
        for coin, symbol in _MARKETS.items()
        for what, text in (
            ("funding_rate", f"funding rate of {symbol} on Binance, percent for eight hours"),
            ("open_interest", f"open interest of {symbol} on Binance, in {coin.upper()}"),
        )
    },
    every=timedelta(minutes=5),
    read=_read,
)
