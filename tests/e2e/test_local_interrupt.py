"""Ctrl-C while the local stack is still starting: it ends at once and leaves nothing."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "watches.yaml"
START = ("local", "run", "--source", "simulated", "--watches", str(EXAMPLE))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the user stands. Not pytest's own: PostgreSQL runs as another user when the tests run as root."""
    with TemporaryDirectory(prefix="cw") as name:
        yield Path(name)


#: Seconds a run may take to stop: about five, and twice as many again beside other tests.
SOON_S = 15


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that work in the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        text = " ".join(process.info["cmdline"] or [])
        if str(folder) in text and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(text)
    return found


@pytest.mark.parametrize("line", ["starting", "PostgreSQL", "uploaded", "of workers", "applied"])
def test_a_start_that_is_interrupted_leaves_nothing(folder: Path, line: str) -> None:
    log = folder / "out.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cryptowatch.cli.main", *START], cwd=folder, stdout=out, stderr=out
        )
    deadline = time.monotonic() + 60
    while line not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, log.read_text()
    assert time.monotonic() - began < SOON_S
    assert "Traceback" not in log.read_text()
    assert left_over(folder) == []
    assert not (folder / ".local" / "stack.json").exists()
    assert not (folder / ".local" / "simulated" / "postgres" / "postmaster.pid").exists()
