"""Forgetting local data ends what a killed run has left, and nothing that runs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from cryptowatch.local.clean import clean
from cryptowatch.local.lock import AlreadyRunningError, Lock
from cryptowatch.local.processes import Child


@pytest.fixture
def root() -> Iterator[Path]:
    with TemporaryDirectory(prefix="cw") as name:
        yield Path(name) / ".local"


def test_what_a_killed_run_has_left_is_ended_and_its_data_removed(root: Path) -> None:
    (root / "simulated").mkdir(parents=True)
    child = Child("emulator", [sys.executable, "-c", "import time; time.sleep(60)"], {}, root / "simulated")
    clean(root)
    assert not root.exists()
    child.process.wait(5)
    assert not psutil.pid_exists(child.pid)


def test_a_running_stack_is_left_alone(root: Path) -> None:
    (root / "simulated").mkdir(parents=True)
    lock = Lock(root)
    with pytest.raises(AlreadyRunningError):
        clean(root)
    assert (root / "simulated").exists()
    lock.release()


def test_nothing_to_forget_is_fine(root: Path) -> None:
    clean(root)
