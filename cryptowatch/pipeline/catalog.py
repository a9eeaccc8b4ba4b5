"""What is known of sources and markets: asked of the exchanges, or, without them, what ccxt knows by itself."""

from collections.abc import Callable, Collection, Mapping
from functools import cache

from cryptowatch.sources.describe import LeftOut, describe
from cryptowatch.sources.endpoint import NotSimulatedError
from cryptowatch.sources.errors import SourceError, UnknownSourceError
from cryptowatch.sources.exchange import Exchange
from cryptowatch.sources.pace import SHARE
from cryptowatch.sources.registry import known_sources, open_source

#: Milliseconds an exchange may take to list its markets while somebody waits at a terminal.
TIMEOUT_MS = 5_000


class ExchangeCatalog:
    """A `MarketCatalog` over the exchanges.

    Args:
        base_url: the simulated exchange, in place of the real ones.
        offline: ask nobody; symbols are then not known.
        warn: told, once a source, that it could not be asked.
    """

    def __init__(
        self, *, base_url: str | None = None, offline: bool = False, warn: Callable[[str], None] | None = None
    ) -> None:
        self._base_url = base_url
        self._offline = offline
        self._warn = warn or (lambda message: None)
        self._exchange = cache(self._open)
        self._listed = cache(self._ask)

    def sources(self) -> Collection[str]:
        return known_sources()

    def intervals(self, source: str) -> Collection[str] | None:
        try:
            return self._exchange(source).intervals()
        except (NotSimulatedError, UnknownSourceError):
            return None

    def symbols(self, source: str) -> Collection[str] | None:
        return None if self._offline else self._listed(source)

    def volumes(self, source: str) -> Mapping[str, float] | None:
        if self._offline:
            return None
        try:
            return self._exchange(source).volumes()
        except (SourceError, NotSimulatedError) as error:
            self._warn(f"{error}")
            return None

    def requests_a_minute(self, source: str) -> float | None:
        found = describe(source)
        if isinstance(found, LeftOut) or found.spot is None:
            return None
        return 60 * found.spot.requests_per_second * SHARE

    def _open(self, source: str) -> Exchange:
        return open_source(source, base_url=self._base_url, timeout_ms=TIMEOUT_MS)

    def _ask(self, source: str) -> Collection[str] | None:
        try:
            return self._exchange(source).symbols()
        except (SourceError, NotSimulatedError) as error:
            self._warn(f"{error}; its symbols are not checked")
            return None
