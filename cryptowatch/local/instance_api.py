"""What an instance can ask: its metadata service, and the Auto Scaling calls that concern itself alone.

One server on 127.0.0.1 for all instances of the local fleet; each has a path of its own. It speaks what EC2's metadata
service (version 2) and Auto Scaling's query API speak, so the daemon on the instance is the one that runs in the cloud.
"""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

_TOKEN = "local-metadata-token"  # noqa: S105  guards nothing: the server listens on 127.0.0.1 only
_NAMESPACE = "http://autoscaling.amazonaws.com/doc/2011-01-01/"


@dataclass
class InstanceView:
    """What one instance is told, and what it told.

    Args:
        to_terminate: the group takes it out of service.
        spot_end: when EC2 takes it back.
        completed: it said that it may go.
        unhealthy: it said that it must be replaced.
        heartbeats: how often it asked for more time.
    """

    id: str
    to_terminate: bool = False
    spot_end: datetime | None = None
    completed: threading.Event = field(default_factory=threading.Event)
    unhealthy: bool = False
    heartbeats: int = 0

    def metadata(self, path: str) -> str | None:
        match path:
            case "instance-id":
                return self.id
            case "autoscaling/target-lifecycle-state":
                return "Terminated" if self.to_terminate else "InService"
            case "spot/instance-action" if self.spot_end:
                return json.dumps({"action": "terminate", "time": self.spot_end.strftime("%Y-%m-%dT%H:%M:%SZ")})
        return None

    def act(self, action: str, fields: dict[str, str]) -> str | None:
        """Do what the instance asks of Auto Scaling; gives what is wrong with it."""
        match action:
            case "RecordLifecycleActionHeartbeat" | "CompleteLifecycleAction" if not self.to_terminate:
                return f"No active Lifecycle Action found with instance ID {self.id}"
            case "RecordLifecycleActionHeartbeat":
                self.heartbeats += 1
            case "CompleteLifecycleAction":
                self.completed.set()
            case "SetInstanceHealth":
                self.unhealthy = fields["HealthStatus"] == "Unhealthy"
            case _:
                return f"{action} is not for an instance"
        return None


class InstanceApi:
    """The server; `views` are the instances it knows."""

    def __init__(self) -> None:
        self.views: dict[str, InstanceView] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.api = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="instances").start()

    def add(self, view: InstanceView) -> str:
        """Serve this instance; gives the address that is its metadata service and its Auto Scaling endpoint."""
        self.views[view.id] = view
        return f"http://127.0.0.1:{self._server.server_port}/{view.id}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self._answer(200, _TOKEN) if self.path.endswith("/latest/api/token") else self._answer(404)

    def do_GET(self) -> None:
        _, _, path = self.path.partition("/latest/meta-data/")
        if self.headers.get("X-aws-ec2-metadata-token") != _TOKEN:
            return self._answer(401)
        view = self._view()
        value = view.metadata(path) if view else None
        return self._answer(404) if value is None else self._answer(200, value)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = {name: values[0] for name, values in parse_qs(body).items()}
        view, action = self._view(), fields["Action"]
        wrong = view.act(action, fields) if view else "no such instance"
        if wrong:
            error = f"<Error><Type>Sender</Type><Code>ValidationError</Code><Message>{wrong}</Message></Error>"
            return self._answer(400, f'<ErrorResponse xmlns="{_NAMESPACE}">{error}</ErrorResponse>')
        result = f"<{action}Result/>" if action != "SetInstanceHealth" else ""
        return self._answer(200, f'<{action}Response xmlns="{_NAMESPACE}">{result}</{action}Response>')

    def _view(self) -> InstanceView | None:
        api: InstanceApi = self.server.api  # type: ignore[attr-defined]
        return api.views.get(self.path.split("/")[1])

    def _answer(self, status: int, text: str = "") -> None:
        with suppress(ConnectionError):  # an instance that was ended while it asked
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: an instance asks several times a second."""
