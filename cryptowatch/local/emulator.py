"""The AWS emulator, as a child process on a free port of 127.0.0.1."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from cryptowatch.local.deploy import ACCOUNT, Emulator
from cryptowatch.local.processes import Child

#: Seconds it may take to answer.
PATIENCE_S = 30.0


class EmulatorFailedError(RuntimeError):
    """The emulator did not start."""


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """What makes boto3 talk to the emulator, whatever the user's own AWS settings are."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def clean_environment() -> dict[str, str]:
    """This process's environment without the user's AWS settings, which must not reach the local stack."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def forget_user_settings() -> None:
    """Keep the user's AWS settings, and proxies, from what this process and its children ask of this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    names = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "", "127.0.0.1", "localhost"]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, names))


def start_emulator(folder: Path, environment: Mapping[str, str]) -> tuple[Child, Emulator]:
    """Start it; what `environment` holds reaches the functions, too. Wait for it with `wait_for_emulator`."""
    port = free_port()
    endpoint_url = f"http://127.0.0.1:{port}"
    # The functions' unpacked code stays behind when the emulator is killed: keep it where `make clean` finds it.
    temporary = folder / "emulator"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    whole = {
        **clean_environment(),
        **aws_environment(endpoint_url),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_HOST": "127.0.0.1",
        "TMPDIR": str(temporary),
        "STATE_DIR": str(temporary),
        **environment,
    }
    child = Child("emulator", [sys.executable, "-m", "ministack"], whole, folder)
    return child, Emulator(endpoint_url)


def wait_for_emulator(child: Child, emulator: Emulator) -> None:
    """Return when it answers.

    Raises:
        EmulatorFailedError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not child.is_running():
            raise EmulatorFailedError(f"the AWS emulator ended at once; its log is {child.log}")
        try:
            if requests.get(f"{emulator.endpoint_url}/_ministack/health", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise EmulatorFailedError(f"the AWS emulator does not answer after {PATIENCE_S:g} s; its log is {child.log}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
