"""The image's scripts: they parse, agree with the workers' user data, and do what they say to stand-ins."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

REPOSITORY = Path(__file__).resolve().parents[2]
AMI = REPOSITORY / "ami"
SCRIPTS = sorted((AMI / "scripts").rglob("*.sh"))
START = AMI / "scripts" / "start-worker.sh"
VALUES_FILE = "/etc/crypto-watch/worker.env"


def user_data() -> str:
    """What the workers' launch template has an instance run, with CloudFormation's references as they stand."""
    template: dict[str, Any] = load(str(REPOSITORY / "cloudformation" / "workers.yaml"))
    (launch,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::EC2::LaunchTemplate")
    text = launch["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    return str(text if isinstance(text, str) else text[0])


VALUES = dict(re.findall(r"^([A-Z_]+)=(.*)$", user_data(), re.MULTILINE))


def read_values(script: Path) -> set[str]:
    """The names of values that a script asks for."""
    text = script.read_text().replace("\\\n", " ")
    listed = re.search(r"^for name in ([^;]*); do$", text, re.MULTILINE)
    return set(listed.group(1).split() if listed else []) | set(re.findall(r"\$\(value ([A-Z_]+)\)", text))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse_and_stop_at_the_first_error(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "set -Eeuo pipefail" in script.read_text()


def test_scripts_satisfy_shellcheck() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not on this machine")
    checked = subprocess.run(["shellcheck", *map(str, SCRIPTS)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_user_data_only_sets_values_and_holds_no_secret() -> None:
    commands = [line for line in user_data().splitlines() if not re.match(r"([A-Z_]+=|END$|#)", line)]
    assert commands == [f"cat > {VALUES_FILE} <<'END'", "exec /opt/crypto-watch/bin/start-worker"]
    assert not re.search(r"password|resolve:", user_data(), re.IGNORECASE)


def test_user_data_writes_every_value_that_the_start_script_asks_for() -> None:
    for_tests_only = {"METADATA_URL"}
    assert read_values(START) - for_tests_only <= set(VALUES)


def test_all_name_the_same_paths() -> None:
    provision = "".join(script.read_text() for script in SCRIPTS)
    assert f"readonly VALUES={VALUES_FILE}" in START.read_text()
    assert "export ROOT=/opt/crypto-watch\n" in provision
    assert '"$ROOT/bin" /etc/crypto-watch\n' in provision  # made in the image, user data only writes into it
    for name in ("start-worker", "workers"):
        assert f'install -m 0755 "$FROM/scripts/{name}.sh" "$ROOT/bin/{name}"' in provision
    assert '--output "$ROOT/rds-global-bundle.pem"' in provision


def test_the_agent_sends_the_journal_of_all_units_to_the_stacks_log_group() -> None:
    configuration = json.loads((AMI / "conf" / "cloudwatch-agent.json").read_text())
    (journal,) = configuration["logs"]["logs_collected"]["journald"]["collect_list"]
    assert journal["log_group_name"] == "@LOG_GROUP@"
    assert {unit.name for unit in (AMI / "units").glob("*.service")} <= set(journal["units"])
    assert configuration["metrics"]["namespace"] == "CryptoWatch"
    assert set(configuration["metrics"]["metrics_collected"]) == {"mem", "disk"}
    # What the text holds in @ is what the start script replaces.
    asked = set(re.findall(r"@([A-Z_]+)@", json.dumps(configuration)))
    assert asked == set(re.findall(r"s\|@([A-Z_]+)@\|", START.read_text()))


# --- the scripts of an instance, run against stand-ins for the commands they call ---


def run_script(script: Path, folder: Path, *arguments: str, **commands: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder with a `worker.env`; each stand-in notes in `calls` how it was called."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, body in commands.items():
        path = folder / "bin" / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>{folder}/calls\n{body}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    text = script.read_text().replace(VALUES_FILE, str(folder / "worker.env"))
    text = text.replace("/etc/crypto-watch/cloudwatch-agent.json", str(folder / "agent.json"))
    text = text.replace("/opt/aws/amazon-cloudwatch-agent/bin/", "")
    copy = folder / script.name
    copy.write_text(text)
    return subprocess.run(
        ["bash", str(copy), *arguments],
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def calls(folder: Path, command: str) -> list[str]:
    lines = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
    return [line for line in lines if line.startswith(command)]


def start(
    folder: Path, *, without: str = "", systemctl: str = "exit 0", agent: str = "exit 0", aws: str = ""
) -> subprocess.CompletedProcess[str]:
    values = {name: f"{name.lower()}/of:this" for name in VALUES if name != without}
    (folder / "worker.env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    shutil.copy(AMI / "conf" / "cloudwatch-agent.json", folder / "agent.json")
    commands = {
        "systemctl": systemctl,
        "aws": aws,
        "curl": 'case "$*" in *api/token*) echo token;; *region*) echo eu-central-1;; *) echo i-0123;; esac',
        "amazon-cloudwatch-agent-ctl": agent,
    }
    return run_script(START, folder, **commands)


def told_the_stack(folder: Path) -> list[str]:
    return [line.split()[-1] for line in calls(folder, "aws cloudformation signal-resource")]


def test_a_worker_that_starts_leaves_the_instance_alone_and_lets_an_update_go_on(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert calls(tmp_path, "aws autoscaling") == []
    (call,) = calls(tmp_path, "aws")
    assert "--stack-name workers_stack/of:this --logical-resource-id WorkerGroup --unique-id i-0123" in call
    assert told_the_stack(tmp_path) == ["SUCCESS"]
    units = "crypto-watch-worker crypto-watch-studies crypto-watch-drain"
    assert calls(tmp_path, "systemctl") == [f"systemctl enable {units}", f"systemctl start {units}"]
    configuration = json.loads((tmp_path / "agent.json").read_text())
    (journal,) = configuration["logs"]["logs_collected"]["journald"]["collect_list"]
    assert journal["log_group_name"] == "log_group/of:this"


@pytest.mark.parametrize("name", ["ANALYSIS_QUEUE_URL", "LOG_GROUP", "BULK_SLOTS"])
def test_a_missing_value_marks_the_instance_unhealthy(tmp_path: Path, name: str) -> None:
    done = start(tmp_path, without=name)
    assert done.returncode == 1
    assert f"holds no {name}" in done.stderr
    (call,) = calls(tmp_path, "aws autoscaling")
    assert told_the_stack(tmp_path) == ["FAILURE"]  # an update that brought this image is taken back
    assert "set-instance-health --region eu-central-1 --instance-id i-0123 --health-status Unhealthy" in call


def test_a_unit_that_does_not_start_marks_the_instance_unhealthy(tmp_path: Path) -> None:
    done = start(tmp_path, systemctl='[ "$1" = enable ]')
    assert done.returncode == 1
    assert "a unit did not start; see journalctl" in done.stderr
    assert len(calls(tmp_path, "aws autoscaling")) == 1
    assert told_the_stack(tmp_path) == ["FAILURE"]


def test_an_update_that_nobody_waits_for_is_no_failure(tmp_path: Path) -> None:
    """CloudFormation refuses a signal that it does not wait for: one that scaling has started sends it, too."""
    done = start(tmp_path, aws="exit 254")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_agent_that_fails_stops_no_worker(tmp_path: Path) -> None:
    done = start(tmp_path, agent="exit 1")
    assert done.returncode == 0
    assert "the CloudWatch agent did not start" in done.stderr
    assert calls(tmp_path, "aws autoscaling") == []


@pytest.mark.parametrize(
    ("states", "running"),
    [
        ("inactive\n\ninactive", False),
        ("failed\n\ninactive", False),
        ("active\n\ninactive", True),
        ("inactive\n\ndeactivating", True),
        ("activating\n\nactivating", True),
    ],
)
def test_a_worker_runs_until_systemd_has_seen_it_end(tmp_path: Path, states: str, running: bool) -> None:
    done = run_script(AMI / "scripts" / "workers.sh", tmp_path, "running", systemctl=f"printf '{states}\\n'")
    assert (done.returncode == 0) == running


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("stop", "stop --no-block"),
        ("return", "kill --kill-whom=main --signal=SIGQUIT"),
        ("kill", "kill --kill-whom=all --signal=SIGKILL"),
    ],
)
def test_workers_are_stopped_in_steps(tmp_path: Path, verb: str, call: str) -> None:
    assert run_script(AMI / "scripts" / "workers.sh", tmp_path, verb, systemctl="").returncode == 0
    assert calls(tmp_path, "") == [f"systemctl {call} crypto-watch-worker.service crypto-watch-studies.service"]


def test_an_unknown_verb_is_told_the_known_ones(tmp_path: Path) -> None:
    done = run_script(AMI / "scripts" / "workers.sh", tmp_path, "pause", systemctl="")
    assert done.returncode == 2
    assert "workers stop" in done.stderr
    assert calls(tmp_path, "") == []


# --- compiled code ---


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
