"""One local instance: the processes that run on one in the cloud, and what stands in for EC2 around them."""

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptowatch.local.instance_api import InstanceApi, InstanceView
from cryptowatch.local.processes import Child

#: Seconds between two looks of the drain daemon, and without a sign of life before a worker counts as hung.
DRAIN_POLL_S, HUNG_S = 0.5, 60.0
#: How much bulk work and the daemon give way to live work: the same figure as in the systemd units.
NICE = ("nice", "-n", "15")

_EVENTS = {
    "analysed": "{markets} markets, {moments} moments in {seconds} s",
    "studied": "{task} in {seconds} s",
}


class Instance:
    """A live worker, a bulk worker and the drain daemon; what dies of them is started again, as systemd does.

    Args:
        number: names it, and its processes: `worker-1`, `studies-1`, `drain-1`.
        environment: the workers' environment.
        folder: the data folder, for logs and pid files.
        group: its Auto Scaling group.
        include: modules with more tasks.
        changes: variables of its processes that differ from the usual ones.
    """

    def __init__(
        self,
        number: int,
        environment: Mapping[str, str],
        folder: Path,
        group: str,
        api: InstanceApi,
        include: Sequence[str] = (),
        changes: Mapping[str, str] | None = None,
    ) -> None:
        self.view = InstanceView(f"i-{number}")
        self._folder = folder
        names = (f"worker-{number}", f"studies-{number}")
        url = api.add(self.view)
        health = folder / "instances" / self.view.id
        health.mkdir(parents=True, exist_ok=True)
        for old in health.iterdir():
            old.unlink()
        command = [sys.executable, "-m", "cryptowatch.local.signals", str(folder), *names]
        self._environment = {
            **environment,
            "HEALTH_FOLDER": str(health),
            "HUNG_SECONDS": f"{HUNG_S:g}",
            "DRAIN_POLL_SECONDS": f"{DRAIN_POLL_S:g}",
            "METADATA_URL": url,
            "AWS_ENDPOINT_URL_AUTO_SCALING": url,
            "WORKER_GROUP": group,
            "WORKERS_COMMAND": shlex.join(command),
            **(changes or {}),
        }
        self._commands = {
            names[0]: _celery("analysis", names[0], include),
            names[1]: [*NICE, *_celery("studies", names[1], include)],
            f"drain-{number}": [*NICE, sys.executable, "-m", "workers.drain"],
        }
        self.children = [self._start(name) for name in self._commands]
        #: When it was first asked to go, by the monotonic clock; None while it is in service.
        self.leaving_since: float | None = None

    @property
    def live(self) -> Child:
        return self.children[0]

    @property
    def bulk(self) -> Child:
        return self.children[1]

    @property
    def drain(self) -> Child:
        return self.children[2]

    def leave(self) -> None:
        """Take it out of service, as the group does: the daemon sees it and drains."""
        self.leaving_since = self.leaving_since or time.monotonic()
        self.view.to_terminate = True

    def replace_dead(self, tell: Callable[[str], None]) -> None:
        """Start again what ended by itself; workers only while the instance is in service."""
        in_service = self.leaving_since is None
        for index, child in enumerate(self.children):
            if child.is_running() or not (in_service or child is self.drain) or self.view.completed.is_set():
                continue
            tell(f"{child.name} ended (exit code {child.process.returncode}); its log is {child.log}")
            child.stop()
            self.children[index] = self._start(child.name)

    def doing(self) -> dict[str, str]:
        """What each worker did last, from its log."""
        return {child.name: _last_event(child.log) for child in (self.live, self.bulk)}

    def is_ready(self) -> bool:
        """Whether both workers take tasks."""
        return all("ready." in child.log.read_text(errors="replace") for child in (self.live, self.bulk))

    def end(self) -> None:
        """End what is left of it, at once, as EC2 does."""
        for child in self.children:
            child.stop(grace_s=0)

    def _start(self, name: str) -> Child:
        return Child(name, self._commands[name], self._environment, self._folder)


def _celery(queue: str, name: str, include: Sequence[str]) -> list[str]:
    command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queue, "-c", "1"]
    command += ["-n", f"{name}@local", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [*command, *(["-I", ",".join(include)] if include else [])]


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
        if event.get("message") in _EVENTS:
            return _EVENTS[event["message"]].format(**event)
    return "nothing so far"
