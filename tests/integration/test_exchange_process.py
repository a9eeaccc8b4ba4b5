"""The simulated exchange as a process: one line when it serves, one line when it cannot, nothing left at the end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from cryptowatch.clock import Anchor, RecordClock

START = 1_772_452_800.0  # 2026-03-02 12:00 UTC


@pytest.fixture
def clock(tmp_path: Path) -> RecordClock:
    clock = RecordClock(tmp_path / "clock.json")
    clock.write(Anchor(wall=time.time(), record=START, speed=1.0, limit=START))
    return clock


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cryptowatch.local.exchange", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_serves_by_its_clock_until_it_is_told_to_stop(clock: RecordClock) -> None:
    process = start("--record", "simulated", "--clock", str(clock.path))
    try:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "serving"
        assert requests.get(f"{url}/binance/api/v3/time", timeout=5).json() == {"serverTime": int(START * 1000)}
        clock.write(Anchor(wall=time.time(), record=START + 60, speed=1.0, limit=START + 60))
        assert requests.get(f"{url}/coinbase/time", timeout=5).json()["epoch"] == START + 60
        listening = psutil.Process(process.pid).net_connections()
        assert {one.laddr.ip for one in listening if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
        assert process.communicate() == ("", "")
    finally:
        process.kill()
        process.wait()


def test_what_it_cannot_use_is_one_clear_line(clock: RecordClock, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = [
        (("--record", str(empty), "--clock", str(clock.path)), "no recorded candles"),
        (("--record", "simulated", "--clock", str(tmp_path / "none")), "the clock cannot be read from"),
    ]
    processes = [(start(*arguments), says) for arguments, says in wrong]
    for process, says in processes:
        out, error = process.communicate(timeout=30)
        assert (process.returncode, out, error.count("\n")) == (1, "", 1)
        assert says in error
