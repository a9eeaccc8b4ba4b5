"""The image, made for real of a fresh Debian by our scripts, and booted: `make test-image`, which takes minutes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cryptowatch.local.emulator import aws_environment
from cryptowatch.queues import AnalysisQueue
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect, wal_position
from cryptowatch.store.migrate import migrate
from tests.ami.image.conftest import Cloud
from tests.ami.image.container import Machine, RootFileSystem
from tests.ami.image.stand_ins import StandIns
from tests.integration.conftest import MINUTE, World

PARTS = Path(__file__).resolve().parents[3] / "ami" / "scripts" / "provision"
PYTHON = "/opt/crypto-watch/venv/bin/python"
UNITS = [f"crypto-watch-{name}.service" for name in ("worker", "studies", "drain")]
#: `systemd-analyze security`: ten times the exposure that it finds a unit to have at most; "OK" ends at 4.9.
MOST_EXPOSED = 20


# --- what the build refuses: tried before the image is made ---


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"AGENT_KEY": "0" * 40}, "is not signed by the key 0000"),
        ({"CHANGED": "yes"}, "is not signed by the key"),
        ({"VERSION": "1.300069.0b1"}, "cannot read the journal: 1.300070 or later"),
    ],
    ids=["signed by another key", "changed", "too old"],
)
def test_the_build_refuses_an_agent_that_is(
    debian: RootFileSystem, stand_ins: StandIns, change: dict[str, str], why: str
) -> None:
    settings = stand_ins.lay(change.get("VERSION", "1.300071.0b1"))
    if "CHANGED" in change:
        with (stand_ins.place / "amazon-cloudwatch-agent.deb").open("ab") as package:
            package.write(b"more")
    shutil.copy(PARTS / "50-agent.sh", debian / "var/tmp")
    done = debian.run("bash", "/var/tmp/50-agent.sh", environment=settings | change, check=False)
    assert done.returncode != 0
    assert why in done.stderr


# --- what lies in the image ---


def test_no_compiler_and_nothing_of_the_build_is_left(image: RootFileSystem) -> None:
    for name in ("gcc", "cc", "g++", "make", "ld", "gpg"):
        assert not (image / f"usr/bin/{name}").exists(), name
    for gone in ("tmp/crypto-watch", "root/.cache"):
        assert not (image / gone).exists(), gone
    assert list((image / "etc/ssh").glob("ssh_host_*")) == []
    assert list((image / "var/lib/apt/lists").iterdir()) == []
    assert list((image / "var/cache/apt/archives").glob("*.deb")) == []
    assert list(image.root.glob("**/pip/http*")) == []
    assert (image / "etc/machine-id").read_text() == ""


def is_enabled(image: RootFileSystem, unit: str) -> str:
    return image.run("systemctl", "is-enabled", unit, check=False).stdout.strip()


def test_nothing_updates_by_itself_and_nothing_listens(image: RootFileSystem) -> None:
    for unit in ("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service"):
        assert is_enabled(image, unit) == "masked"
    for unit in ("ssh.service", "ssh.socket"):
        assert is_enabled(image, unit) == "disabled"


def test_the_packages_are_those_that_were_tested(image: RootFileSystem) -> None:
    assert image.run(PYTHON, "-m", "pip", "check").stdout.strip() == "No broken requirements found."
    frozen = image.run(PYTHON, "-m", "pip", "freeze").stdout
    locked = (image.root.parent / "requirements.txt").read_text()
    for name in ("numba", "celery", "psycopg2-binary", "ta", "pycurl"):
        (version,) = re.findall(rf"^{name}==(\S+)", frozen, re.MULTILINE)
        assert re.search(rf"^{name}==.*\b{re.escape(version)}\b", locked, re.MULTILINE), name


def test_the_certificates_of_rds_are_there(image: RootFileSystem) -> None:
    bundle = (image / "opt/crypto-watch/rds-global-bundle.pem").read_text()
    assert bundle.count("BEGIN CERTIFICATE") > 100  # one a region and kind of key, and the stand-in's


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_each_unit_and_finds_it_hardened(image: RootFileSystem, unit: str) -> None:
    verified = image.run("systemd-analyze", "verify", "--man=no", unit)
    assert "crypto-watch" not in verified.stderr
    image.run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)


def test_no_unit_starts_before_it_has_values(image: RootFileSystem) -> None:
    for unit in UNITS:
        assert is_enabled(image, unit) == "disabled"


#: Compiles nothing when the cache serves; prints hits and misses of one indicator on a processor of that name.
COUNT_HITS = """
import sys, llvmlite.binding as llvm
llvm.get_host_cpu_name = lambda: sys.argv[1]
import numpy as np
from cryptowatch.indicators import find
entry = find("sma")
entry.compute(np.ones((1, 9)), parameters={"length": 3})
stats = entry.function.compiled.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


