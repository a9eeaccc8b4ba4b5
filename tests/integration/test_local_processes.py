"""Child processes of the local stack: stopped with all they started, found again after a kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cryptowatch.local.lock import AlreadyRunningError, Lock
from cryptowatch.local.processes import Child, clean_up_leftovers, stop_all
from cryptowatch.local.state import LocalState, read_state, remove_state, write_state

#: A process that starts another, says its number, and waits.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""

#: A runner that starts such a process as a child of the stack, and waits for its kill -9.
RUNNER = """
import sys, time
from pathlib import Path
from cryptowatch.local.processes import Child
Child("parent", [sys.executable, "-c", sys.argv[2]], {}, Path(sys.argv[1]))
print("started", flush=True)
time.sleep(60)
"""


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def grandchild(log: Path) -> int:
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text())


def test_a_child_is_stopped_together_with_what_it_started(tmp_path: Path) -> None:
    child = Child("parent", [sys.executable, "-c", PARENT], {}, tmp_path)
    other = grandchild(child.log)
    child.stop()
    until(lambda: not is_alive(other))
    assert not child.is_running()
    assert list((tmp_path / "pids").iterdir()) == []


def test_a_child_that_does_not_listen_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(0, flush=True); time.sleep(60)"
    children = [Child(f"deaf-{n}", [sys.executable, "-c", deaf], {}, tmp_path) for n in range(3)]
    for child in children:
        until(lambda child=child: child.log.read_text() != "")  # type: ignore[misc]
    began = time.monotonic()
    stop_all(children, grace_s=0.5)
    assert time.monotonic() - began < 3
    assert not any(child.is_running() for child in children)


def test_what_a_killed_runner_has_left_is_ended_at_the_next_start(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path), PARENT], stdout=subprocess.PIPE)
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"started\n"
    left = grandchild(tmp_path / "logs" / "parent.log")
    runner.kill()
    runner.wait()
    runner.stdout.close()
    assert is_alive(left)

    assert clean_up_leftovers(tmp_path) == ["parent"]
    until(lambda: not is_alive(left))
    assert clean_up_leftovers(tmp_path) == []


def test_a_stranger_that_got_the_number_of_a_child_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "emulator.json").write_text(json.dumps({"pid": os.getpid(), "born": 1_000_000.0}))
    assert clean_up_leftovers(tmp_path) == []
    assert list((tmp_path / "pids").iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_half_a_pid_file_stops_nobody_from_starting(tmp_path: Path, content: str) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "emulator.json").write_text(content)
    assert clean_up_leftovers(tmp_path) == []


def test_a_second_stack_in_the_same_folder_is_told_who_runs_the_first(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    with pytest.raises(AlreadyRunningError, match=str(os.getpid())):
        Lock(tmp_path)
    first.release()
    Lock(tmp_path).release()


def test_a_killed_runner_leaves_no_lock(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from cryptowatch.local.lock import Lock\n"
    hold += "lock = Lock(Path(sys.argv[1])); print(0, flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(AlreadyRunningError, match=str(holder.pid)):
        Lock(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    Lock(tmp_path).release()


def test_the_state_of_a_running_stack_can_be_read_by_the_command_line(tmp_path: Path) -> None:
    state = LocalState(os.getpid(), psutil.Process().create_time(), "http://127.0.0.1:1", "us-east-1", "control", None)
    assert read_state(tmp_path) is None
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    remove_state(tmp_path)
    assert read_state(tmp_path) is None


def test_the_state_of_a_stack_that_was_killed_is_not_believed(tmp_path: Path) -> None:
    write_state(tmp_path, LocalState(os.getpid(), 1_000_000.0, "http://127.0.0.1:1", "us-east-1", "control", None))
    assert read_state(tmp_path) is None
