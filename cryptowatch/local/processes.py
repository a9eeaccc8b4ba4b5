"""Child processes of the local stack: each in a session of its own, each with a file that says which it is.

After a kill -9 of the runner the next start finds those files and ends what is still there, after it has made sure,
by the time it was started, that the process is ours and not another that got its number.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

#: Seconds a process gets to end by itself before its group is killed.
GRACE_S = 5.0
#: Two readings of a process's birth differ by at most this many seconds, when the machine's clock was set in between.
_SAME_BIRTH_S = 2.0


class Child:
    """A running child process.

    Args:
        name: for its log file and its pid file.
        command: what to run.
        environment: its whole environment.
        folder: the data folder; logs go to `logs/`, the one before is kept as `.log.1`; pid files go to `pids/`.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        (folder / "pids").mkdir(parents=True, exist_ok=True)
        self.log = folder / "logs" / f"{name}.log"
        self._file = folder / "pids" / f"{name}.json"
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own commands
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # In one step: a kill -9 must not leave half a file.
        fresh = self._file.with_suffix(".tmp")
        fresh.write_text(json.dumps({"pid": self.pid, "born": psutil.Process(self.pid).create_time()}))
        fresh.replace(self._file)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Signal the process itself, not its children: it stops them in its own way."""
        if self.is_running():
            self.process.send_signal(sign)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask it to stop, wait, then kill what is left of its group."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_s)
        _kill_group(self.pid)
        self.process.wait()
        self._file.unlink(missing_ok=True)


def stop_all(children: Sequence[Child], grace_s: float = GRACE_S) -> None:
    """Stop several at once."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + grace_s
    for child in children:
        child.stop(max(0.1, deadline - time.monotonic()))


def is_same_process(pid: int, born: float) -> bool:
    """Whether `pid` is still the process that was started at `born`, not another that got its number."""
    try:
        return abs(psutil.Process(pid).create_time() - born) < _SAME_BIRTH_S
    except psutil.NoSuchProcess:
        return False


def running_child(folder: Path, name: str) -> psutil.Process | None:
    """The process that the child `name` of this data folder is; None when it is gone."""
    known = _read(folder / "pids" / f"{name}.json")
    return psutil.Process(known[0]) if known and is_same_process(*known) else None


def clean_up_leftovers(folder: Path) -> list[str]:
    """End what a killed runner has left in this data folder; returns the names."""
    ended = []
    for file in sorted((folder / "pids").glob("*.json")):
        known = _read(file)
        if known and is_same_process(*known):
            _end_family(known[0])
            ended.append(file.stem)
        file.unlink()
    return ended


def _read(file: Path) -> tuple[int, float] | None:
    try:
        known = json.loads(file.read_text())
        return int(known["pid"]), float(known["born"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _end_family(pid: int) -> None:
    """Kill a process, its group and whatever else descends from it."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    _kill_group(pid)
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=GRACE_S)


def _kill_group(pid: int) -> None:
    """Children lead their own session, so their process group has their number."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
