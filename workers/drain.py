"""The daemon that takes an instance out of service: `python -m workers.drain`, beside the workers.

It asks the metadata service whether the group is to terminate the instance, or EC2 takes a Spot instance back. Then
it stops the workers in steps: they finish what they have in hand and take nothing else; when there is no time left for
that, what is unfinished goes back to the queue; what does not react is killed. Meanwhile it keeps the lifecycle hook
waiting, and completes it at the end. While nothing is to end it watches the workers' signs of life, and has the group
replace an instance whose workers hang.

A rebalance recommendation needs no answer of ours: the group starts another instance and then terminates this one.
"""

import shlex
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from cryptowatch.queues import ANALYSIS, STUDIES
from cryptowatch.settings import Settings
from workers.metadata import Metadata

#: The lifecycle hook's name, as the template gives it.
HOOK = "drain"
#: Seconds between two heartbeats of the hook, which waits 300 s for the next one.
HEARTBEAT_S = 60.0
#: Seconds between two counts of the instance as alive.
COUNT_S = 60.0
#: Seconds before a Spot instance's end at which unfinished work goes back to the queue.
SPOT_MARGIN_S = 30.0
#: Seconds above the longest task limit that a worker gets to end by itself.
SLACK_S = 15.0
#: Seconds a worker gets to return its work before it is killed.
RETURN_S = 10.0

logger = Logger(service="drain")


class Workers:
    """The workers of this instance, by a command that takes one more word.

    `stop` asks them to finish and end, `return` to give back at once what they have in hand, `kill` ends them;
    `running` succeeds as long as one of them is there.
    """

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def do(self, verb: str) -> None:
        logger.info("workers", extra={"verb": verb})
        subprocess.run([*self._command, verb], check=False)  # noqa: S603  the command is a setting

    def are_running(self) -> bool:
        return subprocess.run([*self._command, "running"], check=False).returncode == 0  # noqa: S603


class Drain:
    """Watches one instance until it is gone.

    Args:
        metadata: what EC2 says of this instance.
        autoscaling, cloudwatch: boto3 clients.
        workers: stops the workers.
        now, sleep: time, handed in for tests.
    """

    def __init__(
        self,
        settings: Settings,
        metadata: Metadata,
        autoscaling: Any,
        cloudwatch: Any,
        workers: Workers,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._metadata = metadata
        self._autoscaling = autoscaling
        self._cloudwatch = cloudwatch
        self._workers = workers
        self._now = now
        self._sleep = sleep
        self._began = now()
        self._beaten = self._counted = now()
        self._unhealthy = False

    def run(self) -> None:
        """Wait for the end, drain, and let the group go on."""
        while not self._is_to_end():
            self._look_at_health()
            self._sleep(self._settings.drain_poll_seconds)
        logger.info("draining", extra={"hung": self._unhealthy})
        began = self._now()
        self._drain()
        logger.info("drained", extra={"seconds": round((self._now() - began).total_seconds(), 1)})
        while not self._complete():
            self._sleep(self._settings.drain_poll_seconds)

    def _is_to_end(self) -> bool:
        return bool(self._ask(self._metadata.is_to_terminate) or self._ask(self._metadata.spot_end))

    def _drain(self) -> None:
        self._workers.do("stop")
        longest = max(self._settings.analysis_limit_seconds, self._settings.studies_limit_seconds) + SLACK_S
        patience = 0.0 if self._unhealthy else longest
        returned: datetime | None = None
        began = self._now()
        while self._workers.are_running():
            spot_end = self._ask(self._metadata.spot_end)
            left = patience - (self._now() - began).total_seconds()
            if spot_end:
                left = min(left, (spot_end - self._now()).total_seconds() - SPOT_MARGIN_S)
            if left <= 0 and returned is None:
                self._workers.do("return")
                returned = self._now()
            elif returned and (self._now() - returned).total_seconds() > RETURN_S:
                self._workers.do("kill")
            if (self._now() - self._beaten).total_seconds() > HEARTBEAT_S:
                self._lifecycle(self._autoscaling.record_lifecycle_action_heartbeat)
                self._beaten = self._now()
            self._sleep(self._settings.drain_poll_seconds)

    def _complete(self) -> bool:
        """Tell the group that this instance may go; False while the group does not wait for that yet."""
        if not self._ask(self._metadata.is_to_terminate):
            return False
        return self._lifecycle(self._autoscaling.complete_lifecycle_action, LifecycleActionResult="CONTINUE")

    def _lifecycle(self, call: Callable[..., Any], **more: str) -> bool:
        names = {"AutoScalingGroupName": self._settings.worker_group, "LifecycleHookName": HOOK}
        try:
            call(**names, InstanceId=self._metadata.instance_id(), **more)
        except (ClientError, BotoCoreError, OSError) as error:
            logger.warning("the lifecycle hook was not told", extra={"error": str(error)})
            return False
        return True

    def _look_at_health(self) -> None:
        """Tell that the workers live; have the group replace this instance when one gives no sign for too long."""
        folder = self._settings.health_folder
        if folder is None or self._unhealthy:
            return
        beats = [_age_of(Path(folder, queue), self._began, self._now()) for queue in (ANALYSIS, STUDIES)]
        if max(beats) < self._settings.hung_seconds:
            self._tell_alive()
            return
        logger.error("a worker hangs", extra={"silent_seconds": round(max(beats))})
        try:
            self._autoscaling.set_instance_health(
                InstanceId=self._metadata.instance_id(), HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
            )
            self._unhealthy = True
        except (ClientError, BotoCoreError, OSError) as error:
            logger.warning("the group was not told", extra={"error": str(error)})

    def _tell_alive(self) -> None:
        """Count this instance, once a minute: when no instance does, the alarm on silent workers goes off."""
        if (self._now() - self._counted).total_seconds() < COUNT_S:
            return
        self._counted = self._now()
        dimensions = [{"Name": "service", "Value": self._settings.stack_name}]
        metric = {"MetricName": "WorkerHeartbeat", "Dimensions": dimensions, "Unit": "Count", "Value": 1}
        try:
            self._cloudwatch.put_metric_data(Namespace="CryptoWatch", MetricData=[metric])
        except (ClientError, BotoCoreError) as error:
            logger.warning("the heartbeat was not counted", extra={"error": str(error)})

    @staticmethod
    def _ask(question: Callable[[], Any]) -> Any:
        """The metadata service's answer; None while it does not answer."""
        try:
            return question()
        except OSError as error:
            logger.warning("the metadata service does not answer", extra={"error": str(error)})
            return None


def _age_of(file: Path, began: datetime, now: datetime) -> float:
    """Seconds since the file was touched, or since the daemon began when that was later."""
    try:
        touched = file.stat().st_mtime
    except FileNotFoundError:
        touched = 0.0
    return now.timestamp() - max(touched, began.timestamp())


def main() -> None:
    settings = Settings()
    autoscaling, cloudwatch = boto3.client("autoscaling"), boto3.client("cloudwatch")
    workers = Workers(settings.workers_command)
    Drain(settings, Metadata(settings.metadata_url), autoscaling, cloudwatch, workers).run()


if __name__ == "__main__":
    main()
