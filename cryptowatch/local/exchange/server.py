"""The simulated exchange: an HTTP server on 127.0.0.1, one path prefix an exchange (`/kraken`, `/coinbase`, `/binance`).

It limits the rate of requests on its own clock and, for tests, goes wrong in the ways exchanges do (`Fault`).
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from cryptowatch.clock import Clock
from cryptowatch.local.exchange.formats import FORMATS, Answer, Format, symbol_asked
from cryptowatch.local.exchange.record import Record


@dataclass
class Fault:
    """What goes wrong with the next requests for candles.

    Args:
        source: of which exchange.
        symbol: of which market; None means any request to that exchange.
        times: how many requests it hits; None means until it is taken away.
        answer: replaces the answer; gets the true one.
        hang_seconds: the answer comes only after that.
    """

    source: str
    symbol: str | None = None
    times: int | None = 1
    answer: Callable[[Answer], Answer] | None = None
    hang_seconds: float = 0.0


class SimulatedExchange:
    """Serve a record as three exchanges.

    Args:
        record: the candles.
        clock: the exchanges' own time.
        port: 0 takes a free one.
        limited: whether requests above an exchange's rate are refused.
    """

    def __init__(self, record: Record, clock: Clock, port: int = 0, *, limited: bool = True) -> None:
        self.record = record
        self.clock = clock
        self.limited = limited
        self.faults: list[Fault] = []
        #: Requests by source and path.
        self.requests: Counter[tuple[str, str]] = Counter()
        self._buckets = {name: _Bucket(form.rate, form.burst) for name, form in FORMATS.items()}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "SimulatedExchange":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "SimulatedExchange":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def respond(self, source: str, path: str, query: dict[str, str]) -> Answer:
        """The answer to a request, faults and rate limit included."""
        form, now = FORMATS[source], self.clock.now()
        fault = self._fault(source, path, query)
        with self._lock:
            self.requests[source, path] += 1
            wait = self._buckets[source].take(now) if self.limited else 0.0
        if wait:
            return form.too_many(wait)
        answer = self._true_answer(form, path, query, now)
        if fault:
            time.sleep(fault.hang_seconds)
            answer = fault.answer(answer) if fault.answer else answer
        return answer

    def _true_answer(self, form: Format, path: str, query: dict[str, str], now: datetime) -> Answer:
        try:
            return form.answer(path, query, self.record, now)
        except (KeyError, ValueError) as error:
            return Answer({"message": f"bad request: {error}"}, 400)

    def _fault(self, source: str, path: str, query: dict[str, str]) -> Fault | None:
        symbol = symbol_asked(source, path, query, self.record)
        with self._lock:
            for fault in self.faults:
                if fault.source != source or (fault.symbol is not None and fault.symbol != symbol):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                source, _, rest = parts.path.lstrip("/").partition("/")
                if source not in FORMATS:
                    self._send(Answer({"message": "NotFound"}, 404))
                    return
                self._send(exchange.respond(source, f"/{rest}", dict(parse_qsl(parts.query))))

            def _send(self, answer: Answer) -> None:
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return format_datetime(exchange.clock.now(), usegmt=True)

            def log_message(self, format: str, *args: object) -> None:
                """Requests are counted, not printed."""

        return Handler


class _Bucket:
    """A token bucket on the exchange's own clock."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._at: datetime | None = None

    def take(self, now: datetime) -> float:
        """Take one token; returns 0, or the seconds until there is one."""
        if self._at is not None:
            passed = max(0.0, (now - self._at).total_seconds())
            self._left = min(self._burst, self._left + passed * self._rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return math.ceil((1 - self._left) / self._rate)
