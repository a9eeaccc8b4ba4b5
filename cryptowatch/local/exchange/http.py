"""HTTP for the simulated exchange: threads, connections that are kept, the exchanges' own time as `Date`."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptowatch.clock import Clock
from cryptowatch.local.exchange.wire import Answer

#: Tells the answer to source, path and query; None closes the connection without one.
Respond = Callable[[str, str, Mapping[str, str]], Answer | None]
#: Seconds between two looks of the server at whether it is to stop.
_LOOK_S = 0.05


class Server:
    """An HTTP server on 127.0.0.1, `/source/path` each; port 0 takes a free one."""

    def __init__(self, port: int, respond: Respond, clock: Clock) -> None:
        self._http = _Threads(("127.0.0.1", port), _handler(respond, clock))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_LOOK_S,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        # A client keeps its connections: without this it would go on being answered on them.
        with self._open_lock:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that went away is none of ours
            super().handle_error(request, client_address)


def _handler(respond: Respond, clock: Clock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "exchange"
        sys_version = ""
        # Head and body go out as one: two small pieces would wait for each other's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            source, _, rest = parts.path.lstrip("/").partition("/")
            answer = respond(source, f"/{rest}", dict(parse_qsl(parts.query)))
            if answer is None:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(clock.now(), usegmt=True)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are kept in the exchange's log, not printed."""

    return Handler
