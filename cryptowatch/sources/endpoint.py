"""Pointing ccxt at the simulated exchange instead of the real ones."""

from typing import Any

#: ccxt id -> the simulated exchange's path prefix, and the path that each interface it speaks has behind that.
_PATHS = {
    "kraken": ("/kraken", {"public": ""}),
    "coinbaseexchange": ("/coinbase", {"public": ""}),
    "binance": ("/binance", {"public": "/api/v3", "fapiPublic": "/fapi/v1"}),
}


class NotSimulatedError(ValueError):
    """The simulated exchange does not speak this exchange's format."""


def point_at(exchange: Any, base_url: str) -> None:
    """Make a ccxt exchange talk to the simulated one at `base_url`, and to nothing else.

    Whatever it asks of an interface that is not simulated goes there too, and is not found. Only spot markets are
    asked for.

    Raises:
        NotSimulatedError: its format is not spoken there.
    """
    try:
        prefix, paths = _PATHS[exchange.id]
    except KeyError:
        known = ", ".join(sorted(_PATHS))
        raise NotSimulatedError(f"{exchange.id} is not simulated: the simulated exchange speaks {known}") from None
    root = base_url.rstrip("/") + prefix
    for name in exchange.urls["api"]:
        exchange.urls["api"][name] = root + paths.get(name, f"/{name}")
    if isinstance(exchange.options.get("fetchMarkets"), dict):
        exchange.options["fetchMarkets"] = {"types": ["spot"]}
