"""The record's clock: it runs as fast as it is told, waits for the work of each minute, and never goes back."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cryptowatch.clock import RecordClock
from cryptowatch.local import drive
from cryptowatch.local.drive import Driver, freeze, prepare
from cryptowatch.settings import Settings
from cryptowatch.store.database import Connection, connect, transaction

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Scene:
    """A driver on a real database, whose functions are the test's own."""

    def __init__(self, clock: RecordClock, database: str) -> None:
        self.clock = clock
        self.dispatched: list[datetime] = []
        self.swept: list[datetime] = []
        self.work: Callable[[datetime], list[str]] = lambda now: []
        self._settings = Settings({"DATABASE_URL": database})
        self.driver = self.make()

    def make(self, end: datetime | None = None, speed: float = 600.0) -> Driver:
        self.driver = Driver(self.clock, speed, end, self._settings, self._dispatch, self._sweep)
        return self.driver

    def _dispatch(self) -> list[str]:
        self.dispatched.append(self.clock.now().replace(microsecond=0))
        return self.work(self.clock.now())

    def _sweep(self) -> None:
        self.swept.append(self.clock.now())


@pytest.fixture
def scene(tmp_path: Path, database: str, connection: Connection) -> Iterator[Scene]:
    clock = RecordClock(tmp_path / "data" / "clock.json")
    prepare(clock, NOON)
    made = Scene(clock, database)
    yield made
    made.driver.stop()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def run_sql(connection: Connection, sql: str, *parameters: object) -> None:
    with transaction(connection) as cursor:
        cursor.execute(sql, parameters)


def test_every_minute_is_dispatched_and_swept_and_the_end_is_told(scene: Scene) -> None:
    driver = scene.make(end=NOON + 5 * MINUTE)
    driver.start()
    until(driver.over.is_set)
    minutes = [at.replace(second=0) for at in scene.dispatched]
    assert minutes == [NOON + n * MINUTE for n in range(1, 6)]
    assert len(scene.swept) == 5
    assert scene.clock.now() <= NOON + 5 * MINUTE + timedelta(seconds=1)


def test_the_clock_waits_while_a_source_is_being_read(scene: Scene, connection: Connection) -> None:
    run_sql(connection, "INSERT INTO sources (name) VALUES ('kraken')")
    scene.work = lambda now: ["kraken"] if now < NOON + 2 * MINUTE else []
    scene.driver.start()
    until(lambda: bool(scene.dispatched))
    time.sleep(0.5)
    assert scene.clock.now() <= NOON + MINUTE + timedelta(seconds=1)
    run_sql(connection, "UPDATE sources SET last_success = %s", NOON + MINUTE)
    until(lambda: scene.clock.now() > NOON + 2 * MINUTE)


@pytest.mark.parametrize(
    "given_up",
    ["last_error_at = '2026-03-02 13:00Z'", "paused_until = clock_timestamp() + interval '1 hour'"],
)
def test_a_source_that_failed_or_asked_us_to_wait_does_not_hold_the_clock(
    scene: Scene, connection: Connection, given_up: str
) -> None:
    run_sql(connection, "INSERT INTO sources (name) VALUES ('kraken')")
    run_sql(connection, f"UPDATE sources SET {given_up}")
    scene.work = lambda now: ["kraken"]
    scene.driver.start()
    until(lambda: scene.clock.now() > NOON + 2 * MINUTE)
    assert scene.driver.overruns == 0


def test_what_is_never_done_holds_the_clock_once_and_then_hardly(
    scene: Scene, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.driver, "_patience", 0.3)
    monkeypatch.setattr(drive, "SHORT_HOLD_S", 0.1)
    run_sql(connection, "INSERT INTO sources (name) VALUES ('kraken')")
    scene.work = lambda now: ["kraken"]
    scene.driver.start()
    until(lambda: scene.driver.overruns >= 3)


def test_a_function_that_fails_for_a_while_holds_the_clock_and_loses_no_minute(scene: Scene) -> None:
    failures = iter([True, True])

    def work(now: datetime) -> list[str]:
        if next(failures, False):
            raise RuntimeError("the database is away")
        return []

    scene.work = work
    driver = scene.make(end=NOON + 3 * MINUTE)
    driver.start()
    until(driver.over.is_set)
    assert driver.failure is None
    assert {at.replace(second=0) for at in scene.dispatched} == {NOON + n * MINUTE for n in (1, 2, 3)}


def test_a_function_that_never_works_ends_the_clock(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "PATIENCE_S", 0.0)

    def work(now: datetime) -> list[str]:
        raise RuntimeError("no such function")

    scene.work = work
    scene.driver.start()
    until(lambda: scene.driver.failure is not None)
    assert "no such function" in str(scene.driver.failure)


def test_the_next_start_goes_on_where_the_last_one_stopped(scene: Scene) -> None:
    scene.driver.start()
    until(lambda: scene.clock.now() > NOON + 3 * MINUTE)
    scene.driver.stop()
    stopped = scene.clock.now()
    time.sleep(0.1)
    assert scene.clock.now() == stopped
    assert prepare(scene.clock, NOON) == stopped


def test_after_a_kill_the_clock_goes_on_from_the_latest_it_can_have_shown(scene: Scene) -> None:
    scene.driver.start()
    until(lambda: scene.clock.now() > NOON + 3 * MINUTE)
    shown = scene.clock.now()
    killed = RecordClock(scene.clock.path.with_name("killed.json"))
    killed.path.write_bytes(scene.clock.path.read_bytes())
    time.sleep(0.3)
    assert shown <= prepare(killed, NOON) <= shown + 2 * MINUTE


def test_a_frozen_clock_stands(scene: Scene) -> None:
    freeze(scene.clock)
    assert scene.clock.now() == NOON


def test_the_clock_waits_for_a_delivery_that_is_due(scene: Scene, connection: Connection, database: str) -> None:
    with closing(connect(Settings({"DATABASE_URL": database}))) as other:
        run_sql(
            other,
            """
            INSERT INTO sources (name) VALUES ('kraken');
            INSERT INTO markets (source, symbol) VALUES ('kraken', 'BTC/USD');
            INSERT INTO recipients (name, email) VALUES ('me', 'me@example.com');
            INSERT INTO watches (name, definition, interval_s, applied_at) VALUES ('w', '{}', 60, %s);
            INSERT INTO alerts (watch_id, generation, market_id, open_time, close_time, kind, severity,
                                rule, interval_s, figures)
            SELECT watches.id, 1, markets.id, %s, %s, 'fired', 'info', 'close > 1', 60, '{}' FROM watches, markets;
            INSERT INTO deliveries (alert_id, recipient, due_at) SELECT id, 'me', %s FROM alerts;
            """,
            *[NOON] * 4,
        )
    scene.driver.start()
    until(lambda: bool(scene.dispatched))
    time.sleep(0.5)
    assert scene.clock.now() <= NOON + MINUTE + timedelta(seconds=1)
    run_sql(connection, "UPDATE deliveries SET sent_at = clock_timestamp()")
    until(lambda: scene.clock.now() > NOON + 2 * MINUTE)
