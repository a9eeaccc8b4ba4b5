"""The embedded stack: PostgreSQL, the AWS emulator with the deployed stack on it, the exchange, the fleet, the mail."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from cryptowatch.clock import Clock, RecordClock, WallClock
from cryptowatch.local.deploy import StackOutputs, deploy
from cryptowatch.local.drive import Driver, prepare
from cryptowatch.local.emulator import (
    aws_environment,
    clean_environment,
    free_port,
    start_emulator,
    wait_for_emulator,
)
from cryptowatch.local.fleet import Fleet
from cryptowatch.local.mail import MailCatcher
from cryptowatch.local.origin import Origin
from cryptowatch.local.postgres import Postgres
from cryptowatch.local.processes import Child
from cryptowatch.local.state import LocalState, remove_state, write_state
from cryptowatch.settings import Settings

#: Seconds the simulated exchange may take to answer.
EXCHANGE_PATIENCE_S = 20.0
#: Seconds the workers get to finish at the end; a task that is cut off is done at the next start.
DRAIN_S = 2.5


class LocalStackError(RuntimeError):
    """The local stack could not be started, or a function of it failed."""


class LocalStack:
    """Start everything in the constructor's order of need, stop it in the opposite one.

    Args:
        root: the data folder of all local stacks; this one's is a folder in it, named for its origin.
        progress: told of each step.
        least_instances, most_instances: between which the fleet shrinks and grows.
        include, changes: see `Fleet`.
    """

    def __init__(
        self,
        root: Path,
        origin: Origin,
        progress: Callable[[str], None],
        *,
        least_instances: int = 1,
        most_instances: int = 3,
        include: Sequence[str] = (),
        changes: Mapping[str, str] | None = None,
    ) -> None:
        self.origin = origin
        self._size: dict[str, int] = {"least_workers": least_instances, "most_workers": most_instances}
        self._include, self._changes = include, changes
        self.folder = (root / origin.name).resolve()
        self._root = root
        self._progress = progress
        self._closing = ExitStack()
        #: Processes without which nothing works.
        self._needed: list[Child] = []
        self.driver: Driver | None = None

    def start(self) -> None:
        """Start all of it.

        Raises:
            LocalStackError, DeployFailedError, EmulatorFailedError: with what failed; `stop` must be called still.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        environment: dict[str, str] = {}
        self.clock: Clock = WallClock()
        self.exchange_url: str | None = None
        if self.origin.record:
            clock = RecordClock(self.folder / "clock.json")
            at = prepare(clock, self.origin.start)
            self.clock = clock
            self.exchange_url = f"http://127.0.0.1:{free_port()}"
            environment = {"CRYPTOWATCH_CLOCK": str(clock.path), "CRYPTOWATCH_EXCHANGE_URL": self.exchange_url}
            self._progress(
                f"the record's clock stands at {at:%Y-%m-%d %H:%M} UTC and runs {self.origin.speed:g} times as fast"
            )
        with ThreadPoolExecutor() as pool:
            postgres = pool.submit(self._start_postgres)
            emulator, self.emulator = start_emulator(self.folder, environment)
            self._needed.append(emulator)
            self._closing.callback(emulator.stop)
            exchange = pool.submit(self._start_exchange) if self.origin.record else None
            wait_for_emulator(emulator, self.emulator)
            self.postgres = postgres.result()
            self._progress("started PostgreSQL and the AWS emulator")
            self.outputs: StackOutputs = deploy(self.emulator, self.postgres.secret(), self._progress, **self._size)
            if exchange:
                exchange.result()
        self._environment = {**clean_environment(), **environment, **aws_environment(self.emulator.endpoint_url)}
        self._environment |= {
            "DATABASE_SECRET_ARN": self.outputs.database_secret_arn,
            "ANALYSIS_QUEUE_URL": self.outputs.analysis_queue_url,
            "STUDIES_QUEUE_URL": self.outputs.studies_queue_url,
            "ALERTS_QUEUE_URL": self.outputs.alerts_queue_url,
        }
        if self.postgres.secret()["host"].startswith("/"):
            self._environment["DATABASE_USER"] = "cryptowatch_worker"  # as in the cloud: it cannot change the schema
        self._start_fleet()
        threading.Thread(target=self._wake_notify, daemon=True).start()
        self._progress(f"the database has schema version {self.control({'action': 'migrate'})['schema_version']}")
        self.mail = MailCatcher(self.emulator, self.outputs.alert_topic_arn, self.folder / "mail")
        self._closing.callback(self.mail.stop)
        born = psutil.Process().create_time()
        control = self.outputs.control_function
        state = LocalState(
            os.getpid(), born, self.emulator.endpoint_url, self.emulator.region, control, self.exchange_url
        )
        write_state(self._root, state)
        self._closing.callback(remove_state, self._root)

    def _wake_notify(self) -> None:
        """Without a record to send, this only wakes the function: the first email need not wait for it."""
        with suppress(LocalStackError, BotoCoreError, ClientError):
            self.invoke(self.outputs.notify_function, {"Records": []})

    def _start_postgres(self) -> Postgres:
        postgres = Postgres(self.folder)
        self._closing.callback(postgres.stop)
        return postgres

    def _start_exchange(self) -> None:
        assert self.origin.record
        assert self.exchange_url
        command = [sys.executable, "-m", "cryptowatch.local.exchange", "--record", self.origin.record]
        command += ["--clock", str(self.folder / "clock.json"), "--port", self.exchange_url.rpartition(":")[2]]
        child = Child("exchange", command, clean_environment(), self.folder)
        self._needed.append(child)
        self._closing.callback(child.stop)
        deadline = time.monotonic() + EXCHANGE_PATIENCE_S
        while "serving" not in child.log.read_text():
            if not child.is_running():
                raise LocalStackError(f"the simulated exchange ended: {child.log.read_text().strip()[-300:]}")
            if time.monotonic() > deadline:
                raise LocalStackError(f"the simulated exchange does not answer; its log is {child.log}")
            time.sleep(0.05)
        self._progress("started the simulated exchange")

    def _start_fleet(self) -> None:
        self.fleet = Fleet(
            self.emulator,
            self.outputs.worker_group,
            self._environment,
            self.folder,
            self._progress,
            self._include,
            self._changes,
        )
        self._closing.callback(self.fleet.stop, DRAIN_S)
        self.fleet.adjust()
        self._progress(f"started {len(self.fleet.in_service)} instance(s) of workers, as the Auto Scaling group wants")

    def run_clock(self) -> None:
        """Look at once, rather than at the schedule's first minute; then let a record's markets move."""
        self.invoke(self.outputs.dispatch_function, {})
        if isinstance(self.clock, RecordClock):
            self.driver = Driver(
                self.clock,
                self.origin.speed,
                self.origin.end,
                self.settings(),
                lambda: self.invoke(self.outputs.dispatch_function, {})["sources"],
                lambda: self.invoke(self.outputs.sweep_function, {}),
            )
            self._closing.callback(self.driver.stop)
            self.driver.start()

    def flood(self, tasks: int) -> None:
        """Queue so many bulk tasks, by a process of its own, and do not wait for that."""
        command = [sys.executable, "-m", "cryptowatch.local.flood", str(tasks)]
        self._closing.callback(Child("flood", command, self._environment, self.folder).stop)

    def settings(self) -> Settings:
        """Settings as the workers have them, with the database's own address."""
        return Settings({**self._environment, "DATABASE_URL": self.postgres.dsn})

    def control(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the deployed control function.

        Raises:
            LocalStackError: it refused or failed.
        """
        answer = self.invoke(self.outputs.control_function, request)
        if not answer["ok"]:
            raise LocalStackError(str(answer["error"]))
        return dict(answer["result"])

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke a deployed function and wait for its answer."""
        answer = self.emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise LocalStackError(f"{function} failed: {str(payload.get('errorMessage', payload))[:300]}")
        return dict(payload)

    def check(self) -> None:
        """See that what everything needs is still there.

        Raises:
            LocalStackError: a process ended, or the clock cannot go on.
        """
        for child in self._needed:
            if not child.is_running():
                raise LocalStackError(f"the {child.name} ended by itself; its log is {child.log}")
        if self.driver and self.driver.failure:
            raise LocalStackError(f"the clock cannot go on: {self.driver.failure}")

    def stop(self) -> None:
        """Stop what was started, whatever of it there is."""
        self._closing.close()
