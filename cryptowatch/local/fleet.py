"""A small fleet plays EC2 and Auto Scaling: as many real instances as the group wants, scaled by its own policy.

The emulator keeps the group and its policy, but evaluates nothing and starts nothing. So the deployed policy's
expression is read here, evaluated on the emulator's queue figures, and the desired capacity set; instances are started
and leave as on EC2: the group tells the instance, its own daemon drains it and says when it may go.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.instance import Instance
from cryptowatch.local.instance_api import InstanceApi
from cryptowatch.local.processes import stop_all
from cryptowatch.local.scaling import Number, evaluate, metrics_of, wanted
from cryptowatch.queues import depth

#: Seconds the work must be little before the group shrinks; CloudWatch takes 15 minutes.
QUIET_S = 15.0
#: Seconds after which an instance that leaves is ended, whatever it does: the lifecycle hook's timeout.
HOOK_S = 300.0
#: Seconds between a Spot notice and the end of the instance.
SPOT_S = 120.0


@dataclass(frozen=True)
class FleetState:
    """What the fleet is like at one moment; `load` is the scaling expression's value, 1 is just right."""

    in_service: int
    leaving: int
    desired: int
    load: Number

    def __str__(self) -> str:
        load = "" if self.load is None else f", load {self.load:.2f}"
        leaving = f", {self.leaving} leaving" if self.leaving else ""
        return f"{self.in_service} of {self.desired} wanted{leaving}{load}"


class Fleet:
    """Keeps the group's desired number of instances.

    Args:
        environment: the workers' environment.
        folder: the data folder, for logs and pid files.
        tell: told of each process that ended by itself, and of each change of the fleet's size.
        include: modules with more tasks for the workers.
        changes: variables of the instances' processes that differ from the usual ones.
    """

    def __init__(
        self,
        emulator: Emulator,
        group: str,
        environment: Mapping[str, str],
        folder: Path,
        tell: Callable[[str], None] = lambda text: None,
        include: Sequence[str] = (),
        changes: Mapping[str, str] | None = None,
    ) -> None:
        self._autoscaling = emulator.client("autoscaling")
        self._sqs = emulator.client("sqs")
        self._group = group
        self._tell = tell
        self._api = InstanceApi()
        self._made_of = (environment, folder, group, self._api, include, changes)
        self._policies = [
            metrics_of(policy)
            for policy in self._autoscaling.describe_policies(AutoScalingGroupName=group)["ScalingPolicies"]
            if policy["PolicyType"] == "TargetTrackingScaling"
        ]
        self._urls: dict[str, str] = {}
        self.in_service: list[Instance] = []
        self.leaving: list[Instance] = []
        self._started = 0
        self._busy = time.monotonic()
        self._load: Number = None
        #: Seconds that each instance took from being told to go until it said that it may.
        self.drained: list[float] = []
        #: How many instances were ended without having said so.
        self.cut_off = 0

    def group(self) -> dict[str, Any]:
        """The group as the emulator has it."""
        groups = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        return dict(groups["AutoScalingGroups"][0])

    def state(self) -> FleetState:
        desired = int(self.group()["DesiredCapacity"])
        return FleetState(len(self.in_service), len(self.leaving), desired, self._load)

    def adjust(self) -> None:
        """Scale by the policy, end what drained, replace what is broken, start and drain instances as is wanted."""
        self._scale()
        for instance in list(self.in_service):
            if instance.view.unhealthy:
                self._tell(f"{instance.view.id} is unhealthy and is replaced")
                self.leave(instance)
        for instance in [*self.in_service, *self.leaving]:
            instance.replace_dead(self._tell)
        self._end_drained()
        desired = int(self.group()["DesiredCapacity"])
        while len(self.in_service) < desired:
            self._started += 1
            self.in_service.append(Instance(self._started, *self._made_of))
        while len(self.in_service) > desired:
            self.leave(self.in_service[-1])

    def leave(self, instance: Instance) -> None:
        """Have the group take this instance out of service."""
        self.in_service.remove(instance)
        self.leaving.append(instance)
        instance.leave()

    def interrupt(self, instance: Instance, seconds: float = SPOT_S) -> None:
        """Have EC2 take this instance back: the notice comes now, the end in so many seconds."""
        instance.view.spot_end = datetime.now(UTC) + timedelta(seconds=seconds)
        self.leave(instance)

    def _scale(self) -> None:
        """Set the desired capacity that the deployed policy asks for: more at once, fewer after a while of quiet."""
        for expression, target, metrics in self._policies:
            figures = {name: self._figure(*metric) for name, metric in metrics.items()}
            self._load = evaluate(expression, figures)
            asked = wanted(self._load, target, len(self.in_service))
            group = self.group()
            if asked is None or asked >= group["DesiredCapacity"]:
                self._busy = time.monotonic()
            if asked is None or (asked < group["DesiredCapacity"] and time.monotonic() - self._busy < QUIET_S):
                continue
            desired = min(max(asked, group["MinSize"]), group["MaxSize"])
            if desired != group["DesiredCapacity"]:
                self._autoscaling.set_desired_capacity(AutoScalingGroupName=self._group, DesiredCapacity=desired)
                self._tell(f"load {self._load:.2f}: the group wants {desired} instance(s)")

    def _figure(self, metric: str, of: str) -> Number:
        """What CloudWatch would say: a queue's depth, or how many instances are in service."""
        if metric == "GroupInServiceInstances":
            return float(len(self.in_service))
        if of not in self._urls:
            self._urls[of] = self._sqs.get_queue_url(QueueName=of)["QueueUrl"]
        found = depth(self._sqs, self._urls[of])
        return float(found["visible" if metric == "ApproximateNumberOfMessagesVisible" else "in_flight"])

    def _end_drained(self) -> None:
        for instance in list(self.leaving):
            assert instance.leaving_since is not None
            seconds = time.monotonic() - instance.leaving_since
            spot_end = instance.view.spot_end
            if instance.view.completed.is_set():
                self.drained.append(seconds)
            elif seconds > HOOK_S or (spot_end and datetime.now(UTC) > spot_end):
                self._tell(f"{instance.view.id} is ended before it drained")
                self.cut_off += 1
            else:
                continue
            instance.end()
            self.leaving.remove(instance)

    def pids(self) -> list[int]:
        """The live workers in service."""
        return [instance.live.pid for instance in self.in_service]

    def doing(self) -> dict[str, str]:
        """What each worker did last, those of leaving instances, too."""
        return {name: text for one in [*self.in_service, *self.leaving] for name, text in one.doing().items()}

    def stop(self, grace_s: float) -> None:
        """Stop all, for at most `grace_s` seconds; what is cut off comes back to the queue."""
        stop_all([child for one in [*self.in_service, *self.leaving] for child in one.children], grace_s)
        self._api.stop()
