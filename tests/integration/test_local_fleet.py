"""The fleet keeps as many real Celery workers as the Auto Scaling group wants."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import aws_environment, clean_environment, start_emulator, wait_for_emulator
from cryptowatch.local.fleet import Fleet

GROUP = "workers"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    child, emulator = start_emulator(tmp_path, {})
    try:
        wait_for_emulator(child, emulator)
        yield emulator
    finally:
        child.stop()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def fleet(emulator: Emulator, tmp_path: Path, told: list[str]) -> Iterator[Fleet]:
    scaling = emulator.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="worker", ImageId="ami-1", InstanceType="t3.small")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchConfigurationName="worker",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=1,
        AvailabilityZones=["us-east-1a"],
    )
    url = emulator.client("sqs").create_queue(QueueName="analysis")["QueueUrl"]
    environment = {
        **clean_environment(),
        **aws_environment(emulator.endpoint_url),
        "ANALYSIS_QUEUE_URL": url,
        "STUDIES_QUEUE_URL": url,
        "ALERTS_QUEUE_URL": url,
        "DATABASE_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:none",
    }
    made = Fleet(emulator, GROUP, environment, tmp_path, told.append)
    yield made
    made.stop(0.5)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def want(emulator: Emulator, number: int) -> None:
    emulator.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=number)


def is_ready(tmp_path: Path, number: int) -> bool:
    return f"worker-{number}@local ready" in (tmp_path / "logs" / f"worker-{number}.log").read_text()


def test_workers_follow_the_desired_capacity(emulator: Emulator, fleet: Fleet, tmp_path: Path) -> None:
    fleet.adjust()
    (first,) = fleet.pids()
    want(emulator, 2)
    fleet.adjust()
    assert len(fleet.pids()) == 2
    until(lambda: is_ready(tmp_path, 1) and is_ready(tmp_path, 2))

    second = fleet.pids()[1]
    want(emulator, 1)
    fleet.adjust()
    assert fleet.pids() == [first]
    assert set(fleet.doing()) == {"worker-1", "worker-2"}, "one that is drained is still shown"
    began = time.monotonic()
    until(lambda: fleet.adjust() is None and set(fleet.doing()) == {"worker-1"})
    print("drained in", time.monotonic() - began)
    assert not psutil.pid_exists(second)
    assert "Warm shutdown" in (tmp_path / "logs" / "worker-2.log").read_text()


def test_a_killed_worker_is_replaced_and_told_of(fleet: Fleet, told: list[str]) -> None:
    fleet.adjust()
    (killed,) = fleet.pids()
    os.kill(killed, 9)
    until(lambda: fleet.adjust() is None and fleet.pids() != [killed])
    assert len(fleet.pids()) == 1
    assert told
    assert told[0].startswith("worker-1 ended (exit code -9)")
