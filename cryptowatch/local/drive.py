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
from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect, transaction
from cryptowatch.store.moments import ready_moments

MINUTE = timedelta(minutes=1)
#: Seconds of wall time for which the clock is held at most: a killed worker's message comes back after 60.
HOLD_S = 80.0
#: Seconds of wall time for which it is held after a minute that was not done within `HOLD_S`: something is broken
#: for good, and the rest must go on.
SHORT_HOLD_S = 2.0
#: Seconds of wall time after which a minute that is not done is dispatched and swept again.
AGAIN_S = 3.0
#: Seconds for which a failing function or database is tried again before the clock gives up.
PATIENCE_S = 60.0
#: Seconds a stop waits for a function that is being invoked.
_STOP_S = 3.0

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
    """

    def __init__(
        self,
        clock: RecordClock,
        speed: float,
        end: datetime | None,
        settings: Settings,
        invoke_dispatch: Callable[[], list[str]],
        invoke_sweep: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._speed = speed
        self._end = end
        self._settings = settings
        self._dispatch = invoke_dispatch
        self._sweep = invoke_sweep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="clock")
        self.over = threading.Event()
        self.failure: BaseException | None = None
        #: Minutes at which the clock went on although their work was not done.
        self.overruns = 0
        self._patience = HOLD_S

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop and freeze the clock: the next start goes on from here."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_STOP_S)
        freeze(self._clock)

    def _run(self) -> None:
        """Minute after minute; a database or function that is away for a while holds the clock, too."""
        minute = _next_minute(self._clock.now())
        gave_way = time.monotonic()
        while not self._stop.is_set() and not self.over.is_set():
            try:
                with closing(connect(self._settings)) as connection:
                    while not self._stop.is_set() and not self.over.is_set():
                        minute = self._one_minute(connection, minute)
                        gave_way = time.monotonic()
            except Exception as error:
                if time.monotonic() - gave_way > PATIENCE_S:
                    self.failure = error
                    return
                self._stop.wait(1)

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
        finished = self._finished(connection, minute, sources)
        self._patience = HOLD_S if finished else SHORT_HOLD_S
        self.overruns += not finished
        if self._end and minute >= self._end:
            self.over.set()
        return minute + MINUTE

    def _finished(self, connection: Connection, minute: datetime, sources: list[str]) -> bool:
        """Wait until what this minute brought is read, evaluated and sent; False when that took too long."""
        deadline = time.monotonic() + self._patience
        again = time.monotonic() + AGAIN_S
        while time.monotonic() < deadline:
            if self._stop.is_set() or self._is_finished(connection, minute, sources):
                return True
            if time.monotonic() > again:
                # A run that the schedule had started was under way, and ours left at once; or a message is lost.
                sources = self._dispatch()
                self._sweep()
                again = time.monotonic() + AGAIN_S
            self._stop.wait(0.05)
        return False

    def _is_finished(self, connection: Connection, minute: datetime, sources: list[str]) -> bool:
        # Not the depth of the queue: a message that no worker can do stays there for minutes.
        with transaction(connection) as cursor:
            cursor.execute(_UNFINISHED, {"sources": sources, "minute": minute})
            return not (cursor.fetchone()[0] or ready_moments(cursor, minute, 0.0))  # type: ignore[index]


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
