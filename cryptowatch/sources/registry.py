"""From a source's name to the exchange behind it."""

import difflib

from cryptowatch.sources.ccxt_parts import exchange_class, exchange_ids
from cryptowatch.sources.endpoint import point_at
from cryptowatch.sources.errors import UnknownSourceError
from cryptowatch.sources.exchange import Exchange

#: Names that mean another of ccxt's exchanges: Coinbase Exchange has public candles without a key.
ALIASES = {"coinbase": "coinbaseexchange"}
#: Milliseconds a request may take.
TIMEOUT_MS = 10_000


def known_sources() -> list[str]:
    """Every name a market may begin with."""
    return sorted({*exchange_ids(), *ALIASES})


def open_source(
    name: str, *, base_url: str | None = None, speed: float = 1.0, timeout_ms: int = TIMEOUT_MS
) -> Exchange:
    """The exchange called `name`.

    Args:
        base_url: the simulated exchange, in place of the real one.
        speed: how many times as fast as wall time its clock runs.
        timeout_ms: milliseconds a request may take.

    Raises:
        UnknownSourceError: there is none; the message names the nearest.
    """
    id_ = ALIASES.get(name, name)
    if id_ not in exchange_ids():
        near = difflib.get_close_matches(name, known_sources(), n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise UnknownSourceError(f"unknown source {name!r}{hint}")
    client = exchange_class(id_)({"enableRateLimit": True, "timeout": timeout_ms})
    client.has["fetchCurrencies"] = False  # not needed for candles, and a heavy request
    wanted = client.options.get("fetchMarkets")
    if isinstance(wanted, dict) and "spot" in (wanted.get("types") or ()):
        wanted["types"] = ["spot"] if isinstance(wanted["types"], list) else {"spot": True}
    if base_url:
        point_at(client, base_url)
    return Exchange(name, client, speed)
