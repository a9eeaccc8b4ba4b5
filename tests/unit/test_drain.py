"""How the daemon takes an instance out of service, on a clock that moves only when it sleeps."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cryptowatch.settings import Settings
from workers.drain import Drain

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEVER = 1e9


class Instance:
    """The metadata service, the workers and Auto Scaling in one, by seconds after noon."""

    def __init__(self, folder: Path) -> None:
        self.second = 0.0
        self.terminate_at = self.spot_at = self.spot_end_at = self.gone_at = NEVER
        #: Seconds the workers go on after each word; a hung one does not hear the first two.
        self.needs = {"stop": 5.0, "return": 1.0, "kill": 0.0}
        #: How often the lifecycle hook says that it is not waiting, and the metadata service nothing at all.
        self.not_yet, self.silent = 0, 0
        self.log: list[tuple[float, str]] = []
        self.counted: list[float] = []
        self._folder = folder

    def run(self) -> list[tuple[float, str]]:
        settings = Settings({"WORKER_GROUP": "g", "DRAIN_POLL_SECONDS": "1", "HEALTH_FOLDER": str(self._folder)})
        Drain(settings, self, self, self, self, lambda: NOON + timedelta(seconds=self.second), self.sleep).run()
        return self.log

    def sleep(self, seconds: float) -> None:
        self.second += seconds
        assert self.second < 2000, f"it never ends: {self.log}"

    def instance_id(self) -> str:
        return "i-1"

    def is_to_terminate(self) -> bool:
        if self.silent:
            self.silent -= 1
            raise OSError("no route to host")
        return self.second >= self.terminate_at

    def spot_end(self) -> datetime | None:
        return NOON + timedelta(seconds=self.spot_end_at) if self.second >= self.spot_at else None

    def do(self, verb: str) -> None:
        self.log.append((self.second, verb))
        self.gone_at = min(self.gone_at, self.second + self.needs[verb])

    def are_running(self) -> bool:
        return self.second < self.gone_at

    def record_lifecycle_action_heartbeat(self, **call: str) -> None:
        assert call == {"AutoScalingGroupName": "g", "LifecycleHookName": "drain", "InstanceId": "i-1"}
        self.log.append((self.second, "heartbeat"))

    def complete_lifecycle_action(self, **call: str) -> None:
        if self.not_yet:
            self.not_yet -= 1
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "No active Lifecycle Action"}}, "?")
        assert call["LifecycleActionResult"] == "CONTINUE"
        self.log.append((self.second, "complete"))

    def put_metric_data(self, **call: object) -> None:
        assert call["Namespace"] == "CryptoWatch"
        self.counted.append(self.second)

    def set_instance_health(self, **call: object) -> None:
        assert call == {"InstanceId": "i-1", "HealthStatus": "Unhealthy", "ShouldRespectGracePeriod": False}
        self.log.append((self.second, "unhealthy"))
        self.terminate_at = self.second + 10


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    for queue in ("analysis", "studies"):
        (tmp_path / queue).touch()
        os.utime(tmp_path / queue, (NOON.timestamp() + 1000,) * 2)  # no worker hangs before that and 180 s more
    return Instance(tmp_path)


def test_a_scale_in_lets_the_workers_finish_and_then_lets_the_group_go_on(instance: Instance) -> None:
    instance.terminate_at = 10
    assert instance.run() == [(10, "stop"), (15, "complete")]


def test_the_hook_is_kept_waiting_while_a_long_task_ends(instance: Instance) -> None:
    instance.terminate_at, instance.needs["stop"] = 0, 150
    assert instance.run() == [(0, "stop"), (61, "heartbeat"), (122, "heartbeat"), (150, "complete")]


def test_what_outlives_every_task_limit_returns_its_work_and_is_killed_when_it_does_not(instance: Instance) -> None:
    instance.terminate_at, instance.needs = 0, {"stop": NEVER, "return": NEVER, "kill": 0}
    assert [one for one in instance.run() if one[1] != "heartbeat"] == [
        (0, "stop"),
        (315, "return"),
        (326, "kill"),
        (327, "complete"),
    ]


def test_a_spot_notice_returns_unfinished_work_half_a_minute_before_the_end(instance: Instance) -> None:
    instance.spot_at, instance.spot_end_at, instance.terminate_at = 10, 130, 40
    instance.needs["stop"] = NEVER
    log = [one for one in instance.run() if one[1] != "heartbeat"]
    assert log == [(10, "stop"), (100, "return"), (101, "complete")]


def test_a_spot_notice_in_the_middle_of_a_drain_shortens_it(instance: Instance) -> None:
    instance.terminate_at, instance.spot_at, instance.spot_end_at = 0, 20, 140
    instance.needs["stop"] = NEVER
    log = [one for one in instance.run() if one[1] != "heartbeat"]
    assert log == [(0, "stop"), (110, "return"), (111, "complete")]


def test_the_hook_is_completed_when_it_waits_and_not_before(instance: Instance) -> None:
    instance.spot_at, instance.spot_end_at, instance.terminate_at, instance.not_yet = 0, 120, 30, 3
    assert instance.run() == [(0, "stop"), (33, "complete")]


def test_a_metadata_service_that_is_away_is_asked_again(instance: Instance) -> None:
    instance.terminate_at, instance.silent = 0, 7
    assert instance.run() == [(7, "stop"), (12, "complete")]


def test_an_instance_whose_worker_hangs_is_marked_once_and_its_work_returned_at_once(
    instance: Instance, tmp_path: Path
) -> None:
    os.utime(tmp_path / "studies", (NOON.timestamp() + 20,) * 2)
    instance.needs = {"stop": NEVER, "return": NEVER, "kill": 0}
    log = [one for one in instance.run() if one[1] != "heartbeat"]
    assert log == [(200, "unhealthy"), (210, "stop"), (210, "return"), (221, "kill"), (222, "complete")]


def test_workers_that_never_gave_a_sign_hang_too(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "analysis").unlink()
    assert instance.run()[0] == (180, "unhealthy")


def test_a_working_instance_is_counted_each_minute_until_it_hangs(instance: Instance, tmp_path: Path) -> None:
    os.utime(tmp_path / "studies", (NOON.timestamp() + 20,) * 2)
    instance.run()
    assert instance.counted == [60, 120, 180]
