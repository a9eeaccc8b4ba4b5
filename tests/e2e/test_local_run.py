"""The main job, as a user runs it: from a command to an email in the mail folder."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import psutil
import pytest

from cryptowatch.store.migrate import migrations

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "watches.yaml"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cryptowatch.cli.main", *arguments]


def run(folder: Path, *arguments: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, timeout=timeout)


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that mention the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        text = " ".join(process.info["cmdline"] or []) + str((process.info["environ"] or {}).get("CRYPTOWATCH_CLOCK"))
        if str(folder) in text and process.pid != os.getpid():
            found.append(text)
    return found


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


@pytest.fixture
def started(tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    """A running stack that has applied its watch list."""
    log = tmp_path / "out.txt"
    process = subprocess.Popen(
        command("local", "run", "--source", "simulated", "--watches", str(EXAMPLE)),
        cwd=tmp_path,
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_for(lambda: b"applied" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(15)


def test_simulated_markets_become_emails_and_nothing_is_left_behind(tmp_path) -> None:
    first = run(
        tmp_path,
        "local",
        "run",
        "--source",
        "simulated",
        "--watches",
        str(EXAMPLE),
        "--until-emails",
        "2",
        "--timeout",
        "100",
    )
    assert first.returncode == 0, first.stdout + first.stderr
    emails = sorted((tmp_path / ".local" / "simulated" / "mail").glob("*.eml"))
    assert len(emails) >= 2
    message = message_from_bytes(emails[0].read_bytes(), policy=policy.default)
    assert message["To"] == "you@example.com"
    assert "is information, not advice" in message.get_content()
    assert left_over(tmp_path) == []
    again = run(
        tmp_path,
        "local",
        "run",
        "--source",
        "simulated",
        "--watches",
        str(EXAMPLE),
        "--until-emails",
        "1",
        "--timeout",
        "100",
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "3 unchanged" in again.stdout


def test_the_command_line_works_on_the_running_stack_and_ctrl_c_stops_it(started, tmp_path) -> None:
    second = run(tmp_path, "local", "run", "--source", "simulated", "--watches", str(EXAMPLE))
    assert second.returncode == 1
    assert "running already" in second.stdout
    status = run(tmp_path, "status", "--json")
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["schema_version"] == migrations()[-1][0]
    applied = run(tmp_path, "apply", str(EXAMPLE))
    assert "3 unchanged" in applied.stdout, applied.stderr
    previewed = run(tmp_path, "preview", str(EXAMPLE), "--json")
    assert {one["watch"] for one in json.loads(previewed.stdout)["watches"]} >= {"Oversold dip"}, previewed.stderr
    muted = run(tmp_path, "mute", "watch", "Oversold dip", "--for", "1h")
    assert "watch Oversold dip is muted until" in muted.stdout, muted.stderr
    filled = run(tmp_path, "backfill", "binance:BTC/USDT", "--interval", "1m", "--since", "3d")
    assert filled.returncode == 0, filled.stdout + filled.stderr
    assert re.search(r"binance:BTC/USDT +1m +done +100% .* 4,3\d\d ", filled.stdout), filled.stdout
    taken = run(tmp_path, "export", "binance:BTC/USDT", "--interval", "1m", "--format", "csv")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    brought = run(tmp_path, "import", "BTC_USDT-1m.csv", "--source", "binance", "--json")
    assert '"new": 0' in brought.stdout and '"differ": 0' in brought.stdout, brought.stdout + brought.stderr
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    assert started.wait(20) == 0
    assert time.monotonic() - began < 15
    assert left_over(tmp_path) == []
    assert run(tmp_path, "status").returncode == 1


def test_a_killed_run_is_cleaned_up_by_the_next(started, tmp_path) -> None:
    os.killpg(started.pid, signal.SIGKILL)
    started.wait(5)
    assert left_over(tmp_path) != []
    again = run(
        tmp_path,
        "local",
        "run",
        "--source",
        "simulated",
        "--watches",
        str(EXAMPLE),
        "--until-emails",
        "1",
        "--timeout",
        "100",
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert left_over(tmp_path) == []


def test_recorded_candles_replayed_become_emails(recorded, tmp_path) -> None:
    watches = tmp_path / "watches.yaml"
    watches.write_text(
        "recipients: {me: you@example.com}\n"
        "watches:\n"
        "  - name: Cross\n"
        "    markets: [binance:ETH/BTC, coinbase:TRX/BTC, binance:XLM/BTC]\n"
        "    interval: 5m\n"
        "    when: crosses_above(close, sma(10))\n"
        "    notify: [me]\n"
    )
    folder = recorded / "candles"
    done = run(
        tmp_path,
        "local",
        "run",
        "--source",
        "replay",
        "--replay",
        str(folder),
        "--watches",
        str(watches),
        "--until-emails",
        "2",
        "--timeout",
        "120",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    emails = sorted(tmp_path.glob(".local/replay-candles/mail/*.eml"))
    text = message_from_bytes(emails[0].read_bytes(), policy=policy.default).get_content()
    assert re.search(r"closed 201[78]-\d\d-\d\d \d\d:\d[05] UTC", text)
    assert "held none" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "replay"), "needs a folder"),
        (("--source", "replay", "--replay", "nowhere"), "no such"),
        (("--watches", "nowhere.yaml"), "no such file"),
    ],
)
def test_wrong_options_are_said_in_one_line(tmp_path, arguments, said) -> None:
    done = run(tmp_path, "local", "run", "--source", "simulated", "--watches", str(EXAMPLE), *arguments)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
