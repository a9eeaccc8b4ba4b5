"""The image's scripts and unit: they parse, and they agree with each other and with the workers' user data."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
AMI = REPOSITORY / "ami"
SCRIPTS = sorted((AMI / "scripts").glob("*.sh"))
UNIT = AMI / "units" / "crypto-watch-worker.service"
START = AMI / "scripts" / "start-worker.sh"
PROVISION = AMI / "scripts" / "provision.sh"
TEMPLATE = (REPOSITORY / "cloudformation" / "workers.yaml").read_text()

#: Seconds a task may run: `TASK_LIMIT_SECONDS` by default.
TASK_LIMIT_S = 30
VALUES = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "DATABASE_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:1:secret:db",
    "ANALYSIS_QUEUE_URL": "https://sqs/analysis",
    "ALERTS_QUEUE_URL": "https://sqs/alerts",
    "LIVE_SLOTS": "2",
}


def user_data() -> str:
    found = re.search(r"Fn::Base64: !Sub \|\n(.*?\n)(?=\n|  \S)", TEMPLATE, re.DOTALL)
    assert found
    return found.group(1)


def user_data_names() -> set[str]:
    return set(re.findall(r"^\s*([A-Z_]+)=", user_data(), re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse_and_stop_at_the_first_error(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "set -Eeuo pipefail" in script.read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_satisfy_shellcheck(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not on this machine")
    checked = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not on this machine")
    # Verify wants the program to be there, so it gets this environment's.
    there = UNIT.read_text().replace("/opt/crypto-watch/venv/bin", str(Path(sys.executable).parent))
    copy = tmp_path / UNIT.name
    copy.write_text(there)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert UNIT.name not in checked.stderr, checked.stderr


def test_a_stopping_worker_finishes_its_task() -> None:
    unit = UNIT.read_text()
    assert "Type=exec" in unit
    assert "KillMode=mixed" in unit  # the whole group signalled would kill the pool's children in their task
    stop = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert stop
    assert int(stop.group(1)) > TASK_LIMIT_S


def test_user_data_writes_every_value_that_the_start_script_asks_for() -> None:
    asked = re.search(r"^for name in (.*); do$", START.read_text(), re.MULTILINE)
    assert asked
    assert set(asked.group(1).split()) == user_data_names()


def test_every_value_that_the_unit_expands_is_written_by_user_data() -> None:
    assert set(re.findall(r"\$\{([A-Z_]+)\}", UNIT.read_text())) <= user_data_names()


def test_all_name_the_same_paths() -> None:
    values = "/etc/crypto-watch/worker.env"
    assert f"cat > {values} <<'END'" in user_data()
    assert f"readonly VALUES={values}" in START.read_text()
    assert f"EnvironmentFile={values}" in UNIT.read_text()
    assert "/etc/crypto-watch\n" in PROVISION.read_text()  # made in the image, user data only writes into it
    assert user_data().rstrip().endswith("exec /opt/crypto-watch/bin/start-worker")
    assert "home=/opt/crypto-watch\n" in PROVISION.read_text()
    assert 'start-worker.sh" "$home/bin/start-worker"' in PROVISION.read_text()
    assert '--output "$home/rds-global-bundle.pem"' in PROVISION.read_text()
    assert "DATABASE_CA_FILE=/opt/crypto-watch/rds-global-bundle.pem" in UNIT.read_text()
    assert f"readonly UNIT={UNIT.name}" in START.read_text()
    assert f"/etc/systemd/system/{UNIT.name}" in PROVISION.read_text()


def test_user_data_holds_no_secret_and_only_sets_values() -> None:
    assert not re.search(r"password|resolve:", user_data(), re.IGNORECASE)
    commands = [line.strip() for line in user_data().splitlines() if not re.match(r"\s*([A-Z_]+=|END$|#)", line)]
    assert commands == ["cat > /etc/crypto-watch/worker.env <<'END'", "exec /opt/crypto-watch/bin/start-worker"]


# --- the start script itself, run against stand-ins for the commands it calls ---


def run_start(folder: Path, values: dict[str, str], *, systemctl: str = "exit 0") -> tuple[int, str, list[str]]:
    """Run it; returns its exit code, what it said on standard error, and the calls of `aws`."""
    calls = folder / "aws-calls"
    commands = {
        "systemctl": systemctl,
        "journalctl": "echo 'celery@worker ready.'",
        "curl": 'case "$*" in *api/token*) echo token;; *region*) echo eu-central-1;; *) echo i-0123;; esac',
        "aws": f'echo "$*" >> {calls}',
    }
    (folder / "bin").mkdir()
    for name, body in commands.items():
        path = folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    file = folder / "worker.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    script = folder / "start-worker"
    script.write_text(START.read_text().replace("/etc/crypto-watch/worker.env", str(file)))
    done = subprocess.run(
        ["bash", str(script)],
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr, calls.read_text().splitlines() if calls.exists() else []


def test_a_worker_that_starts_leaves_the_instance_alone(tmp_path: Path) -> None:
    code, said, calls = run_start(tmp_path, VALUES)
    assert (code, said, calls) == (0, "", [])


def test_a_missing_value_marks_the_instance_unhealthy(tmp_path: Path) -> None:
    code, said, calls = run_start(tmp_path, {**VALUES, "ANALYSIS_QUEUE_URL": ""})
    assert code == 1
    assert "holds no ANALYSIS_QUEUE_URL" in said
    assert len(calls) == 1
    assert "set-instance-health --region eu-central-1 --instance-id i-0123 --health-status Unhealthy" in calls[0]


def test_a_unit_that_does_not_start_marks_the_instance_unhealthy(tmp_path: Path) -> None:
    code, said, calls = run_start(tmp_path, VALUES, systemctl="exit 1")
    assert code == 1
    assert "did not start: line" in said
    assert len(calls) == 1


def test_the_indicators_are_compiled_into_the_image_for_the_processor_that_the_unit_names() -> None:
    provision = PROVISION.read_text()
    assert "-m cryptowatch.rules.warm" in provision
    assert "env $(cat /etc/crypto-watch/compiler.env)" in provision
    assert "EnvironmentFile=/etc/crypto-watch/compiler.env" in UNIT.read_text()


def test_code_compiled_for_a_named_processor_is_found_on_another_one(tmp_path: Path) -> None:
    code = (
        "import sys, llvmlite.binding as llvm; llvm.get_host_cpu_name = lambda: sys.argv[1]\n"
        "import numpy as np; from cryptowatch.indicators import find\n"
        "entry = find('sma'); entry.compute(np.ones((1, 9)), parameters={'length': 3})\n"
        "stats = entry.function.compiled.stats; print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))"
    )
    named = {
        "NUMBA_CPU_NAME": "x86-64-v3" if os.uname().machine == "x86_64" else "neoverse-n1",
        "NUMBA_CPU_FEATURES": "",
    }
    environment = os.environ | named | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code, processor], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for processor in ("znver3", "skylake-avx512")
    ]
    assert said == [["0", "1"], ["1", "0"]]
