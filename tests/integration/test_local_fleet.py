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
QUEUES = ("analysis", "studies", "alerts")


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
    urls = [emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in QUEUES]
    environment = {
        **clean_environment(),
        **aws_environment(emulator.endpoint_url),
        **{f"{name.upper()}_QUEUE_URL": url for name, url in zip(QUEUES, urls, strict=True)},
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


def test_workers_follow_the_desired_capacity(emulator: Emulator, fleet: Fleet, tmp_path: Path) -> None:
    fleet.adjust()
    (first,) = fleet.pids()
    want(emulator, 2)
    fleet.adjust()
    assert len(fleet.pids()) == 2
    until(lambda: all(instance.is_ready() for instance in fleet.in_service))

    second = fleet.in_service[1]
    want(emulator, 1)
    fleet.adjust()
    assert fleet.pids() == [first]
    assert set(fleet.doing()) == {"worker-1", "studies-1", "worker-2", "studies-2"}, "one that drains is still shown"
    until(lambda: fleet.adjust() is None and not fleet.leaving)
    assert (len(fleet.drained), fleet.cut_off) == (1, 0)
    assert not any(psutil.pid_exists(child.pid) for child in second.children)
    for name in ("worker-2", "studies-2"):
        assert "Warm shutdown" in (tmp_path / "logs" / f"{name}.log").read_text()


def test_a_killed_worker_is_replaced_and_told_of(fleet: Fleet, told: list[str]) -> None:
    fleet.adjust()
    (killed,) = fleet.pids()
    os.kill(killed, 9)
    until(lambda: fleet.adjust() is None and fleet.pids() != [killed])
    assert len(fleet.pids()) == 1
    assert told
    assert told[0].startswith("worker-1 ended (exit code -9)")