@pytest.mark.parametrize(("pinned", "expected"), [(True, "1 0"), (False, "0 1")])
def test_another_processor_finds_what_the_image_has_compiled(
    image: RootFileSystem, pinned: bool, expected: str
) -> None:
    lines = (image / "etc/crypto-watch/compiler.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    if not pinned:  # so it is the pin that does it
        del settings["NUMBA_CPU_NAME"], settings["NUMBA_CPU_FEATURES"]
        shutil.copytree(image / settings["NUMBA_CACHE_DIR"], image / "var/tmp/cache")
        settings["NUMBA_CACHE_DIR"] = "/var/tmp/cache"
    said = image.run(PYTHON, "-c", COUNT_HITS, "znver3", environment=settings)
    assert said.stdout.strip() == expected


# --- the image booted ---


@pytest.fixture(scope="module")
def world(postgres: str) -> Iterator[World]:
    settings = Settings({"DATABASE_URL": postgres})
    with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
        migrate(writer)
        made = World(writer, reader)
        with made.exchange:
            yield made


@pytest.fixture(scope="module")
def started(machine: Machine, world: World) -> Machine:
    machine.until(lambda: "the workers are ready" in machine.journal("cloud-init-main"))
    return machine


def test_user_data_starts_all_that_an_instance_does(started: Machine) -> None:
    for unit in UNITS:
        assert started.show(unit, "ActiveState") == "active", started.journal(unit)
        assert started.run("systemctl", "is-enabled", unit).strip() == "enabled"
    assert started.run("cat", "/var/log/agent-told").split() == (
        ["-a", "fetch-config", "-m", "ec2", "-s", "-c", "file:/etc/crypto-watch/cloudwatch-agent.json"]
    )
    configuration = started.run("cat", "/etc/crypto-watch/cloudwatch-agent.json")
    assert '"log_group_name": "/tried/workers"' in configuration
    assert "@" not in configuration
    assert started.run("systemctl", "--failed", "--quiet", "--plain") == ""
    for queue in ("analysis", "studies"):  # signs of life, for the drain daemon
        started.until(lambda queue=queue: started.run("stat", f"/run/crypto-watch/{queue}").startswith("  File"))


def test_bulk_work_has_the_lower_priority(started: Machine) -> None:
    nice = {unit: started.run("ps", "-o", "nice=", "-p", started.show(unit, "MainPID")).strip() for unit in UNITS[:2]}
    assert nice == {UNITS[0]: "0", UNITS[1]: "15"}


def test_a_worker_finishes_a_task_over_tls(started: Machine, cloud: Cloud, world: World) -> None:
    world.record.trade("BTC/USDT", -5, [1.0] * 5)
    world.apply({"when": "close > 1"})
    world.ingest()
    world.record.trade("BTC/USDT", 0, [1.0, 2.0])
    for _ in range(2):
        world.clock.at += MINUTE
        world.ingest()
    settings = Settings({"ANALYSIS_QUEUE_URL": cloud.values["ANALYSIS_QUEUE_URL"]})
    with cloud.reached():
        queue = AnalysisQueue(settings)
        for interval_s, market_id in world.told.markets:
            queue.send(interval_s, [market_id], wal_position(world.writer))
    started.until(world.alerts)
    assert world.alerts() == [("BTC/USDT", 2, "fired")]
    assert '"message":"alerts raised"' in started.journal(UNITS[0])
    started.until(lambda: cloud.waiting("alerts") == 1)


def test_systemd_restarts_a_worker_that_hangs(started: Machine) -> None:
    """A stopped process is the plainest of those that are there and do nothing. The wait is shortened, nothing else."""
    shorter = (
        "mkdir -p /run/systemd/system/$0.d && printf '[Service]\\nWatchdogSec=10\\n' >/run/systemd/system/$0.d/x.conf"
    )
    started.run("sh", "-c", f"{shorter} && systemctl daemon-reload && systemctl restart $0", UNITS[1])
    hung = started.show(UNITS[1], "MainPID")
    started.run("kill", "-STOP", hung)
    started.until(lambda: started.show(UNITS[1], "MainPID") not in (hung, "0"))
    assert "Watchdog timeout" in started.journal(UNITS[1])
    started.until(lambda: started.show(UNITS[1], "ActiveState") == "active")


def test_an_instance_that_is_to_go_ends_its_workers(started: Machine, cloud: Cloud) -> None:
    cloud.metadata.values["autoscaling/target-lifecycle-state"] = "Terminated"
    for unit in UNITS[:2]:
        started.until(lambda unit=unit: started.show(unit, "ActiveState") == "inactive")
        assert "Warm shutdown" in started.journal(unit)
        assert started.show(unit, "Result") == "success"
    started.until(lambda: '"message":"drained"' in started.journal(UNITS[2]))
    assert '"message":"a worker hangs"' not in started.journal(UNITS[2])


def test_an_instance_that_cannot_start_marks_itself_unhealthy(started: Machine, cloud: Cloud) -> None:
    started.run("sed", "--in-place", "/^LOG_GROUP=/d", "/etc/crypto-watch/worker.env")
    settings = aws_environment(cloud.metadata.url) | {"AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    variables = [f"{name}={value}" for name, value in settings.items()]
    said = started.run("env", *variables, "/opt/crypto-watch/bin/start-worker")
    assert "the worker did not start: /etc/crypto-watch/worker.env holds no LOG_GROUP" in said
    (call,) = cloud.metadata.calls
    assert (call["Action"], call["InstanceId"]) == ("SetInstanceHealth", "i-0123456789abcdef0")
    assert (call["HealthStatus"], call["ShouldRespectGracePeriod"]) == ("Unhealthy", "false")
