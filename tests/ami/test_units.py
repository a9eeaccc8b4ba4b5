"""The systemd units: systemd accepts them, and they stop, watch and rank the workers as the design says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode.cfn_yaml import load

from cryptowatch.settings import Settings
from workers.health import BEAT_S, SILENT_S

REPOSITORY = Path(__file__).resolve().parents[2]
UNITS = REPOSITORY / "ami" / "units"
COMMON = UNITS / "crypto-watch-.service.d" / "common.conf"
LIVE, BULK, DRAIN = (UNITS / f"crypto-watch-{name}.service" for name in ("worker", "studies", "drain"))
USER_DATA = str(load(str(REPOSITORY / "cloudformation" / "workers.yaml")))


def setting(unit: Path, name: str) -> str:
    """The one value of a setting, as the unit and what all units have in common give it."""
    (value,) = re.findall(rf"^{name}=(.*)$", unit.read_text() + COMMON.read_text(), re.MULTILINE)
    return str(value)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not on this machine")
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    units = sorted(tmp_path.glob("*.service"))
    for unit in units:  # verify wants the programs to be there, so it gets this environment's
        unit.write_text(unit.read_text().replace("/opt/crypto-watch/venv/bin", str(Path(sys.executable).parent)))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, units)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "crypto-watch" not in checked.stderr, checked.stderr


@pytest.mark.parametrize(("unit", "limit_s"), [(LIVE, 30), (BULK, 300)], ids=["live", "bulk"])
def test_a_stopping_worker_may_finish_its_task(unit: Path, limit_s: int) -> None:
    known = Settings({})
    assert limit_s == (known.analysis_limit_seconds if unit is LIVE else known.studies_limit_seconds)
    assert int(setting(unit, "TimeoutStopSec")) > limit_s
    assert setting(unit, "KillMode") == "mixed"  # signalled as a group, the pool's children would die in their task


@pytest.mark.parametrize("unit", [LIVE, BULK], ids=["live", "bulk"])
def test_systemd_restarts_a_worker_that_hangs_before_its_instance_is_replaced(unit: Path) -> None:
    assert setting(unit, "Type") == "notify"
    watchdog = int(setting(unit, "WatchdogSec"))
    assert SILENT_S + BEAT_S < watchdog < Settings({}).hung_seconds
    assert setting(unit, "WatchdogSignal") == "SIGKILL"  # one that hangs handles no other
    assert setting(unit, "Restart") == "always"
    assert setting(DRAIN, "Restart") == "on-failure"  # it ends when it has drained


def test_the_drain_daemon_finds_what_the_workers_leave() -> None:
    folder = "HEALTH_FOLDER=/run/crypto-watch"
    for unit in (LIVE, BULK, DRAIN):
        assert f"Environment={folder}\n" in unit.read_text()
    for unit in (LIVE, BULK):
        assert setting(unit, "RuntimeDirectory") == "crypto-watch"
        assert setting(unit, "RuntimeDirectoryPreserve") == "yes"  # the other worker's signs of life are there, too


def test_each_worker_reads_its_queue_with_its_slots() -> None:
    for unit, queue, slots in ((LIVE, "analysis", "LIVE_SLOTS"), (BULK, "studies", "BULK_SLOTS")):
        command = unit.read_text().replace("\\\n", " ")
        assert f"celery -A workers.app worker -Q {queue} --concurrency ${{{slots}}} " in command
        assert f"{slots}=${{" in USER_DATA


def test_bulk_work_stands_back() -> None:
    assert int(setting(BULK, "Nice")) > 0
    assert int(setting(BULK, "CPUWeight")) < 100  # systemd's default
    assert int(setting(BULK, "IOWeight")) < 100
    assert int(setting(BULK, "OOMScoreAdjust")) > 0
    assert not re.search(r"^(Nice|CPUWeight|IOWeight|OOMScoreAdjust)=", LIVE.read_text(), re.MULTILINE)


def test_workers_are_no_root_and_the_drain_daemon_has_no_right_of_roots() -> None:
    assert setting(LIVE, "User") == setting(BULK, "User") == "crypto-watch"
    assert setting(DRAIN, "User") == "root"
    assert setting(DRAIN, "CapabilityBoundingSet") == ""


def test_all_read_the_values_and_the_compilers_pin() -> None:
    files = re.findall(r"^EnvironmentFile=(.*)$", COMMON.read_text(), re.MULTILINE)
    assert files == ["/etc/crypto-watch/worker.env", "/etc/crypto-watch/compiler.env"]
    assert "cat > /etc/crypto-watch/worker.env <<" in USER_DATA
    kernels = (REPOSITORY / "ami" / "scripts" / "provision" / "30-kernels.sh").read_text()
    assert ">/etc/crypto-watch/compiler.env" in kernels
    assert "env $(cat /etc/crypto-watch/compiler.env)" in kernels
