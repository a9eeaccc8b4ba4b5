"""What ccxt knows of each exchange's candles. No network is touched.

Whether candles need a key, and how much of the rate limit a request for them costs, stands in the code of each exchange
and not in its description. So each one is made to ask for candles of a made-up market, as a reader would; the
request is stopped when ccxt has signed it, before it leaves the process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from cryptowatch.sources.ccxt_parts import errors, exchange_class, exchange_ids
from cryptowatch.sources.exchange import DEFAULT_PAGE, KNOWN, LARGEST_PAGE
from cryptowatch.sources.registry import ALIASES, open_source

#: ccxt id -> the name it has here, where that is another one.
_NAMES = {id_: name for name, id_ in ALIASES.items()}
#: From when candles are asked for in the request that is not sent: 2023-11-14 22:13:20 UTC, in milliseconds.
_SINCE_MS = 1_700_000_000_000


class Reason(StrEnum):
    """Why an exchange is left out."""

    no_candles = "ccxt reads no candles from it"
    needs_key = "it needs a key"
    needs_more = "it wants to be told more than market, interval and time"
    no_name = "its name means another exchange here"


@dataclass(frozen=True)
class Markets:
    """One kind of market (spot, or perpetual) of an exchange.

    Args:
        written: how such a market is named in a watch list, with BASE, QUOTE and SETTLE in place of currencies.
        page: the most candles of one answer, as ccxt says; None where it does not say.
        requests_per_second: how many requests for candles its rate limit allows, if nothing else is asked of it.
    """

    written: str
    page: int | None
    requests_per_second: float


@dataclass(frozen=True)
class Description:
    """An exchange that gives candles without a key.

    Args:
        name: what markets of it begin with.
        id: what ccxt calls it.
        title: what it calls itself.
        website: its address; empty where ccxt knows none.
        intervals: those of ours that it serves, on our grid.
        spot, perpetual: its markets; None where it has none, or no candles of them.
        newest_candles: of a market it serves only so many, the newest ones; None: all, or not known.
        reach_known: whether it is known how far back its candles and its answers reach; else that is found out.
    """

    name: str
    id: str
    title: str
    website: str
    intervals: tuple[str, ...]
    spot: Markets | None
    perpetual: Markets | None
    newest_candles: int | None
    reach_known: bool


@dataclass(frozen=True)
class LeftOut:
    """An exchange of ccxt that cannot be read: its ccxt id, why, and the details in ccxt's words (may be empty)."""

    id: str
    reason: Reason
    detail: str = ""

    @property
    def why(self) -> str:
        """Reason and details, one line."""
        return f"{self.reason} ({self.detail})" if self.detail else str(self.reason)


class Survey(NamedTuple):
    """All exchanges of ccxt: those described, by name, and those left out, by ccxt id."""

    described: Sequence[Description]
    left_out: Sequence[LeftOut]


def describe_all(progress: Callable[[int, int], None] = lambda done, of: None) -> Survey:
    """Every exchange ccxt knows; takes some seconds, since each one's module must be imported.

    Args:
        progress: told after each exchange how many are done, and of how many.
    """
    ids = exchange_ids()
    found: list[Description | LeftOut] = []
    for id_ in ids:
        if id_ in ALIASES:
            found.append(LeftOut(id_, Reason.no_name, f"{id_} stands for ccxt's {ALIASES[id_]}"))
        else:
            found.append(describe(_NAMES.get(id_, id_)))
        progress(len(found), len(ids))
    described = [one for one in found if isinstance(one, Description)]
    return Survey(sorted(described, key=lambda one: one.name), [one for one in found if isinstance(one, LeftOut)])


def describe(name: str) -> Description | LeftOut:
    """The exchange that markets called `name:...` are on; imports no other one.

    Raises:
        UnknownSourceError: there is none; the message names the nearest.
    """
    intervals = open_source(name).intervals()
    id_ = ALIASES.get(name, name)
    name = _NAMES.get(id_, name)
    if not intervals:
        return LeftOut(id_, Reason.no_candles)
    client = _Stopped(exchange_class(id_)({}))
    asked = {kind: client.candles(kind, intervals[0]) for kind in _KINDS if client.has(kind)}
    served = {kind: one for kind, one in asked.items() if one.sent}
    wants_key = [one for one in (asked.values() if not served else [client.market_list()]) if one.wants_key]
    if wants_key:
        return LeftOut(id_, Reason.needs_key, wants_key[0].refusal)
    if not served:
        return LeftOut(id_, Reason.needs_more, "; ".join(one.refusal for one in asked.values()))
    kinds = {
        kind: Markets(f"{name}:{_KINDS[kind]}", client.page(kind), client.per_second(one.cost))
        for kind, one in served.items()
    }
    return Description(
        name=name,
        id=id_,
        title=client.title,
        website=client.website,
        intervals=tuple(intervals),
        spot=kinds.get("spot"),
        perpetual=kinds.get("swap"),
        newest_candles=KNOWN.get(id_),
        reach_known=id_ in KNOWN,
    )


