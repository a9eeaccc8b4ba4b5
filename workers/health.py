"""Whether a worker does its work, told to those who watch it.

A worker can hang while its process is there and its instance looks healthy: its loop stands still, or it turns and no
longer asks the queue for work. So the loop itself tells, every few seconds, and only while it asks or has a task in
hand: a file in `HEALTH_FOLDER` is touched, for the drain daemon, and systemd's watchdog is answered.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

from celery import bootsteps, signals
from celery.worker import state
from kombu.transport import SQS, TRANSPORT_ALIASES

from cryptowatch.settings import Settings

#: Seconds between two signs of life.
BEAT_S = 5.0
#: Seconds without asking the queue, and without a task, after which a worker hangs: some of its waits of 5 s.
SILENT_S = 30.0

_asked = time.monotonic()


class Channel(SQS.Channel):
    """Notes when the queue was last asked."""

    def _get_async(self, *args: Any, **kwargs: Any) -> Any:
        global _asked
        _asked = time.monotonic()
        return super()._get_async(*args, **kwargs)  # type: ignore[no-untyped-call]


class Transport(SQS.Transport):
    """Kombu's own, with our channel."""

    Channel = Channel


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Part of a worker: gives a sign of life as long as its loop turns and it works or asks for work."""

    requires = frozenset({"celery.worker.components:Timer", "celery.worker.components:Hub"})

    def start(self, worker: Any) -> None:
        folder = Settings().health_folder
        files = [Path(folder, queue) for queue in worker.app.amqp.queues.consume_from] if folder else []
        # At once, too: a queue that is away ends the worker, and systemd starts it again until the queue is back. That
        # is no hang, and must not have every instance of the fleet replaced.
        beat(files)
        worker.timer.call_repeatedly(BEAT_S, beat, (files,))


def install(app: Any) -> None:
    """Make the workers of this app tell how they are."""
    TRANSPORT_ALIASES["sqs"] = "workers.health:Transport"
    app.steps["worker"].add(Heartbeat)


def notify_systemd(state: str) -> None:
    """Tell systemd, when it started this process: `READY=1`, `WATCHDOG=1`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def beat(files: list[Path]) -> None:
    """Give a sign of life, if this worker works or asks for work."""
    if not state.reserved_requests and time.monotonic() - _asked > SILENT_S:
        return
    for file in files:
        file.touch()
    notify_systemd("WATCHDOG=1")


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _tell_ready(**_: Any) -> None:
    notify_systemd("READY=1")
