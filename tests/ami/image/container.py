"""Containers with a system of their own, by `systemd-nspawn`: commands in it, or booted.

A container's mounts end with it, so a folder is all that there is to remove.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

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
    packages = [name for name in ("debootstrap", "gpg", "npm", "openssl") if not shutil.which(name)]
    packages += [] if shutil.which("systemd-nspawn") else ["systemd-container"]
    return f"it takes more of Debian: apt-get install {' '.join(packages)}" if packages else None


def nspawn(root: Path, *options: str) -> list[str]:
    """The command that runs something in `root`; its mounts are its own, and it ends with this process."""
    alone = ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private"]
    return [*alone, "sh", "-c", NSPAWN, "sh", f"--directory={root}", *options]


class RootFileSystem:
    """A folder that holds a whole system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __truediv__(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, with nothing of this machine's environment."""
        settings = [f"--setenv={name}={value}" for name, value in (environment or {}).items()]
        done = subprocess.run(
            nspawn(self.root, "--pipe", *settings, *command),
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_TMPFS_TMP": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done


class Machine:
    """The image, booted: systemd is process 1, cloud-init runs the user data, and the network is this machine's."""

    #: Seconds a boot, or a command in it, may take.
    PATIENCE_S = 60.0

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