#: ccxt's kinds of market -> how one is written.
_KINDS = {"spot": "BASE/QUOTE", "swap": "BASE/QUOTE:SETTLE"}


class _StoppedError(Exception):
    """Raised in place of sending a request."""


class _Asked(NamedTuple):
    """What became of asking.

    Args:
        sent: a request was ready to be sent, without a key.
        cost: what it takes of the rate limit, in requests of the lightest kind.
        wants_key: none was, for want of a key.
        refusal: why none was, in ccxt's words, one line.
    """

    sent: bool
    cost: float = 1.0
    wants_key: bool = False
    refusal: str = ""


class _Stopped:
    """A ccxt exchange that sends nothing, and notes what it would have sent.

    Args:
        client: the ccxt exchange, for this use only.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._costs: list[float] = []
        self._sent = False
        client.enableRateLimit = True  # so that ccxt works out what a request costs
        client.throttle = self._note_cost
        client.fetch = self._stop

    def _note_cost(self, cost: float | None = None) -> None:
        self._costs.append(cost or 1.0)

    def _stop(self, *_: object, **__: object) -> None:
        self._sent = True
        raise _StoppedError

    @property
    def title(self) -> str:
        """What the exchange calls itself."""
        return str(self._client.name or self._client.id)

    @property
    def website(self) -> str:
        """Its address, or nothing."""
        address = (self._client.urls or {}).get("www") or ""
        return str(address[0] if isinstance(address, list) else address)

    def has(self, kind: str) -> bool:
        """Whether it trades this kind of market."""
        return self._client.has.get(kind) is True

    def page(self, kind: str) -> int | None:
        """The most candles of one answer; None where ccxt does not say."""
        features = (self._client.features or {}).get(kind) or {}
        if kind == "swap":
            features = features.get("linear") or features.get("inverse") or {}
        limit = (features.get("fetchOHLCV") or {}).get("limit")
        return int(limit) if limit else None

    def per_second(self, cost: float) -> float:
        """How many requests of this cost a second."""
        return round(1000 / (float(self._client.rateLimit) * cost), 3)

    def candles(self, kind: str, interval: str) -> _Asked:
        """Ask for a page of candles of a made-up market."""
        client = self._client
        market = _made_up_market(client, kind)
        client.set_markets([market], {})
        count = min(self.page(kind) or DEFAULT_PAGE, LARGEST_PAGE)
        return self._ask(lambda: client.fetch_ohlcv(market["symbol"], interval, _SINCE_MS, count))

    def market_list(self) -> _Asked:
        """Ask for its list of markets."""
        return self._ask(self._client.fetch_markets)

    def _ask(self, call: Callable[[], object]) -> _Asked:
        self._costs, self._sent = [], False
        try:
            call()
        except errors().AuthenticationError as error:
            return _Asked(False, wants_key=True, refusal=_one_line(error))
        except Exception as error:  # ours among them: ccxt may wrap it, so what was noted counts
            return _Asked(True, self._costs[0]) if self._sent else _Asked(False, refusal=_one_line(error))
        return _Asked(self._sent, self._costs[0] if self._costs else 1.0, refusal="it asked for nothing")


def _made_up_market(client: Any, kind: str) -> Any:
    """A market of the kind, with all that ccxt's exchanges look for in one."""
    perpetual = kind == "swap"
    currency = "USDT" if perpetual else None
    market: dict[str, object] = {
        "id": "1",  # some exchanges want a number
        "lowercaseId": "1",
        "symbol": "BTC/USDT:USDT" if perpetual else "BTC/USDT",
        "base": "BTC",
        "baseId": "BTC",
        "quote": "USDT",
        "quoteId": "USDT",
        "settle": currency,
        "settleId": currency,
        "type": kind,
        "active": True,
        "info": {},
        "linear": True if perpetual else None,
        "inverse": False if perpetual else None,
        "contract": perpetual,
        "contractSize": 1 if perpetual else None,
        **{name: name == kind for name in ("spot", "swap", "future", "option", "margin")},
    }
    return client.safe_market_structure(market)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
