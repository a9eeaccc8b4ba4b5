"""Pointing ccxt at the simulated exchange instead of the real ones."""

from typing import Any

#: ccxt id -> the simulated exchange's path prefix, and the path each of ccxt's public interfaces has there.
_PATHS = {
    "kraken": {"public": "/kraken"},
    "coinbaseexchange": {"public": "/coinbase"},
    "binance": {"public": "/binance/api/v3", "v1": "/binance/api/v1", "sapi": "/binance/sapi/v1"},
}


class NotSimulatedError(ValueError):
    """The simulated exchange does not speak this exchange's format."""


def point_at(exchange: Any, base_url: str) -> None:
    """Make a ccxt exchange talk to the simulated one at `base_url`.

    Raises:
        NotSimulatedError: its format is not spoken there.
    """
    try:
        paths = _PATHS[exchange.id]
    except KeyError:
        known = ", ".join(sorted(_PATHS))
        raise NotSimulatedError(f"{exchange.id} is not simulated: the simulated exchange speaks {known}") from None
    for name, path in paths.items():
        exchange.urls["api"][name] = base_url + path
