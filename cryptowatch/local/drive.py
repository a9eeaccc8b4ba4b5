"""Drives the clock of a record: each of its minutes dispatch and sweep are invoked, as the schedules do in the cloud.

Lateness and waits go by that clock, so it is held at the end of a minute while the work of the one before is not
done: however fast the record runs and however slow the machine is, nothing is late that would not be at speed 1.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

from cryptowatch.clock import Anchor, RecordClock
from cryptowatch.queues import depth
from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect, transaction

MINUTE = timedelta(minutes=1)
#: Seconds of wall time for which the clock is held at most.
HOLD_S = 20.0
#: Seconds of wall time after which a minute that is not done is dispatched again.
AGAIN_S = 3.0

_UNFINISHED = """
SELECT EXISTS (
    SELECT 1 FROM sources
    WHERE name = ANY(%(sources)s) AND coalesce(last_success, '-infinity') < %(minute)s
      AND coalesce(last_error_at, '-infinity') < %(minute)s
      AND (paused_until IS NULL OR paused_until < clock_timestamp())
) OR EXISTS (
    SELECT 1 FROM deliveries WHERE sent_at IS NULL AND held_by IS NULL AND due_at <= %(minute)s
)
"""


class Driver:
    """Runs a record's clock in a thread of its own.

    Args:
        clock: the clock; its file must exist.
        end: where the record ends; None when it never does.
        invoke_dispatch: invokes the deployed function and waits; gives the sources it started.
        invoke_sweep: invokes the deployed function and waits.
        sqs: boto3 client, to see that the analysis queue is empty.
    """

    def __init__(
        self,
        clock: RecordClock,
        speed: float,
        end: datetime | None,
        settings: Settings,
        sqs: object,
        invoke_dispatch: Callable[[], list[str]],
        invoke_sweep: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._speed = speed
        self._end = end
        self._settings = settings
        self._sqs = sqs
        self._dispatch = invoke_dispatch
        self._sweep = invoke_sweep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="clock")
        self.over = threading.Event()
        self.failure: BaseException | None = None
        #: Minutes at which the clock had to be held for longer than `HOLD_S`.
        self.overruns = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop and freeze the clock: the next start goes on from here."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=HOLD_S)
        freeze(self._clock)

    def _run(self) -> None:
        try:
            with closing(connect(self._settings)) as connection:
                minute = _next_minute(self._clock.now())
                while not self._stop.is_set() and not self.over.is_set():
                    minute = self._one_minute(connection, minute)
        except Exception as error:
            self.failure = error

    def _one_minute(self, connection: Connection, minute: datetime) -> datetime:
        """Let the clock run to `minute`, do its work, and give the next one."""
        now = self._clock.now()
        # A second beyond: an exchange whose clock stands exactly on a close has not closed that candle yet.
        limit = (minute + timedelta(seconds=1)).timestamp()
        self._clock.write(Anchor(time.time(), now.timestamp(), self._speed, limit))
        left = (minute - now).total_seconds() / self._speed
        if self._stop.wait(max(0.0, left)):
            return minute
        while self._clock.now() < minute and not self._stop.wait(0.002):
            pass
        sources = self._dispatch()
        self._sweep()
        if not self._finished(connection, minute, sources):
            self.overruns += 1
        if self._end and minute >= self._end:
            self.over.set()
        return minute + MINUTE

    def _finished(self, connection: Connection, minute: datetime, sources: list[str]) -> bool:
        """Wait until what this minute brought is read, evaluated and sent; False when that took too long."""
        deadline = time.monotonic() + HOLD_S
        again = time.monotonic() + AGAIN_S
        while time.monotonic() < deadline:
            if self._stop.is_set() or self._is_finished(connection, minute, sources):
                return True
            if time.monotonic() > again:
                # A run that the schedule had started was under way, and ours left at once.
                sources = self._dispatch()
                again = time.monotonic() + AGAIN_S
            self._stop.wait(0.05)
        return False

    def _is_finished(self, connection: Connection, minute: datetime, sources: list[str]) -> bool:
        if any(depth(self._sqs, self._settings.analysis_queue_url).values()):
            return False
        with transaction(connection) as cursor:
            cursor.execute(_UNFINISHED, {"sources": sources, "minute": minute})
            unfinished = cursor.fetchone()[0]  # type: ignore[index]
        # Ingest queues its messages before it says that it is done, so the queue is looked at again.
        return not unfinished and not any(depth(self._sqs, self._settings.analysis_queue_url).values())


def freeze(clock: RecordClock) -> None:
    """Stop the clock where it stands."""
    now = clock.now().timestamp()
    clock.write(Anchor(time.time(), now, 1.0, now))


def prepare(clock: RecordClock, start: datetime) -> datetime:
    """Make the clock's file, standing at `start`, unless there is one: time never goes back. Gives where it stands."""
    if clock.path.exists():
        freeze(clock)
    else:
        clock.path.parent.mkdir(parents=True, exist_ok=True)
        clock.write(Anchor(time.time(), start.timestamp(), 1.0, start.timestamp()))
    return clock.now()


def _next_minute(now: datetime) -> datetime:
    seconds = int(now.timestamp()) // 60 * 60 + 60
    return datetime.fromtimestamp(seconds, UTC)
