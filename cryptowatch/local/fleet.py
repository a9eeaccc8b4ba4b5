"""A small fleet plays EC2: as many real Celery workers as the Auto Scaling group wants, started and drained."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.processes import Child, stop_all

#: Seconds a drained worker may still work on its task before it is killed: above the task limit.
DRAIN_S = 35.0


class Fleet:
    """Keeps the group's desired number of workers running.

    Args:
        environment: the workers' environment.
        folder: the data folder, for logs and pid files.
        tell: told of each worker that ended by itself.
    """

    def __init__(
        self,
        emulator: Emulator,
        group: str,
        environment: Mapping[str, str],
        folder: Path,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._autoscaling = emulator.client("autoscaling")
        self._group = group
        self._environment = environment
        self._folder = folder
        self._tell = tell
        self._workers: list[Child] = []
        #: Each with the monotonic time at which it is killed.
        self._draining: list[tuple[Child, float]] = []
        self._started = 0

    def desired(self) -> int:
        """How many instances the group wants."""
        groups = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        return int(groups["AutoScalingGroups"][0]["DesiredCapacity"])

    def adjust(self) -> None:
        """Replace workers that died, start those that are missing, drain those that are too many."""
        for child in [one for one in self._workers if not one.is_running()]:
            self._tell(f"{child.name} ended (exit code {child.process.returncode}); its log is {child.log}")
            child.stop()
        for child, deadline in self._draining:
            if not child.is_running() or time.monotonic() > deadline:
                child.stop(grace_s=0)
        self._workers = [child for child in self._workers if child.is_running()]
        self._draining = [(child, deadline) for child, deadline in self._draining if child.is_running()]
        desired = self.desired()
        while len(self._workers) < desired:
            self._workers.append(self._start())
        while len(self._workers) > desired:
            child = self._workers.pop()
            child.ask_to_stop()  # Celery's warm shutdown: finish the task, take no other
            self._draining.append((child, time.monotonic() + DRAIN_S))

    def _start(self) -> Child:
        self._started += 1
        name = f"worker-{self._started}"
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", "analysis", "-c", "1"]
        command += ["-n", f"{name}@local", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        return Child(name, command, self._environment, self._folder)

    def pids(self) -> list[int]:
        return [child.pid for child in self._workers]

    def doing(self) -> dict[str, str]:
        """What each worker did last, from its log."""
        return {child.name: _last_event(child.log) for child in self._all()}

    def stop(self, grace_s: float) -> None:
        """Drain all, for at most `grace_s` seconds; what is cut off comes back to the queue."""
        stop_all(self._all(), grace_s)

    def _all(self) -> list[Child]:
        return [*self._workers, *(child for child, _ in self._draining)]


def _last_event(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").splitlines()
    for line in reversed(lines):
        if not line.startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("message") == "analysed":
            return f"{event['markets']} markets, {event['moments']} moments in {event['seconds']} s"
    return "starting"
