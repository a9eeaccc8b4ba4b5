"""The simulated exchange: a server on 127.0.0.1, one path prefix an exchange (`/kraken`, `/coinbase`, `/binance`).

It limits requests as the exchanges do, and for tests goes wrong as they do (`faults`).
"""

import sys
import threading
from collections import Counter, deque
from datetime import datetime
from typing import NamedTuple

from cryptowatch.clock import Clock
from cryptowatch.local.exchange.binance import Binance
from cryptowatch.local.exchange.coinbase import Coinbase
from cryptowatch.local.exchange.faults import Fault, Planned
from cryptowatch.local.exchange.figures import PUBLISHERS, published
from cryptowatch.local.exchange.http import Server
from cryptowatch.local.exchange.kraken import Kraken
from cryptowatch.local.exchange.limits import ExchangeSeconds, Limit
from cryptowatch.local.exchange.record import Record
from cryptowatch.local.exchange.view import View
from cryptowatch.local.exchange.wire import Answer, Asked, Format, Query, RefusedError, Request

#: Every exchange that is simulated, by source.
FORMATS: dict[str, Format] = {one.source: one for one in (Kraken(), Coinbase(), Binance())}
#: Requests kept in the log.
LOG_LENGTH = 10_000
_AWAY = Answer(b"<html><body><h1>503 Service Unavailable</h1></body></html>", 503, {"Content-Type": "text/html"})


class Logged(NamedTuple):
    """One request, and what became of it; `fault` is the injected one's name."""

    source: str
    asked: Asked
    symbol: str | None
    path: str
    query: Query
    status: int
    fault: str | None


class SimulatedExchange:
    """Serve a record as three exchanges.

    Args:
        record: the candles.
        clock: the exchanges' own time.
        port: 0 takes a free one.
        limited: whether requests above an exchange's limit are refused.
        limits: limits in place of the exchanges' own, by source.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        record: Record,
        clock: Clock,
        port: int = 0,
        *,
        limited: bool = True,
        limits: dict[str, Limit] | None = None,
    ) -> None:
        self.record = record
        self.clock = clock
        self.limited = limited
        #: The newest requests, oldest first.
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        #: How many requests since the start, by source and path.
        self.requests: Counter[tuple[str, str]] = Counter()
        self._limits = {name: form.limit() for name, form in FORMATS.items()} | (limits or {})
        self._seconds = ExchangeSeconds(clock)
        self._faults: list[Planned] = []
        self._vanished: set[tuple[str, str]] = set()
        self._away: set[str] = set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = Server(port, self._respond, clock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> "SimulatedExchange":
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop; connections that are open are closed, those that hang too."""
        self._stopping.set()
        self._server.stop()

    def __enter__(self) -> "SimulatedExchange":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def inject(
        self,
        fault: Fault,
        source: str,
        symbol: str | None = None,
        *,
        times: int | None = 1,
        asked: Asked | None = None,
    ) -> Planned:
        """Let something go wrong with the next requests.

        Args:
            symbol: hits requests for this market's candles; None those of every market.
            times: how many requests it hits; None until `heal`.
            asked: hits requests of this kind; None hits every kind, or those for candles if `symbol` or the fault is
                of candles.
        """
        planned = Planned(fault, source, symbol, asked, times)
        with self._lock:
            self._faults.append(planned)
        return planned

    def vanish(self, source: str, symbol: str) -> None:
        """The source no longer lists the market, until `heal`."""
        with self._lock:
            self._vanished.add((source, symbol))

    def outage(self, source: str, on: bool = True) -> None:
        """The source answers everything with HTTP 503 and a page for people, while it is on."""
        with self._lock:
            (self._away.add if on else self._away.discard)(source)

    def heal(self) -> None:
        """End every fault, outage and disappearance."""
        with self._lock:
            self._faults.clear()
            self._vanished.clear()
            self._away.clear()

    def _respond(self, source: str, path: str, query: Query) -> Answer | None:
        """The answer to a request; None when the server stops before it."""
        form, now = FORMATS.get(source), self.clock.now()
        if form is None:
            return self._published(source, path, query, now)
        with self._lock:
            vanished = {symbol for name, symbol in self._vanished if name == source}
            view = View(self.record, source, now, form.quiet, vanished)
            request = form.read(path, query, view.symbols())
            fault = self._fault(source, request)
            away = source in self._away
            limit = self._limits[source]
            wait = limit.take(self._seconds.read(), request.weight, _counted(source, request)) if self.limited else 0
            banned, headers = limit.banned, dict(limit.headers())
        if fault and fault.hold_seconds and self._stopping.wait(fault.hold_seconds):
            return None
        if away:
            answer = _AWAY
        elif wait:
            answer = form.too_many(wait, banned)
        else:
            answer = _answer(form, request, view, fault)
        if fault and fault.answer:
            answer = fault.answer(answer)
        with self._lock:
            name = fault.name if fault else None
            self.requests[source, path] += 1
            self.log.append(Logged(source, request.asked, request.symbol, path, query, answer.status, name))
        return Answer(answer.body, answer.status, {**headers, **answer.headers})

    def _published(self, source: str, path: str, query: Query, now: datetime) -> Answer | None:
        """The answer of one that is no exchange; nothing limits it."""
        if source not in PUBLISHERS:
            return Answer(
                {"message": f"no such exchange or publisher: one of {', '.join((*FORMATS, *PUBLISHERS))}"}, 404
            )
        with self._lock:
            fault = self._fault(source, Request("figures", path, query))
        if fault and fault.hold_seconds and self._stopping.wait(fault.hold_seconds):
            return None
        answer = published(source, path, query, now)
        if fault and fault.answer:
            answer = fault.answer(answer)
        with self._lock:
            self.requests[source, path] += 1
        return answer

    def _fault(self, source: str, request: Request) -> Fault | None:
        for planned in self._faults:
            if planned.hits(source, request.symbol, request.asked):
                if planned.left is not None:
                    planned.left -= 1
                return planned.fault
        return None


def _counted(source: str, request: Request) -> str:
    """What a request counts against: at Kraken each market's candles by themselves."""
    return str(request.symbol) if source == "kraken" and request.asked == "candles" else ""


def _answer(form: Format, request: Request, view: View, fault: Fault | None) -> Answer:
    try:
        if request.asked != "candles":
            return form.other(request, view)
        interval, candles = form.candles(request, view)
        if fault and fault.candles:
            candles = fault.candles(candles, interval, view.now)
        return form.rows(request, view, interval, candles)
    except RefusedError as refused:
        return refused.answer
    except Exception as error:  # a fault of the simulation itself: seen by whoever runs it, and by the client
        print(f"cannot answer {view.source}{request.path} {request.query}: {error!r}", file=sys.stderr, flush=True)
        return Answer({"message": "the simulated exchange failed"}, 500)
